"""Former names in checkpoints and recipes, translated where they are read, so that old files stay readable."""

from __future__ import annotations

from typing import Any

HEADS = {"joined": "typed-atlop"}
CORPUS_KEYS = {"completed_by": "teachers", "completion_cut": "pseudo_label_threshold", "soft": "soft_labels"}
CURVE_KEYS = {"cut": "threshold", "surely": "lower_bound"}
# Choices that were taken out, with the only value that still means something.
_GONE: dict[str, Any] = {"encoder": "transformer", "static_vectors": ""}


def current_names(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a configuration or a recipe under the names of today.

    Raises:
        ValueError: a value was made for a choice that this version does not have.
    """
    values = _without(values, _GONE)
    if isinstance(values.get("head"), str):
        values["head"] = HEADS.get(values["head"], values["head"])
    if isinstance(values.get("objective"), dict):
        values["objective"] = _objective(values["objective"])
    for key in ("selection", "report"):
        if isinstance(values.get(key), dict):
            values[key] = _corpus(values[key])
    if isinstance(values.get("stages"), list):
        values["stages"] = [_stage(stage) if isinstance(stage, dict) else stage for stage in values["stages"]]
    return values


def current_calibration(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a `calibration.json` under the names of today."""
    values = {**values}
    if isinstance(values.get("curve"), dict):
        values["curve"] = {CURVE_KEYS.get(key, key): numbers for key, numbers in values["curve"].items()}
    if isinstance(values.get("given"), dict):
        values["given"] = current_calibration(values["given"])
    if isinstance(values.get("figures"), dict):
        values["figures"] = {
            part: {key.replace("wish_", "target_precision_"): value for key, value in figures.items()}
            for part, figures in values["figures"].items()
        }
    return values


def _objective(values: dict[str, Any]) -> dict[str, Any]:
    if values.get("incomplete") == "negatives":
        values = {**values, "incomplete": "sampled", "negative_share": 1.0}
    return _without(values, {"incomplete": "sampled"})


def _stage(values: dict[str, Any]) -> dict[str, Any]:
    values = {key: value for key, value in values.items() if key != "micro_batch"}  # it changed no result
    if isinstance(values.get("corpora"), list):
        values["corpora"] = [_corpus(corpus) if isinstance(corpus, dict) else corpus for corpus in values["corpora"]]
    return values


def _corpus(values: dict[str, Any]) -> dict[str, Any]:
    return {CORPUS_KEYS.get(key, key): value for key, value in _without(values, {"closed": False}).items()}


def _without(values: dict[str, Any], gone: dict[str, Any]) -> dict[str, Any]:
    for key, kept in gone.items():
        if values.get(key, kept) != kept:
            raise ValueError(f"'{key}: {values[key]}' was taken out of factmill: leave it out, or use an older version")
    return {key: value for key, value in values.items() if key not in gone}
