"""What every sink is: a function of the tables that writes one format, whole or not at all."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from pathlib import Path

from schemas import Relation, RelationSchema
from schemas.atomic_files import replacing
from sinks.tables.tables import GraphTables, TableError


class WriteError(OSError):
    """A sink could not take the graph as it is; what stood at the target before stands there still."""


class GraphWriter(ABC):
    """Writes a graph in one format, to a file or to a folder of files.

    Attributes:
        name: what users call the format.
        file: name of the file or folder in an output folder.
    """

    name: str
    file: str

    def write(self, tables: GraphTables, target: str | Path, schema: RelationSchema) -> dict[str, int]:
        """Write the graph to `target`, in the place of what is there; the same tables give the same graph again.

        Args:
            tables: the graph.
            target: the file or folder to write.
            schema: the relation schema that the graph was built with.

        Returns:
            What was written, counted: `nodes`, `edges` and what else the format consists of.

        Raises:
            TableError: the tables are incomplete, or use a relation that `schema` lacks.
            WriteError: the format did not hold what was written.
            OSError: the target cannot be written.
        """
        with replacing(Path(target)) as draft:
            return self.write_draft(tables, draft, schema)

    @abstractmethod
    def write_draft(self, tables: GraphTables, draft: Path, schema: RelationSchema) -> dict[str, int]:
        """Write the graph to `draft`, a path where nothing lies yet, and return the counts."""


class ServerWriter(ABC):
    """Brings a graph into a database server; running it again, also after an interruption, gives the same graph.

    Args:
        compare_all: notice everything that others changed in the server's graph; it takes as long as the graph is
            large, however little is to be done.
    """

    def __init__(self, compare_all: bool = False) -> None:
        self.compare_all = compare_all

    @abstractmethod
    def write(self, tables: GraphTables, uri: str, schema: RelationSchema) -> dict[str, int]:
        """Make the server's graph that of the tables.

        Args:
            tables: the graph.
            uri: where the server listens, for example `neo4j://localhost:7687`; it holds no password.
            schema: the relation schema that the graph was built with.

        Returns:
            What the server then holds of it, counted: `nodes` and `edges`.

        Raises:
            TableError: the tables are incomplete, or use a relation that `schema` lacks.
            WriteError: the server cannot be reached, refuses the login or did not take the graph; run it again.
        """


# Module and class of the writer for every scheme of a URI. Imported when asked for, since drivers are slow to load.
SERVERS = dict.fromkeys(
    ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc"), ("sinks.neo4j.writer", "Neo4jWriter")
)


def server_writer(uri: str, compare_all: bool = False) -> ServerWriter:
    """Return what writes to the server at a URI; see `ServerWriter`.

    Raises:
        WriteError: this installation has no writer for the scheme of the URI.
    """
    scheme = uri.partition("://")[0].lower()
    known = ", ".join(f"{scheme}://" for scheme in SERVERS)
    if scheme not in SERVERS:
        raise WriteError(f"nothing here writes to '{scheme}://' servers; known are {known}")
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
