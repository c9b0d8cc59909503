from sinks.neo4j import statements as module
from sinks.neo4j.statements import EDGES, Batch, edge_rows, indexes, node_rows, removals
from sinks.property_graph import EDGE_PROPERTIES, ENTITY_PROPERTIES, Names
from sinks.tables.evidence import edges_with_evidence
from tests.sinks.graphs import SCHEMA, random_graph


def test_rows_hold_names_and_properties_in_the_order_of_the_statements(tmp_path):
    graph = random_graph(30, 80)
    tables = graph.write(tmp_path)
    names = Names.of(tables, SCHEMA)
    nodes = [row for batch in tables.batches("nodes") for row in node_rows(batch, names)]
    wanted = {node.id: node for node in graph.nodes}
    assert len(nodes) == len(graph.nodes)
    for label, *values in nodes:
        found = dict(zip(ENTITY_PROPERTIES, values, strict=True))
        assert label == found["type"]
        assert (found["name"], found["support"]) == (wanted[found["id"]].name, wanted[found["id"]].support)
    edges = {edge.id: edge for edge in graph.edges}
    rows = [row for table in edges_with_evidence(tables) for row in edge_rows(table, names)]
    assert len(rows) == len(edges)
    for head, tail, type, *values in rows:
        found = dict(zip(EDGE_PROPERTIES, values, strict=True))
        edge = edges[found["id"]]
        assert (head, tail, type) == (edge.head, edge.tail, names.types[edge.relation])
        assert len(found["documents"]) == len(found["evidence"])


def test_no_batch_is_larger_than_a_transaction(monkeypatch):
    monkeypatch.setattr(module, "ROWS", 10)
    batches = list(EDGES.batches([("new", number) for number in range(25)], [("id", "changed")]))
    assert [(batch.statement == EDGES.create, len(batch.rows)) for batch in batches] == [
        *((True, size) for size in (10, 10, 5)),
        (False, 1),
    ]
    assert [len(batch.rows) for batch in removals(["1"] * 11, ["2"])] == [10, 1, 1]


def test_what_may_have_come_through_is_merged_in_small_pieces(monkeypatch):
    monkeypatch.setattr(module, "_MERGED_ROWS", 4)
    new, changed = EDGES.batches([("new", number) for number in range(9)], [("id", "changed")])
    merged = new.merging()
    assert [row for batch in merged for row in batch.rows] == new.rows
    assert {(batch.statement, len(batch.rows) <= 4) for batch in merged} == {(EDGES.merge, True)}
    assert "CREATE" not in EDGES.merge
    assert changed.merging() == [changed]
    assert Batch("x", [1]).merging() == [Batch("x", [1])]


def test_what_is_too_long_to_be_indexed_has_no_index():
    drop, make = indexes({("Entity", "name"): 10_000, ("Document", "id"): 30})
    assert drop == ["DROP INDEX factmill_entity_name IF EXISTS"]
    assert make[:-1] == ["CREATE INDEX factmill_document_id IF NOT EXISTS FOR (n:Document) ON (n.id)"]
