"""What must hold for every registered relation head."""

import pytest
import torch

from extractors.encoder.featurizer import Featurizer
from extractors.encoder.layout import lay_out_entities
from extractors.heads import HEADS
from tests.extractors.heads import references
from tests.extractors.tiny import model, plain, tokenizer

SENTENCE = "Anna Berg lives in the town of Oslo . She knows Bo . "
ONE = [[(0, 2)], [(7, 8)]]

# Every head, and every choice that changes what it computes.
VARIANTS = [
    ("atlop", {}),
    ("atlop", {"classifier": "linear"}),
    *(
        ("docre-ii", {"width": 4, "layers": 1, "passes": 1, **changes})
        for changes in (
            {"layers": 2, "passes": 2},
            {"passes": 2, "mode": "reference"},
            {"fusion": False},
            {"extended": False},
            {"contrastive": False},
            {"base_options": {"classifier": "bilinear"}},
            {"base": "jerex-grc"},
            {"base": "jerex-mrc"},
        )
    ),
    *(
        ("docunet", {"channels": 6, **changes})
        for changes in (
            {},
            {"features": "similarity"},
            {"segmentation": False},
            {"mode": "reference"},
            {"mode": "reference", "features": "similarity"},
        )
    ),
    *(
        ("hin", {"hidden": 8, **changes})
        for changes in (
            {},
            {"subspaces": 1},
            {"translation": False},
            {"bilinear": False},
            {"sentence_inference": False},
            {"hierarchical": False},
        )
    ),
    ("jerex-grc", {}),
    ("jerex-mrc", {}),
    ("jerex-mrc", {"global_entities": False}),
    ("jerex-mrc", {"local_context": False}),
    ("jerex-mrc", {"other_sentences": False}),
    ("typed-atlop", {}),
]
# How the network around a head is built: markers and known entities for those that were published with them.
TOLD = {"joint": False, "markers": True, "entity_embeddings": True}
SETTINGS = {
    "typed-atlop": {"loss": "adaptive-threshold"},
    "atlop": {"loss": "adaptive-threshold", **TOLD},
    "docre-ii": {"loss": "adaptive-threshold", **TOLD},
    "docunet": {"loss": "balanced-softmax-na", **TOLD},
    "hin": {"joint": False},
}


def run(network, texts, clusters, types=None):
    """Return the pairs' logits and everything they were made from."""
    featurizer = Featurizer(tokenizer(), 10_000)
    types = [[i % 2 for i, _ in enumerate(found)] for found in clusters] if types is None else types
    passages = [
        network.mark_entities(featurizer.featurize(plain(text)).passages[0], found, numbers)
        for text, found, numbers in zip(texts, clusters, types, strict=True)
    ]
    encoded = network.encode(passages)
    layout = lay_out_entities(clusters, encoded.words)
    numbers = torch.tensor([number for of_passage in types for number in of_passage], dtype=torch.long)
    pairs = network(encoded, layout, numbers)
    return network.relation_head(pairs), pairs


def build(head, options):
    return model(head, head_options=options, **SETTINGS.get(head, {})).eval()


@pytest.fixture(params=VARIANTS, ids=lambda variant: "-".join(map(str, [variant[0], *variant[1].values()])))
def network(request):
    return build(*request.param)


def test_every_registered_head_has_a_reference():
    assert set(references.REFERENCES) == set(HEADS) == {head for head, _ in VARIANTS}


CLUSTERS = [
    pytest.param([[]], id="no entity"),
    pytest.param([[[(0, 2)]]], id="one entity"),
    pytest.param([ONE], id="two entities"),
    pytest.param([[[(0, 2), (8, 9)], [(6, 7), (4, 7)], [(10, 11)]]], id="several mentions"),
    pytest.param([[[(0, 2)], [(0, 1)], [(0, 2), (1, 3)]]], id="nested, overlapping and shared mentions"),
    pytest.param([[[(0, 2), (0, 2)], [(10, 11)]]], id="duplicated mention"),
]
SIXTY = [[[(i % 11, i % 11 + 1)] for i in range(60)]]


@pytest.mark.parametrize("clusters", CLUSTERS)
def test_equals_the_loop_by_loop_reference(network, clusters):
    assert_equals_the_reference(network, clusters)


@pytest.mark.parametrize(("head", "options"), {head: (head, options) for head, options in VARIANTS[::-1]}.values())
def test_equals_the_loop_by_loop_reference_for_60_entities(head, options):
    assert_equals_the_reference(build(head, options), SIXTY)


def assert_equals_the_reference(network, clusters):
    with torch.inference_mode():
        logits, pairs = run(network, [SENTENCE], clusters)
        expected = references.REFERENCES[network.config.head](network.relation_head, pairs)
    assert logits.shape == (len(pairs.layout.pairs), 3 + network.loss.added)
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-4)


def test_long_documents(network):
    text = SENTENCE * 60
    clusters = [[[(0, 2), (700, 702)], [(7, 8)], [(350, 351)]]]
    with torch.inference_mode():
        logits, pairs = run(network, [text], clusters)
        assert int(pairs.encoded.word_piece[-1]) > 1024
        expected = references.REFERENCES[network.config.head](network.relation_head, pairs)
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-4)


def test_batching_and_document_order_change_nothing(network):
    texts = [SENTENCE, "Bo left . ", SENTENCE * 3]
    clusters = [ONE, [[(0, 1)]], [[(0, 2), (13, 15)], [(7, 8)], [(10, 12)]]]
    types = [[0, 1], [1], [0, 0, 1]]
    with torch.inference_mode():
        together, pairs = run(network, texts, clusters, types)
        apart = [run(network, [text], [c], [t])[0] for text, c, t in zip(texts, clusters, types, strict=True)]
        turned, _ = run(network, texts[::-1], clusters[::-1], types[::-1])
    torch.testing.assert_close(together, torch.cat(apart), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(together, torch.cat([turned[6:], turned[:6]]), atol=1e-5, rtol=1e-4)
    assert len(pairs.layout.pairs) == 2 + 0 + 6


def test_permuting_the_entities_permutes_the_scores(network):
    clusters = [[(0, 2), (8, 9)], [(6, 7)], [(10, 11)]]
    order = [2, 0, 1]
    types = [0, 1, 0]
    with torch.inference_mode():
        logits, pairs = run(network, [SENTENCE], [clusters], [types])
        moved, moved_pairs = run(network, [SENTENCE], [[clusters[i] for i in order]], [[types[i] for i in order]])
    row = {tuple(pair): index for index, pair in enumerate(pairs.layout.pairs.tolist())}
    original = [row[order[head], order[tail]] for head, tail in moved_pairs.layout.pairs.tolist()]
    torch.testing.assert_close(moved, logits[original], atol=1e-5, rtol=1e-4)


def test_gradients_reach_every_parameter(network):
    clusters = [[[(0, 2), (8, 9)], [(6, 7)], [(10, 11)]]]
    logits, pairs = run(network, [SENTENCE], clusters)
    targets = torch.eye(3)[torch.arange(len(logits)) % 3]
    torch.stack(list(network.relation_head.losses(pairs, network.loss.per_pair, targets).values())).sum().backward()
    for name, parameter in network.relation_head.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
