import random

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import SORT_KEYS, TABLES, DeadLetter, Edge, Node
from sinks import GraphTables, TableError, write_table
from sinks.tables.tables import to_records
from tests.sinks.graphs import Graph, make_node, odd_graph, random_graph, small_graph


def plain(record):
    """A record as Arrow gives it back."""
    row = {name: getattr(record, name) for name in record.__struct_fields__}
    for name, value in row.items():
        if name.endswith("_spans"):
            row[name] = [{"start": start, "end": end} for start, end in value]
        elif isinstance(value, tuple):
            row[name] = list(value)
    return row


@pytest.mark.parametrize("name", ["nodes", "edges", "evidence"])
def test_rows_come_back_sorted_and_unchanged(name, tmp_path):
    graph = odd_graph()
    rows = list(getattr(graph, name))
    random.Random(1).shuffle(rows)
    assert write_table(rows, name, tmp_path / f"{name}.parquet") == len(rows)
    keys = SORT_KEYS[name]
    wanted = sorted(map(plain, rows), key=lambda row: tuple(row[key] for key in keys))
    table = pq.read_table(tmp_path / f"{name}.parquet")
    assert table.to_pylist() == wanted
    assert [(field.name, field.nullable) for field in table.schema] == [(f.name, f.nullable) for f in TABLES[name]]
    assert table.cast(TABLES[name]).to_pylist() == wanted


def test_documents_keep_their_metadata(tmp_path):
    tables = small_graph().write(tmp_path)
    row = tables.read("documents").to_pylist()[0]
    assert row["id"] == "pubmed:17942999"
    assert row["metadata"] == [{"key": "mesh", "value": "Odd \x00 'heading'"}, {"key": "mesh", "value": "Other"}]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), count=st.integers(0, 60))
def test_any_order_gives_the_same_bytes(seed, count, tmp_path_factory):
    folder = tmp_path_factory.mktemp("order")
    graph = random_graph(12, count, seed)
    graph.dead_letters = [DeadLetter(f"d{number % 5}", "s", "read", "r", str(number % 3)) for number in range(count)]
    for name in TABLES:
        rows = list(getattr(graph, name))
        write_table(rows, name, folder / "first")
        random.Random(seed).shuffle(rows)
        write_table(iter(rows), name, folder / "second")
        assert (folder / "first").read_bytes() == (folder / "second").read_bytes()
        write_table(pq.read_table(folder / "first"), name, folder / "third")
        assert (folder / "first").read_bytes() == (folder / "third").read_bytes()


def test_many_rows_make_several_row_groups_that_are_sorted_as_one(tmp_path):
    edges = [Edge(f"{number * 7919 % 150_000:06}", "h", "r", "t", 0.5, 1) for number in range(150_000)]
    write_table(edges, "edges", tmp_path / "edges.parquet")
    write_table([], "nodes", tmp_path / "nodes.parquet")
    assert pq.ParquetFile(tmp_path / "edges.parquet").num_row_groups == 3
    tables = GraphTables.open(tmp_path)
    ids = [id for batch in tables.batches("edges", ("id",), 10_000) for id in batch.column("id").to_pylist()]
    assert ids == [f"{number:06}" for number in range(150_000)]
    assert tables.read("edges", ("id",), pc.field("id") == "000777").to_pylist() == [{"id": "000777"}]


def test_lone_surrogates_become_replacement_characters_and_pairs_are_joined(tmp_path):
    write_table([make_node("a\ud800b", aliases=("\ud83d\ude00",))], "nodes", tmp_path / "nodes.parquet")
    row = pq.read_table(tmp_path / "nodes.parquet").to_pylist()[0]
    assert row["name"] == "a\ufffdb"
    assert row["aliases"] == ["a\ufffdb", "😀"]


def test_nodes_become_records_again(tmp_path):
    graph = odd_graph()
    assert set(to_records(graph.write(tmp_path).read("nodes"), Node)) == set(graph.nodes)


def test_shards_follow_each_other_by_name(tmp_path):
    for shard, letters in enumerate(("ab", "cd")):
        rows = [Edge(letter, "h", "r", "t", 0.5, 1) for letter in letters]
        write_table(rows, "edges", tmp_path / f"edges-0000{shard}-of-00002.parquet")
    write_table([], "nodes", tmp_path / "nodes.parquet")
    tables = GraphTables.open(tmp_path)
    assert tables.count("edges") == 4
    assert tables.read("edges")["id"].to_pylist() == ["a", "b", "c", "d"]


def test_what_is_missing_is_named_with_the_remedy(tmp_path):
    with pytest.raises(TableError, match=r"no folder .*factmill build"):
        GraphTables.open(tmp_path / "nowhere")
    with pytest.raises(TableError, match=r"no table 'nodes' in .*factmill build"):
        GraphTables.open(tmp_path)
    tables = Graph().write(tmp_path)
    (tmp_path / "tables" / "evidence.parquet").unlink()
    with pytest.raises(TableError, match="no table 'evidence'"):
        tables.read("evidence")


def test_what_is_broken_is_named_with_the_remedy(tmp_path):
    tables = Graph().write(tmp_path)
    path = tmp_path / "tables" / "nodes.parquet"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(TableError, match=r"nodes.parquet' is not readable as Parquet"):
        tables.count("nodes")
    pq.write_table(pa.table({"id": ["a"]}), path)
    with pytest.raises(TableError, match=r"nodes.parquet' lacks the column 'name'"):
        tables.read("nodes")


def test_rows_that_do_not_fit_are_refused_and_nothing_is_written(tmp_path):
    for rows, name in (
        ([make_node("A")], "edges"),
        (pa.table({"id": ["a"]}), "nodes"),
        ([Edge("e", "h", "r", "t", "very", 1)], "edges"),
    ):
        with pytest.raises(TableError, match=f"do not fit table '{name}'"):
            write_table(rows, name, tmp_path / "out.parquet")
    with pytest.raises(TableError, match="no table 'vertices': use one of nodes, edges"):
        write_table([], "vertices", tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == []
