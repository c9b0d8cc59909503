"""Files and a command for `neo4j-admin database import`, the fastest way to load an empty Neo4j.

The resulting database is the one that `Neo4jWriter` writes, so later exports update it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from schemas import TABLES, RelationSchema
from sinks.labels import DOCUMENT, ENTITY
from sinks.neo4j.statements import GRAPH, constraints
from sinks.property_graph import DOCUMENT_PROPERTIES, EDGE_PROPERTIES, ENTITY_PROPERTIES, Names, check_edges, documents
from sinks.tables.evidence import edges_with_evidence
from sinks.tables.tables import GraphTables
from sinks.writer import GraphWriter, WriteError

# Candidates for the delimiter of list elements in CSV, which has no escape for it: the first unused one is taken.
_DELIMITERS = ("\x1f", *map(chr, range(0xE000, 0xF900)))
_KINDS = {
    pa.string(): "string",
    pa.bool_(): "boolean",
    pa.float64(): "double",
    pa.int32(): "long",
    pa.int64(): "long",
    pa.list_(pa.string()): "string[]",
}
_NO_NODES = TABLES["nodes"].empty_table()
_NO_DOCUMENTS = pa.schema(
    [("key", pa.string()), *(TABLES["documents"].field(name) for name in DOCUMENT_PROPERTIES[1:])]
).empty_table()
_NO_EDGES = pa.schema(
    [*TABLES["edges"], ("documents", pa.list_(pa.string())), ("evidence", pa.list_(pa.string()))]
).empty_table()
_LISTS = {field.name for table in (_NO_NODES, _NO_EDGES) for field in table.schema if pa.types.is_list(field.type)}
_ROWS = 65_536
# Bytes of the import tool's read buffer by default; longer values need a larger one.
_BUFFER = 4 * 2**20
_FINISH = "finish.cypher"
_COMMAND = "import.sh"


class Neo4jImportWriter(GraphWriter):
    """Writes a folder with files for nodes, documents, edges and the node that describes the content of the database.

    Args:
        format: `csv` or `parquet`.
    """

    def __init__(self, format: str = "csv") -> None:
        self.format = format
        self.name = f"neo4j-{format}"
        self.file = f"graph.neo4j-{format}"

    def write_draft(self, tables: GraphTables, draft: Path, schema: RelationSchema) -> dict[str, int]:
        """Write the files and `import.sh`, which runs the command."""
        check_edges(tables, schema)
        names = Names.of(tables, schema)
        draft.mkdir()
        counts = {name: tables.count(name) for name in ("nodes", "edges", "documents")}
        delimiter = _free_delimiter(tables) if self.format == "csv" else _DELIMITERS[0]
        state = {"id:ID(graph)": ["graph"], "schema": [schema.name], "complete": [True]}
        parts: dict[str, Iterator[pa.Table]] = {
            "graph": iter([pa.table({**state, **{name: [count] for name, count in counts.items()}})]),
            "nodes": (_nodes(table, names) for table in _whole(tables.batches("nodes", rows=_ROWS), _NO_NODES)),
            "documents": (_documents(table) for table in _whole(documents(tables, _ROWS), _NO_DOCUMENTS)),
            "edges": (_edges(table, names) for table in chain([_NO_EDGES], edges_with_evidence(tables, _ROWS))),
        }
        longest = 0
        for name, pieces in parts.items():
            path = draft / f"{name}.{self.format}"
            if self.format == "csv":
                longest = max(longest, _write_csv(path, pieces, delimiter))
            else:
                _write_parquet(path, pieces)
        statements = [*constraints(), *(_empty_lists() if self.format == "csv" else ())]
        (draft / _FINISH).write_text("".join(f"{statement};\n" for statement in statements), "utf-8")
        (draft / _COMMAND).write_text(self._script(delimiter, longest), "utf-8")
        (draft / _COMMAND).chmod(0o755)
        return counts

    def arguments(self, folder: str, delimiter: str, longest: int = 0) -> list[str]:
        """Return the arguments of neo4j-admin for the files in `folder`; the longest value has `longest` bytes."""
        buffer = max(_BUFFER, 2 * longest)  # quotes in it may be doubled
        form = (
            ["--multiline-fields=true", f"--array-delimiter=U+{ord(delimiter):04X}", f"--read-buffer-size={buffer}"]
            if self.format == "csv"
            else ["--input-type=parquet"]
        )
        files = {"nodes": ENTITY, "documents": DOCUMENT, "graph": GRAPH}
        return [
            *("database", "import", "full", "neo4j", "--overwrite-destination", *form),
            *(f"--nodes={label}={folder}/{name}.{self.format}" for name, label in files.items()),
            f"--relationships={folder}/edges.{self.format}",
        ]

    def _script(self, delimiter: str, longest: int) -> str:
        arguments = " \\\n  ".join(f'"{argument}"' for argument in self.arguments("$here", delimiter, longest))
        return (
            "#!/bin/sh\n"
            "# Stop the server, run this where neo4j-admin is on the PATH or named in NEO4J_ADMIN, start the server.\n"
            f"# It replaces the content of the database. Then run the statements of {_FINISH}, for example with\n"
            f"# cypher-shell; the first export by factmill does so too.\n"
            'here=$(cd "$(dirname "$0")" && pwd)\n'
            f'exec "${{NEO4J_ADMIN:-neo4j-admin}}" {arguments}\n'
        )


def _write_csv(path: Path, pieces: Iterator[pa.Table], delimiter: str) -> int:
    """Write the tables under one header, and return the size of the longest value in bytes."""
    options = pcsv.WriteOptions(include_header=False)
    longest = 0
    with path.open("wb") as file:
        for position, piece in enumerate(pieces):
            if position == 0:
                file.write(",".join(_header(field) for field in piece.schema).encode() + b"\n")
            if len(piece):
                flat = _flat(piece, delimiter)
                texts = [column for column in flat.columns if pa.types.is_string(column.type)]
                longest = max(longest, *(pc.max(pc.binary_length(column)).as_py() for column in texts))
                pcsv.write_csv(flat, file, options)
    return longest


def _write_parquet(path: Path, pieces: Iterator[pa.Table]) -> None:
    first = next(pieces)
    schema = pa.schema([pa.field(_header(field), field.type) for field in first.schema])
    with pq.ParquetWriter(path, schema, compression="snappy") as writer:
        for piece in chain([first], pieces):
            writer.write_table(piece.rename_columns(schema.names).cast(schema))


def _whole(batches: Iterator[pa.RecordBatch], empty: pa.Table) -> Iterator[pa.Table]:
    """Yield an empty table, so that there is at least one, and then each batch."""
    return chain([empty], (pa.Table.from_batches([batch]) for batch in batches))


def _header(field: pa.Field) -> str:
    """Return the name of a column with its type, unless the name has one."""
    return field.name if ":" in field.name else f"{field.name}:{_KINDS[field.type]}"


def _flat(table: pa.Table, delimiter: str) -> pa.Table:
    """Return a table with lists joined to strings."""
    columns = [
        pc.binary_join(column.cast(pa.list_(pa.string())), delimiter) if pa.types.is_list(column.type) else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)


def _empty_lists() -> Iterator[str]:
    """Yield statements that set empty lists, which the tool does not import from CSV."""
    for pattern, names in ((f"(x:{ENTITY})", ENTITY_PROPERTIES), (f"(:{ENTITY})-[x]->(:{ENTITY})", EDGE_PROPERTIES)):
        for name in names:
            if name in _LISTS:
                yield f"MATCH {pattern} WHERE x.{name} IS NULL CALL (x) {{ SET x.{name} = [] }} IN TRANSACTIONS"


def _free_delimiter(tables: GraphTables) -> str:
    """Return a character that no element of a list contains.

    Raises:
        WriteError: every candidate occurs.
    """
    used: set[str] = set()
    pattern = f"[{re.escape(_DELIMITERS[0])}{_DELIMITERS[1]}-{_DELIMITERS[-1]}]"
    for name, columns in (("nodes", ("aliases", "kb_ids")), ("evidence", ("document", "text"))):
        for batch in tables.batches(name, columns):
            for column in batch.columns:
                values = column.flatten() if pa.types.is_list(column.type) else column
                for value in values.filter(pc.match_substring_regex(values, pattern)).to_pylist():
                    used.update(re.findall(pattern, value))
    for delimiter in _DELIMITERS:
        if delimiter not in used:
            return delimiter
    raise WriteError("the texts contain every possible delimiter of list elements: use the Parquet files")


def _nodes(table: pa.Table, names: Names) -> pa.Table:
    labels = pa.array([names.labels[type] for type in table["type"].to_pylist()], pa.string())
    return table.rename_columns(["id:ID(node)", *table.column_names[1:]]).append_column(":LABEL", labels)


def _documents(table: pa.Table) -> pa.Table:
    return table.rename_columns(["key:ID(document)", *table.column_names[1:]])


def _edges(table: pa.Table, names: Names) -> pa.Table:
    ends = {":START_ID(node)": table["head"], ":END_ID(node)": table["tail"]}
    types = pa.array([names.types[relation] for relation in table["relation"].to_pylist()], pa.string())
    return pa.table({**ends, ":TYPE": types, **{name: table[name] for name in EDGE_PROPERTIES}})
