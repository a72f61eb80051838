"""Calibration against scikit-learn, closed forms and data that are calibrated because they were drawn so."""

import math

import pytest
import torch
from sklearn.calibration import calibration_curve

from grapevine.errors import InputError
from grapevine.train.calibration import coverage, fit_spread_scale, fit_temperature, reliability


def drawn(num: int = 20_000, classes: int = 3):
    """Logits, and classes drawn from their softmax."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(num, classes, generator=generator, dtype=torch.float64)
    return logits, torch.multinomial(logits.softmax(1), 1, generator=generator).squeeze(1)


def test_the_diagram_is_scikit_learns():
    logits, target = drawn(2000, 2)
    probabilities = logits.softmax(1)
    confidence, prediction = probabilities.max(1)
    accuracy, sure = calibration_curve((prediction == target).numpy(), confidence.numpy(), n_bins=10)
    found = reliability(probabilities, target, bins=10)
    assert found.accuracy == pytest.approx(accuracy)
    assert found.confidence == pytest.approx(sure)
    weights = [count / 2000 for count in found.count]
    by_hand = sum(w * abs(a - c) for w, a, c in zip(weights, accuracy, sure, strict=True))
    assert found.ece == pytest.approx(by_hand)


def test_what_is_calibrated_is_found_so_and_what_is_too_sure_is_mended():
    logits, target = drawn()
    assert reliability(logits.softmax(1), target).ece < 0.015
    assert fit_temperature(logits, target) == pytest.approx(1, abs=0.03)
    assert fit_temperature(2.5 * logits, target) == pytest.approx(2.5, abs=0.08)
    assert reliability((2.5 * logits).softmax(1), target).ece > 0.1


def test_the_temperature_has_the_lowest_loss():
    logits, target = drawn(300)
    best = fit_temperature(3 * logits, target)
    temperature = torch.tensor(best, dtype=torch.float64, requires_grad=True)
    torch.nn.functional.cross_entropy(3 * logits / temperature, target).backward()
    assert temperature.grad.abs() < 1e-6


def test_unknown_classes_do_not_count():
    logits, target = drawn(100)
    more = torch.cat([logits, torch.full((9, 3), 5.0)]), torch.cat([target, torch.full((9,), -1)])
    assert fit_temperature(*more) == fit_temperature(logits, target)
    assert reliability(more[0].softmax(1), more[1]) == reliability(logits.softmax(1), target)


def test_spreads_are_scaled_to_unit_variance():
    generator = torch.Generator().manual_seed(0)
    spread = torch.rand(50_000, generator=generator, dtype=torch.float64) + 0.5
    error = 3 * spread * torch.randn(50_000, generator=generator, dtype=torch.float64)
    scale = fit_spread_scale(error, spread)
    assert scale == pytest.approx(3, rel=0.02)
    true = coverage(error, scale * spread)
    assert true.observed == pytest.approx(true.expected, abs=0.01)
    # a normal of a third of its width covers erf(bound / 3 / sqrt 2)
    narrow = coverage(error, spread, levels=[0.95])
    assert narrow.observed[0] == pytest.approx(math.erf(1.959964 / 3 / math.sqrt(2)), abs=0.01)


def test_wrong_input_is_refused():
    with pytest.raises(InputError, match="each spread must be positive"):
        fit_spread_scale(torch.ones(2), torch.tensor([1.0, 0.0]))
    with pytest.raises(InputError, match="at least one known answer"):
        fit_temperature(torch.ones(2, 2), torch.tensor([-1, -1]))
    with pytest.raises(InputError, match="target must be below 2, got 2"):
        reliability(torch.ones(1, 2), torch.tensor([2]))
    with pytest.raises(InputError, match="at least one known error"):
        coverage(torch.tensor([math.nan]), torch.ones(1))
