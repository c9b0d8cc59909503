import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.readers import Part, read
from tests.pipeline.readers.files import check, counts, documents, letters, read_all, read_part, write

ROWS = [
    {"id": "a", "title": "A", "text": "First text.", "year": 1999, "tags": ["x"]},
    {"id": 7, "text": "Second text."},
    {"title": None, "text": "Third text."},
    {"id": "d", "text": "  "},
    {"id": "e", "text": None},
    {"id": ["f"], "text": "x"},
]
EXPECTED = {"Document": 3, "empty text": 1, "record breaks the format": 2}


def test_jsonl(tmp_path):
    content = "\n".join(map(json.dumps, ROWS)) + "\n\n[1]\n{broken\n"
    items = read_all(write(tmp_path / "a.jsonl.gz", gzip.compress(content.encode())))
    assert counts(items) == EXPECTED | {"record breaks the format": 4}
    first, second, third = documents(items)
    assert (first.id, first.title, first.text, first.metadata) == ("a", "A", "First text.", (("year", "1999"),))
    assert second.id == "7"
    assert third.id.startswith("record:")
    assert "line 5" in letters(items)[0].detail or "line 5" in letters(items)[0].document_id


def test_parquet_and_jsonl_agree(tmp_path):
    rows = [ROWS[0], {"id": "b", "title": "", "text": "Words.", "year": None, "tags": None}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a")
    from_parquet = read_all(tmp_path / "a")
    (tmp_path / "a").unlink()
    assert from_parquet == read_all(write(tmp_path / "a", "\n".join(map(json.dumps, rows))), "jsonl")


def test_broken_parquet_is_one_dead_letter(tmp_path):
    pq.write_table(pa.Table.from_pylist([{"id": str(n), "text": "Words."} for n in range(100)]), tmp_path / "a")
    data = (tmp_path / "a").read_bytes()
    for content in (data[: len(data) // 2], data[:40] + b"\xff" * 60 + data[100:], b"PAR1"):
        items = read_part(write(tmp_path / "b", content), "parquet")
        assert len(letters(items)) == 1
    missing = pa.table({"id": ["a"], "body": ["x"]})
    pq.write_table(missing, tmp_path / "a")
    [letter] = letters(read_all(tmp_path / "a"))
    assert "'text'" in letter.detail


def test_bad_utf8_and_surrogates_are_replaced(tmp_path):
    data = b'{"id": "a", "text": "x \xff y"}\n{"id": "b", "text": "p \\ud800 q \\u0000"}\n'
    assert [document.text for document in documents(read_all(write(tmp_path / "a", data), "jsonl"))] == [
        "x \ufffd y",
        "p \ufffd q \ufffd",
    ]


@pytest.mark.parametrize("size", [1, 37, 100, 5000])
def test_byte_ranges_hold_every_record_once(tmp_path, size):
    rows = [json.dumps({"id": str(n), "text": "word " * (n % 9 + 1)}) for n in range(100)]
    path = write(tmp_path / "a", "\n".join(rows))
    cuts = list(range(size, path.stat().st_size, size))
    if size == 1:
        cuts = cuts[:400]
    parts = [Part(str(path), "jsonl", a, b) for a, b in zip([None, *cuts], [*cuts, None], strict=True)]
    items = [item for part in parts for item in read(part)]
    check(items)
    assert [document.id for document in documents(items)] == [str(n) for n in range(100)]
