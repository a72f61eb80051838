"""Losses against dense formulas, scores against scikit-learn, missing answers left out, and objectives kept as text."""

import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sklearn import metrics as sk
from sklearn.utils.class_weight import compute_class_weight

from grapevine.errors import InputError
from grapevine.task import Link, MultiLabel, Regression, SingleLabel, class_weights_of, read_objective

NAN = math.nan


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def classes(num_items: int, num_classes: int, seed: int = 0) -> torch.Tensor:
    """Some of them unknown."""
    y = torch.randint(num_classes, (num_items,), generator=torch.Generator().manual_seed(seed))
    return y.where(random(num_items, seed=seed + 9) > -0.8, -1)


@pytest.mark.parametrize("weights", [None, (1.0, 2.0, 0.5)])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_by_hand(weights, smoothing):
    objective = SingleLabel(num_classes=3, class_weights=weights, label_smoothing=smoothing)
    output, y = random(50, 3), classes(50, 3)
    known = y >= 0
    shares, weight = output[known].log_softmax(1), torch.tensor(weights or (1.0,) * 3)
    wanted = torch.eye(3)[y[known]] * (1 - smoothing) + smoothing / 3
    by_hand = -(wanted * weight * shares).sum() / weight[y[known]].sum()
    torch.testing.assert_close(objective.loss(output, y), by_hand)


def test_scores_of_classes():
    output, y = random(80, 4), classes(80, 4)
    known = y >= 0
    target, prediction, shares = y[known], output[known].argmax(1), output[known].double().softmax(1)
    scores = SingleLabel(num_classes=4).scores(output, y)
    assert set(scores) == {"accuracy", "balanced_accuracy", "f1_macro"}
    assert scores["accuracy"] == pytest.approx(sk.accuracy_score(target, prediction))
    assert scores["f1_macro"] == pytest.approx(sk.f1_score(target, prediction, average="macro"))
    ordinal = SingleLabel(num_classes=4, metric="mae")
    assert ordinal.score(output, y) == pytest.approx(sk.mean_absolute_error(target, prediction))
    assert not ordinal.is_higher_better
    ranked = SingleLabel(num_classes=4, metric="roc_auc")
    assert ranked.score(output, y) == pytest.approx(sk.roc_auc_score(target, shares, multi_class="ovr"))


def test_scores_of_two_classes():
    output, y = random(80, 2), classes(80, 2)
    known = y >= 0
    scores = SingleLabel(num_classes=2, metric="roc_auc").scores(output, y)
    share = output[known].softmax(1)[:, 1]
    assert scores["roc_auc"] == pytest.approx(sk.roc_auc_score(y[known], share))
    assert scores["average_precision"] == pytest.approx(sk.average_precision_score(y[known], share))
    sure = torch.tensor([[0.0, 40.0], [0.0, 60.0]])  # both probabilities round to 1
    assert SingleLabel(num_classes=2, metric="roc_auc").score(sure, torch.tensor([0, 1])) == 1


def test_no_known_class_is_no_score():
    scores = SingleLabel(num_classes=2).scores(torch.zeros(3, 2), torch.full((3,), -1))
    assert all(math.isnan(score) for score in scores.values())


def test_balanced_class_weights():
    y = classes(200, 4)
    theirs = compute_class_weight("balanced", classes=np.arange(4), y=y[y >= 0].numpy())
    assert class_weights_of(y, 4) == pytest.approx(tuple(theirs))
    assert class_weights_of(torch.tensor([0, 2]), 3) == (1.0, 0.0, 1.0)


@pytest.mark.parametrize("missing", [NAN, -1.0])
@pytest.mark.parametrize("weights", [None, (1.0, 3.0, 2.0)])
def test_binary_cross_entropy_by_hand(missing, weights):
    objective, output = MultiLabel(num_labels=3, pos_weights=weights), random(20, 3)
    labels = (random(20, 3, seed=1) > 0).float()
    known = random(20, 3, seed=2) > -0.5
    y = objective.prepare(labels.where(known, missing))
    share, weight = output.sigmoid(), torch.tensor(weights or (1.0,) * 3)
    each = -(weight * labels * share.log() + (1 - labels) * (1 - share).log())
    torch.testing.assert_close(objective.loss(output, y), each[known].mean())


