"""How good trained potentials are after so many minutes: python -m benchmarks.potential_accuracy [names] [--models ...]

ethanol   950 frames of MD17 teach, 50 choose, 1,000 judge: MACE, and mace-torch's own mace_run_train beside it
3bpa      the 500 frames at 300 K: 405 teach, 45 choose, 50 judge
copper    cells of the mlearn set: energies, forces and stress
qm9       atomisation energies: a tenth of val.txt chooses, the rest teaches, test.txt judges; every network

Each training has one thread and a number of minutes of the processor: as many epochs as fill them, by the time of the
third; so figures depend on the machine. Ours are trained as `grapevine train` does otherwise. The weights that are
judged are those with the lowest loss on the part that chooses. `--folder` keeps each run, so that an interrupted call
can go on, and calls for different `--models` can share the cores. mace-torch has an environment of its own:

    python -m venv mace-venv && mace-venv/bin/pip install torch==2.13.0 mace-torch==0.3.16
    export MACE_PYTHON=$PWD/mace-venv/bin/python
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.graphs import DATA
from benchmarks.machine import environment, slug
from benchmarks.potentials import THEIRS, mace_python
from benchmarks.report import Cell, Claim, Result, Table, keep, skipped, to_markdown
from grapevine.graph import Graph
from grapevine.graph.take import take
from grapevine.recipes.atoms.apply import Said, judge
from grapevine.recipes.atoms.config import AtomsConfig, AtomsSource, AtomsSplit
from grapevine.recipes.atoms.data import AtomsData, load_atoms
from grapevine.recipes.atoms.plan import plan_potential
from grapevine.recipes.atoms.train import read_atoms_config, train_potential
from grapevine.recipes.atoms.write import frame_text
from grapevine.train.run import load_run

RESULTS = Path(__file__).with_name("results")
PEER = "mace-torch"
_SIDE = Path(__file__).with_name("mace_train_side.py")
_ATOMS = DATA / "atoms"
_GPA = 0.1602176634  # of a meV/angstrom^3
_KCAL = 23.0605e-3  # kcal/mol of a meV
_WHOLE_COPPER = 262  # after these come frames with wrong stresses, half of them copies of the others
_CLOCKED = 3  # epochs, by the last of which their number is found


@dataclass(frozen=True)
class Column:
    """A figure of a table: where it is found, and what it is multiplied by."""

    title: str
    metric: str
    part: str = "test"
    factor: float = 1.0


@dataclass(frozen=True)
class Case:
    """Structures, their split, and how long who is trained on them."""

    title: str
    source: AtomsSource
    split: AtomsSplit
    minutes: float
    models: tuple[str, ...]
    columns: tuple[Column, ...]
    asked: float | None = None  # of the first column, of MACE
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """One training: scores by part and metric, and what it took."""

    scores: Mapping[str, Mapping[str, float]]
    epochs: int
    parameters: int
    seconds: float
    processor: float | None
    is_by_the_clock: bool = False


_ENERGY = Column("energies MAE, meV/atom", "energy_mae")
_FORCES = Column("forces MAE, meV/Å", "forces_mae")
_CHOSEN = Column("forces MAE of the part that chooses", "forces_mae", "val")

CASES: dict[str, Case] = {
    "ethanol": Case(
        "MD17 ethanol, 950/50/1,000 frames",
        AtomsSource(path=str(_ATOMS / "md17_ethanol_2000.xyz"), energy_unit="kcal/mol"),
        AtomsSplit(sizes=(950, 50, 1000)), 30.0, ("mace", PEER), (_FORCES, _ENERGY, _CHOSEN), 20.0,
    ),
    "3bpa": Case(
        "3BPA at 300 K, 405/45/50 frames",
        AtomsSource(
            path=str(_ATOMS / "3bpa_train_300K.xyz"), isolated=str(_ATOMS / "3bpa_isolated_atoms.xyz")
        ),
        AtomsSplit(sizes=(405, 45, 50)), 4.0, ("mace",), (_FORCES, _ENERGY, _CHOSEN),
        notes=("The 50 that judge are of the same file: there is none of other temperatures.",),
    ),
    "copper": Case(
        "Copper cells of mlearn, 80/10/10 % of the first 262",
        AtomsSource(path=str(_ATOMS / "mlearn_Cu.json")), AtomsSplit(sizes=(0.8, 0.1, 0.1)), 8.0, ("mace",),
        (
            _FORCES, _ENERGY, Column("stress MAE, meV/Å³", "stress_mae"),
            Column("stress MAE, GPa", "stress_mae", factor=_GPA), _CHOSEN,
        ),
        notes=("Frames 262 to 323 are left out: copies of each other, with stresses that can not be.",),
    ),
    "qm9": Case(
        "Small molecules of QM9, atomisation energies",
        AtomsSource(path=str(DATA / "qm9_small")), AtomsSplit(sizes=(0.9, 0.1, 0.0)), 2.0,
        ("schnet", "dtnn", "painn", "egnn", "dimenet", "mace", "nequip"),
        (
            Column("MAE, meV", "structure_mae"), Column("MAE, kcal/mol", "structure_mae", factor=_KCAL),
            Column("MAE of the part that chooses, meV", "structure_mae", "val"),
        ),
        notes=("Of networks that hear bonds alone the best has 497 meV, see docs/comparison.md.",),
    ),
}  # fmt: skip


def plan_of(name: str, model: str, folder: Path) -> AtomsConfig:
    """Our training: the defaults, but that nothing ends it early."""
    case = CASES[name]
    source = case.source if name != "copper" else _whole_copper(case.source, folder)
    config = plan_potential(source, model, split=case.split, name=f"{name}-{model}")
    return _with(config, patience=10_000, monitor_every=5)


def ours(config: AtomsConfig, folder: Path, minutes: float) -> Run:
    """The training, or what is kept of it."""
    path, clock = folder / config.name, folder / f"{config.name}.processor"
    if not path.is_dir():
        count = max(_CLOCKED, int(60 * minutes / _seconds_an_epoch(config)))
        begin = time.process_time()
        train_potential(_with(config, max_epochs=count), out=folder, has_report=False, on_progress=_say)
        clock.write_text(str(time.process_time() - begin))
    told = load_run(path).metrics
    return Run(
        told["scores"], told["epochs"][0], told["parameters"], told["seconds"],
        float(clock.read_text()) if clock.is_file() else None, "max_minutes" in told["stopped_because"],
    )  # fmt: skip


def _seconds_an_epoch(config: AtomsConfig) -> float:
    """Of the processor, with the look at the part that chooses."""
    times: list[float] = []
    whole = config.model_copy(update={"loss": config.loss.model_copy(update={"last_energy_weight": None})})
    train_potential(_with(whole, max_epochs=_CLOCKED), on_progress=lambda *_: times.append(time.process_time()))
    return times[-1] - times[-2]


def _with(config: AtomsConfig, **told: int) -> AtomsConfig:
    return config.model_copy(update={"training": config.training.model_copy(update=told)})


def theirs(config: AtomsConfig, folder: Path, minutes: float) -> Run:
    """mace_run_train on the same frames, of as many epochs as fill the minutes."""
    data, place = load_atoms(config.source, config.split, config.model.cutoff), folder / config.name
    epochs, answers = place / "epochs.jsonl", place / "answers.pt"
    if not answers.is_file():
        place.mkdir(exist_ok=True)
        _write_frames(data, place)
        _ask(_job(place, "timing", _CLOCKED), place / "timing.jsonl")
        clocked = [row["processor"] for row in _rows(place / "timing.jsonl")]
        count = max(4, int(60 * minutes / (clocked[-1] - clocked[-2])))
        _ask(_job(place, "mace", count), epochs)
    rows, said = _rows(epochs), torch.load(answers)
    scores = judge(Said(said["energy"], said["forces"]), take(data.graph, data.parts["test"]))
    last = rows[-1]
    best = {"forces_mae": float("nan")}  # which of its epochs it kept is not told
    return Run({"test": scores, "val": best}, last["epoch"] + 1, said["parameters"], last["seconds"], last["processor"])


def peer_history(place: Path) -> list[tuple[int, float]]:
    """Its epochs from 1 on, and how far off its forces were on the part that chooses, in meV/angstrom."""
    path = place / "epochs.jsonl"
    rows = _rows(path) if path.is_file() else []
    return [(row["epoch"] + 1, row["forces_mae"]) for row in rows if "forces_mae" in row]


def _job(place: Path, name: str, epochs: int) -> dict[str, Any]:
    """The arguments of its command, the defaults of ours told where it asks for them."""
    told = {
        "name": name, "work_dir": place / name, "train_file": place / "train.xyz", "valid_file": place / "val.xyz",
        "E0s": "average", "model": "ScaleShiftMACE", "hidden_irreps": "32x0e + 32x1o", "r_max": 5.0, "batch_size": 5,
        "valid_batch_size": 10, "default_dtype": "float32", "ema_decay": 0.99, "lr": 0.01, "max_num_epochs": epochs,
        "device": "cpu", "seed": 0,
    }  # fmt: skip
    arguments = ["--ema", *(word for key, value in told.items() for word in (f"--{key}", str(value)))]
    if name == "timing":
        return {"arguments": arguments, "threads": 1}
    arguments += ["--swa", "--start_swa", str(round(0.75 * epochs))]
    return {
        "arguments": arguments, "threads": 1, "model": str(place / name / f"{name}_stagetwo.model"),
        "judged": str(place / "test.xyz"), "out": str(place / "answers.pt"),
    }  # fmt: skip


def _ask(job: dict[str, Any], answers: Path) -> None:
    """Let its Python do a job, and keep what it says of each epoch."""
    path, log, python = answers.with_suffix(".json"), answers.with_suffix(".log"), mace_python()
    assert python is not None, "ask mace_python first"
    path.write_text(json.dumps(job))
    alone = {"PYTHONPATH": "", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with answers.open("w") as out, log.open("w") as errors:
        done = subprocess.run(
            [python, str(_SIDE), str(path)], stdout=out, stderr=errors, env={**os.environ, **alone}, check=False
        )
    if done.returncode:
        raise RuntimeError(f"{THEIRS} gave up: {log.read_text()[-2000:]}")


def _write_frames(data: AtomsData, place: Path) -> None:
    """The frames of each part, under the names that its command looks for."""
    for part, ids in data.parts.items():
        graph = take(data.graph, ids)
        known = Said(graph.energy.double(), graph.forces.double())
        frames = [frame_text(graph, known, number) for number in range(graph.num_graphs)]
        text = "".join(frames).replace(" energy=", " REF_energy=").replace(":forces:", ":REF_forces:")
        (place / f"{part}.xyz").write_text(text)


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _whole_copper(source: AtomsSource, folder: Path) -> AtomsSource:
    """The frames that can be believed, in a file of their own."""
    path = folder / "copper.json"
    if not path.is_file():
        path.write_text(json.dumps(json.loads(Path(source.path).read_text())[:_WHOLE_COPPER]))
    return source.model_copy(update={"path": str(path)})


def measure(
    name: str, folder: Path, models: tuple[str, ...], minutes: float | None, *, is_kept: bool = False
) -> Result:  # fmt: skip
    """The models of a case, and what feels nothing beside them.

    Args:
        is_kept: only those whose runs the folder holds; nothing is trained.
    """
    case = CASES[name]
    if not Path(case.source.path).exists():
        return skipped(case.title, f"there is no {case.source.path}")
    torch.set_num_threads(1)
    budget, rows, claims, notes = minutes or case.minutes, [], [], list(case.notes)
    chosen = [model for model in case.models if not models or model in models]
    if is_kept:
        missing = [model for model in chosen if not (folder / f"{name}-{model}").is_dir()]
        notes += [f"Not trained yet: {', '.join(missing)}."] * bool(missing)
        chosen = [model for model in chosen if model not in missing]
    for model in chosen:
        config = plan_of(name, "mace" if model == PEER else model, folder)
        if model != PEER:
            run = ours(config, folder, budget)
        elif mace_python() is not None:
            run = theirs(config.model_copy(update={"name": f"{name}-{PEER}"}), folder, budget)
        else:
            rows.append([THEIRS, *[None] * len(case.columns), "skipped: MACE_PYTHON names no Python"])
            continue
        notes += [f"{model}: ended by the clock, beside other work."] * run.is_by_the_clock
        rows.append(_row(THEIRS if model == PEER else model, case, run))
        if model == "mace" and case.asked is not None:
            first = case.columns[0]
            claims.append(Claim(f"{case.title}: {first.title}", run.scores["test"][first.metric], case.asked, True))
    rows += _baseline_rows(name, case, folder)
    columns = ["", *(column.title for column in case.columns)]
    columns += ["epochs", "minutes by the clock", "of the processor", "parameters"]
    title = f"{case.title}: {budget:g} minutes each, one thread"
    filled = [row + [None] * (len(columns) - len(row)) for row in rows]
    return Result([Table(title, columns, filled, notes)], claims)


def _row(title: str, case: Case, run: Run) -> list[Cell]:
    figures = [_figure(column, run.scores) for column in case.columns]
    processor = None if run.processor is None else run.processor / 60
    return [title, *figures, str(run.epochs), run.seconds / 60, processor, f"{run.parameters:,}"]


def _figure(column: Column, scores: Mapping[str, Mapping[str, float]]) -> float | None:
    value = scores.get(column.part, {}).get(column.metric)
    return None if value is None or value != value else value * column.factor


def _baseline_rows(name: str, case: Case, folder: Path) -> list[list[Cell]]:
    """What a fit of the composition, and forces of zero, come to: any of our runs has it."""
    kept = next((folder / f"{name}-{model}" for model in case.models if (folder / f"{name}-{model}").is_dir()), None)
    if kept is None or not (kept / "metrics.json").is_file():
        return []
    scores = load_run(kept).metrics["baselines"]["composition"]
    return [["a fit of the composition, no forces", *(_figure(column, scores) for column in case.columns)]]


def processor_minutes(run: Path) -> float:
    """What a kept run took of the processor, ours or mace-torch's; NaN where it was not written down."""
    clock, epochs = run.with_name(f"{run.name}.processor"), run / "epochs.jsonl"
    if epochs.is_file():
        return _rows(epochs)[-1]["processor"] / 60
    return float(clock.read_text()) / 60 if clock.is_file() else float("nan")


