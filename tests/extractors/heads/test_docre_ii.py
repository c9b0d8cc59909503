import pytest
import torch

from extractors.heads import HEADS
from extractors.heads.docre_ii import NOISE, pair_cells
from tests.extractors.heads.test_every_head import SENTENCE, run
from tests.extractors.tiny import model

CLUSTERS = [[[(0, 2), (8, 9)], [(6, 7)], [(10, 11)]], [[(0, 1)], [(2, 3)]]]
TOLD = {"joint": False, "markers": True, "entity_embeddings": True, "loss": "adaptive-threshold"}


def network(**options):
    return model("docre-ii", head_options={"width": 8, **options}, **TOLD).eval()


def pairs_of(net):
    return run(net, [SENTENCE, SENTENCE], CLUSTERS)[1]


def test_cells_of_padding_and_of_one_entity_are_no_pairs():
    cells = pair_cells(pairs_of(network()))
    assert cells.shape == (2, 4, 4)
    assert cells.sum((1, 2)).tolist() == [6, 2]
    assert not cells.diagonal(dim1=1, dim2=2).any()


@torch.inference_mode()
def test_logits_of_a_pair_do_not_depend_on_which_pairs_are_asked_for():
    net = network()
    pairs = pairs_of(net)
    some = pairs.with_pairs(pairs.layout.pairs[[1, 6]])
    torch.testing.assert_close(net.relation_head(some), net.relation_head(pairs)[[1, 6]])


@torch.inference_mode()
def test_the_first_stage_has_the_base_module_only():
    net = network()
    head, pairs = net.relation_head, pairs_of(net)
    head.base_only = True
    torch.testing.assert_close(head(pairs), head.base(pairs))
    found = head.losses(pairs, net.loss.per_pair, torch.zeros(8, 3))
    assert found.keys() == {"relation"}


@pytest.mark.parametrize(("mode", "passes"), [("corrected", 1), ("reference", 3)])
@torch.inference_mode()
def test_passes_end_where_they_change_no_prediction(mode, passes, monkeypatch):
    net = network(passes=3, mode=mode)
    head, pairs = net.relation_head, pairs_of(net)
    head.classifier.weight.zero_()
    head.classifier.bias.zero_()
    calls = []
    infer = head._infer
    monkeypatch.setattr(head, "_infer", lambda *a: calls.append(a) or infer(*a))
    torch.testing.assert_close(head(pairs), head.base(pairs))
    assert len(calls) == passes


@pytest.mark.parametrize("seed", range(5))
@torch.inference_mode()
def test_ending_early_changes_no_logit(seed, monkeypatch):
    net = model("docre-ii", seed, head_options={"width": 8, "passes": 6}, **TOLD).eval()
    head, pairs = net.relation_head, pairs_of(net)
    found = head(pairs)
    monkeypatch.setattr(torch, "equal", lambda one, other: False)
    assert (found == head(pairs)).all()


def test_the_second_stage_learns_from_one_noisy_pass():
    net = network(passes=3)
    head, pairs = net.relation_head, pairs_of(net)
    targets = torch.eye(3)[torch.arange(8) % 3]
    torch.manual_seed(1)
    first = head.losses(pairs, net.loss.per_pair, targets)
    torch.manual_seed(1)
    again = head.losses(pairs, net.loss.per_pair, targets)
    assert first.keys() == {"relation", "base", "contrastive"}
    assert all(torch.equal(first[name], again[name]) for name in first)
    torch.testing.assert_close(first["base"], net.loss.per_pair(head.base(pairs), targets).mean())
    assert 0 < first["contrastive"] < 4
    assert network(contrastive=False).relation_head.losses(pairs, net.loss.per_pair, targets).keys() == {
        "relation",
        "base",
    }


def test_the_contrastive_loss_is_equation_14():
    head = network().relation_head
    first, second = torch.randn(5, 16, requires_grad=True), torch.randn(5, 16, requires_grad=True)
    values = head._contrast(first, second)
    for i in range(5):
        one = torch.cosine_similarity(head.predictor((second[i : i + 1], None))[0], first[i], dim=0)
        other = torch.cosine_similarity(head.predictor((first[i : i + 1], None))[0], second[i], dim=0)
        torch.testing.assert_close(values[i], 2 - (one + other))
    # The gradient stops at the side that is not predicted.
    with torch.no_grad():
        fixed = first.detach().clone()
    expected = torch.autograd.grad(
        -torch.cosine_similarity(head.predictor((second, None)), fixed).sum(), second, retain_graph=True
    )[0]
    torch.testing.assert_close(torch.autograd.grad(values.sum(), second)[0], expected)


@pytest.mark.parametrize("mode", ["reference", "corrected"])
def test_noise_replaces_labels_by_wrong_ones(mode):
    head = network(mode=mode).relation_head
    mask = torch.ones(400, 10, 10, dtype=torch.bool)
    torch.manual_seed(0)
    labels = torch.where(torch.rand(mask.numel()) < 0.1, 0, head.labels - 1)  # a tenth is related
    noisy = head._with_noise(labels, mask)
    changed = (noisy != labels).view(400, -1).float().mean(1)
    related = (labels == 0).view(400, -1)
    wrong = (noisy != labels).view(400, -1)
    assert noisy.min() >= 0 and noisy.max() < head.labels
    of_related = float(wrong[related].float().mean())
    of_unrelated = float(wrong[~related].float().mean())
    assert abs(of_related - NOISE / 2) < 0.02
    if mode == "reference":
        assert abs(of_unrelated - NOISE / 2) < 0.02
        assert changed.max() > 0.3 and changed.min() < 0.1  # each passage has its own rate
    else:
        assert abs(of_unrelated - NOISE / 2 / 9) < 0.01


@pytest.mark.parametrize("base", sorted(HEADS.keys() - {"docre-ii"}))
def test_the_inference_module_sits_on_any_head(base):
    net = network(base=base)
    head, pairs = net.relation_head, pairs_of(net)
    torch.testing.assert_close(head.base.classify(head.base.pair_features(pairs)), head.base(pairs))
    logits = head(pairs)
    assert logits.shape == (8, 4)
    assert logits.isfinite().all()
    sum(head.losses(pairs, net.loss.per_pair, torch.zeros(8, 3)).values()).backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in head.base.parameters())


def test_a_base_module_needs_pair_features():
    with pytest.raises(ValueError, match="'docre-ii' has no pair features"):
        network(base="docre-ii")


def test_without_a_threshold_class_no_logit_above_zero_is_no_relation():
    head = model("docre-ii", head_options={"width": 8, "base": "jerex-grc"}).relation_head
    assert head.labels == 4
    assert head._predicted(torch.tensor([[-1.0, -2.0, -3.0], [0.5, 2.0, 1.0]])).tolist() == [3, 1]
