import io

import pytest

from extractors.recipes.recipe import Corpus, Recipe, Stage
from extractors.training.trainer import Progress, PseudoLabelling
from runners.display import training_progress
from runners.display.progress import LogProgress
from runners.display.training_progress import TrainingProgress
from tests.extractors.tiny import annotated, plain

CORPORA = {
    "many": [*(annotated(f"m{i}", copies=1 + i) for i in range(7)), plain("Nothing is annotated .")],
    "few": [annotated("m0")],
    "dev": [annotated("d", copies=7)],
}
# Epochs of 6 documents (one text is in both corpora, one in dev, one document has no entities), then two of 1.
STAGES = (Stage((Corpus("many"), Corpus("few")), 1, batch=4), Stage((Corpus("few"),), 2, batch=4))


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def told(tmp_path, monkeypatch):
    """A listener, the lines that it writes, its clock, and the pictures it drew."""
    drawn = []
    monkeypatch.setattr(training_progress, "draw_run", drawn.append)
    recipe = Recipe(
        backbone="enc",
        relations="cdr",
        head="atlop",
        stages=STAGES,
        selection=Corpus("dev"),
        report=Corpus("dev"),
    )
    stream, clock = io.StringIO(), Clock()
    return TrainingProgress(recipe, CORPORA, tmp_path, LogProgress(stream, 0, clock)), stream, clock, drawn


def test_rate_and_time_left_count_documents_of_all_stages(told):
    listener, stream, clock, drawn = told
    clock.now = 10.0
    listener(Progress(0, 0, 0, 2, 0.0, 0.0))
    clock.now = 12.0
    listener(Progress(0, 0, 1, 2, 3.5, 2.0))
    line = stream.getvalue().splitlines()[-1]
    assert "4 of 8  2.0/s  2.0 s left  stage 1 of 2  loss 3.5000" in line
    assert drawn == []
    listener(Progress(0, 0, 2, 2, 3.0, 2.0))
    listener(Progress(0, 0, 2, 2, 3.0, 2.0, score=0.25))
    assert "6 of 8" in stream.getvalue().splitlines()[-1]
    assert len(drawn) == 1
    listener(Progress(1, 1, 2, 2, 1.0, 2.0))
    assert "epoch 2 of 2  loss 1.0000  last F1 0.2500" in stream.getvalue().splitlines()[-1]
    listener(Progress(1, 1, 2, 2, 1.0, 2.0, score=0.5))
    assert "done in" in stream.getvalue().splitlines()[-1]


def test_what_an_earlier_run_did_does_not_count_for_the_rate(told):
    listener, stream, clock, _ = told
    clock.now = 5.0
    listener(Progress(1, 0, 1, 2, 1.0, 2.0))
    clock.now = 7.0
    listener(Progress(1, 1, 2, 2, 0.9, 2.0))
    assert "8 of 8  1.0/s" in stream.getvalue().splitlines()[-1]


def test_pseudo_labelling_of_a_corpus_is_shown_before_the_training(told):
    listener, stream, clock, drawn = told
    listener(PseudoLabelling("many[0:6]", 0, 6))
    clock.now = 2.0
    listener(PseudoLabelling("many[0:6]", 3, 6))
    assert "pseudo-labels many[0:6]  3 of 6  1.5/s  2.0 s left" in stream.getvalue().splitlines()[-1]
    listener(PseudoLabelling("many[0:6]", 6, 6))
    assert "done in 2.0 s" in stream.getvalue().splitlines()[-1]
    assert drawn == []
