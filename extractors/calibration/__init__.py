"""Calibration: probabilities of facts, and thresholds for the best F1 or a target precision.

Everything is chosen on annotated documents that training did not see;
`extractors.inference.confidence` holds the outcome.
"""

from extractors.calibration.calibrate import calibrate, calibrate_relations
from extractors.calibration.calibration_error import FLOOR, Quality, quality
from extractors.calibration.candidates import (
    Candidates,
    as_plain_text,
    candidates_found,
    candidates_from_text,
    candidates_given_entities,
)
from extractors.calibration.figures import figures_of, probability_figures, selection_scores
from extractors.calibration.plots import PlotsNeedMatplotlib, plot_extractor, plot_probabilities
from extractors.calibration.reliability import measure_reliability

__all__ = [
    "FLOOR",
    "Candidates",
    "PlotsNeedMatplotlib",
    "Quality",
    "as_plain_text",
    "calibrate",
    "calibrate_relations",
    "candidates_found",
    "candidates_from_text",
    "candidates_given_entities",
    "figures_of",
    "measure_reliability",
    "plot_extractor",
    "plot_probabilities",
    "probability_figures",
    "quality",
    "selection_scores",
]