def test_scores_of_labels_leave_out_labels_of_one_kind():
    output = random(60, 3)
    y = (random(60, 3, seed=1) > 0).float().where(random(60, 3, seed=2) > -0.5, NAN)
    y[:, 2] = y[:, 2].where(y[:, 2].isnan(), 1.0)
    known = ~y.isnan()
    pairs = [(y[known[:, t], t], output[known[:, t], t]) for t in range(2)]
    scores = MultiLabel(num_labels=3).scores(output, y)
    assert scores["roc_auc"] == pytest.approx(sum(sk.roc_auc_score(*pair) for pair in pairs) / 2)
    assert scores["average_precision"] == pytest.approx(sum(sk.average_precision_score(*pair) for pair in pairs) / 2)
    assert scores["f1_micro"] == pytest.approx(sk.f1_score(y[known], output[known] > 0))
    assert scores["accuracy"] == pytest.approx(sk.accuracy_score(y[known], output[known] > 0))


LOSSES = {
    "mse": lambda error: error.square(),
    "mae": lambda error: error.abs(),
    "huber": lambda error: torch.where(error.abs() < 1, error.square() / 2, error.abs() - 0.5),
}


@pytest.mark.parametrize("loss_name", LOSSES)
def test_regression_learns_on_the_standard_scale(loss_name):
    y = 100 + 7 * random(30, 2, seed=1)
    y = y.where(random(30, 2, seed=2) > -0.5, NAN)
    known, objective, output = ~y.isnan(), Regression.of(y, loss_name=loss_name), random(30, 2)
    mean = torch.stack([y[known[:, t], t].mean() for t in range(2)])
    std = torch.stack([y[known[:, t], t].std(correction=0) for t in range(2)])
    by_hand = LOSSES[loss_name](output - (y - mean) / std)[known].mean()
    torch.testing.assert_close(objective.loss(output, y), by_hand)
    torch.testing.assert_close(objective.columns(output)["prediction_1"], mean[1] + std[1] * output[:, 1])


def test_scores_of_numbers_are_in_the_users_units():
    y = 100 + 7 * random(30, 2, seed=1)
    objective, output = Regression.of(y), random(30, 2)
    prediction = torch.stack(list(objective.columns(output).values()), 1)
    scores = objective.scores(output, y)
    assert scores["mae"] == pytest.approx(sk.mean_absolute_error(y, prediction), rel=1e-5)
    assert scores["rmse"] == pytest.approx(sk.root_mean_squared_error(y, prediction), rel=1e-5)
    assert scores["r2"] == pytest.approx(sk.r2_score(y, prediction), rel=1e-5)
    y[:10, 0] = NAN
    expected = (sk.mean_absolute_error(y[10:, 0], prediction[10:, 0]) + (y - prediction)[:, 1].abs().mean().item()) / 2
    assert objective.score(output, y) == pytest.approx(expected, rel=1e-5)


def test_a_prediction_that_is_no_number_is_no_good_score():
    y, output = random(5), random(5, 1)
    output[2] = NAN
    assert all(math.isnan(score) for score in Regression.of(y).scores(output, y).values())
    assert math.isnan(Link().score(output, torch.tensor([1.0, 0, 1, 0, 1])))


def test_a_number_that_never_varies():
    objective = Regression.of(torch.full((4,), 3.0))
    assert (objective.mean, objective.std) == ((3.0,), (1.0,))
    assert math.isnan(objective.scores(torch.ones(4, 1), torch.full((4,), 3.0))["r2"])


def test_link_loss_and_scores():
    output, y = random(60, 1), (random(60, seed=1) > 0).float()
    by_hand = -(y * output[:, 0].sigmoid().log() + (1 - y) * (1 - output[:, 0].sigmoid()).log()).mean()
    torch.testing.assert_close(Link().loss(output, y), by_hand)
    scores = Link(metric="hits@7").scores(output, y)
    assert scores["roc_auc"] == pytest.approx(sk.roc_auc_score(y, output[:, 0]))
    bar = output[y == 0, 0].sort(descending=True).values[6]
    assert scores["hits@7"] == pytest.approx((output[y == 1, 0] > bar).float().mean().item())
    assert Link().columns(output)["prediction"].tolist() == (output[:, 0] > 0).long().tolist()


