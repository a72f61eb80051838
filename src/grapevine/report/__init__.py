"""The report: a run as one page for people, from plain arrays and tables.

`report.page` makes the page. It imports matplotlib and scikit-learn, which take a second, and so is not imported here.
"""

from grapevine.report.data import (
    ClassAnswers,
    Comparison,
    Embeddings,
    Finding,
    Headline,
    ModelRow,
    NumberAnswers,
    Problems,
    Reason,
    ReportData,
    Score,
    TrainingLogs,
)
from grapevine.report.environment import environment
from grapevine.report.graph_statistics import GraphStatistics, graph_statistics

__all__ = [
    "ClassAnswers",
    "Comparison",
    "Embeddings",
    "Finding",
    "GraphStatistics",
    "Headline",
    "ModelRow",
    "NumberAnswers",
    "Problems",
    "Reason",
    "ReportData",
    "Score",
    "TrainingLogs",
    "environment",
    "graph_statistics",
]
