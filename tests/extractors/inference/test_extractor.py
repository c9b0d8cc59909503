from itertools import pairwise

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors import load_extractor, load_featurizer
from extractors.calibration import as_plain_text
from extractors.heads import HEADS
from extractors.inference.confidence import RelationCalibration
from extractors.inference.entity_confidence import EntityConfidence
from extractors.network.name_matching import Names, is_unambiguous
from schemas import Mention, problems
from tests.extractors.tiny import annotated, extractor, plain, save

TEXTS = [
    "Anna Berg lives in Oslo . She knows Bo Dahl . Bo left Oslo in May .",
    "Bo .",
    "",
    "the the the the the the the the the the the the the the the the the the the the the the the",
    "Oslo and Bergen are towns . Anna went from Oslo to Bergen . " * 12,
]
HALF = torch.bfloat16
HAS_HALF = torch.ops.mkldnn._is_mkldnn_bf16_supported()


def documents():
    return [plain(text, f"d{i}") for i, text in enumerate(TEXTS)]


def check(document, extraction, schema):
    """What every extraction must fulfil."""
    assert extraction.document_id == document.id
    firsts = []
    for entity in extraction.entities:
        spans = [(m.start, m.end) for m in entity.mentions]
        assert spans == sorted(spans)
        assert spans
        assert entity.type in schema.entity_types
        firsts.append(spans[0])
        for start, end in spans:
            assert any(low <= start < end <= high for low, high in document.sentences)
    assert firsts == sorted(firsts)
    keys = [(fact.head, fact.relation, fact.tail) for fact in extraction.facts]
    assert keys == sorted(set(keys))
    for fact in extraction.facts:
        assert fact.head != fact.tail
        assert 0 <= fact.probability <= 1
        assert fact.evidence
        assert all(0 <= sentence < len(document.sentences) for sentence in fact.evidence)
        types = schema.by_id[fact.relation].types
        found = extraction.entities[fact.head].type, extraction.entities[fact.tail].type
        assert not types or found in types


@pytest.mark.parametrize("head", ["jerex-grc", "jerex-mrc"])
def test_extractions_are_sound(head):
    tiny = extractor(head)
    batch = [tiny.featurize(document) for document in documents()]
    extractions = tiny.extract(batch)
    assert sum(len(e.entities) for e in extractions) > 5
    assert sum(len(e.facts) for e in extractions) > 0
    for features, extraction in zip(batch, extractions, strict=True):
        check(features.document, extraction, tiny.schema)


def test_entities_are_the_same_without_facts():
    tiny = extractor()
    batch = [tiny.featurize(document) for document in documents()]
    for with_facts, without in zip(tiny.extract(batch), tiny.extract(batch, facts=False), strict=True):
        assert without == msgspec.structs.replace(with_facts, facts=())


def test_facts_between_entities_in_doubt_are_less_sure():
    tiny = extractor()
    batch = [tiny.featurize(document) for document in documents()]
    calm = msgspec.structs.replace(
        tiny.calibration, relation_threshold=0.0, given=RelationCalibration(), entities=EntityConfidence(bias=20.0)
    )
    doubt = msgspec.structs.replace(calm, entities=EntityConfidence(mentions=1.0, type=1.0))
    certain, doubtful = ([], [])
    for calibration, into in ((calm, certain), (doubt, doubtful)):
        tiny.calibration = calibration
        into += [fact for extraction in tiny.extract(batch) for fact in extraction.facts]
    assert certain
    assert [(f.head, f.relation, f.tail) for f in certain] == [(f.head, f.relation, f.tail) for f in doubtful]
    assert all(more.probability > less.probability for more, less in zip(certain, doubtful, strict=True))


@pytest.mark.skipif(not HAS_HALF, reason="needs a CPU with fast bfloat16")
@given(st.permutations(range(len(TEXTS))), st.sets(st.integers(1, len(TEXTS) - 1)))
@settings(max_examples=20, deadline=None)
def test_results_do_not_depend_on_batches_to_the_bit(order, cuts):
    tiny = extractor(precision=HALF)
    features = [tiny.featurize(document) for document in documents()]
    alone = [tiny.extract([one])[0] for one in features]
    for group in np.split(np.array(order), sorted(cuts)):
        assert tiny.extract([features[i] for i in group]) == [alone[i] for i in group]


