"""Scores and figures in words: shares in percent, errors in the user's units."""

import math
from typing import Any

_SHARES = ("accuracy", "balanced_accuracy", "f1_macro", "f1_micro", "roc_auc", "average_precision")
_NAMES = {"roc_auc": "ROC-AUC", "mae": "MAE", "rmse": "RMSE", "r2": "R2", "mrr": "MRR", "f1_macro": "F1 (macro)",
          "f1_micro": "F1 (micro)"}  # fmt: skip


def name_of(metric: str) -> str:
    """What a metric is called in a table.

    >>> name_of("roc_auc"), name_of("balanced_accuracy"), name_of("mae")
    ('ROC-AUC in %', 'balanced accuracy in %', 'MAE')
    """
    name = _NAMES.get(metric, metric.replace("_", " "))
    return f"{name} in %" if is_share(metric) else name


def score(metric: str, mean: float | None, std: float | None = None) -> str:
    """A value of a metric, with its deviation if there is one; empty where it is not known.

    >>> score("accuracy", 0.8312, 0.011), score("mae", 0.123456), score("accuracy", None)
    ('83.1 ± 1.1', '0.1235', '')
    """
    if mean is None or math.isnan(mean):
        return ""
    one = _percent if is_share(metric) else figure
    return one(mean) if std is None or math.isnan(std) else f"{one(mean)} ± {one(std)}"


def is_share(metric: str) -> bool:
    """Whether a metric is told in percent."""
    return metric in _SHARES or metric.startswith("hits@")


def figure(value: Any) -> str:
    """A number with at most four figures behind the point, whole ones by thousands; words as they are.

    >>> figure(1234567), figure(0.000123456), figure("a")
    ('1,234,567', '0.0001235', 'a')
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"
