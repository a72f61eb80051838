"""Is training healthy: the gradient's norm, states that grow alike, dead units, and where a number broke.

similarity = mean over pairs i != j of cos(h_i, h_j) = (|sum_i h_i / |h_i||^2 - m) / (m (m - 1))

of m = 100 sampled nodes after each convolution: near 1 the layers have smoothed the differences away (Li et al. 2018,
"Deeper insights into graph convolutional networks"; Chen et al. 2020, "Measuring and relieving the over-smoothing
problem"). A unit of a ReLU is dead if it is 0 in every row of the batch (Maas et al. 2013).
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from grapevine.task.task import Batch
from grapevine.train.probe import watched

SAMPLED = 100  # nodes whose states are compared
ALIKE = 0.99  # similarity that trips, in layers of at least
WIDE = 8  # channels: fewer may well point the same way
DEAD = 0.5  # share of dead units that trips
EXPLODES = 1e3  # gradient norm that trips
VANISHES = 1e-6  # gradient norm that trips while the loss is above
UNLEARNT = 0.5  # of the first epoch's

_RELUS = (torch.ops.aten.relu.default, torch.ops.aten.relu_.default)
_EPILOGUE = "grapevine::epilogue"  # it activates by name


def similarity(states: Float[Tensor, "m c"]) -> float:
    """The mean cosine between two different rows, those that are all zero left out; NaN if fewer than two are left.

    >>> similarity(torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]]))
    0.3333333333333333
    """
    states = states.double()
    lengths = states.norm(dim=1)
    kept = states[lengths > 0] / lengths[lengths > 0, None]
    m = len(kept)
    return float((kept.sum(0).square().sum() - m) / (m * (m - 1))) if m > 1 else float("nan")


def measure(model: nn.Module, called: nn.Module, batch: Batch, *, seed: int = 0) -> dict[str, float]:
    """What the monitors see in one pass without dropout: similarity.LAYER of each convolution, and dead_units.

    Args:
        model: whose layers are looked at.
        called: what is called in its place; the model itself, unless an engine wraps it.
        seed: of the sample of nodes.
    """
    found: dict[str, float] = {}
    rows = _sample(batch.graph.num_nodes, seed).to(batch.target.device)

    def see(name: str, _: nn.Module, states: Tensor, is_conv: bool) -> None:
        if is_conv and states.ndim == 2 and states.shape[1] > 1 and states.shape[0] == batch.graph.num_nodes:
            found[f"similarity.{name}"] = similarity(states[rows])

    was_training = model.training
    model.eval()
    with torch.no_grad(), watched(model, see), _Units() as units:
        called(batch.graph, batch.items)
    model.train(was_training)
    if units.total:
        found["dead_units"] = units.dead / units.total
    return found


class Watch:
    """Says what trips, each once; of clipped gradients the length says nothing."""

    def __init__(self, model: nn.Module, tripped: tuple[str, ...] = (), *, is_clipped: bool = False):
        self._is_clipped = is_clipped
        self._widths = {name: getattr(module, "out_channels", WIDE) for name, module in model.named_modules()}
        self.tripped = list(tripped)

    def trips(
        self, number: int, monitors: Mapping[str, float], *, grad_norm: float, losses: tuple[float, float]
    ) -> tuple[str, ...]:
        """The warnings of an epoch; `losses` are the first epoch's and this one's."""
        found = {key: text for key, text in self._found(monitors, grad_norm, losses) if key not in self.tripped}
        self.tripped.extend(found)
        return tuple(f"epoch {number}: {text}" for text in found.values())

    def _found(self, monitors: Mapping[str, float], grad_norm: float, losses: tuple[float, float]):
        if grad_norm > EXPLODES and not self._is_clipped:
            yield "explodes", f"the gradient explodes (norm {grad_norm:.3g}): lower the learning rate or set clip_norm"
        if grad_norm < VANISHES and losses[1] > UNLEARNT * losses[0]:
            yield (
                "vanishes",
                (
                    f"the gradient vanishes (norm {grad_norm:.3g}) and the loss is still {losses[1]:.3g}: "
                    "try fewer layers, residuals or norms"
                ),
            )
        for name, value in monitors.items():
            layer = name.removeprefix("similarity.")
            if layer != name and value > ALIKE and self._widths.get(layer, WIDE) >= WIDE:
                yield (
                    "smooths",
                    (
                        f"the node states after {layer} are all alike (mean cosine {value:.3f}): the network "
                        "over-smooths; try fewer layers, residuals or norms"
                    ),
                )
        if monitors.get("dead_units", 0.0) > DEAD:
            yield (
                "dead",
                (f"{monitors['dead_units']:.0%} of the ReLU units are dead: lower the learning rate, or use elu"),
            )


class _Units(TorchDispatchMode):
    """Counts the channels of every ReLU that runs, and those that are zero in all rows."""

    def __init__(self):
        super().__init__()
        self.dead = self.total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if (func in _RELUS or (func.name() == _EPILOGUE and "relu" in args)) and out.ndim >= 2 and len(out):
            alive = (out != 0).flatten(0, -2).any(0)
            self.total += alive.numel()
            self.dead += int((~alive).sum())
        return out


def _sample(num_nodes: int, seed: int) -> Tensor:
    return torch.randperm(num_nodes, generator=torch.Generator().manual_seed(seed))[:SAMPLED]
