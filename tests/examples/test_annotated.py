"""The annotated examples: exact offsets, relations of the schema, and the odd cases that they are there for."""

import json
from pathlib import Path

import pytest

from extractors.evaluation import evaluate
from pipeline.readers.formats import read_path
from schemas import Document, Extraction, load_relation_schema, problems

ANNOTATED = Path(__file__).resolve().parents[2] / "examples" / "annotated"
FILES = {"encyclopedia.json": ("docred", 8), "biomedicine.pubtator": ("cdr", 5)}


def documents(name: str) -> list[Document]:
    return [item for item in read_path(ANNOTATED / name) if isinstance(item, Document)]


@pytest.mark.parametrize(("name", "schema", "count"), [(name, *rest) for name, rest in FILES.items()])
def test_every_document_is_read_and_sound(name, schema, count):
    records = list(read_path(ANNOTATED / name))
    assert [type(record) for record in records] == [Document] * count
    known = load_relation_schema(schema)
    for document in records:
        assert problems(document) == []
        assert {fact.relation for fact in document.facts} <= set(known.by_id)
        assert {entity.type for entity in document.entities} <= set(known.entity_types)


def test_mention_names_stand_where_the_file_says():
    raw = json.loads((ANNOTATED / "encyclopedia.json").read_text("utf-8"))
    mentions = [(item["sents"], mention) for item in raw for entity in item["vertexSet"] for mention in entity]
    assert len(mentions) == 84
    for sentences, mention in mentions:
        start, end = mention["pos"]
        assert sentences[mention["sent_id"]][start:end] == mention["name"].split()


def test_every_fact_has_evidence():
    facts = [fact for document in documents("encyclopedia.json") for fact in document.facts]
    assert len(facts) == 69
    assert all(fact.evidence for fact in facts)
    assert any(len(fact.evidence) > 1 for fact in facts)


def test_documents_share_entities():
    names = [
        {document.span_text(mention.start, mention.end) for entity in document.entities for mention in entity.mentions}
        for document in documents("encyclopedia.json")
    ]
    shared = {name for one in names for name in one if sum(name in other for other in names) >= 3}
    assert {"Mara Lindholt", "Sarn", "Orland", "Veldmark", "The Salt Road", "Tomas Heric"} <= shared


def test_pubtator_has_mentions_with_several_ids_and_with_none():
    entities = [entity for document in documents("biomedicine.pubtator") for entity in document.entities]
    assert any(not entity.kb_ids for entity in entities)
    assert any(len(mention.kb_ids) == 2 for entity in entities for mention in entity.mentions)
    assert [len(document.facts) for document in documents("biomedicine.pubtator")] == [1, 2, 2, 2, 0]


@pytest.mark.parametrize(("name", "schema", "count"), [(name, *rest) for name, rest in FILES.items()])
def test_gold_scores_one_against_itself(name, schema, count):
    gold = documents(name)
    predicted = [Extraction(document.id, document.entities, document.facts) for document in gold]
    report = evaluate(gold, predicted, load_relation_schema(schema))
    assert report.relations.entities_given
    assert {score.f1 for score in report.strict.values()} == {1.0}
    assert report.relations.overall.f1 == 1.0
