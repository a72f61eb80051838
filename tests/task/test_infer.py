"""What is inferred from answers, what is said of it, and what can be told instead."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.task import Link, MultiLabel, Regression, SingleLabel, default_split, infer_objective
from tests.task.cases import random

NAN = float("nan")


@pytest.mark.parametrize(
    ("y", "expected", "words"),
    [
        (torch.arange(70) % 7, SingleLabel(num_classes=7), "7 classes (70 of 70 known): classification"),
        (torch.tensor([0, 1, -1]), SingleLabel(num_classes=2), "(2 of 3 known)"),
        (torch.tensor([True, False]), SingleLabel(num_classes=2), "2 classes"),
        (torch.tensor([0.0, 1.0, NAN]), SingleLabel(num_classes=2), "2 classes (2 of 3 known)"),
        (torch.tensor([[0], [1]]), SingleLabel(num_classes=2), "2 classes"),
        (
            (torch.arange(10) == 0).long(),
            SingleLabel(num_classes=2, metric="roc_auc"),
            "chosen by roc_auc, since one class is 10%",
        ),
        (torch.arange(50).repeat(10), SingleLabel(num_classes=50), "50 classes"),
        (torch.tensor([[0.0, 1.0], [NAN, 1.0]]), MultiLabel(num_labels=2), "2 labels (2 of 2 known): multi-label"),
        (torch.tensor([[0, 1], [-1, 1]]), MultiLabel(num_labels=2), "2 labels"),
    ],
)
def test_classes_and_labels(y, expected, words):
    objective, sentence = infer_objective(y)
    assert objective == expected
    assert words in sentence
    assert objective.metric in sentence


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (random(30), "numbers from"),
        (torch.arange(50), "numbers from 0 to 49"),
        (torch.tensor([-5, 3, 4]), "numbers from -5 to 4 (3 of 3 known)"),
        (torch.tensor([0.0, 1.0, 2.0]), "numbers from 0 to 2"),
        (random(30, 4), "4 numbers an item"),
    ],
)
def test_numbers(y, words):
    objective, sentence = infer_objective(y)
    assert objective == Regression.of(y.float())
    assert words in sentence


def test_numbers_take_their_scale_from_those_that_teach():
    y, train = random(30), torch.arange(30) < 10
    assert infer_objective(y, train=train)[0] == Regression.of(y[train])


def test_it_can_be_told():
    y = torch.arange(4).repeat(5)
    assert infer_objective(y, told="numbers")[0] == Regression.of(y.float())
    assert infer_objective(y, metric="quadratic_kappa")[0].metric == "quadratic_kappa"
    assert infer_objective(y, num_classes=6)[0] == SingleLabel(num_classes=6)
    assert infer_objective(torch.arange(50), told="classes")[0] == SingleLabel(num_classes=50)
    assert infer_objective(torch.tensor([0, 1]), told="labels")[0] == MultiLabel(num_labels=1)
    assert infer_objective(torch.tensor([-1, -2]), told="numbers")[0] == Regression.of(torch.tensor([-1.0, -2]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: infer_objective(torch.tensor([-1, -1])), "must hold a known answer"),
        (lambda: infer_objective(torch.tensor([0, 1]), metric="mrr"), "this can not be the objective: metric"),
        (lambda: infer_objective(torch.tensor([0.5, 1]), told="classes"), "classes must be whole numbers"),
        (lambda: infer_objective(torch.tensor([0, 5]), num_classes=3), "y holds class 5 of 3"),
        (lambda: infer_objective(torch.zeros(2, 2), told="classes"), "classes are one an item"),
        (lambda: infer_objective(random(4, 2), told="labels"), "must hold 0 and 1"),
        (lambda: infer_objective([0, 1]), "y must be a tensor"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_default_splits():
    assert default_split("link", Link()) is None
    assert default_split("node", SingleLabel(num_classes=3)).kind == "stratified"
    rule = default_split("graph", Regression())
    assert (rule.kind, rule.train, rule.val) == ("random", 0.8, 0.1)
    assert default_split("edge", SingleLabel(num_classes=3)).kind == "random"
