import json

import pytest

from pipeline.readers.docred import read_docred
from schemas import Fact
from tests.pipeline.readers.files import documents, letters, read_all, write


def record(**changes):
    base = {
        "title": "Ada Example",
        "sents": [["Ada", "Example", "lives", "in", "Rome", "."], ["Ada", "likes", "\u00a0", "Rome", "."]],
        "vertexSet": [
            [
                {"name": "Ada Example", "pos": [0, 2], "sent_id": 0, "type": "PER"},
                {"name": "Ada", "pos": [0, 1], "sent_id": 1, "type": "PER"},
            ],
            [
                {"name": "Rome", "pos": [3, 4], "sent_id": 1, "type": "LOC"},
                {"name": "Rome", "pos": [4, 5], "sent_id": 0, "type": "LOC"},
            ],
        ],
        "labels": [{"h": 0, "t": 1, "r": "P551", "evidence": [1]}],
    }
    return base | changes


def test_entities_facts_and_spans_are_exact(tmp_path):
    [document] = documents(read_all(write(tmp_path / "a.json", json.dumps([record()]))))
    assert document.id == "docred:Ada Example"
    assert document.text == "Ada Example lives in Rome . Ada likes Rome ."
    assert [[document.span_text(m.start, m.end) for m in e.mentions] for e in document.entities] == [
        ["Ada Example", "Ada"],
        ["Rome", "Rome"],
    ]
    assert [entity.type for entity in document.entities] == ["PER", "LOC"]
    assert document.facts == (Fact(0, "P551", 1, evidence=(1,)),)


def test_repeated_labels_join_their_evidence_and_order_does_not_matter(tmp_path):
    fact = {"h": 0, "t": 1, "r": "P1"}
    labels = [{"h": 1, "t": 0, "r": "P1"}, {**fact, "evidence": [1]}, {**fact, "evidence": [0]}]
    [document] = documents(read_all(write(tmp_path / "a.json", json.dumps([record(labels=labels)]))))
    assert document.facts == (Fact(0, "P1", 1, evidence=(0, 1)), Fact(1, "P1", 0))


def test_shared_nested_and_duplicate_mentions_are_ordinary(tmp_path):
    mention = {"pos": [0, 2], "sent_id": 0, "type": "PER"}
    vertices = [
        [mention, mention],
        [mention],
        [{"pos": [0, 1], "sent_id": 0, "type": "ORG"}, {**mention, "type": "LOC"}],
    ]
    [document] = documents(read_all(write(tmp_path / "a.json", json.dumps([record(vertexSet=vertices, labels=[])]))))
    assert [len(entity.mentions) for entity in document.entities] == [1, 1, 2]
    assert document.entities[2].type == "ORG"


def test_the_most_frequent_mention_type_is_that_of_the_entity(tmp_path):
    places = [([0, 2], 0, "PER"), ([0, 1], 1, "ORG"), ([4, 5], 0, "ORG")]
    vertices = [[{"pos": pos, "sent_id": sentence, "type": type} for pos, sentence, type in places]]
    [document] = documents(read_all(write(tmp_path / "a.json", json.dumps([record(vertexSet=vertices, labels=[])]))))
    assert document.entities[0].type == "ORG"


def test_blank_words_and_empty_sentences_move_positions_and_evidence(tmp_path):
    changed = record(
        sents=[["", " "], ["\u00a0", "Ada", "rests", "."]],
        vertexSet=[[{"pos": [0, 2], "sent_id": 1, "type": "PER"}]],
        labels=[{"h": 0, "t": 0, "r": "P1", "evidence": [0, 1]}],
    )
    [document] = documents(read_all(write(tmp_path / "a.json", json.dumps([changed]))))
    assert document.text == "Ada rests ."
    assert document.span_text(document.entities[0].mentions[0].start, document.entities[0].mentions[0].end) == "Ada"
    assert document.facts[0].evidence == (0,)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"vertexSet": [[{"pos": [4, 9], "sent_id": 0, "type": "PER"}]], "labels": []}, "4:9 of sentence 0"),
        ({"vertexSet": [[{"pos": [0, 1], "sent_id": 7, "type": "PER"}]], "labels": []}, "sentence 7"),
        ({"vertexSet": [[{"pos": [0, 1], "sent_id": 0}]], "labels": []}, "type"),
        ({"vertexSet": [[]], "labels": []}, "no mentions"),
        ({"vertexSet": "none", "labels": []}, "vertexSet is str"),
        ({"labels": [{"h": 0, "t": 9, "r": "P1"}]}, "entity 9"),
        ({"labels": [{"h": 0, "t": 1}]}, "`r`"),
        ({"labels": {"h": 0}}, "labels is dict"),
        ({"labels": [{"h": 0, "t": 1, "r": "P1", "evidence": [5]}]}, "sentence 5"),
    ],
)
def test_what_is_wrong_in_a_record_costs_itself_and_is_named(tmp_path, changes, words):
    items = read_all(write(tmp_path / "a.json", json.dumps([record(**changes), record(title="Last")])), "docred")
    first, last = documents(items)
    assert first.text == last.text
    [letter] = letters(items)
    assert words in letter.detail
    assert letter.document_id == "docred:Ada Example"


