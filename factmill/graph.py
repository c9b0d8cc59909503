"""A built graph: its tables, queries to it, and what other programs take."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from factmill.documents import described
from factmill.graph_node import GraphEdge, GraphNode, graph_node
from factmill.query_rows import QueryRows
from factmill.wording import counted
from pipeline.build_report import BuildReport
from schemas import TABLES, Node, RelationSchema
from sinks import GraphTables, describe, find, suggest
from sinks.tables.tables import to_records
from sinks.writer import relation_of

if TYPE_CHECKING:
    import networkx as nx


class Graph:
    """The graph in a folder. Its tables and databases are read when they are asked for, and never written.

    `open` and `build` make one.
    """

    def __init__(self, folder: Path, report: BuildReport) -> None:
        self.folder = folder
        self.report = report
        self._tables = GraphTables.open(folder)

    @property
    def schema(self) -> RelationSchema:
        """The relation schema of the edges."""
        return self.report.relation_schema

    @property
    def nodes(self) -> pa.Table:
        """The nodes: `id`, `name`, `type`, `aliases`, `kb_ids`, `support`, `mentions` (docs: tables)."""
        return self.table("nodes")

    @property
    def edges(self) -> pa.Table:
        """The edges: `id`, `head`, `relation`, `tail`, `confidence`, `support` and more (docs: tables)."""
        return self.table("edges")

    def table(self, name: str) -> pa.Table:
        """Return a table: `nodes`, `edges`, `evidence`, `documents`, `links`, `merges` or `dead_letters`.

        Raises:
            ValueError: there is no table of this name.
            TableError: its file is missing or damaged.
        """
        if name not in TABLES:
            raise ValueError(f"no table '{name}': use one of {', '.join(TABLES)}")
        return self._tables.read(name)

    def query(self, cypher: str, parameters: Mapping[str, Any] | None = None) -> QueryRows:
        """Answer a Cypher query from the embedded database.

        Args:
            cypher: one reading statement.
            parameters: values of `$name` in it.

        Raises:
            QueryError: the query is wrong, or the graph was built without the format `cypher`.
        """
        from sinks import query

        answer = query(self.folder, cypher, parameters)
        return QueryRows(tuple(answer.columns), tuple(answer.rows))

    def sparql(self, query: str) -> QueryRows:
        """Answer a SPARQL query from an embedded store, which the first query makes in the folder of the graph.

        Prefixes such as `wdt:`, `rdfs:` and `fm:` need no declaration. The answer to ASK has one column `answer`, that
        to CONSTRUCT and DESCRIBE the columns `subject`, `predicate` and `object`. IRIs are texts, numbers are numbers.

        Raises:
            QueryError: the query is wrong.
        """
        from factmill.sparql_rows import sparql_rows
        from sinks.questions.sparql import SparqlStore

        with SparqlStore(self.folder, self.schema) as store:
            return sparql_rows(store.query(query))

    def find(self, name: str) -> list[Node]:
        """Return the nodes that a name, alias, knowledge-base id or node id means; those in most documents first."""
        return find(self._tables, name)

    def show(self, name: str) -> GraphNode:
        """Return a node with its facts and evidence; of several nodes of this name, the one in most documents.

        Args:
            name: a name, an alias, a knowledge-base id or the id of a node.

        Raises:
            LookupError: the graph has no such node; the message names the nearest ones.
        """
        found = self.find(name)
        if not found:
            close = ", ".join(repr(other) for other in suggest(self._tables, name))
            raise LookupError(f"the graph has no '{name}'" + (f"; it has {close}" if close else ""))
        return graph_node(describe(self._tables, found[0], self.schema), self.schema)

    def top_edges(self, number: int = 10) -> list[GraphEdge]:
        """Return the most confident edges, without their evidence; equally confident ones by support and id."""
        edges = self._tables.read("edges", ("id", "head", "relation", "tail", "confidence", "support"))
        order = [("confidence", "descending"), ("support", "descending"), ("id", "ascending")]
        rows = edges.take(pc.sort_indices(edges, sort_keys=order)[:number]).to_pylist()
        ends = pa.array(sorted({row[end] for row in rows for end in ("head", "tail")}), pa.string())
        nodes = {n.id: n for n in to_records(self._tables.read("nodes", where=pc.field("id").isin(ends)), Node)}
        return [
            GraphEdge(
                id=row["id"],
                head=nodes[row["head"]],
                relation=relation_of(self.schema, row["relation"]),
                tail=nodes[row["tail"]],
                confidence=row["confidence"],
                support=row["support"],
            )
            for row in rows
        ]

    def to_networkx(self) -> nx.MultiDiGraph:
        """Return the graph in memory: node ids are keys, all columns are attributes; `label` names the relation."""
        from sinks import to_networkx

        return to_networkx(self._tables, self.schema)

    def export(self, format: str, path: str | Path, force: bool = False) -> dict[str, int]:
        """Write the graph in a format, to a file or a folder of files, in the place of an earlier export.

        Args:
            format: a name of `factmill export`, for example `graphml`, or one that an installed package registers.
            path: the file or folder.
            force: replace a file that factmill did not write, or that was changed since.

        Returns:
            What was written, counted: `nodes`, `edges` and what else the format consists of.

        Raises:
            WriteError: there is no such format, or the graph could not be written.
            OSError: the path is not to be replaced, or cannot be written.
        """
        from schemas.atomic_files import check_replaceable
        from sinks import find_writer

        check_replaceable(Path(path), force)
        return find_writer(format).write(self._tables, Path(path), self.schema)

    def __repr__(self) -> str:
        counts = ", ".join(counted(self._tables.count(f"{one}s"), one) for one in ("node", "edge", "document"))
        return f"Graph({str(self.folder)!r}: {counts})"

    def _repr_html_(self) -> str:
        from factmill.html import ROWS, block, table_html

        rows = [
            (edge.head.name, edge.relation.label, edge.tail.name, f"{edge.confidence:.2f}", edge.support)
            for edge in self.top_edges(ROWS)
        ]
        return block(repr(self)) + table_html(("head", "relation", "tail", "confidence", "documents"), rows)


def open_graph(folder: str | Path) -> Graph:
    """Open the graph that a build left in a folder.

    Raises:
        BuildError: the folder holds no graph, or one of another version of factmill.
        TableError: its tables are missing.
        TypeError: `folder` is neither a str nor a path.
    """
    if not isinstance(folder, str | Path):
        raise TypeError(f"the folder of a graph is a str or a path, not {described(folder)}")
    return Graph(Path(folder), BuildReport.read(Path(folder)))
