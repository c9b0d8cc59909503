"""The documented queries give the same answers on both databases, which hold the same labels, types and properties."""

import re
from pathlib import Path

import pytest

from sinks import CypherWriter, query
from sinks.neo4j.writer import Neo4jWriter
from tests.sinks.graphs import SCHEMA, Graph, make_edge, make_node, random_graph, small_graph, state

TEXT = (Path(__file__).parents[3] / "docs" / "how-to" / "query-with-cypher.md").read_text("utf-8")


def documented():
    """The queries as (for Neo4j, for the embedded database)."""
    found = []
    for dialect, cypher in re.findall(r"^```cypher *(\w*)\n(.*?)^```$", TEXT, re.M | re.S):
        if dialect == "embedded":
            found[-1] = (found[-1][0], cypher)
        else:
            found.append((cypher, cypher))
    return found


def sample() -> Graph:
    """Ada and her family among many others, with dates, places given twice and a document that has changed."""
    graph = random_graph(120, 400)
    family = small_graph()
    ada, byron, london = family.nodes[:3]
    milbanke = make_node("Annabella Milbanke", "PER", "wiki:Lady Byron")
    kirkby = make_node("Kirkby Mallory", "LOC")
    dates = [make_node("10 December 1815", "TIME"), make_node("22 January 1788", "TIME"), make_node("1815", "TIME")]
    graph.nodes += [*family.nodes, milbanke, kirkby, *dates]
    graph.edges += family.edges
    graph.evidence += family.evidence
    graph.documents += [row._replace(version=2) if "pubmed" in row.id else row for row in family.documents]
    for head, relation, tail, confidence in (
        (ada, "P569", dates[0], 0.99),
        (byron, "P569", dates[1], 0.95),
        (milbanke, "P569", dates[2], 0.3),
        (byron, "P19", london, 0.7),
        (milbanke, "P19", london, 0.4),
        (milbanke, "P19", kirkby, 0.3),
        (byron, "P26", milbanke, 0.9),
    ):
        edge = make_edge(head, relation, tail, confidence)
        graph.edges.append(edge)
        state(graph, edge, "wiki:Lord Byron")
    return graph


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("both")
    CypherWriter().write(sample().write(folder), folder / "graph.db", SCHEMA)
    return folder


def test_there_are_twenty():
    assert len(documented()) == 20


@pytest.mark.parametrize("position", range(20))
def test_every_query_has_an_answer(position, embedded):
    result = query(embedded, documented()[position][1])
    assert result.rows
    assert len(set(map(str, result.rows))) == len(result.rows)


@pytest.mark.server
def test_all_twenty_give_the_same_answers_on_both(embedded, neo4j_server, tmp_path):
    Neo4jWriter().write(sample().write(tmp_path), neo4j_server.uri, SCHEMA)
    with neo4j_server.connect() as driver:
        for there, here in documented():
            wanted = query(embedded, here)
            found = driver.execute_query(there)
            rows = [tuple(row.values()) for row in found.records]
            columns = [re.sub(r"\s+", " ", name) for name in found.keys]
            assert columns == list(wanted.columns), there
            assert rows == [tuple(map(close, row)) for row in wanted.rows], there


@pytest.mark.server
def test_both_hold_the_same_labels_types_and_properties(embedded, neo4j_server, tmp_path):
    Neo4jWriter().write(sample().write(tmp_path), neo4j_server.uri, SCHEMA)
    with neo4j_server.connect() as driver:
        nodes = driver.execute_query("MATCH (n) WHERE n:Entity OR n:Document RETURN labels(n), properties(n)").records
        edges = driver.execute_query("MATCH ()-[r]->() RETURN type(r), properties(r)").records
    held = sorted((labels[-1] if labels[0] == "Entity" else labels[0], sorted(had.items())) for labels, had in nodes)
    rows = query(embedded, "MATCH (n) RETURN n").rows
    assert held == sorted((row[0]["_label"], plain(row[0])) for row in rows)
    rows = query(embedded, "MATCH ()-[r]->() RETURN r").rows
    assert sorted((type, sorted(had.items())) for type, had in edges) == sorted(
        (row[0]["_label"], plain(row[0])) for row in rows
    )


def plain(element):
    return sorted((name, value) for name, value in element.items() if name != "_label" and value is not None)


def close(value):
    return pytest.approx(value, abs=1e-12) if isinstance(value, float) else value
