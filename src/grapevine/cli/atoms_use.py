"""What `predict`, `evaluate`, `relax` and `md` do with a potential."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grapevine.cli import atoms_options, options
from grapevine.cli.errors import plain_errors
from grapevine.cli.given import Place
from grapevine.errors import InputError, check

RELAX_EPILOG = """Example:

grapevine relax runs/ethanol-mace start.xyz --fmax 0.01 --out relaxed.xyz"""

MD_EPILOG = """Examples:

grapevine md runs/ethanol-mace start.xyz --steps 20000 --timestep 0.5 --temperature 300 --trajectory path.xyz

grapevine md runs/copper-mace cell.xyz --steps 10000 --ensemble langevin --friction 1 --trajectory path.traj"""


def predict(run: Path, place: Place, *, pairs: str | None, out: Path | None, as_json: bool) -> None:
    """Energies, and into an .xyz file forces too."""
    from grapevine.cli import screen
    from grapevine.cli.atoms_screen import show_said
    from grapevine.recipes.atoms.use import predict_structures

    check(pairs is None, "--pairs is for models of links, and the run holds a potential")
    path = _file(place)
    if path is None:
        from grapevine.recipes.atoms.train import read_atoms_config
        from grapevine.train.run import load_run

        path = read_atoms_config(load_run(run).recipe).source.path
    with screen.progress() as on_progress:
        said = predict_structures(run, path, out=out, on_progress=on_progress)
    screen.show_json(said.to_dict()) if as_json else show_said(said)


def evaluate(
    run: Path, place: Place, labels: Mapping[str, str | None], *, part: Any, as_json: bool
) -> None:  # fmt: skip
    """Errors on a file with labels, or part by part on the run's own."""
    from grapevine.cli import screen
    from grapevine.cli.atoms_screen import show_errors
    from grapevine.data.atoms.options import ReadOptions
    from grapevine.recipes.atoms.use import evaluate_structures

    path, told = _file(place), {name: value for name, value in labels.items() if value is not None}
    check(path is not None or not told, "names and units of labels are told of a file: name one")
    chosen = ReadOptions(**told) if told else None  # pyright: ignore[reportArgumentType] it checks the units
    with screen.progress() as on_progress:
        found = evaluate_structures(run, path, options=chosen, part=part, on_progress=on_progress)
    screen.show_json(found.to_dict()) if as_json else show_errors(found)


def relax(
    run: options.RunPath,
    start: atoms_options.Start,
    frame: atoms_options.Frame = -1,
    fmax: atoms_options.Fmax = 0.01,
    max_steps: atoms_options.MaxSteps = 500,
    cell: atoms_options.Cell = False,
    dtype: atoms_options.UseDtype = "float64",
    out: atoms_options.OutStructure = None,
    json: options.Json = False,
) -> None:
    """Relax a structure with a potential: move its atoms to where no force is left."""
    with plain_errors():
        _check_potential(run)
        from grapevine.cli import screen
        from grapevine.cli.atoms_screen import show_moved
        from grapevine.recipes.atoms.moved import relax as recipe

        with screen.progress() as on_progress:
            found = recipe(
                run, start, fmax=fmax, max_steps=max_steps, has_cell=cell, dtype=dtype, out=out, frame=frame,
                on_progress=on_progress,
            )  # fmt: skip
        screen.show_json(found.numbers) if json else show_moved(found)


def md(
    run: options.RunPath,
    start: atoms_options.Start,
    steps: atoms_options.Steps = 1000,
    timestep: atoms_options.Timestep = 0.5,
    temperature: atoms_options.Temperature = 300.0,
    ensemble: atoms_options.Ensemble = "nve",
    friction: atoms_options.Friction = 1.0,
    every: atoms_options.Every = 10,
    seed: atoms_options.Seed = 0,
    frame: atoms_options.Frame = -1,
    dtype: atoms_options.UseDtype = None,
    trajectory: atoms_options.Trajectory = None,
    picture: atoms_options.Picture = None,
    json: options.Json = False,
) -> None:
    """Molecular dynamics with a potential: a trajectory, a picture, and how far the energy drifts."""
    with plain_errors():
        _check_potential(run)
        from grapevine.cli import screen
        from grapevine.cli.atoms_screen import show_moved
        from grapevine.recipes.atoms.moved import run_md

        if picture is None and trajectory is not None:
            picture = trajectory.with_suffix(".png")
        with screen.progress() as on_progress:
            found = run_md(
                run, start, steps=steps, timestep=timestep, temperature=temperature, ensemble=ensemble,
                friction=friction, every=every, seed=seed, dtype=dtype, trajectory=trajectory, picture=picture,
                frame=frame, on_progress=on_progress,
            )  # fmt: skip
        screen.show_json(found.numbers) if json else show_moved(found)


def _file(place: Place) -> str | None:
    """The file of structures that was named; None where nothing was."""
    if place.is_empty:
        return None
    if place.data is None or place != Place(data=place.data):
        raise InputError("the run holds a potential: give a file of structures, and no tables")
    check(Path(place.data).exists(), f"there is no file {place.data}")
    return place.data


def _check_potential(run: Path) -> None:
    """Raise an InputError if a run folder holds another kind of model."""
    from grapevine.data.structure_files import is_potential_run
    from grapevine.train.run import load_run

    if not is_potential_run(run):
        load_run(run)  # which says what is wrong with the folder
        raise InputError(f"{run} holds no potential: atoms are moved by one that was trained on structures")
