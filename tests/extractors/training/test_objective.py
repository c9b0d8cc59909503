import dataclasses

import msgspec
import numpy as np
import pytest
import torch
from torch.nn import functional

from extractors.encoder.featurizer import Featurizer
from extractors.encoder.layout import lay_out_entities
from extractors.network.examples import make_example, relation_targets
from extractors.network.name_matching import Names, edit_distances
from extractors.recipes.recipe import Objective
from extractors.training.objective import draw_batch
from extractors.training.objective import joint_loss as loss_of_batch
from schemas import Fact
from tests.extractors.tiny import annotated, model, plain, tokenizer

ALL = Objective(negative_spans=None, negative_mention_pairs=None, negative_entity_pairs=None)


def examples(*documents, network):
    featurizer = Featurizer(tokenizer())
    return [make_example(network, featurizer.featurize(document)) for document in documents]


def joint_loss(network, examples, objective, generator, **further):
    return loss_of_batch(network, draw_batch(network, examples, objective, generator), objective, **further)


def test_losses_equal_their_definitions_on_one_document():
    network = model().eval()
    document = annotated()
    passage = Featurizer(tokenizer()).featurize(document).passages[0]
    losses = joint_loss(network, examples(document, network=network), ALL, np.random.default_rng(0))
    encoded = network.encode([passage])
    gold = {(m.start, m.end) for e in document.entities for m in e.mentions}

    spans = [
        (i, j) for low, high in document.sentences for i in range(low, high) for j in range(i + 1, min(i + 4, high) + 1)
    ]
    scores = network.mention_logits(encoded, *torch.tensor(spans).unbind(1))
    truth = torch.tensor([float(span in gold) for span in spans])
    torch.testing.assert_close(losses["mention"], functional.binary_cross_entropy_with_logits(scores, truth))

    names = Names(document, passage)
    mentions = sorted((m.start, m.end, n) for n, e in enumerate(document.entities) for m in e.mentions)
    values = []
    for i, (start1, end1, e1) in enumerate(mentions):
        for start2, end2, e2 in mentions[i + 1 :]:
            vectors = encoded.pool(torch.tensor([start1, start2]), torch.tensor([end1, end2]))
            called = [names.of(start1, end1), names.of(start2, end2)]
            distance = torch.from_numpy(edit_distances(called, np.array([0]), np.array([1])))
            score = network.coreference_logits(vectors, torch.tensor([0]), torch.tensor([1]), distance)
            values.append(functional.binary_cross_entropy_with_logits(score, torch.tensor([float(e1 == e2)])))
    torch.testing.assert_close(losses["coreference"], torch.stack(values).mean())

    layout = lay_out_entities([[[(m.start, m.end) for m in e.mentions] for e in document.entities]], encoded.words)
    types = torch.tensor([0, 1, 0])
    pairs = network(encoded, layout, types)
    torch.testing.assert_close(losses["type"], functional.cross_entropy(network.type_logits(pairs.entities), types))

    logits = network.relation_scores(pairs)
    target = torch.zeros_like(logits)
    rows = layout.pairs.tolist()
    target[rows.index([0, 1]), 0] = target[rows.index([0, 2]), 2] = 1.0
    summed = functional.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(1).mean()
    torch.testing.assert_close(losses["relation"], summed)
    total = losses["mention"] + losses["coreference"] + 0.25 * losses["type"] + losses["relation"]
    torch.testing.assert_close(losses["total"], total)  # equation 13


def test_every_parameter_is_trained():
    network = model(dropout=0.0).train()
    joint_loss(network, examples(annotated(), network=network), ALL, np.random.default_rng(0))["total"].backward()
    untouched = [
        name
        for name, p in network.named_parameters()
        if (p.grad is None or not p.grad.abs().sum() > 0) and "token_type" not in name
    ]
    assert untouched == []


def test_batching_documents_averages_over_all_their_samples():
    network = model().eval()
    first, second = annotated("a"), annotated("b", copies=2)
    together = joint_loss(network, examples(first, second, network=network), ALL, np.random.default_rng(0))
    apart = [joint_loss(network, examples(d, network=network), ALL, np.random.default_rng(0)) for d in (first, second)]
    pairs = torch.tensor([6.0, 6.0])
    expected = (torch.stack([loss["relation"] for loss in apart]) * pairs).sum() / pairs.sum()
    torch.testing.assert_close(together["relation"], expected)


def test_documents_without_trusted_facts_leave_the_relation_loss():
    network = model().eval()
    document = annotated()
    example = make_example(network, Featurizer(tokenizer()).featurize(document), use_facts=False)
    assert joint_loss(network, [example], ALL, np.random.default_rng(0))["relation"].item() == 0.0


def test_a_document_without_entities_gives_finite_losses():
    network = model()
    empty = msgspec.structs.replace(plain("no names here ."), entities=())
    losses = joint_loss(network, examples(empty, network=network), Objective(), np.random.default_rng(0))
    assert losses["total"].isfinite()
    losses["total"].backward()


