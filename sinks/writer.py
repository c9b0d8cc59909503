"""Base classes of sinks: each writes the tables in one format, completely or not at all."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from pathlib import Path

from schemas import Relation, RelationSchema
from schemas.atomic_files import replacing
from sinks.tables.tables import GraphTables, TableError


class WriteError(OSError):
    """A sink could not write the graph; the target is unchanged."""


class ServerUriError(WriteError, ValueError):
    """The URI of a server cannot be used: it has an unknown scheme or holds a password."""


class GraphWriter(ABC):
    """Writes a graph in one format, to a file or to a folder of files.

    Attributes:
        name: what users call the format.
        file: name of the file or folder in an output folder.
    """

    name: str
    file: str

    def write(self, tables: GraphTables, target: str | Path, schema: RelationSchema) -> dict[str, int]:
        """Write the graph to `target`, replacing what is there; equal tables give an equal graph.

        Args:
            tables: the graph.
            target: the file or folder to write.
            schema: the relation schema that the graph was built with.

        Returns:
            What was written, counted: `nodes`, `edges` and what else the format consists of.

        Raises:
            TableError: the tables are incomplete, or use a relation that `schema` lacks.
            WriteError: the result does not hold what the tables hold.
            OSError: the target cannot be written.
        """
        with replacing(Path(target)) as draft:
            return self.write_draft(tables, draft, schema)

    @abstractmethod
    def write_draft(self, tables: GraphTables, draft: Path, schema: RelationSchema) -> dict[str, int]:
        """Write the graph to `draft`, a path that does not exist, and return the counts."""


class ServerWriter(ABC):
    """Brings a graph into a database server; running it again, also after an interruption, gives the same graph.

    Args:
        compare_all: find everything that others changed in the server's graph; the time grows with the whole graph
            instead of the difference.
    """

    def __init__(self, compare_all: bool = False) -> None:
        self.compare_all = compare_all

    @abstractmethod
    def write(self, tables: GraphTables, uri: str, schema: RelationSchema) -> dict[str, int]:
        """Make the graph of the server equal to the tables.

        Args:
            tables: the graph.
            uri: the address of the server, for example `neo4j://localhost:7687`, without a password.
            schema: the relation schema that the graph was built with.

        Returns:
            The counts of the server: `nodes` and `edges`.

        Raises:
            TableError: the tables are incomplete, or use a relation that `schema` lacks.
            WriteError: the server cannot be reached, refuses the login or did not take the graph; run it again.
        """


# Module and class of the writer for every URI scheme; imported on use, since drivers are slow to load.
SERVERS = dict.fromkeys(
    ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc"), ("sinks.neo4j.writer", "Neo4jWriter")
)


def server_writer(uri: str, compare_all: bool = False) -> ServerWriter:
    """Return the writer for the server at a URI; see `ServerWriter`.

    Raises:
        ServerUriError: there is no writer for the scheme of the URI.
        WriteError: this installation lacks the driver.
    """
    scheme = uri.partition("://")[0].lower()
    known = ", ".join(f"{scheme}://" for scheme in SERVERS)
    if scheme not in SERVERS:
        raise ServerUriError(f"no writer for '{scheme}://' servers; known schemes are {known}")
    module, name = SERVERS[scheme]
    try:
        writer: ServerWriter = getattr(importlib.import_module(module), name)(compare_all=compare_all)
    except ImportError as error:
        raise WriteError(f"this installation cannot write to '{scheme}://' servers: {error}") from None
    return writer


def relation_of(schema: RelationSchema, id: str) -> Relation:
    """Return the relation of an edge.

    Raises:
        TableError: the schema lacks it; the message names the remedy.
    """
    try:
        return schema.by_id[id]
    except KeyError:
        raise TableError(
            f"the edges use the relation '{id}', which the relation schema '{schema.name}' lacks: "
            f"name the schema that the graph was built with"
        ) from None
