"""Energies, forces and stresses together: what of each is known teaches, by its weight.

loss = w_E mean l((E_g - E_g') / n_g) + w_F mean l(F_ia - F_ia') + w_S mean l(S_gab - S_gab'),   l(x) = x^2 or Huber's

each mean over what is known in the batch, in units of `scale`. n_g is the number of atoms. With w_E = 1 and w_F = 100
this is the loss of Batatia et al. 2022, "MACE"; with another w_E at the end of training, their second stage.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import Tensor

from grapevine.task.objective import Objective

# The columns of a row of answers: rows of structures hold energies and stress, rows of atoms hold forces.
PER_ATOM, ENERGY, FORCES, STRESS = slice(0, 1), slice(1, 2), slice(2, 5), slice(5, 14)
NUM_COLUMNS = 14
MILLI = 1000.0

# What each metric is told in.
UNITS: dict[str, str] = {
    "energy_mae": "meV/atom", "energy_rmse": "meV/atom", "structure_mae": "meV", "structure_rmse": "meV",
    "forces_mae": "meV/angstrom", "forces_rmse": "meV/angstrom",
    "stress_mae": "meV/angstrom^3", "stress_rmse": "meV/angstrom^3",
}  # fmt: skip
_COLUMNS = {"energy": PER_ATOM, "structure": ENERGY, "forces": FORCES, "stress": STRESS}


class EnergyForces(Objective):
    """The energy of a structure, the force on each atom and the stress; NaN where one is not known.

    A row of answers has 14 columns: of a structure the energy per atom, the energy and the nine numbers of the stress,
    of an atom the three of the force; the others are NaN. Scores are in meV, meV/angstrom and meV/angstrom^3.

    Args:
        energy_weight, forces_weight, stress_weight: of the three means; 0 leaves one out.
        scale: what errors are divided by, in eV, eV/angstrom and eV/angstrom^3: gradients then are of one size for all
            data.
        loss_name: mse, or huber, which is linear beyond `huber_delta` times the scale and so minds outliers less.
        metric: what chooses among models.

    >>> objective = EnergyForces()
    >>> output, target = torch.zeros(2, NUM_COLUMNS), torch.full((2, NUM_COLUMNS), float("nan"))
    >>> target[0, PER_ATOM], target[1, FORCES] = 1.0, torch.tensor([0.0, 0.375, 0.0])
    >>> round(objective.loss(output, target).item(), 4)
    5.6875
    >>> objective.scores(output, target, ["energy_mae", "forces_mae"])
    {'energy_mae': 1000.0, 'forces_mae': 125.0}
    """

    kind: Literal["energy_forces"] = "energy_forces"
    metric: Annotated[str, Field(pattern="^(energy|structure|forces|stress)_(mae|rmse)$")] = "forces_mae"
    energy_weight: NonNegativeFloat = 1.0
    forces_weight: NonNegativeFloat = 100.0
    stress_weight: NonNegativeFloat = 0.0
    scale: PositiveFloat = 1.0
    loss_name: Literal["mse", "huber"] = "mse"
    huber_delta: PositiveFloat = 0.1

    @property
    def out_channels(self) -> int:
        return NUM_COLUMNS

    @property
    def is_higher_better(self) -> bool:
        return False

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all that `scores` can give; what is not known in any row is left out there."""
        return tuple(UNITS)

    def loss(self, output: Float[Tensor, "k c"], target: Float[Tensor, "k t"]) -> Float[Tensor, ""]:
        weights = (PER_ATOM, self.energy_weight), (FORCES, self.forces_weight), (STRESS, self.stress_weight)
        terms = [weight * self._mean(output[:, columns], target[:, columns]) for columns, weight in weights if weight]
        return torch.stack(terms).sum() if terms else output.sum() * 0

    def scores(
        self, output: Float[Tensor, "k c"], target: Float[Tensor, "k t"], names: Sequence[str] | None = None
    ) -> dict[str, float]:
        found = {name: _measure(name, output, target) for name in names or self.metrics}
        return found if names else {name: value for name, value in found.items() if value == value}

    def columns(self, output: Float[Tensor, "k c"]) -> dict[str, Tensor]:
        """`prediction`, the energy without the shifts of the elements, of the rows of structures."""
        return {"prediction": output[:, ENERGY].squeeze(1)}

    def _mean(self, output: Tensor, target: Tensor) -> Tensor:
        known = ~target.isnan()
        error = (output - target.to(output.dtype)).where(known, 0) / self.scale
        if self.loss_name == "huber":
            zero = torch.zeros_like(error)
            total = F.huber_loss(error, zero, delta=self.huber_delta, reduction="sum") / self.huber_delta
        else:
            total = error.square().sum()
        return total / known.sum().clamp(min=1)


def _measure(name: str, output: Tensor, target: Tensor) -> float:
    """NaN where nothing is known."""
    what, how = name.rsplit("_", 1)
    columns = _COLUMNS[what]
    wanted = target[:, columns].double()
    known = ~wanted.isnan()
    error = (output[:, columns].double() - wanted)[known]
    if not len(error):
        return float("nan")
    return MILLI * (error.abs().mean() if how == "mae" else error.square().mean().sqrt()).item()
