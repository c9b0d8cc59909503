import itertools
import json

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from extractors import load_extractor
from extractors.checkpoints.quantization import dequantized, quantized
from extractors.checkpoints.weights import load_model
from extractors.encoder.featurizer import Featurizer
from extractors.network.network import Network
from extractors.recipes.recipe import Corpus, Objective, Recipe, Stage, load_recipe
from extractors.training import trainer as training
from tests.extractors.tiny import annotated, config, tokenizer

# Id of the piece that stands for a mask.
UNKNOWN = 1


class Stopped(Exception):
    """Stands for a kill."""


@pytest.fixture(autouse=True)
def tiny_backbone(monkeypatch):
    def build(recipe):
        torch.manual_seed(recipe.seed)
        return Network(config(recipe.head, dropout=recipe.dropout)), Featurizer(tokenizer(), 160, 100)

    monkeypatch.setattr(training, "build_model", build)


def recipe(**changes):
    corpora = (Corpus("train"),)
    values = {
        "backbone": "tiny",
        "relations": "tiny",
        "head": "jerex-mrc",
        "stages": (Stage(corpora, 2, 1e-3, 3e-3, 2), Stage(corpora, 2, 1e-3, 3e-3, 3)),
        "selection": Corpus("dev", ":1"),
        "report": Corpus("dev", "1:"),
        "objective": Objective(),
    }
    return Recipe(**{**values, **changes})


CORPORA = {
    "train": [annotated(f"t{i}", copies=1 + i % 2) for i in range(3)],
    "dev": [annotated("d0", copies=3), annotated("d1", copies=4)],
}


def weights(folder):
    return load_extractor(str(folder)).model.state_dict()


@pytest.mark.parametrize(("averaging", "masking"), [(0.0, 0.0), (0.7, 0.0), (0.0, 0.3)])
def test_a_stopped_run_ends_like_an_undisturbed_one(tmp_path, averaging, masking, monkeypatch):
    monkeypatch.setattr(training, "mask_id", lambda _: UNKNOWN)
    stages = tuple(msgspec.structs.replace(stage, masking=masking) for stage in recipe().stages)
    one = recipe(averaging=averaging, stages=stages)
    whole = training.train(one, CORPORA, tmp_path / "whole")
    for moment in ((0, 1), (1, 0), (1, 1)):

        def stop(progress, moment=moment):
            if (progress.stage, progress.epoch) == moment:
                raise Stopped

        with pytest.raises(Stopped):
            training.train(one, CORPORA, tmp_path / "stopped", stop)
    resumed = training.train(one, CORPORA, tmp_path / "stopped")
    expected, found = weights(whole), weights(resumed)
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_hidden_words_are_drawn_anew_in_each_step_and_shown_where_epochs_are_judged(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "mask_id", lambda _: UNKNOWN)
    read = {True: [], False: []}
    encode = Network.encode

    def watched(model, passages):
        read[model.training] += [passage.pieces for passage in passages]
        return encode(model, passages)

    monkeypatch.setattr(Network, "encode", watched)
    stage = Stage((Corpus("train", ":1"),), 3, 1e-3, 3e-3, batch=1, masking=0.5)
    training.train(recipe(stages=(stage,)), CORPORA, tmp_path)
    first, second, third = (pieces == UNKNOWN for pieces in read[True])
    assert first.any() and not first.all()
    assert (first != second).any() and (second != third).any()
    assert not any((pieces == UNKNOWN).any() for pieces in read[False])


def test_the_running_mean_of_the_weights_is_what_stays(tmp_path, monkeypatch):
    one = recipe(stages=(Stage((Corpus("train"),), 1, 1e-3, 3e-3, batch=1),), averaging=0.7)
    seen = []
    step = torch.optim.AdamW.step

    def watched(optimizer, *arguments):
        step(optimizer, *arguments)
        seen.append([p.detach().clone() for group in optimizer.param_groups for p in group["params"]])

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    run = training._Run(one, CORPORA, tmp_path, lambda progress: None)
    run._train_stage(0, one.stages[0], training._untrained(0))
    mean = seen[0]
    for weights_then in seen[1:]:
        mean = [0.7 * kept + 0.3 * new for kept, new in zip(mean, weights_then, strict=True)]
    assert len(seen) == 2  # of three documents two are equal
    found = sorted(float(parameter.detach().sum()) for parameter in run.model.parameters())
    assert found == pytest.approx(sorted(float(parameter.sum()) for parameter in mean), abs=1e-4)