def judged_graph(run: Path) -> tuple[AtomsConfig, Graph]:
    """The structures that judged a kept run, and how it was trained."""
    config = read_atoms_config(load_run(run).recipe)
    data = load_atoms(config.source, config.split, config.model.cutoff)
    return config, take(data.graph, data.parts["test"])


def _say(what: str, done: int, total: int) -> None:
    print(f"  {what} {done} of {total}", file=sys.stderr, flush=True)


def main() -> None:
    """Measure those that are named, all by default, and keep their results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.potential_accuracy", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"some of {', '.join(CASES)}")
    parser.add_argument("--models", nargs="+", default=[], help="some of those of a case; then nothing is written down")
    parser.add_argument(
        "--minutes", type=float, help="for each, instead of what is asked; then nothing is written down"
    )
    parser.add_argument("--kept", action="store_true", help="tables of what the folder holds; nothing is trained")
    parser.add_argument("--note", help="what else is to be known of these runs, a sentence below the tables")
    parser.add_argument("--folder", type=Path, help="for the runs; else they are thrown away")
    told = parser.parse_args()
    if unknown := set(told.names) - set(CASES):
        parser.error(f"there is no {' or '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    is_whole = not told.models and told.minutes is None
    with tempfile.TemporaryDirectory() as temporary:
        folder = told.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in told.names or CASES:
            result = measure(name, folder, tuple(told.models), told.minutes, is_kept=told.kept)
            if told.note:
                result = replace(result, tables=[replace(t, notes=[*t.notes, told.note]) for t in result.tables])
            print(f"\n## {name}\n\n{to_markdown(result if is_whole else replace(result, claims=[]))}\n", flush=True)
            if is_whole:
                keep(RESULTS / f"potential-accuracy-{slug()}.json", list(CASES), name, result, environment(1))


if __name__ == "__main__":
    main()
