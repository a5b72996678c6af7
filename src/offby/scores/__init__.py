"""Binary scores: how well they rank, whether they are calibrated, and what decisions cost.

`ScoreCounts` is what all of it is read from: rows counted by score and class.
"""

from offby.scores.average import RANKED, Ranked, SampledRows, averaged
from offby.scores.calibration import (
    CalibrationError,
    CalibrationLine,
    Reliability,
    calibration_error,
    calibration_in_the_large,
    calibration_line,
    reliability,
)
from offby.scores.costs import Costs, Saving, best_cost, cost, cost_curve, saving
from offby.scores.counts import ScoreCounts
from offby.scores.curves import Curve, gains_curve, precision_recall_curve, roc_curve
from offby.scores.decomposition import Decomposition, Isotonic, isotonic, score_decomposition
from offby.scores.estimate import Best, Estimate
from offby.scores.ranking import average_precision, gain, kolmogorov_smirnov, lift, roc_auc
from offby.scores.skill import alikeness, class_skill
from offby.scores.thresholds import (
    AlongThresholds,
    along_thresholds,
    best_f1,
    f1,
    precision,
    recall,
)

__all__ = [
    "RANKED",
    "AlongThresholds",
    "Best",
    "CalibrationError",
    "CalibrationLine",
    "Costs",
    "Curve",
    "Decomposition",
    "Estimate",
    "Isotonic",
    "Ranked",
    "Reliability",
    "SampledRows",
    "Saving",
    "ScoreCounts",
    "alikeness",
    "along_thresholds",
    "average_precision",
    "averaged",
    "best_cost",
    "best_f1",
    "calibration_error",
    "calibration_in_the_large",
    "calibration_line",
    "class_skill",
    "cost",
    "cost_curve",
    "f1",
    "gain",
    "gains_curve",
    "isotonic",
    "kolmogorov_smirnov",
    "lift",
    "precision",
    "precision_recall_curve",
    "recall",
    "reliability",
    "roc_auc",
    "roc_curve",
    "saving",
    "score_decomposition",
]
