"""What must hold for every registered relation head."""

import pytest
import torch

from extractors.heads import HEADS, EntityPairs
from extractors.layout import lay_out_entities
from extractors.prepare import Preparer
from tests.extractors.heads import references
from tests.extractors.tiny import model, plain, tokenizer

SENTENCE = "Anna Berg lives in the town of Oslo . She knows Bo . "
ONE = [[(0, 2)], [(7, 8)]]


def run(network, texts, clusters, types=None):
    """Return the pairs' logits and everything they were made from."""
    preparer = Preparer(tokenizer(), 10_000)
    encoded = network.encode([preparer.prepare(plain(text)).passages[0] for text in texts])
    layout = lay_out_entities(clusters, encoded.words)
    mentions = encoded.pool(layout.mention_start, layout.mention_end)
    entities = network.entity_vectors(mentions, layout)
    count = len(layout.entity_count)
    types = torch.arange(count) % 2 if types is None else types
    logits = network.relation_logits(encoded, layout, mentions, entities, types)
    pairs = EntityPairs(layout, encoded.states, encoded.word_piece, encoded.word_sentence, mentions, entities, types)
    return logits, pairs, encoded


@pytest.fixture(params=sorted(HEADS))
def network(request):
    return model(request.param).eval()


def test_every_registered_head_has_a_reference():
    assert set(references.REFERENCES) == set(HEADS)


CLUSTERS = [
    pytest.param([[]], id="no entity"),
    pytest.param([[[(0, 2)]]], id="one entity"),
    pytest.param([ONE], id="two entities"),
    pytest.param([[[(0, 2), (8, 9)], [(6, 7), (4, 7)], [(10, 11)]]], id="several mentions"),
    pytest.param([[[(0, 2)], [(0, 1)], [(0, 2), (1, 3)]]], id="nested, overlapping and shared mentions"),
    pytest.param([[[(0, 2), (0, 2)], [(10, 11)]]], id="duplicated mention"),
    pytest.param([[[(i % 11, i % 11 + 1)] for i in range(60)]], id="60 entities"),
]


@pytest.mark.parametrize("clusters", CLUSTERS)
def test_equals_the_loop_by_loop_reference(network, clusters):
    with torch.inference_mode():
        logits, pairs, encoded = run(network, [SENTENCE], clusters)
        expected = references.REFERENCES[network.config.head](network.relation_head, pairs, encoded)
    assert logits.shape == (len(pairs.layout.pairs), 3)
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-4)


def test_long_documents(network):
    text = SENTENCE * 60
    clusters = [[[(0, 2), (700, 702)], [(7, 8)], [(350, 351)]]]
    with torch.inference_mode():
        logits, pairs, encoded = run(network, [text], clusters)
        assert int(encoded.word_piece[-1]) > 1024
        expected = references.REFERENCES[network.config.head](network.relation_head, pairs, encoded)
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-4)


def test_batching_and_document_order_change_nothing(network):
    texts = [SENTENCE, "Bo left . ", SENTENCE * 3]
    clusters = [ONE, [[(0, 1)]], [[(0, 2), (13, 15)], [(7, 8)], [(10, 12)]]]
    with torch.inference_mode():
        together, pairs, _ = run(network, texts, clusters, torch.tensor([0, 1, 1, 0, 0, 1]))
        apart = [
            run(network, [text], [c], torch.tensor(t))[0]
            for text, c, t in zip(texts, clusters, ([0, 1], [1], [0, 0, 1]), strict=True)
        ]
        turned, _, _ = run(network, texts[::-1], clusters[::-1], torch.tensor([0, 0, 1, 1, 0, 1]))
    torch.testing.assert_close(together, torch.cat(apart), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(together, torch.cat([turned[6:], turned[:6]]), atol=1e-5, rtol=1e-4)
    assert len(pairs.layout.pairs) == 2 + 0 + 6


def test_permuting_the_entities_permutes_the_scores(network):
    clusters = [[(0, 2), (8, 9)], [(6, 7)], [(10, 11)]]
    order = [2, 0, 1]
    types = torch.tensor([0, 1, 0])
    with torch.inference_mode():
        logits, pairs, _ = run(network, [SENTENCE], [clusters], types)
        moved, moved_pairs, _ = run(network, [SENTENCE], [[clusters[i] for i in order]], types[order])
    row = {tuple(pair): index for index, pair in enumerate(pairs.layout.pairs.tolist())}
    original = [row[order[head], order[tail]] for head, tail in moved_pairs.layout.pairs.tolist()]
    torch.testing.assert_close(moved, logits[original], atol=1e-5, rtol=1e-4)


def test_gradients_reach_every_parameter(network):
    clusters = [[[(0, 2), (8, 9)], [(6, 7)], [(10, 11)]]]
    logits, _, _ = run(network, [SENTENCE], clusters)
    logits.square().sum().backward()
    for name, parameter in network.relation_head.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
