import sys

import pytest

from extractors.calibration import PlotsNeedMatplotlib, plot_probabilities
from tests.extractors.calibration.made import drawn


def test_plots_are_the_same_bytes_every_time(tmp_path):
    pytest.importorskip("matplotlib")
    made = drawn(2000)
    values = 1 / (1 + 2.718**-made.score)
    for name in ("a", "b"):
        paths = plot_probabilities(values, made.correct, int(made.correct.sum()), tmp_path / name)
        assert [path.name for path in paths] == [
            "reliability.svg",
            "reliability.png",
            "precision-recall.svg",
            "precision-recall.png",
        ]
    for path in paths:
        assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes()
    text = (tmp_path / "a" / "reliability.svg").read_text()
    assert "ECE" in text
    assert "share that is right" in text


def test_nothing_to_plot_is_no_error(tmp_path):
    pytest.importorskip("matplotlib")
    empty = drawn(1).where(drawn(1).score > 99)
    assert len(plot_probabilities(empty.score, empty.correct, 3, tmp_path)) == 4


def test_without_matplotlib_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(PlotsNeedMatplotlib, match="pip install"):
        made = drawn(10)
        plot_probabilities(made.score, made.correct, 1, tmp_path)
