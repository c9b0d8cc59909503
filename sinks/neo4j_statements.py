"""What is said to Neo4j: every element goes in by `UNWIND $rows ... MERGE`, so saying it twice changes nothing.

Values are parameters. Labels, and types of many relationships, stand quoted in the text, which the server plans once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sinks.property_graph import DOCUMENT, EDGE_PROPERTIES, ENTITY, Names, quoted

# The node that says what the database holds, and whether it is whole.
GRAPH = "FactmillGraph"
# Rows of a transaction at most.
ROWS = 10_000
# Rows from which on a relationship type is worth a statement of its own; with more rows the shared one gets slow.
_FEW = 1_000
# Bytes of a text that the indexes of Neo4j take.
_INDEXED = 8_000

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Batch:
    """One statement and its rows."""

    statement: str
    rows: list[Row]


def constraints() -> list[str]:
    """Return what must be there before the first row."""
    return [
        f"CREATE CONSTRAINT factmill_{label.lower()} IF NOT EXISTS FOR (n:{label}) REQUIRE n.{key} IS UNIQUE"
        for label, key in ((ENTITY, "id"), (DOCUMENT, "key"), (GRAPH, "id"))
    ]


def indexes(longest: Mapping[tuple[str, str], int]) -> tuple[list[str], list[str]]:
    """Return what drops indexes before the first row, and what makes those that questions use after the last.

    Args:
        longest: bytes of the longest text of every (label, property) to index; Neo4j refuses rows with longer ones
            than it can index, so such a property has no index.
    """
    drop, make = [], []
    for (label, name), size in longest.items():
        index = f"factmill_{label.lower()}_{name}"
        if size > _INDEXED:
            drop.append(f"DROP INDEX {index} IF EXISTS")
        else:
            make.append(f"CREATE INDEX {index} IF NOT EXISTS FOR (n:{label}) ON (n.{name})")
    return drop, [*make, "CALL db.awaitIndexes(3600)"]


def node_batches(rows: Iterable[Row], names: Names, strangers: Iterable[str] = ()) -> Iterator[Batch]:
    """Yield what writes entities; of the labels `strangers` they keep none but their own."""
    for label, found in _grouped(rows, lambda row: names.labels[row["type"]]).items():
        others = "".join(f":{quoted(other)}" for other in sorted(set(strangers) - {ENTITY, label}))
        remove = f" REMOVE n{others}" if others else ""
        yield from _cut(
            f"UNWIND $rows AS row MERGE (n:{ENTITY} {{id: row.id}}){remove} SET n:{quoted(label)}, n = row", found
        )


def document_batches(rows: Iterable[Row], strangers: Iterable[str] = ()) -> Iterator[Batch]:
    """Yield what writes documents."""
    others = "".join(f":{quoted(other)}" for other in sorted(set(strangers) - {DOCUMENT}))
    remove = f" REMOVE n{others}" if others else ""
    yield from _cut(f"UNWIND $rows AS row MERGE (n:{DOCUMENT} {{key: row.key}}){remove} SET n = row", list(rows))


def edge_batches(rows: Iterable[Row], names: Names) -> Iterator[Batch]:
    """Yield what writes edges; a row has the columns of an edge and its evidence. Both ends must be there.

    Types with few rows share one statement that takes the type from the row: planning one for each would take longer.
    """
    few: list[Row] = []
    for type, found in _grouped(rows, lambda row: names.types[row["relation"]]).items():
        ready: list[Row] = [
            {"head": row["head"], "tail": row["tail"], "edge": {name: row[name] for name in EDGE_PROPERTIES}}
            for row in found
        ]
        if len(ready) < _FEW:
            few += [{**row, "type": type} for row in ready]
        else:
            yield from _cut(_merge_edges(quoted(type)), ready)
    yield from _cut(_merge_edges("$(row.type)"), few, _FEW)


def _merge_edges(type: str) -> str:
    return (
        f"UNWIND $rows AS row MATCH (h:{ENTITY} {{id: row.head}}) MATCH (t:{ENTITY} {{id: row.tail}}) "
        f"MERGE (h)-[r:{type} {{id: row.edge.id}}]->(t) SET r = row.edge"
    )


def removal_batches(relationships: Iterable[str], nodes: Iterable[str]) -> Iterator[Batch]:
    """Yield what removes elements by the ids that the server gave them."""
    yield from _cut(
        "UNWIND $rows AS row MATCH ()-[r]->() WHERE elementId(r) = row DELETE r",
        list(relationships),  # type: ignore[arg-type]
    )
    yield from _cut(
        "UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row DETACH DELETE n",
        list(nodes),  # type: ignore[arg-type]
    )


def transactions(batches: Iterable[Batch]) -> Iterator[list[Batch]]:
    """Yield batches together that make one transaction of `ROWS` rows at most."""
    together: list[Batch] = []
    for batch in batches:
        if together and sum(len(other.rows) for other in together) + len(batch.rows) > ROWS:
            yield together
            together = []
        together.append(batch)
    if together:
        yield together


def _grouped(rows: Iterable[Row], name: Any) -> dict[str, list[Row]]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[name(row)].append(row)
    return dict(sorted(groups.items()))


def _cut(statement: str, rows: list[Row], size: int = ROWS) -> Iterator[Batch]:
    for start in range(0, len(rows), size):
        yield Batch(statement, rows[start : start + size])
