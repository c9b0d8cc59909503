import pickle

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from schemas import (
    DeadLetter,
    Document,
    Edge,
    Entity,
    Evidence,
    Extraction,
    Fact,
    LinkedEntity,
    Mention,
    MergedNode,
    Node,
    Record,
    Redirect,
    Removal,
    Section,
    Skipped,
    decode,
    encode,
)

# What MessagePack can hold: text without lone surrogates.
TEXT = st.text(max_size=20)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
COUNT = st.integers(0, 2**31 - 1)
SPAN = st.tuples(COUNT, COUNT)
SPANS = st.lists(SPAN, max_size=3).map(tuple)
CHANCE = st.floats(0, 1)
MENTIONS = st.builds(Mention, COUNT, COUNT, st.none() | TEXT, TEXTS)
ENTITIES = st.builds(Entity, st.lists(MENTIONS, max_size=3).map(tuple), TEXT, TEXTS)
FACTS = st.builds(Fact, COUNT, TEXT, COUNT, CHANCE, st.lists(COUNT, max_size=3).map(tuple))
DOCUMENTS = st.builds(
    Document,
    id=TEXT,
    source=TEXT,
    title=TEXT,
    text=TEXT,
    tokens=SPANS,
    sentences=SPANS,
    mentions=st.lists(MENTIONS, max_size=2).map(tuple),
    entities=st.none() | st.lists(ENTITIES, max_size=2).map(tuple),
    facts=st.lists(FACTS, max_size=2).map(tuple),
    sections=st.lists(st.builds(Section, TEXT, COUNT), max_size=2).map(tuple),
    metadata=st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
    version=COUNT,
)
RECORDS = {
    Mention: MENTIONS,
    Entity: ENTITIES,
    Fact: FACTS,
    Section: st.builds(Section, TEXT, COUNT),
    Document: DOCUMENTS,
    Extraction: st.builds(
        Extraction,
        TEXT,
        st.lists(ENTITIES, max_size=2).map(tuple),
        st.lists(FACTS, max_size=2).map(tuple),
        TEXTS,
    ),
    Node: st.builds(Node, TEXT, TEXT, TEXT, TEXTS, TEXTS, COUNT, COUNT),
    Edge: st.builds(Edge, TEXT, TEXT, TEXT, TEXT, CHANCE, COUNT, COUNT, TEXTS, st.booleans(), COUNT),
    LinkedEntity: st.builds(
        LinkedEntity,
        TEXT,
        COUNT,
        COUNT,
        TEXT,
        TEXT,
        CHANCE,
        TEXT,
        st.lists(st.tuples(TEXT, CHANCE), max_size=2).map(tuple),
        st.lists(st.tuples(TEXT, CHANCE), max_size=2).map(tuple),
    ),
    MergedNode: st.builds(
        MergedNode,
        TEXT,
        TEXT,
        TEXT,
        TEXT,
        COUNT,
        CHANCE,
        TEXT,
        st.lists(st.tuples(TEXT, CHANCE), max_size=2).map(tuple),
        TEXTS,
    ),
    Evidence: st.builds(Evidence, TEXT, TEXT, COUNT, COUNT, COUNT, TEXT, SPANS, SPANS, CHANCE),
    DeadLetter: st.builds(DeadLetter, TEXT, TEXT, TEXT, TEXT, TEXT),
    Skipped: st.builds(Skipped, TEXT, TEXT),
    Removal: st.builds(Removal, TEXT, TEXT),
    Redirect: st.builds(Redirect, TEXT, TEXT, TEXT),
}


def test_every_record_type_is_tested():
    exported = [getattr(schemas, name) for name in schemas.__all__]
    records = {kind for kind in exported if isinstance(kind, type) and issubclass(kind, Record)}
    assert records - {Record, schemas.Relation, schemas.RelationSchema, schemas.Rules} == RECORDS.keys()


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_records_survive_encoding_and_pickling(kind):
    @given(RECORDS[kind])
    def check(record):
        again = decode(encode(record), kind)
        assert again == record
        assert encode(again) == encode(record)
        assert hash(again) == hash(record)
        assert pickle.loads(pickle.dumps(record)) == record

    check()


def test_records_cannot_be_changed():
    with pytest.raises(AttributeError):
        Section("History", 3).start = 4


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"title": "History"}, "missing required field `start`"),
        ({"title": "History", "start": "3"}, r"Expected `int`, got `str` - at `\$.start`"),
        ({"title": "History", "start": 3, "end": 4}, "unknown field `end`"),
        ([1], "Expected `object`"),
    ],
)
def test_wrong_records_are_refused_with_the_path(data, message):
    with pytest.raises(msgspec.ValidationError, match=message):
        decode(msgspec.msgpack.encode(data), Section)
