"""From what was given of structures of atoms on the command line to the configuration that the recipe takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grapevine.cli.given import Kept, Place, Question, Way
from grapevine.data.structure_files import POTENTIALS, holds_structures, is_potential_recipe
from grapevine.errors import InputError, check

# The options of `train` that mean something for structures, beside those of `AtomsGiven`.
_ALSO = (
    "data", "split", "split_seed", "train_share", "val_share", "model", "hidden", "layers", "epochs", "learning_rate",
    "weight_decay", "patience", "batch_size", "seed", "device", "name", "out", "no_report", "json",
)  # fmt: skip


@dataclass(frozen=True)
class AtomsGiven:
    """What is told of structures, of the network for them and of its loss."""

    energy_key: str | None = None
    forces_key: str | None = None
    stress_key: str | None = None
    energy_unit: str | None = None
    cutoff: float | None = None
    degree: int | None = None
    dtype: str | None = None
    sizes: str | None = None
    test: str | None = None
    isolated: str | None = None
    finetune: str | None = None
    max_minutes: float | None = None
    energy_weight: float | None = None
    forces_weight: float | None = None
    stress_weight: float | None = None
    last_energy_weight: float | None = None


def are_atoms(data: str | None, model: str | None, told: AtomsGiven, given: set[str]) -> bool:
    """Whether a potential is to be trained: its name says so, or the data's where no model is named.

    Raises:
        InputError: if something is told of atoms in space and what is trained is another model.
    """
    names = [name.strip() for name in (model or "").split(",") if name.strip()]
    potentials = [name for name in names if name in POTENTIALS]
    check(not potentials or len(names) == 1, f"{potentials[:1]} is trained by itself: name no other model beside it")
    is_file = data is not None and holds_structures(Path(data)) and "smiles" not in given and "inchi" not in given
    if potentials or (not names and (told.finetune is not None or is_file)):
        return True
    wrong = [f"--{name.replace('_', '-')}" for name, value in vars(told).items() if value is not None]
    others = f"--model {', '.join(POTENTIALS)}"
    check(not wrong, f"{', '.join(wrong)}: for structures of atoms in space, with {others}")
    return False


def refuse_others(given: set[str]) -> None:
    """Raise an InputError for options that mean nothing where a potential is trained."""
    allowed = {*_ALSO, *AtomsGiven.__dataclass_fields__}
    wrong = sorted(f"--{name.replace('_', '-')}" for name in given - allowed)
    check(not wrong, f"{', '.join(wrong)}: not for structures of atoms in space")


def refuse_labels(labels: Mapping[str, str | None]) -> None:
    """Raise an InputError where labels of structures are told and a model is no potential."""
    wrong = ", ".join(f"--{name.replace('_', '-')}" for name, value in labels.items() if value is not None)
    check(not wrong, f"{wrong}: for potentials, and the run holds none")


def is_saved_as_potential(path: Path | None) -> bool:
    """Whether a config.toml, or a run to be taken up, is of a potential."""
    return path is not None and is_potential_recipe(path)


def make_potential_config(place: Place, question: Question, way: Way, kept: Kept, told: AtomsGiven) -> Any:
    """The configuration, with sensible settings where nothing is told.

    Raises:
        InputError: if options do not go together, or there is no such file.
    """
    from grapevine.cli.checked import valid
    from grapevine.recipes.atoms.config import AtomsConfig, AtomsSource, AtomsSplit
    from grapevine.recipes.atoms.plan import plan_potential

    if place.data is None:
        raise InputError("say where the structures are: a file as frames.xyz")
    for file in (place.data, told.test, told.isolated):
        check(file is None or Path(file).exists(), f"there is no file {file}")
    names = ("energy_key", "forces_key", "stress_key", "energy_unit", "test", "isolated")
    source = valid(AtomsSource, {"path": place.data, **{name: getattr(told, name) for name in names}})
    check(question.split in (None, "random", "time"), "structures are split at random or by time (the file's order)")
    sizes = _sizes(told.sizes, question.train_share, question.val_share)
    split = {"kind": question.split or "random", "sizes": sizes, "seed": question.split_seed or 0}
    config = plan_potential(source, way.model, split=valid(AtomsSplit, split), finetune=told.finetune, name=kept.name)
    model = {
        "hidden_channels": way.hidden, "num_layers": way.layers, "cutoff": told.cutoff, "hidden_degree": told.degree,
        "dtype": told.dtype,
    }  # fmt: skip
    if told.finetune is not None:
        wrong = [name for name, value in model.items() if value is not None]
        check(not wrong, f"{', '.join(wrong)}: the network is that of {told.finetune}")
    training = {
        "max_epochs": way.epochs, "learning_rate": way.learning_rate, "weight_decay": way.weight_decay,
        "patience": way.patience, "seed": way.seed, "accelerator": way.device, "max_minutes": told.max_minutes,
    }  # fmt: skip
    if told.max_minutes is not None and way.epochs is None:
        training["max_epochs"] = 100_000  # the clock alone ends it
        training["patience"] = way.patience or 100_000
    loss = {
        "energy_weight": told.energy_weight, "forces_weight": told.forces_weight, "stress_weight": told.stress_weight,
        "last_energy_weight": told.last_energy_weight,
    }  # fmt: skip
    plain = config.model_dump()
    for part, changes in (("model", model), ("training", training), ("loss", loss)):
        plain[part] |= {name: value for name, value in changes.items() if value is not None}
    if told.last_energy_weight == 0:
        plain["loss"]["last_energy_weight"] = None
    plain["batch_size"] = question.batch_size or config.batch_size
    return valid(AtomsConfig, plain)


def _sizes(told: str | None, train: float | None, val: float | None) -> tuple[float, ...] | None:
    """950/50/1000, 0.8/0.1/0.1 or 450/50; or the two shares."""
    shares = train is not None or val is not None
    check(told is None or not shares, "say --sizes, or --train-share and --val-share")
    if shares:
        first, second = 0.8 if train is None else train, 0.1 if val is None else val
        return first, second, max(0.0, round(1 - first - second, 9))
    if told is None:
        return None
    try:
        sizes = [float(size) for size in told.split("/")]
    except ValueError:
        sizes = []
    check(len(sizes) in (2, 3) and min(sizes) >= 0, f"--sizes must be as 950/50/1000 or 0.8/0.1/0.1, got {told!r}")
    return (*sizes, 0.0)[:3]
