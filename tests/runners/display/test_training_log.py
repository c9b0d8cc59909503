import json

import pytest

from runners.display.training_log import read_training_log


def write(folder, *rows):
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def step(stage, step, loss):
    return {"event": "step", "stage": stage, "step": step, "loss": loss, "documents_per_second": 8.0}


def epoch(stage, epoch, step, score, loss=1.0):
    row = {"event": "epoch", "stage": stage, "epoch": epoch, "step": step, "score": score, "loss": loss}
    return {**row, "seconds": 9.0}


def test_steps_are_counted_over_the_stages(tmp_path):
    rows = [step(0, 50, 4.0), step(0, 100, 3.0), epoch(0, 0, 120, 0.3), step(1, 50, 2.0), epoch(1, 0, 60, 0.5)]
    course = read_training_log(write(tmp_path, *rows, {"event": "figures", "time": 1, "dev": {"relation_f1": 0.5}}))
    assert course.losses == [(50, 4.0), (100, 3.0), (170, 2.0)]
    assert [item.steps for item in course.epochs] == [120, 180]
    assert course.figures == {"dev": {"relation_f1": 0.5}}


def test_the_best_epoch_is_the_first_best_of_the_last_stage(tmp_path):
    course = read_training_log(
        write(tmp_path, epoch(0, 0, 9, 0.9), epoch(1, 0, 5, 0.2), epoch(1, 1, 10, 0.6), epoch(1, 2, 15, 0.6))
    )
    assert (course.best.stage, course.best.epoch) == (1, 1)


def test_an_epoch_that_ran_twice_counts_as_it_ran_last(tmp_path):
    rows = [step(0, 50, 4.0), epoch(0, 0, 60, 0.1), step(0, 100, 9.0), step(0, 100, 3.0), epoch(0, 0, 60, 0.2)]
    course = read_training_log(write(tmp_path, *rows))
    assert course.losses == [(50, 4.0), (100, 3.0)]
    assert [item.score for item in course.epochs] == [0.2]


def test_half_a_line_at_the_end_is_no_harm(tmp_path):
    write(tmp_path, step(0, 50, 4.0))
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"event": "step", "sta')
    course = read_training_log(tmp_path)
    assert course.losses == [(50, 4.0)]
    assert course.best is None


def test_what_is_no_run_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"has no log\.jsonl"):
        read_training_log(tmp_path)
    (tmp_path / "log.jsonl").write_text("not JSON\n")
    with pytest.raises(ValueError, match="is no log of a training run"):
        read_training_log(tmp_path)