@pytest.mark.skipif(not HAS_HALF, reason="this CPU has no fast bfloat16: passages are read one at a time")
@pytest.mark.parametrize("head", sorted(HEADS))
def test_every_head_gives_the_same_bits_alone_and_in_a_batch(head):
    tiny = extractor(head, precision=HALF, loss=HEADS[head].published_loss)
    batch = [tiny.featurize(document) for document in documents()]
    assert tiny.extract(batch[::-1])[::-1] == [tiny.extract([features])[0] for features in batch]


def test_what_is_called_as_a_mention_is_one_too():
    tiny = extractor()
    text = "Anna Berg ( AB ) lives in Oslo . AB knows Bo . OSLO likes anna berg and AB ."
    batch = [tiny.featurize(plain(text)), tiny.featurize(plain("Oslo and AB .", "other"))]
    strict = msgspec.structs.replace(tiny.calibration, mention_threshold=0.6)

    def spans(repeated):
        tiny.calibration = msgspec.structs.replace(strict, repeated_threshold=repeated)
        found = tiny.extract(batch, facts=False)
        return [{(m.start, m.end) for entity in one.entities for m in entity.mentions} for one in found]

    alone, together = spans(1.0), spans(0.0)
    assert alone != together
    names = [Names(features.document, features.passages[0]) for features in batch]
    for before, after, name, features in zip(alone, together, names, batch, strict=True):
        assert {name.of(*span) for span in after} == {name.of(*span) for span in before}, "no new name"
        called = {name.of(*span) for span in before}
        taken = {word for start, end in after for word in range(start, end)}
        for low, high in features.document.sentences:
            for start in range(low, high):
                for end in range(start + 1, min(high, start + 4) + 1):
                    free = taken.isdisjoint(range(start, end)) and is_unambiguous(name.of(start, end))
                    assert not (free and name.of(start, end) in called), "left out"


def test_given_entities_are_kept_and_only_related():
    tiny = extractor()
    document = annotated()
    extraction = tiny.extract([tiny.featurize(document)])[0]
    assert extraction.entities == document.entities
    assert extraction.facts
    check(document, extraction, tiny.schema)


def test_given_mentions_join_the_predicted_ones_and_keep_their_targets():
    tiny = extractor()
    base = as_plain_text(annotated())
    links = (Mention(4, 5, kb_ids=("wiki:Oslo",)), Mention(13, 14, kb_ids=("wiki:Oslo",)), Mention(0, 2, "PER"))
    document = msgspec.structs.replace(base, mentions=links)
    extraction = tiny.extract([tiny.featurize(document)])[0]
    oslo = [entity for entity in extraction.entities if entity.kb_ids]
    assert len(oslo) == 1
    assert oslo[0].kb_ids == ("wiki:Oslo",)
    assert {(4, 5), (13, 14)} <= {(m.start, m.end) for m in oslo[0].mentions}
    anna = [entity for entity in extraction.entities if any((m.start, m.end) == (0, 2) for m in entity.mentions)]
    assert [entity.type for entity in anna] == ["PER"]
    spans = sorted((m.start, m.end) for entity in extraction.entities for m in entity.mentions)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans)), "predicted ones overlap"


def test_an_entity_named_in_several_passages_is_one():
    tiny = extractor(whole_pieces=0, passage_pieces=40)
    document = msgspec.structs.replace(
        plain(TEXTS[4], "long"), mentions=tuple(Mention(i, i + 1, "LOC") for i in range(0, 156, 13))
    )
    features = tiny.featurize(document)
    assert len(features.passages) > 5
    extraction = tiny.extract([features])[0]
    given = {mention.start for mention in document.mentions}
    owners = [number for number, e in enumerate(extraction.entities) for m in e.mentions if m.start in given]
    assert len(owners) == 12
    assert len(set(owners)) == 1
    check(document, extraction, tiny.schema)


def test_a_model_that_gives_no_numbers_is_an_error():
    tiny = extractor()
    with torch.no_grad():
        tiny.model.relation_head.classifier.outer.bias.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="not a number"):
        tiny.extract([tiny.featurize(annotated())])


def test_a_saved_extractor_gives_the_same(tmp_path):
    folder = save(tmp_path / "tiny")
    loaded = load_extractor(str(folder))
    again = load_extractor(str(folder))
    document = load_featurizer(str(folder)).featurize(as_plain_text(annotated()))
    assert problems(document.document) == []
    assert loaded.extract([document]) == again.extract([document])
