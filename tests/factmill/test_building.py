import inspect
import random
from pathlib import Path

import pytest

import factmill
from pipeline.build_options import BuildOptions
from schemas import TABLES, Entity, Mention
from tests.factmill.conftest import TEXTS


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / "tables" / f"{name}.parquet").read_bytes() for name in TABLES}


@pytest.fixture
def articles(tmp_path):
    folder = tmp_path / "articles"
    folder.mkdir()
    for number, text in enumerate(TEXTS):
        (folder / f"{number}.txt").write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("kind", [str, Path])
def test_folders_files_and_patterns(articles, tmp_path, kind):
    graphs = [
        factmill.build([kind(articles)], kind(tmp_path / "folder")),
        factmill.build([kind(path) for path in articles.iterdir()], tmp_path / "files"),
        factmill.build(kind(articles / "*.txt"), tmp_path / "pattern"),
    ]
    assert [graph.table("documents").num_rows for graph in graphs] == [2, 2, 2]
    assert len({str(content(graph.folder)) for graph in graphs}) == 1


def test_texts_give_the_same_bytes_in_any_order_and_from_any_iterable(tmp_path):
    texts = [*TEXTS, "Ada Lovelace was born in London.", TEXTS[0]]
    first = factmill.build(texts, tmp_path / "first", workers=1)
    random.Random(1).shuffle(texts)
    second = factmill.build(iter(texts), tmp_path / "second", workers=2)
    assert content(first.folder) == content(second.folder)
    assert first.table("documents").num_rows == 3, "equal texts are one document"


def test_documents_keep_what_they_hold_and_mix_with_files(articles, tmp_path):
    text = "Curie was born in Warsaw."
    document = factmill.make_document(text, id="note:1", title="Marie Curie", source="notes")
    entities = (Entity((Mention(0, 1),), "PER", ("wiki:Marie Curie",)), Entity((Mention(4, 5),), "LOC"))
    graph = factmill.build(
        [document.__class__(**{**_fields(document), "entities": entities}), articles], tmp_path / "g"
    )
    documents = graph.table("documents").to_pylist()
    assert {row["id"] for row in documents} > {"note:1"}
    assert next(row for row in documents if row["id"] == "note:1")["title"] == "Marie Curie"
    assert graph.show("wiki:Marie Curie").type == "PER"


def _fields(document):
    return {name: getattr(document, name) for name in document.__struct_fields__}


def test_texts_of_a_build_are_extracted_as_by_a_call(model, tmp_path):
    graph = factmill.build(TEXTS, tmp_path / "graph", model=model)
    called = {(fact.head.name, fact.relation.id, fact.tail.name) for result in model(TEXTS) for fact in result.facts}
    names = dict(zip(graph.nodes["id"].to_pylist(), graph.nodes["name"].to_pylist(), strict=True))
    built = {(names[row["head"]], row["relation"], names[row["tail"]]) for row in graph.edges.to_pylist()}
    assert called <= built


def test_formats_and_options_reach_the_build(tmp_path):
    graph = factmill.build(TEXTS, tmp_path / "graph", formats=["graphml"], min_confidence=0.6, limit=1)
    assert (tmp_path / "graph" / "graph.graphml").is_file()
    assert not (tmp_path / "graph" / "graph.db").exists()
    assert min(graph.edges["confidence"].to_pylist()) >= 0.6
    assert graph.table("documents").num_rows == 1
    with pytest.raises(factmill.QueryError, match="no database"):
        graph.query("MATCH (a) RETURN a")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["articels/"], "no file at 'articels/': name files"),
        (["no such folder/"], "no file at 'no such folder/'"),
        (["my notes.txt"], "no file at 'my notes.txt'"),
        (["missing-*.xml"], "no file at"),
        (["Warsaw"], "no file at 'Warsaw'.*make_document"),
        (Path("absent.txt"), "no file at 'absent.txt'"),
        ([], "nothing to read"),
    ],
)
def test_a_path_that_names_no_file_is_not_taken_for_a_text(given, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(factmill.BuildError, match=message):
        factmill.build(given, tmp_path / "graph")
    assert not (tmp_path / "graph").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "not from NoneType"),
        (b"text of bytes", r"not from bytes \(decode it"),
        ({"text": "x"}, "not from dict"),
        ([TEXTS[0], 5], "input 1 is neither a path nor a text nor a document, but int"),
        ([b"x y z"], r"input 0 is neither a path nor a text nor a document, but bytes \(decode it"),
    ],
)
def test_inputs_of_another_kind(given, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        factmill.build(given, tmp_path / "graph")


def test_a_format_that_is_not_there(tmp_path):
    with pytest.raises(factmill.WriteError, match=r"no format 'dot': use one of .*graphml"):
        factmill.build(TEXTS, tmp_path / "graph", formats=["dot"])


def test_a_format_of_files_with_texts(tmp_path):
    with pytest.raises(factmill.BuildError, match="the format 'pubmed' is that of files"):
        factmill.build(TEXTS, tmp_path / "graph", format="pubmed")


def test_every_option_of_a_build_is_a_keyword_with_the_same_default():
    keywords = inspect.signature(factmill.build).parameters
    options = BuildOptions()
    for name in {*BuildOptions.__struct_fields__} - {"batch_cost"}:
        assert keywords[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert (keywords[name].default or None) == (getattr(options, name) or None), name
    assert all(f"        {name}: " in factmill.build.__doc__ for name in keywords)
