import csv
import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.readers import Part, read, read_path, sniff
from pipeline.readers.records.delimited import NO_TEXT
from tests.pipeline.readers.files import check, counts, documents, letters, read_all, read_part, write

ROWS = [
    {"id": "a", "title": "A", "text": "First text.", "year": 1999, "tags": ["x"]},
    {"id": 7, "text": "Second text."},
    {"title": None, "text": "Third text."},
    {"id": "d", "text": "  "},
    {"id": "e", "text": None},
    {"id": ["f"], "text": "x"},
]
REASONS = {"Document": 3, "empty text": 1, "text is null": 1, "id is a list": 1}


def test_jsonl(tmp_path):
    content = "\n".join(map(json.dumps, ROWS)) + "\n\n[1]\n{broken\n"
    items = read_all(write(tmp_path / "a.jsonl.gz", gzip.compress(content.encode())))
    assert counts(items) == REASONS | {"no object": 1, "not JSON": 1}
    first, second, third = documents(items)
    assert (first.id, first.title, first.text, first.metadata) == ("a", "A", "First text.", (("year", "1999"),))
    assert second.id == "7"
    assert third.id.startswith("record:")
    assert letters(items)[0].document_id == "e"
    assert letters(items)[0].detail.startswith("line 5: ")


@pytest.mark.parametrize(
    ("record", "id", "reason"),
    [
        ({"id": 3}, "3", "no field text; there are: id"),
        ({"id": 8, "contents": "x"}, "8", "no field text; there are: id, contents"),
        ({"id": "x", **{f"f{n}": n for n in range(9)}}, "x", "no field text; there are: id, f0, f1, f2, f3, f4 ..."),
        ({}, "a, line 1", "no field text; there are: none"),
        ({"id": 6, "text": ["One.", "Two."]}, "6", "text is a list"),
        ({"id": 7, "text": {"body": "x"}}, "7", "text is an object"),
        ({"id": 7, "text": True}, "7", "text is true or false"),
        ({"id": 7, "text": 1.5}, "7", "text is a number"),
        ({"id": {"oid": 1}, "text": "x"}, "a, line 1", "id is an object"),
        ({"id": False, "text": "x"}, "a, line 1", "id is true or false"),
        ({"id": 2.5, "text": "x"}, "a, line 1", "id is a number"),
    ],
)
def test_every_fault_has_a_reason_of_its_own_and_the_id_that_can_be_read(tmp_path, record, id, reason):
    [letter] = read_all(write(tmp_path / "a", json.dumps(record)), "jsonl")
    assert (letter.document_id, letter.reason) == (id, reason)


@pytest.mark.parametrize(
    ("line", "id"),
    [
        ('{"id": "a b", "text": "cut', "a b"),
        ('{"id": 17, "text": cut}', "17"),
        ('{"text": "x", "id": "a", cut}', "a, line 1"),
        ('{"id": "a\\"b", cut}', "a, line 1"),
        ('{"id": 17', "a, line 1"),
    ],
)
def test_the_id_of_a_broken_object_is_read_where_it_comes_first(tmp_path, line, id):
    [letter] = read_all(write(tmp_path / "a", line), "jsonl")
    assert (letter.document_id, letter.reason) == (id, "not JSON")


def test_a_comma_behind_an_object_is_no_fault(tmp_path):
    items = read_all(write(tmp_path / "a", '{"id": "a", "text": "One."},\n{"id": "b", "text": "Two."},  \n'))
    assert [document.id for document in documents(items)] == ["a", "b"]
    assert len(items) == 2


def test_whole_numbers_are_ids_and_a_wrong_title_costs_the_title(tmp_path):
    items = read_all(write(tmp_path / "a", '{"id": 2.0, "title": ["x"], "text": "Words."}'), "jsonl")
    [document], [letter] = documents(items), letters(items)
    assert (document.id, document.title) == ("2", "")
    assert (letter.document_id, letter.reason) == ("2", "title is a list")


def test_jsonl_json_parquet_and_csv_agree(tmp_path):
    rows = [
        {"id": "a", "title": "A", "text": 'First, "quoted" text.', "year": "1999"},
        {"id": "b", "title": "", "text": "Words\nover lines.", "year": "2001"},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a")
    expected = read_all(tmp_path / "a")
    assert [document.id for document in documents(expected)] == ["a", "b"]
    (tmp_path / "a").unlink()
    table = io.StringIO()
    writer = csv.DictWriter(table, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    contents = {
        "jsonl": "\n".join(map(json.dumps, rows)),
        "json": json.dumps(rows, indent=2),
        "csv": table.getvalue(),
    }
    for format, content in contents.items():
        for data in (content.encode(), content.encode("utf-16"), b"\xef\xbb\xbf" + content.encode()):
            assert read_all(write(tmp_path / "a", data), format) == expected, format


@pytest.mark.parametrize("format", ["jsonl", "json", "parquet", "csv"])
def test_columns_name_the_fields(tmp_path, format):
    rows = [{"pmid": "17", "heading": "H", "abstract": "Words.", "text": "other", "published": "1999"}]
    columns = {"id": "pmid", "title": "heading", "text": "abstract", "year": "published"}
    if format == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a")
    elif format == "csv":
        write(tmp_path / "a", "\n".join((",".join(rows[0]), ",".join(rows[0].values()))))
    else:
        write(tmp_path / "a", json.dumps(rows if format == "json" else rows[0]))
    [document] = read_path(tmp_path / "a", format, columns)
    assert (document.id, document.title, document.text) == ("17", "H", "Words.")
    assert document.metadata == (("text", "other"), ("year", "1999"))


def test_a_column_may_lie_inside_another(tmp_path):
    path = write(tmp_path / "a", '{"meta": {"pmid": 17}, "article": {"body": "Words."}}')
    [document] = read_path(path, "jsonl", {"id": "meta.pmid", "text": "article.body"})
    assert (document.id, document.text) == ("17", "Words.")


def test_tables_are_recognised_and_their_faults_named(tmp_path):
    path = write(tmp_path / "a.csv", "id,text\n1,One.\n2,Two, three.\n,Four.\n\n3\n")
    items = list(read_path(path))
    assert [document.text for document in documents(items)] == ["One.", "Four."]
    assert [letter.reason for letter in letters(items)] == ["more fields than columns", "no field text; there are: id"]
    [letter] = read_path(write(tmp_path / "b", "id\tbody\n1\tOne.\n2\tTwo.\n"))
    assert letter.reason == NO_TEXT
    assert "id, body" in letter.detail
    long = f"id,text\n1,{'x' * 140_000}\n2,Two.\n"
    items = list(read_path(write(tmp_path / "c.csv", long)))
    assert [document.id for document in documents(items)] == ["2"]
    assert [letter.reason for letter in letters(items)] == ["row is not readable"]


def test_prose_with_commas_is_no_table(tmp_path):
    path = write(tmp_path / "a.dat", "Red, green, blue.\nOne, two, three.\nUp, down, left.\nTea, milk, salt.\n")
    assert sniff(path) == "text"


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