def test_a_run_without_stages_calibrates_what_it_starts_from(tmp_path):
    one = recipe(stages=(), start=("some", "others"))
    start = training.build_model(one)[0].state_dict()
    folder = training.train(one, CORPORA, tmp_path)
    kept = dequantized(quantized(start))
    assert all(torch.equal(tensor, kept[name]) for name, tensor in load_model(folder).state_dict().items())
    assert load_extractor(str(folder)).calibration.figures.keys() == {"dev[:1]", "dev[1:]"}
    card = (folder / "README.md").read_text()
    assert "from the mean of the weights of `some`, `others`" in card
    assert "No further training." in card


def test_two_stages_of_docre_ii_are_resumed_too(tmp_path):
    corpora = (Corpus("train"),)
    stages = (
        Stage(corpora, 1, 1e-3, 3e-3, batch=2, base_only=True),
        Stage(corpora, 2, 1e-4, 3e-3, base_rate=1e-4, batch=2),
        Stage(corpora, 1, head_rate=3e-3, frozen=("encoder", "relation_head.base")),
    )
    two = recipe(head="docre-ii", stages=stages)
    whole = training.train(two, CORPORA, tmp_path / "whole")
    for moment in ((0, 0), (1, 0), (1, 1), (2, 0)):

        def stop(progress, moment=moment):
            if (progress.stage, progress.epoch) == moment:
                raise Stopped

        with pytest.raises(Stopped):
            training.train(two, CORPORA, tmp_path / "stopped", stop)
    resumed = training.train(two, CORPORA, tmp_path / "stopped")
    expected, found = weights(whole), weights(resumed)
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_training_lowers_the_loss_and_logs_every_epoch(tmp_path):
    training.train(recipe(stages=(Stage((Corpus("train"),), 15, 3e-3, 3e-3, 2),)), CORPORA, tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    losses = [row["loss"] for row in rows if row["event"] == "epoch"]
    assert len(losses) == 15
    assert losses[-1] < 0.7 * losses[0]
    card = (tmp_path / "checkpoint" / "README.md").read_text()
    assert "15 epochs on `train`" in card
    figures = rows[-1]["dev[1:]"]
    shown = [f"{100 * figures[f'rel_nec_{part}']:.1f}" for part in ("precision", "recall", "f1", "f1_low", "f1_high")]
    assert "| relation, clusters and types exact | {} | {} | {} | {} to {} |".format(*shown) in card
    assert "| relation, entities given |" in card
    assert "### dev[1:], 1 document\n" in card


def test_a_text_in_two_corpora_takes_the_later_annotations(tmp_path):
    better = msgspec.structs.replace(annotated("t0"), facts=())
    run = training._Run(recipe(), {**CORPORA, "better": [better]}, tmp_path, lambda progress: None)
    found = run._examples(Stage((Corpus("train"), Corpus("better")), 1))
    assert len(found) == 2  # one text once, one text twice in a row
    assert sorted(len(example.document.facts) for example in found) == [0, 2]


@given(lengths=st.lists(st.integers(1, 900), min_size=1, max_size=200), size=st.integers(1, 7), seed=st.integers(0, 9))
def test_an_epoch_reads_every_document_once_in_batches_of_similar_length(lengths, size, seed):
    batches = training._batches(np.array(lengths), size, np.random.default_rng(seed))
    assert sorted(at for batch in batches for at in batch) == list(range(len(lengths)))
    assert len(batches) == -(-len(lengths) // size)
    assert sorted(map(len, batches))[1:] == [size] * (len(batches) - 1)
    assert batches == training._batches(np.array(lengths), size, np.random.default_rng(seed))
    if len(batches) <= training._POOL:  # the ranges of length overlap at their ends at most
        ranges = sorted((min(lengths[at] for at in batch), max(lengths[at] for at in batch)) for batch in batches)
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(ranges))


def test_batches_differ_from_epoch_to_epoch():
    lengths = np.arange(200)
    first, second = (training._batches(lengths, 4, np.random.default_rng(seed)) for seed in (1, 2))
    assert {frozenset(batch) for batch in first} != {frozenset(batch) for batch in second}


def test_another_recipe_in_the_same_folder_is_refused(tmp_path):
    training.train(recipe(stages=(Stage((Corpus("train"),), 1),)), CORPORA, tmp_path)
    with pytest.raises(ValueError, match="another recipe"):
        training.train(recipe(seed=2), CORPORA, tmp_path)


def test_a_missing_corpus_is_named(tmp_path):
    with pytest.raises(ValueError, match="--data dev=PATH"):
        training.train(recipe(), {"train": CORPORA["train"]}, tmp_path)


def test_recipes_are_checked(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("backbone: x\nrelations: docred\nhead: jerex-mrc\nstages: []\nselection: {data: a}\n")
    with pytest.raises(ValueError, match="report"):
        load_recipe(path)
    with pytest.raises(ValueError, match="no recipe at"):
        load_recipe(tmp_path / "none.yaml")


def test_later_stages_learn_from_a_named_one_and_start_from_the_mean_of_two(tmp_path):
    soft = Corpus(
        "train", complete=False, soft_labels=True, teachers=("teacher",), pseudo_label_threshold=0.01, absent=("R3",)
    )
    stages = (
        Stage((Corpus("train"),), 2, 1e-3, 3e-3, 2, name="teacher"),
        Stage((soft,), 1, 1e-3, 3e-3, 2, name="one"),
        Stage((soft,), 1, 1e-3, 3e-3, 2, name="two", start=("teacher",)),
        Stage(epochs=0, start=("one", "two")),
    )
    whole = training.train(recipe(stages=stages), CORPORA, tmp_path / "whole")
    one, two = (weights(tmp_path / "whole" / "stages" / name) for name in ("one", "two"))
    assert any(not torch.equal(one[name], two[name]) for name in one)
    rows = [json.loads(line) for line in (tmp_path / "whole" / "log.jsonl").read_text().splitlines()]
    [chosen] = [row["mean of"] for row in rows if row["event"] == "soup"]
    parts = [weights(tmp_path / "whole" / "stages" / name) for name in chosen]
    for name, mean in weights(whole).items():
        assert torch.allclose(mean, torch.stack([part[name] for part in parts]).mean(0), atol=2e-2)
    assert load_extractor(str(tmp_path / "whole" / "stages" / "teacher")).calibration.given is not None
    for moment in ((0, 1), (1, 0), (2, 0)):

        def stop(progress, moment=moment):
            if isinstance(progress, training.Progress) and (progress.stage, progress.epoch) == moment:
                raise Stopped

        with pytest.raises(Stopped):
            training.train(recipe(stages=stages), CORPORA, tmp_path / "stopped", stop)
    resumed = weights(training.train(recipe(stages=stages), CORPORA, tmp_path / "stopped"))
    assert all(torch.equal(expected, resumed[name]) for name, expected in weights(whole).items())


def test_a_stage_may_start_again_from_the_network_before_the_first(tmp_path):
    one = recipe(stages=(Stage((Corpus("train"),), 1, 1e-2, 1e-2, 2), Stage(epochs=0, start=("initial",))))
    start = training.build_model(one)[0].state_dict()
    folder = training.train(one, CORPORA, tmp_path)
    kept = dequantized(quantized(start))
    assert all(torch.equal(tensor, kept[name]) for name, tensor in load_model(folder).state_dict().items())


def test_texts_that_are_judged_are_never_trained_on(tmp_path):
    documents = {**CORPORA, "train": [*CORPORA["train"], annotated("copy of d0", copies=3)]}
    run = training._Run(recipe(), documents, tmp_path, lambda progress: None)
    assert {e.document.text for e in run._examples(run.recipe.stages[0])} == {d.text for d in CORPORA["train"]}
    assert '"event": "left out", "documents": 1' in (tmp_path / "log.jsonl").read_text()
    with pytest.raises(ValueError, match=r"nothing is left to train on in dev\[:1\]"):
        run._examples(Stage((Corpus("dev", ":1"),), 1))
