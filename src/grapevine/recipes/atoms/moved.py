"""Structures moved by a trained potential through ASE: relaxed to where no force is left, or let go in time.

drift = slope of the energy that is kept, by least squares over the run, per atom and picosecond
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from grapevine.data.atoms.ase_parts import atoms_part
from grapevine.data.download import Progress
from grapevine.errors import InputError, check
from grapevine.recipes.atoms.calculator import Calculator

Ensemble = Literal["nve", "langevin"]
_MILLI = 1000.0


@dataclass(frozen=True)
class Moved:
    """What became of a structure.

    Args:
        atoms: the last structure, an `ase.Atoms`.
        table: a row for each step that was kept: of a run time in ps, energies in eV and temperature in K; of a
            relaxation the energy and the largest force.
        sentences: what it came to, in words.
        numbers: the same as plain numbers, for JSON.
    """

    atoms: Any
    table: pl.DataFrame
    sentences: tuple[str, ...]
    numbers: dict[str, Any]


def read_start(path: Path, frame: int = -1) -> Any:
    """A structure as an `ase.Atoms`, without a calculator.

    Raises:
        InputError: if there is no such file or frame, or a coordinate is no number.
    """
    check(path.is_file(), f"there is no file {path}")
    try:
        atoms = atoms_part("ase.io").read(str(path), index=frame)
    except Exception as error:  # ASE raises whatever the format of the file makes Python raise
        raise InputError(f"{path} can not be read by ASE: {type(error).__name__}: {error}") from error
    check(len(atoms) > 0, f"{path} holds no atoms")
    atoms.calc = None
    bad = ~np.isfinite(atoms.positions).all(axis=1)
    check(not bad.any(), f"{path}: the place of atom {bad.argmax()} is no number")
    return atoms


def relax(
    run: Path | str, start: Path | Any, *, fmax: float = 0.01, max_steps: int = 500, has_cell: bool = False,
    dtype: Literal["float32", "float64"] | None = "float64", out: Path | None = None, frame: int = -1,
    on_progress: Progress | None = None,
) -> Moved:  # fmt: skip
    """Move the atoms to where no force is larger than `fmax`, by BFGS; with the cell by ASE's `FrechetCellFilter`.

    Args:
        start: a file of structures, or an `ase.Atoms`, which is left as it is.
        has_cell: whether the cell changes too.
        dtype: float64, since small forces are lost in float32.
        out: where the last structure is written, in a format of ASE.

    Raises:
        InputError: if the structure can not be read, or holds an element that the model was not trained on.
    """
    check(fmax > 0, f"fmax must be a positive force in eV/angstrom, got {fmax}")
    atoms = _started(run, start, frame, dtype)
    check(not has_cell or bool(atoms.pbc.all()), "--cell needs a structure that repeats in every direction")
    _writable(out)
    moving = atoms_part("ase.filters").FrechetCellFilter(atoms) if has_cell else atoms
    rows: list[dict[str, float]] = []

    def keep() -> None:
        largest = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
        rows.append({"step": len(rows), "energy": atoms.get_potential_energy(), "largest_force": largest})
        if on_progress is not None:
            on_progress(f"relaxing, largest force {largest:.4f}", len(rows) - 1, max_steps)

    with atoms_part("ase.optimize").BFGS(moving, logfile=None) as search:
        search.attach(keep)
        is_done = bool(search.run(fmax=fmax, steps=max_steps))
    table = pl.DataFrame(rows)
    first, last = rows[0], rows[-1]
    ended = f"no force is above {fmax:g} eV/Å" if is_done else f"stopped at {max_steps} steps before all forces fell"
    sentences = [
        f"{len(rows) - 1} steps: energy {first['energy']:.6f} to {last['energy']:.6f} eV, largest force "
        f"{first['largest_force']:.4f} to {last['largest_force']:.4f} eV/Å; {ended}"
    ]
    numbers = {"steps": len(rows) - 1, "converged": is_done, "energy": last["energy"], "fmax": last["largest_force"]}
    if has_cell:
        numbers["volume"] = float(atoms.get_volume())
        sentences.append(f"volume {numbers['volume']:.4f} Å³")
    if out is not None:
        _write(out, atoms)
        sentences.append(f"the last structure: {out}")
    return Moved(atoms, table, tuple(sentences), numbers | {"path": None if out is None else str(out)})


def run_md(
    run: Path | str, start: Path | Any, *, steps: int, timestep: float = 0.5, temperature: float = 300.0,
    ensemble: Ensemble = "nve", friction: float = 1.0, every: int = 10, seed: int = 0,
    dtype: Literal["float32", "float64"] | None = None, trajectory: Path | None = None, picture: Path | None = None,
    frame: int = -1, on_progress: Progress | None = None,
) -> Moved:  # fmt: skip
    """Let the atoms go: by velocity Verlet, which keeps the energy, or with Langevin's bath.

    They begin with velocities drawn for `temperature`, without a drift or a turn of the whole.

    Args:
        start: a file of structures, or an `ase.Atoms`, which is left as it is.
        timestep: femtoseconds.
        friction: of the bath, 1 / picosecond.
        every: so many steps from one kept row, and frame of the trajectory, to the next.
        seed: of the velocities and the bath.
        trajectory: .traj, .xyz or another format of ASE that can be added to; what was reached is kept in any case.
        picture: a PNG of energy and temperature against time.

    Raises:
        InputError: if the structure can not be read, an element is unknown, or the run flies apart.
    """
    check(steps >= 1 and timestep > 0, f"there must be a step, and it must take time, got {steps} and {timestep} fs")
    atoms = _started(run, start, frame, dtype)
    _writable(trajectory)
    _writable(picture)
    units = atoms_part("ase.units")
    _give_velocities(atoms, temperature, seed)
    dynamics = _dynamics(atoms, timestep * units.fs, temperature, ensemble, friction / (1000 * units.fs), seed)
    rows: list[dict[str, float]] = []

    def keep() -> None:
        potential, kinetic = atoms.get_potential_energy(), atoms.get_kinetic_energy()
        step = dynamics.nsteps
        check(bool(np.isfinite(potential + kinetic)), f"the run flew apart at step {step}: take a shorter --timestep")
        time = step * timestep / 1000
        rows.append({"time": time, "potential": potential, "kinetic": kinetic, "total": potential + kinetic,
                     "temperature": float(atoms.get_temperature())})  # fmt: skip
        if trajectory is not None:
            _write(trajectory, _frozen(atoms), is_first=step == 0)
        if on_progress is not None:
            on_progress(f"{ensemble}, {rows[-1]['temperature']:.0f} K", step, steps)

    dynamics.attach(keep, interval=every)
    dynamics.run(steps)
    return _told_of(atoms, pl.DataFrame(rows), ensemble, (trajectory, picture))


def drift_of(table: pl.DataFrame, num_atoms: int) -> float:
    """The slope of the total energy in meV per atom and picosecond.

    >>> drift_of(pl.DataFrame({"time": [0.0, 1.0, 2.0], "total": [0.0, 0.01, 0.02]}), 10)
    1.0
    """
    time, total = table["time"].to_numpy(), table["total"].to_numpy()
    if len(time) < 2:
        return 0.0
    centred = time - time.mean()
    slope = float(centred @ (total - total.mean()) / (centred @ centred))
    return round(_MILLI * slope / num_atoms, 9)


def _told_of(
    atoms: Any, table: pl.DataFrame, ensemble: Ensemble, paths: tuple[Path | None, Path | None]
) -> Moved:  # fmt: skip
    trajectory, picture = paths
    numbers: dict[str, Any] = {
        "steps_kept": table.height, "picoseconds": table["time"][-1], "temperature": table["temperature"].mean(),
        "drift": drift_of(table, len(atoms)), "trajectory": None if trajectory is None else str(trajectory),
        "picture": None if picture is None else str(picture),
    }  # fmt: skip
    spread = _MILLI * float(table["total"].to_numpy().std()) / len(atoms)
    sentences = [f"{numbers['picoseconds']:g} ps of {len(atoms)} atoms, {numbers['temperature']:.0f} K on average"]
    varied = f"the total energy varied by {spread:.3g} meV/atom"
    sentences.append(f"drift {numbers['drift']:.4g} meV/atom/ps; {varied}" if ensemble == "nve" else varied)
    if trajectory is not None:
        sentences.append(f"trajectory: {trajectory}")
    if picture is not None:
        from grapevine.report.atoms import write_md_picture  # imports matplotlib, a second

        write_md_picture(table, len(atoms), picture)
        sentences.append(f"picture: {picture}")
    return Moved(atoms, table, tuple(sentences), numbers)


def _started(run: Path | str, start: Path | Any, frame: int, dtype: Literal["float32", "float64"] | None) -> Any:
    calculator = Calculator(run, dtype=dtype)
    atoms = read_start(start, frame) if isinstance(start, Path) else start.copy()
    atoms.calc = calculator
    return atoms


def _give_velocities(atoms: Any, temperature: float, seed: int) -> None:
    module, random = atoms_part("ase.md.velocitydistribution"), np.random.RandomState(seed)
    module.MaxwellBoltzmannDistribution(atoms, temperature_K=temperature, rng=random)
    module.Stationary(atoms)
    if not atoms.pbc.any() and len(atoms) > 2:
        module.ZeroRotation(atoms)
    if temperature > 0 and len(atoms) > 1:
        module.force_temperature(atoms, temperature)


def _dynamics(
    atoms: Any, step: float, temperature: float, ensemble: Ensemble, friction: float, seed: int
) -> Any:  # fmt: skip
    if ensemble == "nve":
        return atoms_part("ase.md.verlet").VelocityVerlet(atoms, timestep=step)
    random = np.random.RandomState(seed + 1)
    langevin: Callable = atoms_part("ase.md.langevin").Langevin
    return langevin(atoms, timestep=step, temperature_K=temperature, friction=friction, fixcm=False, rng=random)


def _frozen(atoms: Any) -> Any:
    """A copy that keeps energy and forces."""
    copy = atoms.copy()
    single = atoms_part("ase.calculators.singlepoint").SinglePointCalculator
    results = {name: atoms.calc.results[name] for name in ("energy", "forces") if name in atoms.calc.results}
    copy.calc = single(copy, **results)
    return copy


def _writable(path: Path | None) -> None:
    check(path is None or path.parent.is_dir(), f"there is no folder {path and path.parent} to write into")


def _write(path: Path, atoms: Any, *, is_first: bool = True) -> None:
    """A structure, behind those that are there already unless it is the first."""
    try:
        if path.suffix == ".traj":
            with atoms_part("ase.io.trajectory").Trajectory(str(path), "w" if is_first else "a") as file:
                file.write(atoms)
        else:
            atoms_part("ase.io").write(str(path), atoms, append=not is_first)
    except Exception as error:  # as in reading
        raise InputError(f"{path} can not be written by ASE: {type(error).__name__}: {error}") from error
