"""What `grapevine train` does where a potential is trained."""

from pathlib import Path

from grapevine.cli import screen
from grapevine.cli.atoms import AtomsGiven, make_potential_config
from grapevine.cli.atoms_screen import show_potential
from grapevine.cli.given import Kept, Place, Question, Way
from grapevine.data.download import Progress
from grapevine.errors import check
from grapevine.recipes.atoms.result import AtomsResult
from grapevine.recipes.atoms.train import read_atoms_config, resume_potential, train_potential
from grapevine.train.run_files import read_toml


def train_new(
    place: Place, question: Question, way: Way, kept: Kept, told: AtomsGiven, on_progress: Progress | None
) -> AtomsResult:
    """Read the structures and train."""
    config = make_potential_config(place, question, way, kept, told)
    return train_potential(config, out=kept.out, has_report=kept.has_report, on_progress=on_progress)


def train_again(config: Path, seed: int | None, kept: Kept, on_progress: Progress | None) -> AtomsResult:
    """What a config.toml says, under another name or from another seed if that was told."""
    path = config / "config.toml" if config.is_dir() else config
    check(path.is_file(), f"there is no file {path}")
    told = read_atoms_config(read_toml(path))
    if seed is not None:
        told = told.model_copy(update={"training": told.training.model_copy(update={"seed": seed})})
    told = told.model_copy(update={"name": kept.name or told.name})
    return train_potential(told, out=kept.out, has_report=kept.has_report, on_progress=on_progress)


def take_up(path: Path, on_progress: Progress | None) -> AtomsResult:
    """Go on with an interrupted run."""
    return resume_potential(path, on_progress=on_progress)


def show(found: AtomsResult, *, as_json: bool) -> None:
    """The result for people, or as JSON alone."""
    if as_json:
        screen.show_json({**found.to_dict(), "folder": None if found.folder is None else str(found.folder)})
    else:
        show_potential(found)
