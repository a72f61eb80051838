"""A trained potential with what is needed to use it, and how a run folder keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

import grapevine
from grapevine.data.atoms.elements import symbol_of
from grapevine.data.structure_files import KIND
from grapevine.errors import InputError, check
from grapevine.nn.equivariant.potential import Potential
from grapevine.recipes.atoms.config import PotentialConfig
from grapevine.recipes.atoms.models import build_potential_network
from grapevine.train.run import load_run


@dataclass(frozen=True)
class TrainedPotential:
    """A potential, ready to be used.

    Args:
        has_forces, has_stress: whether it was trained on them; it says them in any case.
    """

    potential: Potential
    config: PotentialConfig
    has_forces: bool
    has_stress: bool

    @property
    def elements(self) -> tuple[int, ...]:
        return self.config.elements

    @property
    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.potential.parameters())

    def check_elements(self, z: Tensor) -> None:
        """Raise an InputError that names the elements it was not trained on, if there are any."""
        unknown = sorted(set(z.unique().tolist()) - set(self.elements))
        if unknown:
            names, known = ", ".join(map(symbol_of, unknown)), ", ".join(map(symbol_of, self.elements))
            raise InputError(f"the model was not trained on {names}: it knows {known}")

    def weights(self) -> dict[str, Tensor]:
        """The tensors by name, as a run folder has them; the shifts and scales of the elements are among them."""
        return dict(self.potential.state_dict())

    def to_dict(self) -> dict[str, Any]:
        """All but the weights, as plain values (config.json)."""
        return {
            "grapevine": grapevine.__version__,
            "kind": KIND,
            "model": self.config.model_dump(mode="json"),
            "has_forces": self.has_forces,
            "has_stress": self.has_stress,
            "units": "angstrom, electronvolt",
        }


def make_potential(config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> TrainedPotential:
    """What `to_dict` and `weights` gave, put together again.

    Raises:
        InputError: if they do not fit together, or are of a version that this one can not read.
    """
    try:
        check(config.get("kind") == KIND, "it is no model of atoms in space")
        model = PotentialConfig.model_validate(config["model"])
        potential = Potential(build_potential_network(model))
        potential.load_state_dict(dict(weights))
        return TrainedPotential(potential.eval(), model, bool(config["has_forces"]), bool(config["has_stress"]))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"this is no potential that this version of Grapevine can build: {error}") from error


def load_potential(run: Path | str | TrainedPotential) -> TrainedPotential:
    """The potential of a run folder, in evaluation mode.

    Raises:
        InputError: if there is none.
    """
    if isinstance(run, TrainedPotential):
        return run
    saved = load_run(Path(run))
    return make_potential(saved.config, saved.weights)
