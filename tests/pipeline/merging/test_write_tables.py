import random

import apache_beam as beam
import pytest

from pipeline.beam.live_counts import LiveCounter
from pipeline.merging import write_tables as write
from pipeline.merging.write_tables import WriteTable, file_name, files, place, write_empty_files
from schemas import Edge, content_hash
from sinks import GraphTables


def edges(count):
    return [Edge(content_hash(str(i)), "h", "r", "t", 0.5, 1) for i in range(count)]


def write_edges(rows, folder):
    with beam.Pipeline("FnApiRunner") as pipeline:
        table = pipeline | "rows" >> beam.Create(rows).with_output_types(Edge)
        count = beam.pvalue.AsDict(pipeline | "count" >> beam.Create([(("rows", "edges"), len(rows))]))
        _ = table | WriteTable("edges", Edge, count, str(folder), LiveCounter("/nowhere", "write"))
    write_empty_files(folder, {"edges": len(rows)})


@pytest.mark.parametrize("count", [0, 1, 95])
def test_a_table_is_split_by_its_size_only_and_in_order(count, tmp_path, monkeypatch):
    monkeypatch.setitem(write.ROWS_PER_FILE, "edges", 30)
    rows = edges(count)
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        random.Random(folder.name).shuffle(rows)
        write_edges(rows, folder)
    first, second = ({path.name: path.read_bytes() for path in folder.glob("edges*")} for folder in folders)
    assert first == second
    of = 4 if count == 95 else 1
    assert sorted(first) == sorted(file_name("edges", number, of) for number in range(of))
    tables = GraphTables(folders[0])
    ids = [id for batch in tables.batches("edges", ["id"]) for id in batch["id"].to_pylist()]
    assert ids == sorted(row.id for row in rows)


def test_files_that_no_row_goes_to_are_there_too(tmp_path, monkeypatch):
    monkeypatch.setitem(write.ROWS_PER_FILE, "dead_letters", 1)
    write_empty_files(tmp_path, {"dead_letters": 2})
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "dead_letters-00000-of-00002.parquet",
        "dead_letters-00001-of-00002.parquet",
        "documents.parquet",
        "edges.parquet",
        "evidence.parquet",
        "links.parquet",
        "merges.parquet",
        "nodes.parquet",
    ]
    assert GraphTables(tmp_path).count("dead_letters") == 0


def test_files_have_names_that_tell_how_many_there_are():
    assert file_name("nodes", 0, 1) == "nodes.parquet"
    assert file_name("nodes", 3, 12) == "nodes-00003-of-00012.parquet"
    assert [files("edges", rows) for rows in (0, 1, 300_000, 300_001)] == [1, 1, 1, 2]


def test_rows_go_to_files_within_range():
    assert {place("edges", row, 3) for row in edges(200)} == {0, 1, 2}
    assert place("edges", Edge("f" * 32, "h", "r", "t", 0.5, 1), 7) == 6
    assert place("edges", Edge("0" * 32, "h", "r", "t", 0.5, 1), 7) == 0
