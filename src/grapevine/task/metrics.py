"""Metrics of rankings and of class counts; NaN where one is not defined.

AUC = share of pairs in which the positive scores above the negative, ties counting half (Hanley & McNeil 1982)
AP = mean over the positives of the precision among all that score as high as it does
Hits@k = share of positives above the k-th highest negative        MRR = mean of 1 / rank among the negatives

A loop asks for them after every epoch: sorting the scores is quick, and nothing need be imported for it. Hits@k and
MRR follow the evaluator of Hu et al. 2020, "Open graph benchmark", every positive ranked among the same negatives.
"""

import math

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor


def roc_auc(score: Float[Tensor, " k"], is_positive: Shaped[Tensor, " k"]) -> float:
    """The chance that a positive scores above a negative, ties counting half.

    >>> roc_auc(torch.tensor([0.9, 0.2, 0.5]), torch.tensor([1, 0, 0]))
    1.0
    """
    positive, negative = _kinds(score, is_positive)
    if not _are_ranked(positive, negative):
        return math.nan
    ascending = negative.sort().values
    below = torch.searchsorted(ascending, positive) + torch.searchsorted(ascending, positive, right=True)
    return below.double().mean().item() / (2 * len(negative))


def average_precision(score: Float[Tensor, " k"], is_positive: Shaped[Tensor, " k"]) -> float:
    """The mean, over the positives, of the precision at their place in the ranking.

    >>> average_precision(torch.tensor([0.9, 0.2, 0.5]), torch.tensor([0, 1, 0])) == 1 / 3
    True
    """
    positive, negative = _kinds(score, is_positive)
    if not _are_ranked(positive, negative):
        return math.nan
    ascending, others = positive.sort().values, negative.sort().values
    right = len(positive) - torch.searchsorted(ascending, ascending)
    wrong = len(negative) - torch.searchsorted(others, ascending)
    return (right.double() / (right + wrong)).mean().item()


def hits_at(k: int, positive: Float[Tensor, " p"], negative: Float[Tensor, " m"]) -> float:
    """The share of positives that score above the k-th highest negative; 1 where there are fewer negatives than k.

    >>> hits_at(2, torch.tensor([3.0, 1.0]), torch.tensor([4.0, 2.0, 0.0]))
    0.5
    """
    if not _are_ranked(positive, negative):
        return math.nan
    if len(negative) < k:
        return 1.0
    bar = negative.topk(k).values[-1]
    return (positive > bar).double().mean().item()


def mean_reciprocal_rank(positive: Float[Tensor, " p"], negative: Float[Tensor, " m"]) -> float:
    """The mean of 1 / rank of each positive among all negatives; ties put it half-way through them.

    >>> mean_reciprocal_rank(torch.tensor([3.0, 1.0]), torch.tensor([2.0, 0.0]))
    0.75
    """
    if not _are_ranked(positive, negative):
        return math.nan
    ascending = negative.sort().values
    above = len(negative) - torch.searchsorted(ascending, positive, right=True)
    not_below = len(negative) - torch.searchsorted(ascending, positive)
    return (1 / (1 + (above + not_below).double() / 2)).mean().item()


def confusion(prediction: Int[Tensor, " k"], target: Int[Tensor, " k"], num_classes: int) -> Float[Tensor, "c c"]:
    """[true, predicted] how many items of each class were given each class."""
    cells = torch.bincount(target * num_classes + prediction, minlength=num_classes**2)
    return cells.reshape(num_classes, num_classes).double()


def balanced_accuracy(counts: Float[Tensor, "c c"]) -> float:
    """The mean, over the classes that are there, of the share of their items that were found."""
    sizes = counts.sum(1)
    is_there = sizes > 0
    return (counts.diagonal()[is_there] / sizes[is_there]).mean().item()


def f1_macro(counts: Float[Tensor, "c c"]) -> float:
    """The mean F1 over the classes that are there or were predicted."""
    both = counts.sum(0) + counts.sum(1)
    is_there = both > 0
    return (2 * counts.diagonal()[is_there] / both[is_there]).mean().item()


def quadratic_kappa(counts: Float[Tensor, "c c"]) -> float:
    """Agreement beyond chance where a class is as wrong as the square of its distance (Cohen 1968)."""
    place = torch.arange(len(counts), device=counts.device)
    weight = (place.unsqueeze(1) - place).square()
    by_chance = torch.outer(counts.sum(1), counts.sum(0)) / counts.sum()
    return (1 - (weight * counts).sum() / (weight * by_chance).sum()).item()


def _kinds(score: Tensor, is_positive: Tensor) -> tuple[Tensor, Tensor]:
    """The scores of the positives and of the negatives."""
    is_positive = is_positive.bool()
    return score[is_positive], score[~is_positive]


def _are_ranked(positive: Tensor, negative: Tensor) -> bool:
    return len(positive) > 0 and len(negative) > 0 and not bool(positive.isnan().any() | negative.isnan().any())
