from sinks import neo4j_statements as module
from sinks.evidence import edges_with_evidence
from sinks.neo4j_statements import Batch, edge_batches, indexes, transactions
from sinks.property_graph import Names
from tests.sinks.graphs import SCHEMA, random_graph


def test_types_with_many_rows_have_a_statement_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_FEW", 20)
    graph = random_graph(120, 400)
    tables = graph.write(tmp_path)
    rows = [row for table in edges_with_evidence(tables) for row in table.to_pylist()]
    batches = list(edge_batches(rows, Names.of(tables, SCHEMA)))
    own, shared = ([b for b in batches if ("$(row.type)" in b.statement) == kind] for kind in (False, True))
    assert sorted(row["edge"]["id"] for batch in batches for row in batch.rows) == sorted(row["id"] for row in rows)
    assert own
    assert all(len(batch.rows) >= 20 for batch in own)
    assert len({batch.statement for batch in own}) == len(own)
    assert all(len(batch.rows) <= 20 for batch in shared)
    assert len({batch.statement for batch in shared}) == 1


def test_transactions_are_filled_but_not_beyond(monkeypatch):
    monkeypatch.setattr(module, "ROWS", 10)
    batches = [Batch(str(number), [{}] * size) for number, size in enumerate((4, 6, 1, 10, 3))]
    filled = [[batch.statement for batch in together] for together in transactions(batches)]
    assert filled == [["0", "1"], ["2"], ["3"], ["4"]]


def test_what_is_too_long_to_be_indexed_has_no_index():
    drop, make = indexes({("Entity", "name"): 10_000, ("Document", "id"): 30})
    assert drop == ["DROP INDEX factmill_entity_name IF EXISTS"]
    assert make[:-1] == ["CREATE INDEX factmill_document_id IF NOT EXISTS FOR (n:Document) ON (n.id)"]
