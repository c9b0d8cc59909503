import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas import TABLES
from sinks import TableError
from sinks.tables.evidence import checked_evidence, edges_with_evidence
from tests.sinks.graphs import Graph, random_graph, small_graph


@pytest.mark.parametrize("rows", [1, 7, 1_000])
def test_every_edge_gets_its_evidence_whatever_the_size_of_batches(rows, tmp_path):
    graph = random_graph(60, 150)
    graph.evidence = [row for row in graph.evidence if not row.edge.startswith("a")]
    found = [row for table in edges_with_evidence(graph.write(tmp_path), rows) for row in table.to_pylist()]
    assert [row["id"] for row in found] == sorted(edge.id for edge in graph.edges)
    for row in found:
        wanted = sorted((item.document, item.text) for item in graph.evidence if item.edge == row["id"])
        assert list(zip(row["documents"], row["evidence"], strict=True)) == wanted


def test_no_edges_and_no_evidence(tmp_path):
    assert list(edges_with_evidence(Graph().write(tmp_path))) == []


def test_evidence_of_an_unknown_edge_is_an_error(tmp_path):
    graph = small_graph()
    for number in range(2):
        without = Graph(graph.nodes, [graph.edges[number]], graph.evidence, graph.documents)
        with pytest.raises(TableError, match=f"evidence names the edge '{graph.edges[1 - number].id}'"):
            list(edges_with_evidence(without.write(tmp_path)))


def test_unsorted_evidence_is_an_error(tmp_path):
    tables = random_graph(60, 150).write(tmp_path)
    path = tmp_path / "tables" / "evidence.parquet"
    rows = pq.read_table(path)
    pq.write_table(rows.take(pa.array(range(len(rows) - 1, -1, -1))).cast(TABLES["evidence"]), path)
    with pytest.raises(TableError, match="build the tables again"):
        list(edges_with_evidence(tables))


@pytest.mark.parametrize("rows", [1, 7, 1_000])
def test_evidence_comes_in_its_order_whatever_the_size_of_batches(rows, tmp_path):
    graph = random_graph(60, 150)
    graph.evidence = [row for row in graph.evidence if not row.edge.startswith("a")]
    found = [row["edge"] for batch in checked_evidence(graph.write(tmp_path), rows) for row in batch.to_pylist()]
    assert found == sorted(row.edge for row in graph.evidence)


@pytest.mark.parametrize("rows", [1, 2, 1_000])
def test_checked_evidence_knows_its_edges(rows, tmp_path):
    graph = small_graph()
    for number in range(2):
        without = Graph(graph.nodes, [graph.edges[number]], graph.evidence, graph.documents)
        with pytest.raises(TableError, match=f"evidence names the edge '{graph.edges[1 - number].id}'"):
            list(checked_evidence(without.write(tmp_path), rows))
    assert list(checked_evidence(Graph().write(tmp_path))) == []


def test_unsorted_evidence_is_seen_by_the_check(tmp_path):
    tables = random_graph(60, 150).write(tmp_path)
    path = tmp_path / "tables" / "evidence.parquet"
    rows = pq.read_table(path)
    pq.write_table(rows.take(pa.array(range(len(rows) - 1, -1, -1))).cast(TABLES["evidence"]), path)
    for size in (1, 7, 1_000):
        with pytest.raises(TableError, match="build the tables again"):
            list(checked_evidence(tables, size))
