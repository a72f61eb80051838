"""Are stated probabilities and spreads true, and what makes them truer.

ECE = sum over bins b of  n_b / n |accuracy_b - confidence_b|,          p' = softmax(z / T), T of the lowest -log p'[y]
z = (y - mean) / spread,   scale = sqrt(mean z^2),   covered(q) = share of |z| <= Phi^-1((1 + q) / 2)

C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On calibration of modern neural networks", 2017. V. Kuleshov, N. Fenner,
S. Ermon, "Accurate uncertainties for deep learning using calibrated regression", 2018.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import check

_TEMPERATURES = (1e-2, 1e2)
LEVELS = tuple(level / 20 for level in range(1, 20))


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram: for each bin of confidence that holds an item, how many, how sure, and how often right.

    Args:
        count, confidence, accuracy: of each bin.
        ece: the expected calibration error.
    """

    count: tuple[int, ...]
    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    ece: float


@dataclass(frozen=True)
class Coverage:
    """How much of the answers lie in the interval that a normal spread says holds that share of them.

    Args:
        expected: the shares.
        observed: what was found.
    """

    expected: tuple[float, ...]
    observed: tuple[float, ...]


def reliability(probabilities: Float[Tensor, "k c"], target: Int[Tensor, " k"], *, bins: int = 15) -> Reliability:
    """The reliability diagram of the predicted class, over equally wide bins; unknown answers (-1) do not count.

    >>> found = reliability(torch.tensor([[0.9, 0.1], [0.7, 0.3]]), torch.tensor([0, 1]), bins=2)
    >>> found.count, found.accuracy, round(found.confidence[0], 3), round(found.ece, 3)
    ((2,), (0.5,), 0.8, 0.3)
    """
    probabilities, target = _known_classes("probabilities", probabilities, target)
    check(bins >= 1, f"there must be at least one bin, got {bins}")
    confidence, prediction = probabilities.double().max(1)
    place = (confidence * bins).ceil().long().sub(1).clamp(0, bins - 1)
    count, sure, right = (
        torch.zeros(bins, dtype=torch.float64).index_add_(0, place, numbers)
        for numbers in (torch.ones_like(confidence), confidence, (prediction == target).double())
    )
    held = count > 0
    count, sure, right = count[held], sure[held] / count[held], right[held] / count[held]
    ece = float((count * (right - sure).abs()).sum() / count.sum())
    return Reliability(tuple(int(n) for n in count.tolist()), tuple(sure.tolist()), tuple(right.tolist()), ece)


def fit_temperature(logits: Float[Tensor, "k c"], target: Int[Tensor, " k"]) -> float:
    """The T, in 0.01 .. 100, for which softmax(logits / T) gives the answers the highest likelihood.

    Fit it on the validation part. Logarithms of probabilities, as of an ensemble's mean, are logits too.

    >>> logits = torch.tensor([[2.0, 0.0]] * 4)
    >>> round(fit_temperature(logits, torch.tensor([0, 0, 0, 1])), 3)  # softmax gives 3/4 at 2 / log 3
    1.82
    """
    logits, target = _known_classes("logits", logits, target)
    logits = logits.double()

    def cost(log_temperature: float) -> float:
        return float(torch.nn.functional.cross_entropy(logits / math.exp(log_temperature), target))

    bounds = (math.log(_TEMPERATURES[0]), math.log(_TEMPERATURES[1]))
    from scipy.optimize import minimize_scalar  # slow to import, and seldom needed

    return math.exp(minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": 1e-8}).x)


def fit_spread_scale(error: Float[Tensor, " k"], spread: Float[Tensor, " k"]) -> float:
    """What to multiply the spreads by so that error / spread has unit variance about 0: the likeliest normal scale.

    Fit it on the validation part; unknown errors (NaN) do not count.

    >>> fit_spread_scale(torch.tensor([2.0, -2.0]), torch.tensor([1.0, 1.0]))
    2.0
    """
    return float(_scores(error, spread).square().mean().sqrt())


def coverage(error: Float[Tensor, " k"], spread: Float[Tensor, " k"], *, levels: Sequence[float] = LEVELS) -> Coverage:
    """The coverage curve of central intervals of a normal with those spreads; on the diagonal they are true.

    >>> coverage(torch.tensor([0.1, -3.0]), torch.tensor([1.0, 1.0]), levels=[0.5])
    Coverage(expected=(0.5,), observed=(0.5,))
    """
    check(all(0 < level < 1 for level in levels), f"levels must lie between 0 and 1, got {list(levels)}")
    z = _scores(error, spread).abs()
    bounds = torch.special.ndtri((1 + torch.tensor(levels, dtype=torch.float64)) / 2)
    observed = (z[:, None] <= bounds).double().mean(0)
    return Coverage(tuple(levels), tuple(observed.tolist()))


def _scores(error: Tensor, spread: Tensor) -> Tensor:
    check_tensor("error", error, ndim=1)
    check_tensor("spread", spread, ndim=1)
    check_rows("spread", spread, len(error), "errors")
    error, spread = error[~error.isnan()].cpu().double(), spread[~error.isnan()].cpu().double()
    check(len(error) > 0, "there must be at least one known error")
    check(bool((spread > 0).all()), "each spread must be positive; one of 0 says that an error can not be")
    return error / spread


def _known_classes(name: str, numbers: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    check_tensor(name, numbers, ndim=2)
    check_tensor("target", target, ndim=1, dtypes=(torch.int64, torch.int32))
    check_rows("target", target, len(numbers), f"rows of {name}")
    known = target >= 0
    check(bool(known.any()), "there must be at least one known answer")
    check(int(target.max()) < numbers.shape[1], f"target must be below {numbers.shape[1]}, got {int(target.max())}")
    return numbers[known].detach().cpu(), target[known].cpu().long()