@pytest.mark.parametrize(
    ("objective", "y"),
    [
        (SingleLabel(num_classes=3, class_weights=(1.0, 2.0, 3.0)), torch.tensor([0, 1, -1, -1])),
        (MultiLabel(num_labels=3), torch.tensor([[1.0, NAN, 0], [NAN, NAN, 1], [NAN] * 3, [NAN] * 3])),
        (Regression(num_targets=3), torch.tensor([[5.0, NAN, 1], [NAN, 2, 3], [NAN] * 3, [NAN] * 3])),
    ],
)
def test_missing_answers_neither_teach_nor_count(objective, y):
    output = random(4, 3).requires_grad_()
    objective.loss(output, y).backward()
    assert (output.grad[:2].abs().sum(1) > 0).all()
    assert torch.equal(output.grad[2:], torch.zeros(2, 3))
    if y.is_floating_point():
        assert torch.equal(output.grad != 0, ~y.isnan())
    scores = objective.scores(output.detach(), y), objective.scores(output.detach()[:2], y[:2])
    assert str(scores[0]) == str(scores[1])
    assert objective.score(output.detach(), y) == pytest.approx(scores[0][objective.metric], nan_ok=True)


@pytest.mark.parametrize(
    "objective",
    [
        SingleLabel(num_classes=3, class_weights=(1.0, 2.0, 3.0), label_smoothing=0.1),
        MultiLabel(num_labels=2, metric="f1_micro"),
        Regression.of(torch.tensor([1.0, 5.0]), loss_name="huber", metric="r2"),
        Link(metric="hits@20"),
    ],
)
def test_an_objective_comes_back_from_a_configuration(objective):
    assert read_objective(objective.model_dump(mode="json")) == objective
    assert objective.metric in objective.metrics


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SingleLabel(num_classes=1), "greater than or equal to 2"),
        (lambda: SingleLabel(num_classes=2, metric="auc"), "metric"),
        (lambda: SingleLabel(num_classes=2, class_weights=(1.0,)), "2 classes take as many weights, got 1"),
        (lambda: MultiLabel(num_labels=2, pos_weights=(1.0,)), "2 labels take as many weights, got 1"),
        (lambda: Regression(mean=(1.0, 2.0)), "1 targets take as many numbers in mean, got 2"),
        (lambda: Regression(std=(0.0,)), "std"),
        (lambda: Link(metric="hits@0"), "metric"),
    ],
)
def test_objectives_that_can_not_be(make, message):
    with pytest.raises(ValidationError, match=message):
        make()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SingleLabel(num_classes=2).prepare(torch.tensor([0, 2])), r"y must lie in 0 .. 1, .*; got 2"),
        (lambda: SingleLabel(num_classes=2).prepare(torch.tensor([0, -2])), "got -2"),
        (lambda: SingleLabel(num_classes=2).prepare(torch.tensor([0.5, 1])), "fractions"),
        (lambda: SingleLabel(num_classes=2).prepare(torch.zeros(3, 2)), r"one class an item, got shape \(3, 2\)"),
        (lambda: MultiLabel(num_labels=2).prepare(torch.zeros(3, 3)), "a column for each of the 2 labels"),
        (lambda: MultiLabel(num_labels=2).prepare(torch.full((3, 2), 0.5)), "must hold 0 and 1"),
        (lambda: Regression().prepare(torch.zeros(3, 2)), "y must have 1 numbers an item"),
        (lambda: Regression().prepare(torch.tensor([math.inf])), "finite"),
        (lambda: Regression.of(torch.tensor([NAN])), "must be known of a training item"),
        (lambda: Link().prepare(torch.tensor([0, 2])), "1 where a pair is joined"),
        (lambda: read_objective({"kind": "links"}), "this is no objective"),
        (lambda: read_objective({"kind": "single_label", "num_classes": 2, "metric": "auc"}), "metric"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_answers_are_brought_to_one_form():
    y = torch.tensor([[0.0], [1.0], [NAN]])
    assert SingleLabel(num_classes=2).prepare(y).tolist() == [0, 1, -1]
    assert SingleLabel(num_classes=2).prepare(torch.tensor([True, False])).tolist() == [1, 0]
    assert Regression().prepare(torch.tensor([1, 2])).tolist() == [[1.0], [2.0]]
    assert MultiLabel(num_labels=2).prepare(torch.tensor([[1, -1]])).isnan().tolist() == [[False, True]]
