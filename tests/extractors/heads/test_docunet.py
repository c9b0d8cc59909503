import pytest
import torch
from torch.testing import assert_close

from extractors.heads.docunet import UShape, appearance
from tests.extractors.heads import references
from tests.extractors.heads.test_every_head import SENTENCE, run
from tests.extractors.tiny import model


def network(**options):
    return model(
        "docunet", head_options={"channels": 4, **options}, loss="balanced-softmax", joint=False, markers=True
    ).eval()


def test_a_map_of_any_size_is_read_as_if_it_were_not_padded():
    torch.manual_seed(0)
    shape = UShape(3, 4, reference=False).eval()
    for size in (1, 2, 5, 9):
        image, inside = torch.zeros(1, 12, 12, 3), torch.arange(12)[None] < size
        image[:, :size, :size] = torch.randn(size, size, 3)
        exact = -(-size // 4) * 4
        expected = shape(image[:, :exact, :exact], inside[:, :exact])[:, :size, :size]
        assert_close(shape(image, inside)[:, :size, :size], expected)
        image[:, size:], image[:, :, size:] = 7.0, -7.0
        assert_close(shape(image, inside)[:, :size, :size], expected)


def test_entities_are_arranged_by_all_their_mentions():
    clusters = [[(3, 4), (0, 1)], [(0, 1)], [(2, 4)], [(0, 1), (3, 4)], [(2, 3), (5, 6)], [(0, 1), (2, 3)]]
    _, pairs = run(network(), [SENTENCE, SENTENCE], [clusters, clusters[2:4]])
    assert appearance(pairs).tolist() == [2, 0, 4, 2, 3, 1, 1, 0]


@pytest.mark.parametrize("order", [[1, 0, 2, 3], [3, 2, 1, 0]])
def test_entities_that_share_mentions_are_treated_alike(order):
    clusters = [[(0, 1)], [(0, 1)], [(0, 1), (7, 8)], [(9, 10)]]
    with torch.inference_mode():
        logits, pairs = run(network(), [SENTENCE], [clusters], [[0, 0, 0, 0]])
        moved, _ = run(network(), [SENTENCE], [[clusters[i] for i in order]], [[0, 0, 0, 0]])
    row = {tuple(pair): index for index, pair in enumerate(pairs.layout.pairs.tolist())}
    assert_close(logits[row[0, 3]], logits[row[1, 3]])
    assert_close(moved, logits[[row[order[h], order[t]] for h, t in row]], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("mode", ["reference", "corrected"])
def test_maps_are_not_cut_at_42_entities(mode):
    clusters = [[(i, i + 1), (j, j + 1)] for i in range(11) for j in range(i)][:46]
    found = network(mode=mode)
    with torch.inference_mode():
        logits, pairs = run(found, [SENTENCE], [clusters])
        assert int(appearance(pairs).max()) == 45
        some = pairs.with_pairs(pairs.layout.pairs[::97])
        assert_close(logits[::97], references.REFERENCES["docunet"](found.relation_head, some), atol=1e-5, rtol=1e-4)
