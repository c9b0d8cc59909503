"""What every sink is: a function from the tables to one file that appears whole or not at all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from schemas import Relation, RelationSchema
from sinks.atomic import replacing
from sinks.tables import GraphTables, TableError


class WriteError(OSError):
    """A sink could not take the graph as it is; what stood at the target before stands there still."""


class GraphWriter(ABC):
    """Writes a graph in one format.

    Attributes:
        name: what users call the format.
        file: name of the file in an output folder.
    """

    name: ClassVar[str]
    file: ClassVar[str]

    def write(self, tables: GraphTables, target: Path, schema: RelationSchema) -> dict[str, int]:
        """Write the graph to `target`, in the place of what is there; the same tables give the same graph again.

        Args:
            tables: the graph.
            target: the file to write.
            schema: the relation schema that the graph was built with.

        Returns:
            What was written, counted: `nodes`, `edges` and what else the format consists of.

        Raises:
            TableError: the tables are incomplete, or use a relation that `schema` lacks.
            WriteError: the format did not hold what was written.
            OSError: the file cannot be written.
        """
        with replacing(target) as draft:
            return self.write_draft(tables, draft, schema)

    @abstractmethod
    def write_draft(self, tables: GraphTables, draft: Path, schema: RelationSchema) -> dict[str, int]:
        """Write the graph to `draft`, a path where nothing lies yet, and return the counts."""


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
