"""The log of a training run: losses, scores and figures."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOG = "log.jsonl"


@dataclass(frozen=True)
class Epoch:
    """The result of an epoch.

    Attributes:
        stage, epoch: counted from 0.
        steps: optimiser steps of the run up to its end.
        loss: mean training loss.
        score: F1 on the selection documents.
        seconds: how long it took.
    """

    stage: int
    epoch: int
    steps: int
    loss: float
    score: float
    seconds: float


@dataclass(frozen=True)
class TrainingLog:
    """Losses and scores of a run, in order; steps are counted over all stages.

    Attributes:
        losses: (step, mean loss of the steps before it).
        epochs: the epochs.
        figures: of the finished checkpoint, by document set; empty until the run ends.
    """

    losses: list[tuple[int, float]] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    figures: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def best(self) -> Epoch | None:
        """The epoch whose weights are in the checkpoint: the first of the best epochs of the last stage."""
        last = [epoch for epoch in self.epochs if epoch.stage == self.epochs[-1].stage]
        return max(last, key=lambda epoch: epoch.score, default=None)


def read_training_log(folder: Path) -> TrainingLog:
    """Read the log of a run.

    If a run was stopped and continued, an epoch has rows of both attempts, and the later ones count.

    Raises:
        ValueError: the folder has no log, or the log has no such rows.
    """
    path = folder / LOG
    if not path.is_file():
        raise ValueError(f"no run in '{folder}': it has no {LOG}")
    steps: dict[tuple[int, int], dict[str, Any]] = {}
    epochs: dict[tuple[int, int], dict[str, Any]] = {}
    figures: dict[str, dict[str, float]] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            if row["event"] == "step":
                steps[row["stage"], row["step"]] = row
            elif row["event"] == "epoch":
                epochs[row["stage"], row["epoch"]] = row
            elif row["event"] == "figures":
                figures = {name: value for name, value in row.items() if name not in {"time", "event"}}
        except (ValueError, KeyError, TypeError):
            # A run that was killed may leave half a line.
            if number == 1:
                raise ValueError(f"'{path}' is no log of a training run") from None
    offsets = _offsets(epochs)
    return TrainingLog(
        [(offsets.get(stage, 0) + step, row["loss"]) for (stage, step), row in sorted(steps.items())],
        [
            Epoch(stage, epoch, offsets[stage] + row["step"], row["loss"], row["score"], row["seconds"])
            for (stage, epoch), row in sorted(epochs.items())
        ],
        figures,
    )


def _offsets(epochs: dict[tuple[int, int], dict[str, Any]]) -> dict[int, int]:
    """Return the number of steps before each stage, also of the stage that may have begun after the last epoch."""
    offsets = {0: 0}
    for (stage, _), row in sorted(epochs.items()):
        offsets[stage + 1] = offsets[stage] + row["step"]
    return offsets
