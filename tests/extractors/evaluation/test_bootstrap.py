import numpy as np
import pytest

from extractors.evaluation import evaluate, score_interval
from extractors.evaluation.bootstrap import bootstrap, percentiles
from extractors.evaluation.score import Score, UnseenScore
from schemas.document import Fact
from schemas.relation_schema import load_relation_schema

from .sample import document, entity, extraction


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution():
    values = np.random.default_rng(0).normal(5.0, 2.0, size=400)
    counts = np.stack([values, np.ones(400)], 1)
    low, high = percentiles(bootstrap(counts, lambda sums: sums[:, :1] / sums[:, 1:]))
    error = values.std() / 20
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_documents_are_drawn_whole():
    # All facts of a document are right or wrong together: the interval is that of 50 draws, not of 50,000.
    together = [Score(1_000, 1_000, 1_000 * (number % 2)) for number in range(50)]
    apart = [Score(1_000, 1_000, 500) for _ in range(50)]
    low, high = score_interval(together).f1
    assert low < 0.38 and high > 0.62
    assert score_interval(apart).f1 == (0.5, 0.5)


def test_the_interval_holds_the_score_and_is_the_same_each_time():
    generator = np.random.default_rng(1)
    scores = [Score(20, int(p), int(generator.integers(0, p + 1))) for p in generator.integers(1, 20, size=60)]
    total = sum(scores, Score())
    found = score_interval(scores)
    for name in ("precision", "recall", "f1"):
        low, high = getattr(found, name)
        assert low < getattr(total, name) < high
    assert score_interval(scores) == found


def test_facts_that_training_saw_leave_the_precision_only():
    unseen = score_interval([UnseenScore(Score(4, 4, 2), seen=1)] * 3)
    assert unseen.precision == pytest.approx((1 / 3, 1 / 3))
    assert unseen.recall == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize("scores", [[], [Score()], [Score(3, 0, 0)]])
def test_nothing_to_count_gives_zero(scores):
    assert score_interval(scores).f1 == (0.0, 0.0)


def test_a_report_states_the_interval_of_every_micro_score():
    person, place = entity((0, 1), type="PER"), entity((2, 3), type="LOC")
    gold = [document(f"d{n}", ["a b c d"], (person, place), (Fact(0, "P19", 1),)) for n in range(8)]
    found = [extraction(f"d{n}", (person, place), (Fact(0, "P19", 1),) if n % 2 else ()) for n in range(8)]
    report = evaluate(gold, found, load_relation_schema("docred"))
    plain = report.to_dict()
    low, high = plain["strict"]["rel_nec"]["f1_interval"]
    assert low < report.strict["rel_nec"].f1 < high
    assert plain["relations"]["overall"]["recall_interval"][1] > 0.5
    assert plain["strict"]["entity"]["f1_interval"] == [1.0, 1.0]
    assert f"{100 * low:.1f} to {100 * high:.1f}" in str(report)
