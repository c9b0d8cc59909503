"""The example corpora: complete, sound, and tied together by the people, places and drugs that they share."""

from collections import Counter
from pathlib import Path

import networkx
import pytest

from pipeline.readers.formats import read_path, sniff
from schemas import DeadLetter, Document, Redirect, Removal, Skipped, problems

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


MARKUP = ("[[", "]]", "{{", "}}", "'''", "<ref", "{|", "wikitable")


@pytest.fixture(scope="module")
def encyclopedia():
    return list(read_path(EXAMPLES / "encyclopedia.xml"))


@pytest.fixture(scope="module")
def biomedicine():
    return list(read_path(EXAMPLES / "biomedicine.xml"))


def kind(records, wanted):
    return [record for record in records if isinstance(record, wanted)]


def test_formats_are_recognised():
    assert sniff(EXAMPLES / "encyclopedia.xml") == "mediawiki"
    assert sniff(EXAMPLES / "biomedicine.xml") == "pubmed"


def test_every_page_is_accounted_for(encyclopedia):
    assert Counter(type(record) for record in encyclopedia) == {Document: 52, Redirect: 7, Skipped: 2}


def test_every_citation_is_accounted_for(biomedicine):
    assert Counter(type(record) for record in biomedicine) == {Document: 26, Removal: 1}
    assert kind(biomedicine, DeadLetter) == []


def test_documents_are_sound_and_short(encyclopedia, biomedicine):
    for document in kind(encyclopedia + biomedicine, Document):
        assert problems(document) == []
        assert 60 <= len(document.text.split()) <= 200, document.id
        assert len(document.sentences) >= 3


def test_no_markup_is_left(encyclopedia):
    for document in kind(encyclopedia, Document):
        assert not [
            mark for mark in ("[[", "]]", "{{", "}}", "'''", "<ref", "{|", "wikitable") if mark in document.text
        ]


def test_the_last_revision_counts(encyclopedia):
    (ulm,) = [document for document in kind(encyclopedia, Document) if document.title == "Ulm"]
    assert "steeple of 161 metres" in ulm.text
    assert "Its minster is tall" not in ulm.text


def test_articles_link_to_each_other(encyclopedia):
    documents = kind(encyclopedia, Document)
    titles = {document.id for document in documents}
    links = {document.id: {id for mention in document.mentions for id in mention.kb_ids} for document in documents}
    linked = Counter(target for targets in links.values() for target in targets)
    assert sum(linked[title] >= 2 for title in titles) >= 35
    graph = networkx.Graph((title, target) for title in titles for target in links[title] & titles)
    assert set(graph) == titles
    assert networkx.is_connected(graph)


def test_redirects_lead_to_articles(encyclopedia):
    titles = {document.id for document in kind(encyclopedia, Document)}
    redirects = kind(encyclopedia, Redirect)
    assert all(redirect.target in titles for redirect in redirects)
    links = {id for document in kind(encyclopedia, Document) for mention in document.mentions for id in mention.kb_ids}
    assert len(links & {redirect.alias for redirect in redirects}) == 4


def test_citations_share_drugs_and_diseases(biomedicine):
    documents = kind(biomedicine, Document)
    headings = Counter(value for document in documents for key, value in document.metadata if key == "mesh")
    assert sum(count >= 2 for count in headings.values()) >= 20
    assert sum("mesh" in dict(document.metadata) for document in documents) == 26
