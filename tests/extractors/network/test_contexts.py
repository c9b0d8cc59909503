import numpy as np
import torch

from extractors.encoder.featurizer import Featurizer
from extractors.encoder.layout import lay_out_entities
from extractors.inference.extractor import Extractor
from extractors.network.contexts import DIMENSIONS, context_vectors, pack
from extractors.network.examples import entity_spans
from tests.extractors.tiny import annotated, extractor, model, tokenizer


def test_a_vector_is_the_projected_maximum_of_the_mentions_and_mean_of_the_passage():
    documents = [annotated(), annotated(copies=2)]
    network = model().eval()
    featurizer = Featurizer(tokenizer())
    with torch.inference_mode():
        encoded = network.encode([featurizer.featurize(document).passages[0] for document in documents])
        layout = lay_out_entities([entity_spans(document) for document in documents], encoded.words)
        pairs = network(encoded, layout, layout.entity_passage)
        found = context_vectors(pairs)
    signs = np.random.Generator(np.random.PCG64(64)).integers(0, 2, (encoded.rows.shape[1], DIMENSIONS)) * 2 - 1
    words, row = encoded.words, 0
    for passage, document in enumerate(documents):
        begin, end = (int(words.piece[words.first[passage + i]]) for i in (0, 1))
        mean = encoded.rows[begin:end].mean(0)
        for entity in document.entities:
            rows = [
                encoded.rows[words.piece[words.first[passage] + m.start] : words.piece[words.first[passage] + m.end]]
                for m in entity.mentions
            ]
            expected = (torch.cat(rows).amax(0) + mean).numpy() * 1024 @ signs
            assert np.abs(found[row] - expected).max() < 2 * encoded.rows.shape[1]
            row += 1
    assert row == len(found)


def test_packing_keeps_the_direction_and_the_largest_is_127():
    vector = np.array([-3, 0, 1, 2] * 16)
    packed = np.frombuffer(pack(vector), np.int8)
    assert packed.min() == -127
    assert np.abs(packed / 127 - vector / 3).max() <= 0.5 / 127
    assert np.frombuffer(pack(np.zeros(64, np.int64)), np.int8).tolist() == [0] * 64


def test_every_entity_of_an_extraction_has_its_vector_whatever_shares_the_batch():
    found: Extractor = extractor()
    documents = [found.featurize(annotated()), found.featurize(annotated("b", copies=9))]
    alone = [found.extract([document])[0] for document in documents]
    assert found.extract(documents) == alone
    for extraction in alone:
        assert len(extraction.contexts) == len(extraction.entities) > 0
        assert {len(context) for context in extraction.contexts} == {DIMENSIONS}
