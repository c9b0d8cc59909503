"""Former names are translated where old files are read."""

from extractors.network.former_names import current_calibration


def test_a_calibration_with_former_names_is_readable():
    curve = {"cut": [0.1], "surely": [0.2], "precision": [0.3], "recall": [0.4]}
    old = {
        "curve": curve,
        "given": {"curve": curve},
        "figures": {"dev": {"wish_0.9_precision": 0.5, "ece": 0.1}},
    }
    new = {"threshold": [0.1], "lower_bound": [0.2], "precision": [0.3], "recall": [0.4]}
    assert current_calibration(old) == {
        "curve": new,
        "given": {"curve": new},
        "figures": {"dev": {"target_precision_0.9_precision": 0.5, "ece": 0.1}},
    }
