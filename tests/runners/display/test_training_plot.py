from xml.etree import ElementTree

import pytest

from runners.display import training_plot as picture
from runners.display.training_plot import draw_run
from runners.errors import UserError
from tests.runners.display.test_training_log import epoch, step, write

ROWS = [step(0, 50, 4.0), epoch(0, 0, 60, 0.3), step(1, 50, 2.0), epoch(1, 0, 60, 0.5), epoch(1, 1, 120, 0.4)]


def test_a_run_is_drawn_to_the_same_bytes_every_time(tmp_path):
    paths = draw_run(write(tmp_path, *ROWS))
    assert [path.name for path in paths] == ["training.svg", "training.png"]
    first = [path.read_bytes() for path in paths]
    assert ElementTree.fromstring(first[0]).tag.endswith("svg")
    assert first[1].startswith(b"\x89PNG")
    assert [path.read_bytes() for path in draw_run(tmp_path)] == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.jsonl", "training.png", "training.svg"]


@pytest.mark.parametrize("rows", [ROWS[:1], ROWS[1:2]], ids=["steps only", "epochs only"])
def test_a_run_that_has_just_begun_can_be_drawn(rows, tmp_path):
    assert all(path.stat().st_size for path in draw_run(write(tmp_path, *rows)))


def test_an_empty_run_has_no_picture(tmp_path):
    with pytest.raises(ValueError, match="nothing to draw"):
        draw_run(write(tmp_path))


def test_without_matplotlib_the_remedy_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(picture, "can_draw", lambda: False)
    with pytest.raises(UserError, match="pip install"):
        draw_run(write(tmp_path, *ROWS))
