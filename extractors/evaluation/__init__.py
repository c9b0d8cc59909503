"""Evaluation: strict end-to-end scores, relation scores from several sides, and the best threshold.

Nothing here needs torch.
"""

from extractors.evaluation.best_threshold import Threshold, best_threshold
from extractors.evaluation.bootstrap import ScoreInterval, score_interval
from extractors.evaluation.comparison import EvaluationError
from extractors.evaluation.hypernyms import MeshTree, MeshTreeError
from extractors.evaluation.relation_scores import RelationScores, TrainFacts
from extractors.evaluation.report import Report, evaluate
from extractors.evaluation.score import Average, Score, UnseenScore

__all__ = [
    "Average",
    "EvaluationError",
    "MeshTree",
    "MeshTreeError",
    "RelationScores",
    "Report",
    "Score",
    "ScoreInterval",
    "Threshold",
    "TrainFacts",
    "UnseenScore",
    "best_threshold",
    "evaluate",
    "score_interval",
]
