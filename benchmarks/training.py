"""One training loop for both sides, and the check that they compute the same."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.models import load

TOLERANCE = 1e-4


@dataclass
class Trainer:
    """A network with a list of layers, what it is called with, the classes, those that teach (None: all), and Adam."""

    network: nn.Module
    inputs: tuple
    y: Tensor
    nodes: Tensor | None = None
    weight_decay: float = 0.0
    optimizer: torch.optim.Optimizer = field(init=False)

    def __post_init__(self):
        parameters, decay = self.network.parameters(), self.weight_decay
        self.optimizer = torch.optim.Adam(parameters, lr=0.01, weight_decay=decay, fused=True)

    @property
    def layers(self) -> Sequence[nn.Module]:
        return list(self.network.layers)  # pyright: ignore[reportArgumentType]

    def epoch(self) -> None:
        """One step on the whole graph."""
        self.optimizer.zero_grad()
        self._loss(self.network(*self.inputs)).backward()
        self.optimizer.step()

    def answer(self) -> Tensor:
        """The output without dropout; the gradients of its loss are left with the parameters."""
        self.optimizer.zero_grad()
        self.network.eval()
        logits = self.network(*self.inputs)
        self._loss(logits).backward()
        self.network.train()
        return logits.detach()

    def _loss(self, logits: Tensor) -> Tensor:
        if self.nodes is None:
            return F.cross_entropy(logits, self.y)
        return F.cross_entropy(logits[self.nodes], self.y[self.nodes])


def copy_weights(theirs: Trainer, ours: Trainer) -> None:
    """Start ours from the weights of theirs."""
    load(ours.layers, [layer.state_dict() for layer in theirs.layers])


def check_agreement(our_answer: Tensor, ours: Trainer, their_answer: Tensor, theirs: Trainer) -> None:
    """Raise a RuntimeError unless outputs and gradients, those that `answer` left, are equal to 1e-4.

    Of millions of numbers rounding tips one or another over ReLU's kink, where the gradient jumps. So the gradients
    are compared all together, the length of their difference with their length.
    """
    check_equal("outputs", our_answer, their_answer)
    expected = copy.deepcopy(ours.layers)
    load(expected, [_gradients(layer) for layer in theirs.layers])
    pairs = []
    for our_layer, their_layer in zip(ours.layers, expected, strict=True):
        gradients = _gradients(our_layer)
        pairs += [(gradients[name].flatten(), g.detach().flatten()) for name, g in their_layer.named_parameters()]
    our_gradient, their_gradient = (torch.cat(side) for side in zip(*pairs, strict=True))
    check_alike("gradients", our_gradient, their_gradient)


def check_equal(what: str, ours: Tensor, theirs: Tensor) -> None:
    """Raise a RuntimeError unless they are equal to 1e-4 of the largest number."""
    _check_small(what, (ours - theirs).abs().max() / theirs.abs().max())


def check_alike(what: str, ours: Tensor, theirs: Tensor) -> None:
    """Raise a RuntimeError unless the length of their difference is 1e-4 of their length."""
    _check_small(what, (ours - theirs).norm() / theirs.norm())


def _check_small(what: str, difference: Tensor) -> None:
    if not difference <= TOLERANCE:
        raise RuntimeError(f"the two sides disagree: {what} differ by {difference.item():.1e}")


def _gradients(layer: nn.Module) -> dict[str, Tensor]:
    """The gradients by the parameters' names, and the constants, so that they load as a state does."""
    gradients = {name: p.grad for name, p in layer.named_parameters() if p.grad is not None}
    return {**dict(layer.named_buffers()), **gradients}