def test_duplicate_and_reflexive_facts_count_once_or_not_at_all():
    document = msgspec.structs.replace(annotated(), facts=(Fact(0, "R1", 1), Fact(0, "R1", 1), Fact(2, "R2", 2)))
    layout = lay_out_entities(
        [[[(0, 1)], [(1, 2)], [(2, 3)]]], model().encode(Featurizer(tokenizer()).featurize(document).passages).words
    )
    targets = relation_targets(layout, [document], {"R1": 0, "R2": 1})
    assert targets.sum() == 1.0
    assert targets[layout.pairs.tolist().index([0, 1]), 0] == 1.0


def doubted(document, probability):
    """The document with all its facts as sure as that."""
    facts = tuple(msgspec.structs.replace(fact, probability=probability) for fact in document.facts)
    return msgspec.structs.replace(document, facts=facts)


def test_soft_facts_are_targets_of_their_probability():
    document = doubted(annotated(), 0.3)
    layout = lay_out_entities(
        [[[(m.start, m.end) for m in e.mentions] for e in document.entities]],
        model().encode(Featurizer(tokenizer()).featurize(document).passages).words,
    )
    targets = relation_targets(layout, [document], {"R1": 0, "R2": 1, "R3": 2})
    assert sorted(targets.unique().tolist()) == pytest.approx([0.0, 0.3])
    assert int((targets > 0).sum()) == len(document.facts)


@pytest.mark.parametrize("head", ["atlop", "docre-ii"])
def test_soft_pairs_have_the_cross_entropy_of_their_scores_and_the_others_their_loss(head):
    network = model(head, joint=True, loss="adaptive-threshold").eval()
    if head == "docre-ii":
        network.relation_head.base_only = True  # without noise
    featurizer = Featurizer(tokenizer())
    soft, sure = doubted(annotated("a"), 0.3), annotated("b", copies=2)
    found = [
        make_example(network, featurizer.featurize(soft), complete=False, soft_labels=True),
        make_example(network, featurizer.featurize(sure)),
    ]
    batch = draw_batch(network, found, ALL, np.random.default_rng(0))
    pairs = {document.id: len(document.entities) * (len(document.entities) - 1) for document in (soft, sure)}
    assert batch.soft.tolist() == [True] * pairs["a"] + [False] * pairs["b"]
    loss = loss_of_batch(network, batch, ALL)["relation"]

    encoded = network.encode([example.passage for example in found])
    layout = batch.layout
    types = torch.tensor([t for example in found for t in example.types])
    everything = network(encoded, layout, types)
    logits = network.relation_head(everything.with_pairs(batch.pairs))
    values = network.loss.per_pair(logits, batch.targets)
    scores = logits[:, :-1] - logits[:, -1:]
    target = batch.targets
    crossed = -(target * functional.logsigmoid(scores) + (1 - target) * functional.logsigmoid(-scores)).sum(1)
    expected = torch.cat([crossed[: pairs["a"]], values[pairs["a"] :]]).mean()
    torch.testing.assert_close(loss, expected)


def test_edit_distances_are_those_of_levenshtein():
    assert edit_distances(["oslo", "oslo", "bergen"], np.array([0, 0]), np.array([1, 2])).tolist() == [0, 6]


def test_unknown_relations_are_named():
    document = msgspec.structs.replace(annotated(), facts=(Fact(0, "R9", 1),))
    with pytest.raises(ValueError, match="'anna' uses 'R9'"):
        make_example(model(), Featurizer(tokenizer()).featurize(document))


def test_a_share_of_the_unrelated_pairs_of_incomplete_documents_are_negatives():
    network = model().eval()
    document = annotated()
    features = Featurizer(tokenizer()).featurize(document)
    full, part = make_example(network, features), make_example(network, features, complete=False)

    def drawn(**changes):
        objective = msgspec.structs.replace(ALL, **changes)
        return draw_batch(network, [full, part], objective, np.random.default_rng(0))

    assert len(drawn().pairs) == 12
    assert len(drawn(negative_share=0.0).pairs) == 6 + 2


def test_approximate_entities_are_related_but_not_learned():
    network = model()
    exact, rough = annotated("exact"), annotated("rough", copies=2)
    pair = examples(exact, rough, network=network)
    pair[1] = dataclasses.replace(pair[1], use_entities=False)
    batch = draw_batch(network, pair, Objective(), np.random.default_rng(0))
    assert batch.spans[0].max() < len(exact.tokens)
    assert batch.mention_pairs[1].max() < sum(len(entity.mentions) for entity in exact.entities)
    assert batch.typed.tolist() == [0, 1, 2]
    assert set(batch.layout.entity_passage[batch.pairs[:, 0]].tolist()) == {0, 1}
    none = [dataclasses.replace(example, use_entities=False) for example in pair]
    losses = joint_loss(network, none, Objective(), np.random.default_rng(0))
    assert losses["mention"] == losses["coreference"] == losses["type"] == 0
    assert losses["relation"] > 0
