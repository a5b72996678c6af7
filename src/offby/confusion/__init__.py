"""The confusion matrix: what it says of a classifier, and how sure that is."""

from offby.confusion.agreement import cohen_kappa, expected_cost, mcc
from offby.confusion.estimate import Estimate, wilson
from offby.confusion.names import SHARES, ConfusionMeasure, by_name, known_names
from offby.confusion.paired import PairedLabels, mcnemar
from offby.confusion.share import Share
from offby.confusion.shares import (
    accuracy,
    balanced_accuracy,
    f1,
    fbeta,
    jaccard,
    npv,
    precision,
    recall,
    specificity,
)
from offby.confusion.summary import Confused, ReportRow, most_confused, report_rows
from offby.confusion.table import Confusion

__all__ = [
    "SHARES",
    "Confused",
    "Confusion",
    "ConfusionMeasure",
    "Estimate",
    "PairedLabels",
    "ReportRow",
    "Share",
    "accuracy",
    "balanced_accuracy",
    "by_name",
    "cohen_kappa",
    "expected_cost",
    "f1",
    "fbeta",
    "jaccard",
    "known_names",
    "mcc",
    "mcnemar",
    "most_confused",
    "npv",
    "precision",
    "recall",
    "report_rows",
    "specificity",
    "wilson",
]
