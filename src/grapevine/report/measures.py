"""Whether a model knows what it knows: calibration of classes and of spreads.

    ECE = sum_b |B_b| / k  |accuracy(B_b) - confidence(B_b)|     over 15 equal bins of the confidence in (0, 1]
    coverage(p) = share of targets within  prediction +- z_p spread,   z_p = sqrt(2) erfinv(p)

Guo et al. 2017, "On calibration of modern neural networks"; Kuleshov et al. 2018, "Accurate uncertainties for deep
learning using calibrated regression".
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import erfinv

BINS = 15


@dataclass(frozen=True)
class Reliability:
    """How often the model is right, by how sure it is; a row for each bin that holds an item."""

    confidence: np.ndarray
    accuracy: np.ndarray
    share: np.ndarray

    @property
    def error(self) -> float:
        """The expected calibration error; 0 is best."""
        return float((self.share * np.abs(self.accuracy - self.confidence)).sum())


def reliability(target: Int[np.ndarray, " k"], probability: Float[np.ndarray, "k c"]) -> Reliability:
    """Of the most probable class of each item.

    >>> round(reliability(np.array([0, 1]), np.array([[0.9, 0.1], [0.9, 0.1]])).error, 3)
    0.4
    """
    confidence = probability.max(1)
    is_right = (probability.argmax(1) == target).astype(float)
    place = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    count = np.bincount(place, minlength=BINS)
    filled = count > 0
    sure, right = (np.bincount(place, values, BINS)[filled] / count[filled] for values in (confidence, is_right))
    return Reliability(sure, right, count[filled] / max(len(target), 1))


def coverage(
    target: Float[np.ndarray, " k"],
    prediction: Float[np.ndarray, " k"],
    spread: Float[np.ndarray, " k"],
    levels: Float[np.ndarray, " p"],
) -> Float[np.ndarray, " p"]:
    """The share of targets inside the central interval of each level, were the errors normal.

    >>> coverage(np.array([0.0, 3.0]), np.zeros(2), np.ones(2), np.array([0.5, 0.95])).tolist()
    [0.5, 0.5]
    """
    reach = np.sqrt(2) * erfinv(levels)
    distance = np.abs(target - prediction)
    return (distance[:, None] <= reach * spread[:, None]).mean(0)
