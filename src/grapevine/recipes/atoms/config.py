"""All that the training of a potential is made of, as plain values: what `config.toml` of its run folder holds."""

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from grapevine.data.atoms.options import ReadOptions
from grapevine.data.atoms.units import EnergyUnit, LengthUnit, StressUnit
from grapevine.train.settings import Settings

PotentialName = Literal["mace", "nequip", "painn", "schnet", "dtnn", "egnn", "dimenet"]
POTENTIALS: tuple[PotentialName, ...] = get_args(PotentialName)
DtypeName = Literal["float32", "float64"]
_PATHS = ("path", "test", "isolated")


class AtomsSource(BaseModel):
    """Where structures come from, under which names their labels stand there, and in which units.

    Args:
        path: a file of structures, or a folder of them; in a folder with test.txt that judges, and train.txt, or
            val.txt where there is none, teaches.
        test: a file whose structures judge.
        isolated: a file with the energies of isolated atoms, a frame each.
        energy_key, forces_key, stress_key, virial_key: the names of the labels; None: the usual ones are looked for.
        energy_unit, length_unit, stress_unit: None: those that the format is known for, else eV and angstrom.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    test: str | None = None
    isolated: str | None = None
    energy_key: str | None = None
    forces_key: str | None = None
    stress_key: str | None = None
    virial_key: str | None = None
    energy_unit: EnergyUnit | None = None
    length_unit: LengthUnit | None = None
    stress_unit: StressUnit | None = None

    @property
    def name(self) -> str:
        """What a run on these data is called.

        >>> AtomsSource(path="data/ethanol.xyz").name
        'ethanol'
        """
        return Path(self.path).name.split(".")[0] or "atoms"

    @property
    def options(self) -> ReadOptions:
        """How the files are to be read."""
        names = ("energy_key", "forces_key", "stress_key", "virial_key", "energy_unit", "length_unit", "stress_unit")
        return ReadOptions(**{name: getattr(self, name) for name in names})

    def absolute(self) -> "AtomsSource":
        """The same with whole paths, which mean the same from any folder."""
        given = {name: getattr(self, name) for name in _PATHS}
        return self.model_copy(
            update={name: str(Path(p).expanduser().absolute()) for name, p in given.items() if p is not None}
        )


class AtomsSplit(BaseModel):
    """Which structures teach, choose and judge.

    Args:
        kind: "random", or "time": in the order of the file, so that what judges comes last.
        sizes: of the three parts: counts, or shares if none is above 1; None: 80, 10 and 10 percent, and 90 and 10
            where a file of its own judges.
        seed: of the draw.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["random", "time"] = "random"
    sizes: tuple[NonNegativeFloat, NonNegativeFloat, NonNegativeFloat] | None = None
    seed: NonNegativeInt = 0


class PotentialConfig(BaseModel):
    """A network of atoms. What is None is the network's own default, or does not belong to it.

    Args:
        cutoff: how far an atom hears, in angstrom.
        hidden_channels: numbers of a state, of MACE and NequIP copies of each irrep.
        num_layers: how often neighbours are heard.
        hidden_degree: of MACE and NequIP, the highest degree of the states.
        max_degree: of MACE, that of the harmonics; NequIP has one for both.
        correlation: of MACE, how often what is heard is multiplied with itself.
        dtype: of the weights and the places.
        elements: the atomic numbers that it knows; filled in from the data.
        avg_num_neighbors: of an atom of the training structures; filled in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: PotentialName = "mace"
    cutoff: PositiveFloat = 5.0
    hidden_channels: PositiveInt | None = None
    num_layers: PositiveInt | None = None
    hidden_degree: NonNegativeInt | None = None
    max_degree: NonNegativeInt | None = None
    correlation: PositiveInt | None = None
    dtype: DtypeName = "float32"
    elements: tuple[PositiveInt, ...] = ()
    avg_num_neighbors: PositiveFloat | None = None


class LossConfig(BaseModel):
    """What counts how much, first and in the last part of training.

    Batatia et al. 2022 begin with 1 for energies and 100 for forces, and end with 1000 for energies: forces say more
    of a structure, and energies come right in the end.

    Args:
        energy_weight, forces_weight, stress_weight: of squared errors; what the data do not hold does not count.
        last_energy_weight: the weight of energies in the last part; None: there is no last part. It is left out too
            where energies alone, or no energies, are known.
        last_share: of the epochs, or of the minutes, that are the last part.
        kind: mse, or huber.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    energy_weight: NonNegativeFloat = 1.0
    forces_weight: NonNegativeFloat = 100.0
    stress_weight: NonNegativeFloat = 100.0
    last_energy_weight: NonNegativeFloat | None = 1000.0
    last_share: Annotated[float, Field(gt=0, lt=1)] = 0.25
    kind: Literal["mse", "huber"] = "mse"


class AtomsConfig(BaseModel):
    """A training: structures, network, loss, and how it is trained.

    Args:
        kind: tells this configuration from others in a config.toml.
        batch_size: structures a step, in the mean, see `grapevine.task.structure.StructureTask`.
        finetune: a run whose weights it begins with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["atoms"] = "atoms"
    name: str
    source: AtomsSource
    split: AtomsSplit = AtomsSplit()
    model: PotentialConfig = PotentialConfig()
    loss: LossConfig = LossConfig()
    batch_size: PositiveInt = 10
    training: Settings
    finetune: str | None = None
