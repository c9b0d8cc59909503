"""The questions of the demonstration, asked of graphs with known answers."""

import re
from pathlib import Path

import ladybug
import pytest

from schemas import Edge, Evidence, Node, edge_id, load_relation_schema, node_id
from sinks import CypherWriter, GraphTables, write_table

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
QUERY = re.compile(r'"(MATCH [^"]+)"')
BORN, EDUCATED, INDUCED = QUERY.findall((EXAMPLES / "demo.sh").read_text("utf-8"))


def graph(folder: Path, schema: str, nodes: list[tuple[str, str]], edges: list[tuple[str, str, str, float]]) -> Path:
    """Write a graph of (name, type) and (head name, relation, tail name, confidence) and return its database."""
    ids = {name: node_id(None, name, type) for name, type in nodes}
    facts = [Edge(edge_id(ids[h], r, ids[t]), ids[h], r, ids[t], sure, 1) for h, r, t, sure in edges]
    span = ((0, 1),)
    tables = {
        "nodes": [Node(ids[name], name, type, (name,), (), 1, 1) for name, type in nodes],
        "edges": facts,
        "evidence": [Evidence(fact.id, "d", 0, 0, 1, "x", span, span, fact.confidence) for fact in facts],
        "documents": [],
        "links": [],
        "merges": [],
        "dead_letters": [],
    }
    for name, rows in tables.items():
        write_table(rows, name, folder / "tables" / f"{name}.parquet")
    CypherWriter().write(GraphTables.open(folder), folder / "graph.db", load_relation_schema(schema))
    return folder / "graph.db"


def ask(database: Path, query: str) -> list[list[object]]:
    with ladybug.Database(database, read_only=True) as opened, ladybug.Connection(opened) as connection:
        return list(connection.execute(query))


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return graph(
        tmp_path_factory.mktemp("people"),
        "docred",
        [("Ada", "PER"), ("Bob", "PER"), ("Cleo", "PER"), ("Bern", "LOC"), ("ETH", "ORG")],
        [
            ("Ada", "P19", "Bern", 0.8),
            ("Bob", "P19", "Bern", 0.9),
            ("Bob", "P69", "ETH", 0.7),
            ("Ada", "P69", "ETH", 0.7),
            ("Cleo", "P108", "ETH", 0.9),
        ],
    )


def test_where_people_were_born(people):
    assert ask(people, BORN) == [["Bob", "Bern", 0.9], ["Ada", "Bern", 0.8]]


def test_who_was_educated_at_the_same_institution(people):
    assert ask(people, EDUCATED) == [["ETH", "Ada", "Bob"]]


def test_which_effects_have_several_drugs_in_common(tmp_path):
    drugs = graph(
        tmp_path,
        "cdr",
        [("lithium", "Chemical"), ("valproate", "Chemical"), ("tremor", "Disease"), ("nausea", "Disease")],
        [("lithium", "CID", "tremor", 0.9), ("valproate", "CID", "tremor", 0.6), ("lithium", "CID", "nausea", 0.7)],
    )
    (first, second) = ask(drugs, INDUCED)
    assert [first[0], sorted(first[1]), first[2]] == ["tremor", ["lithium", "valproate"], 2]
    assert second == ["nausea", ["lithium"], 1]


def test_the_readme_asks_the_same_questions():
    assert QUERY.findall((EXAMPLES / "README.md").read_text("utf-8")) == [BORN, EDUCATED, INDUCED]
