"""Metrics against scikit-learn, torchmetrics and the published formulas of the OGB evaluator."""

import math

import numpy as np
import pytest
import torch
from sklearn import metrics as sk

from grapevine.task import metrics


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def with_ties() -> tuple[torch.Tensor, torch.Tensor]:
    """Scores of positives and of negatives, rounded so that many are equal."""
    return (random(40, seed=1) + 0.5).round(decimals=1), random(150, seed=2).round(decimals=1)


def ranked_by_definition(positive: torch.Tensor, negative: torch.Tensor) -> torch.Tensor:
    """As in OGB: the mean of the best and the worst rank that ties allow."""
    above = (negative > positive.unsqueeze(1)).sum(1)
    not_below = (negative >= positive.unsqueeze(1)).sum(1)
    return 0.5 * (above + not_below) + 1


@pytest.mark.parametrize("k", [1, 10, 50, 149, 150, 151])
def test_hits_by_definition(k):
    positive, negative = with_ties()
    highest = np.sort(negative.numpy())[::-1]
    expected = 1.0 if k > len(highest) else (positive.numpy() > highest[k - 1]).mean()
    assert metrics.hits_at(k, positive, negative) == pytest.approx(expected)


def test_mean_reciprocal_rank_by_definition():
    positive, negative = with_ties()
    expected = (1 / ranked_by_definition(positive, negative)).mean().item()
    assert metrics.mean_reciprocal_rank(positive, negative) == pytest.approx(expected)


def test_link_metrics_are_those_of_ogb():
    evaluate = pytest.importorskip("ogb.linkproppred.evaluate", reason="ogb and what it imports are not installed")
    positive, negative = with_ties()
    for k, name in ((20, "ogbl-ppa"), (50, "ogbl-collab")):
        evaluator = evaluate.Evaluator(name)
        evaluator.K = k
        theirs = evaluator.eval({"y_pred_pos": positive, "y_pred_neg": negative})[f"hits@{k}"]
        assert metrics.hits_at(k, positive, negative) == pytest.approx(theirs)
    shared = negative.expand(len(positive), -1)
    theirs = evaluate.Evaluator("ogbl-citation2").eval({"y_pred_pos": positive, "y_pred_neg": shared})["mrr_list"]
    assert metrics.mean_reciprocal_rank(positive, negative) == pytest.approx(theirs.mean().item())


def test_areas_under_curves():
    positive, negative = with_ties()
    score = torch.cat([positive, negative])
    target = torch.cat([torch.ones(40), torch.zeros(150)]).long()
    assert metrics.roc_auc(score, target) == pytest.approx(sk.roc_auc_score(target, score), abs=1e-12)
    assert metrics.average_precision(score, target) == pytest.approx(sk.average_precision_score(target, score))
    functional = pytest.importorskip("torchmetrics.functional.classification", reason="torchmetrics is not installed")
    shares = ((score - score.min()) / (score.max() - score.min())).double()
    assert metrics.roc_auc(score, target) == pytest.approx(functional.binary_auroc(shares, target).item(), abs=1e-6)
    theirs = functional.binary_average_precision(shares, target).item()
    assert metrics.average_precision(score, target) == pytest.approx(theirs, abs=1e-6)


def test_what_the_classes_count():
    target = torch.randint(4, (200,), generator=torch.Generator().manual_seed(0))
    prediction = torch.where(random(200) > 0, target, random(200, seed=1).abs().long().clamp(max=3))
    counts = metrics.confusion(prediction, target, 4)
    assert counts.tolist() == sk.confusion_matrix(target, prediction).tolist()
    assert metrics.balanced_accuracy(counts) == pytest.approx(sk.balanced_accuracy_score(target, prediction))
    assert metrics.f1_macro(counts) == pytest.approx(sk.f1_score(target, prediction, average="macro"))
    expected = sk.cohen_kappa_score(target, prediction, weights="quadratic")
    assert metrics.quadratic_kappa(counts) == pytest.approx(expected)


def test_classes_that_never_come_do_not_count():
    target, prediction = torch.tensor([0, 0, 2, 2]), torch.tensor([0, 2, 2, 2])
    counts = metrics.confusion(prediction, target, 5)
    assert metrics.balanced_accuracy(counts) == pytest.approx(0.75)
    assert metrics.f1_macro(counts) == pytest.approx(sk.f1_score(target, prediction, average="macro"))


def test_what_is_not_defined_is_nan():
    one, none = torch.tensor([0.5]), torch.tensor([])
    assert math.isnan(metrics.roc_auc(one, torch.tensor([1])))
    assert math.isnan(metrics.average_precision(torch.tensor([math.nan, 1.0]), torch.tensor([0, 1])))
    assert math.isnan(metrics.hits_at(1, one, none))
    assert math.isnan(metrics.hits_at(1, torch.tensor([math.nan]), one))
    assert math.isnan(metrics.mean_reciprocal_rank(none, one))
