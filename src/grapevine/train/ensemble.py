"""Several members trained from different seeds: their mean, and how far they are apart.

classes:  p = mean_m p_m,    I = H(p) - mean_m H(p_m)        (what the members disagree on, in nats)
numbers:  mean and standard deviation over the members

B. Lakshminarayanan, A. Pritzel, C. Blundell, "Simple and scalable predictive uncertainty estimation using deep
ensembles", 2017; the mutual information I: N. Houlsby et al. 2011.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.checks import check_tensor
from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.task.task import Task
from grapevine.train.loop import fit
from grapevine.train.record import Epoch, Fit
from grapevine.train.settings import Settings


class Members(nn.Module):
    """Models side by side: what each of them answers, [k, members, c], in one pass over the data.

    >>> graph = Graph([[0], [1]], x=torch.ones(2, 3))
    >>> class Zero(nn.Module):
    ...     def forward(self, graph, items):
    ...         return torch.zeros(graph.num_nodes, 4)
    >>> Members([Zero(), Zero()])(graph, None).shape
    torch.Size([2, 2, 4])
    """

    def __init__(self, models: Iterable[nn.Module]):
        super().__init__()
        self.models = nn.ModuleList(models)
        check(len(self.models) > 0, "an ensemble needs at least one member")

    def forward(self, graph: Graph, items: Tensor | None) -> Float[Tensor, "k m c"]:
        return torch.stack([model(graph, items) for model in self.models], 1)


@dataclass(frozen=True)
class Ensemble:
    """The members, and what training each of them came to."""

    members: Members
    fits: tuple[Fit, ...]


@dataclass(frozen=True)
class ClassSpread:
    """What an ensemble says about classes.

    Args:
        prediction: the class of the highest mean probability.
        probability: the mean probability of each class.
        spread: the standard deviation over the members of the predicted class's probability.
        mutual_information: what the members disagree on, in nats; 0 if they all say the same.
    """

    prediction: Int[Tensor, " k"]
    probability: Float[Tensor, "k c"]
    spread: Float[Tensor, " k"]
    mutual_information: Float[Tensor, " k"]


@dataclass(frozen=True)
class NumberSpread:
    """What an ensemble says about numbers: their mean and standard deviation over the members."""

    prediction: Float[Tensor, "k t"]
    spread: Float[Tensor, "k t"]


def fit_ensemble(
    make_model: Callable[[], nn.Module],
    task: Task,
    settings: Settings | None = None,
    *,
    members: int = 5,
    checkpoints: Path | None = None,
    on_epoch: Callable[[int, Epoch], None] | None = None,
) -> Ensemble:
    """Train that many models, each from its own seed: settings.seed, settings.seed + 1, ...

    Args:
        make_model: makes a model with fresh weights; it is called under the member's seed.
        checkpoints: a folder; each member has one of its own in it, and a finished member is not trained again.
        on_epoch: is told of each epoch, with the member's place first.

    Raises:
        DivergedError: if a member's loss becomes infinite or not a number.
    """
    check(members >= 1, f"there must be at least one member, got {members}")
    settings = Settings() if settings is None else settings
    models, fits = [], []
    for place in range(members):
        own = settings.model_copy(update={"seed": settings.seed + place})
        with torch.random.fork_rng():
            torch.manual_seed(own.seed)
            models.append(make_model())
        folder = None if checkpoints is None else Path(checkpoints) / f"member-{place}"
        report = None if on_epoch is None else _with(on_epoch, place)
        fits.append(fit(models[-1], task, own, checkpoints=folder, on_epoch=report))
    return Ensemble(Members(models).eval(), tuple(fits))


def class_spread(probabilities: Float[Tensor, "k m c"]) -> ClassSpread:
    """What members' class probabilities come to.

    >>> said = class_spread(torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[0.2, 0.8], [0.2, 0.8]]]))
    >>> said.prediction.tolist(), said.mutual_information.tolist()
    ([0, 1], [0.6931471824645996, 0.0])
    """
    check_tensor("probabilities", probabilities, ndim=3)
    mean = probabilities.mean(1)
    prediction = mean.argmax(1)
    chosen = probabilities.gather(2, prediction[:, None, None].expand(-1, probabilities.shape[1], 1)).squeeze(2)
    between = _entropy(mean) - _entropy(probabilities).mean(1)
    return ClassSpread(prediction, mean, _deviation(chosen), between.clamp(min=0))


def number_spread(numbers: Float[Tensor, "k m t"]) -> NumberSpread:
    """What members' numbers come to.

    >>> number_spread(torch.tensor([[[1.0], [3.0]]])).prediction.tolist()
    [[2.0]]
    """
    check_tensor("numbers", numbers, ndim=3)
    return NumberSpread(numbers.mean(1), _deviation(numbers))


def _entropy(probabilities: Tensor) -> Tensor:
    return torch.special.entr(probabilities).sum(-1)


def _deviation(numbers: Tensor) -> Tensor:
    """Over the members, dimension 1; 0 for a single one."""
    return numbers.std(1) if numbers.shape[1] > 1 else torch.zeros_like(numbers[:, 0])


def _with(on_epoch: Callable[[int, Epoch], None], place: int) -> Callable[[Epoch], None]:
    def report(epoch: Epoch) -> None:
        on_epoch(place, epoch)

    return report