def test_a_lost_entity_takes_its_labels_along_and_leaves_those_of_the_others(tmp_path):
    rome = record()["vertexSet"][1]
    broken = record(
        vertexSet=[[{"pos": [50, 51], "sent_id": 0, "type": "PER"}], rome, record()["vertexSet"][0]],
        labels=[{"h": 0, "t": 1, "r": "P1"}, {"h": 2, "t": 1, "r": "P2"}],
    )
    items = read_all(write(tmp_path / "a.json", json.dumps([broken])))
    [document] = documents(items)
    assert [entity.type for entity in document.entities] == ["LOC", "PER"]
    assert document.facts == (Fact(1, "P2", 0),)
    assert [item.reason for item in letters(items)] == ["annotation does not fit the text", "label names no entity"]


def test_labels_and_evidence_may_be_null(tmp_path):
    rows = [record(labels=None), record(title="B", labels=[{"h": 0, "t": 1, "r": "P1", "evidence": None}])]
    items = read_all(write(tmp_path / "a.json", json.dumps(rows)))
    assert [document.facts for document in documents(items)] == [(), (Fact(0, "P1", 1),)]
    assert letters(items) == []


def test_records_without_sentences_become_dead_letters_that_name_the_value(tmp_path):
    items = read_all(
        write(tmp_path / "a.json", json.dumps([record(sents="no list"), 7, record(title="Last")])), "docred"
    )
    assert [letter.detail.partition(":")[0] for letter in letters(items)] == ["document 1", "document 2"]
    assert [document.title for document in documents(items)] == ["Last"]


def test_a_value_that_is_not_json_costs_itself(tmp_path):
    values = [json.dumps(record(title=f"T{number}")) for number in range(4)]
    for broken in (
        values[2][:-40],
        values[2].replace('"sents"', "sents"),
        values[2].replace('"PER"', '"PER'),
        "broken",
    ):
        content = f"[{values[0]}, {values[1]},\n{broken}, {values[3]}]"
        items = read_all(write(tmp_path / "a.json", content))
        assert [document.title for document in documents(items)] == ["T0", "T1", "T3"]
        assert len(letters(items)) == 1


def test_repeated_and_missing_titles_give_different_ids(tmp_path):
    path = write(tmp_path / "a.json", json.dumps([record(), record(), record(title=""), record(title="", labels=[])]))
    ids = [document.id for document in documents(read_all(path))]
    assert ids[:2] == ["docred:Ada Example", "docred:Ada Example#2"]
    assert ids[3] == f"{ids[2]}#2"


def test_without_annotations_entities_are_none_and_json_lines_are_read_too(tmp_path):
    bare = {"title": "Bare", "sents": [["Nobody", "."]]}
    path = write(tmp_path / "a.json", json.dumps(bare) + "\n" + json.dumps(record()))
    first, second = documents(read_all(path))
    assert first.entities is None
    assert len(second.entities) == 2


def test_a_file_cut_short_gives_what_is_readable_and_one_dead_letter(tmp_path):
    text = json.dumps([record(title=f"T{number}") for number in range(5)])
    items = read_all(write(tmp_path / "a.json", text[: len(text) - 150]))
    assert len(documents(items)) == 4
    [letter] = letters(items)
    assert "value 5" in letter.detail


def test_a_list_cut_between_its_values_is_noticed(tmp_path):
    items = read_all(write(tmp_path / "a.json", json.dumps([record()])[:-1]))
    assert len(documents(items)) == 1
    assert "closing bracket" in letters(items)[0].detail


def test_lone_surrogates_and_nul_are_replaced(tmp_path):
    sents = [["A\ud800b", "\x00x", "."]]
    path = write(tmp_path / "a.json", json.dumps([record(sents=sents, vertexSet=[], labels=[])]))
    [document] = documents(read_all(path))
    assert document.text == "A\ufffdb \ufffdx ."


def test_it_streams(tmp_path):
    from pipeline.readers.part import Part

    path = write(tmp_path / "a.json", json.dumps([record(title=str(n)) for n in range(2000)])[:-1] + ", broken")
    first = next(iter(read_docred(Part(str(path), "docred"))))
    assert first.id == "docred:0"
