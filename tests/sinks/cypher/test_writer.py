import subprocess
import sys

import ladybug
import pytest

from sinks import CypherWriter, TableError, WriteError, query
from sinks.cypher import writer as module
from tests.sinks.graphs import SCHEMA, Graph, make_edge, make_node, random_graph, small_graph
from tests.sinks.readers import CypherReader, content


def test_queries_read_as_in_neo4j(small_folder):
    typed = "MATCH (p:PER)-[r:PLACE_OF_BIRTH]->(l:LOC) RETURN p.name, r.confidence, r.support, l.name"
    assert query(small_folder, typed).rows == [("Ada Lovelace", 0.9375, 2, "London")]
    untyped = "MATCH (e {name: 'Ada Lovelace'})-[r]->(o) RETURN type(r), label(r), o.name ORDER BY o.name"
    assert query(small_folder, untyped).rows == [
        ("PLACE_OF_BIRTH", "PLACE_OF_BIRTH", "London"),
        ("FATHER", "FATHER", "Lord Byron"),
    ]


def test_evidence_lies_on_the_relationship(small_folder):
    rows = query(
        small_folder, "MATCH ()-[r:PLACE_OF_BIRTH]->() UNWIND r.documents AS d RETURN d, count(*) AS n ORDER BY d"
    ).rows
    assert rows == [("pubmed:17942999", 1), ("wiki:Ada Lovelace", 2)]
    assert query(small_folder, "MATCH ()-[r:FATHER]->() RETURN r.evidence").rows == [(["Ada Lovelace ~ Lord Byron."],)]


def test_documents_are_nodes_that_evidence_leads_to(small_folder):
    rows = query(
        small_folder,
        "MATCH (:PER)-[r:PLACE_OF_BIRTH]->() UNWIND r.documents AS id MATCH (d:Document {id: id}) "
        "RETURN DISTINCT d.title, d.source, d.version ORDER BY d.title",
    ).rows
    assert rows == [("17942999", "sample.xml", 1), ("Ada Lovelace", "sample.xml", 1)]


def test_relations_without_edges_and_types_without_nodes_are_there_and_empty(small_folder):
    assert query(small_folder, "MATCH (p:PER)-[:SPOUSE]->(q:PER) RETURN p.name").rows == []
    assert query(small_folder, "MATCH (p:LOC)-[:FATHER]->(q:PER) RETURN p.name").rows == []
    assert query(small_folder, "MATCH (p:NUM) RETURN p.name").rows == []


def test_paths(small_folder):
    rows = query(
        small_folder,
        "MATCH p = (a {name: 'London'})-[* SHORTEST 1..4]-(b {name: 'Lord Byron'}) RETURN properties(nodes(p), 'name')",
    ).rows
    assert rows == [(["London", "Ada Lovelace", "Lord Byron"],)]


def test_batches_of_any_size_give_the_same_graph(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_ROWS", 64)
    graph = random_graph(120, 300)
    CypherWriter().write(graph.write(tmp_path), tmp_path / "graph.db", SCHEMA)
    found, wanted = CypherReader.read(tmp_path / "graph.db"), content(graph)
    assert (found.nodes, found.edges) == (wanted.nodes, wanted.edges)


def test_an_edge_to_a_node_that_is_not_there_is_an_error(tmp_path):
    a, b = make_node("A"), make_node("B")
    tables = Graph([a], [make_edge(a, "P17", b)]).write(tmp_path)
    with pytest.raises(TableError, match=f"ends at '{b.id}', which the nodes lack"):
        CypherWriter().write(tables, tmp_path / "graph.db", SCHEMA)


def test_a_node_that_stands_twice_is_an_error(tmp_path):
    tables = Graph([make_node("A"), make_node("A")]).write(tmp_path)
    with pytest.raises(TableError, match=f"the node '{make_node('A').id}' occurs twice"):
        CypherWriter().write(tables, tmp_path / "graph.db", SCHEMA)


def test_a_database_that_lost_rows_is_not_put_in_place(tmp_path, monkeypatch):
    execute = ladybug.Connection.execute

    def forgetful(self, statement, *parameters):
        if statement.startswith("COPY `FATHER`"):
            return None
        return execute(self, statement, *parameters)

    monkeypatch.setattr(ladybug.Connection, "execute", forgetful)
    with pytest.raises(WriteError, match="holds 0 of 1 rows of FATHER PER PER"):
        CypherWriter().write(small_graph().write(tmp_path), tmp_path / "graph.db", SCHEMA)
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]


def test_what_a_crashed_program_left_beside_the_old_database_is_removed(tmp_path):
    tables = small_graph().write(tmp_path)
    CypherWriter().write(tables, tmp_path / "graph.db", SCHEMA)
    crash = (
        f"import ladybug, os; connection = ladybug.Connection(ladybug.Database({str(tmp_path / 'graph.db')!r})); "
        "connection.execute(\"CREATE (:PER {id: 'stray'})\"); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", crash], check=True)
    assert (tmp_path / "graph.db.wal").exists()
    CypherWriter().write(tables, tmp_path / "graph.db", SCHEMA)
    assert query(tmp_path, "MATCH (n) RETURN count(n)").rows == [(6,)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["graph.db", "tables"]


def test_another_process_may_ask_while_the_database_is_open(small_folder):
    path = small_folder / "graph.db"
    cypher = "MATCH (n:PER|LOC|MISC) RETURN count(n)"
    ask = f"import pathlib, sinks; print(sinks.query(pathlib.Path({str(path)!r}), {cypher!r}).rows)"
    with ladybug.Database(path, read_only=True) as database, ladybug.Connection(database) as connection:
        assert connection.execute("MATCH (n) RETURN count(n)").get_all() == [[6]]
        answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True)
        assert connection.execute("MATCH ()-[r]->() RETURN count(r)").get_all() == [[2]]
    assert answer.stdout == "[(4,)]\n", answer.stderr


def test_a_limit_of_address_space_is_named(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise RuntimeError("Buffer manager exception: Mmap for size 8796093022208 failed.")

    monkeypatch.setattr("ladybug.Database", refused)
    with pytest.raises(WriteError, match="raise the limit 'ulimit -v'"):
        CypherWriter().write(small_graph().write(tmp_path), tmp_path / "graph.db", SCHEMA)
