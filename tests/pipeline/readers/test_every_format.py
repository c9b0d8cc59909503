"""What every format keeps: whatever files are joined, cut into parts or shuffled, every record is accounted for."""

import bz2
import csv
import io
import json
import random
from collections import Counter
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.readers import FORMATS, Part, read, read_path
from pipeline.readers.records import document_file
from pipeline.readers.registry import registered
from schemas import DeadLetter, Document, Skipped
from schemas.text.segmentation import segment
from tests.pipeline.readers.files import check, page, write

WORDS = ["mill", "river", "school", "Ada", "Kern", "Ulm", "old", "1901", "garden", "weir"]


class Record:
    """A record with a number that only its own text holds."""

    def __init__(self, number: int, empty: bool, noise: random.Random):
        self.number = number
        self.text = "" if empty else f"Number {number} is {' '.join(noise.choices(WORDS, k=6))}."


def pubtator(records, noise):
    blocks = []
    for record in records:
        lines = [f"{record.number}|t|{record.text}", f"{record.number}|a|"]
        if record.text:
            lines.append(f"{record.number}\t0\t6\tNumber\tThing\tT:{record.number}")
        blocks.append("\n".join(lines) + "\n" * noise.choice([1, 1, 2, 3]))
    return "".join(blocks)


def docred(records, noise):
    values = [
        {"title": f"T{record.number}", "sents": [record.text.split()] if record.text else [], "vertexSet": []}
        for record in records
    ]
    return noise.choice([json.dumps(values), json.dumps(values, indent=1), "\n".join(map(json.dumps, values))])


def gda(records, noise):
    return "".join(f"{record.number}\t{record.text}\n" for record in records)


def fields(records):
    return [{"id": f"r{record.number}", "title": "", "text": record.text} for record in records]


def table(records, noise):
    file = io.StringIO()
    writer = csv.DictWriter(file, ["id", "title", "text"])
    writer.writeheader()
    writer.writerows(fields(records))
    return file.getvalue()


def parquet(records, noise):
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(fields(records)), file)
    return file.getvalue()


def mediawiki(records, noise):
    pages = (page(f"P{record.number}", record.text, number=record.number) for record in records)
    return f"<mediawiki>{''.join(pages)}</mediawiki>"


def pubmed(records, noise):
    citations = (
        f"<PubmedArticle><MedlineCitation><PMID>{record.number}</PMID><Article><ArticleTitle>{record.text}"
        "</ArticleTitle></Article></MedlineCitation></PubmedArticle>"
        for record in records
    )
    return f"<PubmedArticleSet>{''.join(citations)}</PubmedArticleSet>"


def wikiextractor(records, noise):
    return "".join(
        f'<doc id="{record.number}" url="https://x/{record.number}" title="W{record.number}">\n{record.text}\n</doc>\n'
        for record in records
    )


def made_documents(records, noise):
    made = (Document(f"r{r.number}", "made", "", r.text, *segment(r.text)) for r in records)
    return document_file.MARK + b"".join(map(document_file.framed, made))


WRITERS = {
    "pubtator": pubtator,
    "docred": docred,
    "gda": gda,
    "jsonl": lambda records, noise: "".join(json.dumps(row) + "\n" for row in fields(records)),
    "json": lambda records, noise: json.dumps(fields(records), indent=noise.choice([None, 1])),
    "csv": table,
    "parquet": parquet,
    "mediawiki": mediawiki,
    "pubmed": pubmed,
    "wikiextractor": wikiextractor,
    "documents": made_documents,
}
ONE_A_FILE = {"text", "html"}
# Formats of which two files put together are one.
JOINABLE = set(WRITERS) - {"parquet", "documents"}


def test_every_format_is_tested():
    assert set(WRITERS) | ONE_A_FILE == {*FORMATS, "documents"}


@pytest.mark.parametrize("format", WRITERS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_record_is_accounted_for_and_keeps_its_id(tmp_path_factory, format, data):
    """Read = documents + dead letters + skipped, and no text under the id of another record."""
    noise = random.Random(data.draw(st.integers(0, 2**32)))
    numbers = data.draw(st.lists(st.integers(1000, 9999), min_size=1, max_size=12, unique=True))
    records = [Record(number, data.draw(st.integers(0, 5)) == 0, noise) for number in numbers]
    noise.shuffle(records)
    write_format = WRITERS[format]
    cut = data.draw(st.integers(0, len(records)))
    files = [half for half in (records[:cut], records[cut:]) if half]
    contents = [write_format(half, noise) for half in files]
    contents = [content.encode() if isinstance(content, str) else content for content in contents]
    if format in JOINABLE and data.draw(st.booleans()):
        contents = [b"".join(contents)]
    if data.draw(st.booleans()) and format != "parquet":
        contents = [bz2.compress(content) for content in contents]
    items = []
    for number, content in enumerate(contents):
        path = write(tmp_path_factory.getbasetemp() / f"{format}-{number}", content)
        items += read_path(path, format)
    check(items)
    found = [item for item in items if isinstance(item, Document)]
    others = [item for item in items if isinstance(item, Skipped | DeadLetter)]
    assert len(found) + len(others) == len(items) == len(records)
    assert not any(isinstance(item, DeadLetter) for item in items)
    texts = {f"{record.number}": record.text for record in records if record.text}
    assert len(found) == len(texts)
    for document in found:
        number = "".join(filter(str.isdigit, document.id))
        assert " ".join(document.text.split()) in (texts[number], texts[number].replace(".", " ."))
        for entity in document.entities or ():
            assert [id.partition(":")[2] for id in entity.kb_ids] == [number]


@pytest.mark.parametrize("format", [name for name, format in registered().items() if format.splittable])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_byte_ranges_hold_every_record_once(tmp_path_factory, format, data):
    noise = random.Random(data.draw(st.integers(0, 2**32)))
    records = [Record(number, False, noise) for number in range(1000, 1000 + data.draw(st.integers(1, 12)))]
    content = WRITERS[format](records, noise).encode()
    path = write(tmp_path_factory.getbasetemp() / f"ranges-{format}", content)
    # The end of the root element is never cut.
    cuts = sorted(data.draw(st.lists(st.integers(1, len(content) - 20), max_size=6, unique=True)))
    whole = Part(str(path), format)
    starts, ends = [None, *cuts], [*cuts, None]
    items = [
        item
        for start, end in zip(starts, ends, strict=True)
        for item in read(Part(whole.path, format, start=start, end=end))
    ]
    assert items == list(read(whole))
    assert Counter(type(item) for item in items) == {Document: len(records)}


def test_a_format_is_a_value():
    for name, format in registered().items():
        assert replace(format) == format
        assert format.name == name
