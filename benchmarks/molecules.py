"""How good the trained networks are on molecules, beside chemprop: python -m benchmarks.molecules [names] [--chemprop]

ESOL and FreeSolv (RMSE) and Tox21 (ROC-AUC, the mean over its tasks) on random splits, BBBP (ROC-AUC) on scaffolds,
80/10/10 each. Both sides read the molecules, the answers and the splits from one file, and one function judges both.
Ours are trained as `grapevine train` does by default, theirs as `chemprop train` does; the weights that are tested are
those with the lowest loss on the validation part. `--folder` keeps each run, so that an interrupted call can go on.

chemprop has an environment of its own, since it asks for another RDKit than Grapevine does:

    python -m venv chemprop-venv && chemprop-venv/bin/pip install chemprop==2.3.1
    export CHEMPROP_PYTHON=$PWD/chemprop-venv/bin/python
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from benchmarks.graphs import DATA
from benchmarks.machine import environment, slug
from benchmarks.report import Claim, Result, Table, keep, skipped, to_markdown
from grapevine.data.molecules.encoders import MoleculeEncoders
from grapevine.data.molecules.spec import MoleculeSpec
from grapevine.data.split import Split, SplitRule, make_split
from grapevine.data.split.split import split_of
from grapevine.recipes.config import TaskConfig
from grapevine.recipes.models import training_settings
from grapevine.recipes.plan import plan
from grapevine.recipes.source import Loaded, Source, load
from grapevine.recipes.train import train
from grapevine.task import MultiLabel, Regression
from grapevine.task.task import PARTS

RESULTS = Path(__file__).with_name("results")
CHEMPROP = "chemprop 2.3.1"
CHEMPROP_EPOCHS = 50  # the default of chemprop train
_SIDE = Path(__file__).with_name("chemprop_side.py")
_MODELS = ("dmpnn", "attentivefp", "gine", "gin", "gcn", "mpnn")
_TOX21 = (
    "NR-AR", "NR-AR-LBD", "NR-AhR", "NR-Aromatase", "NR-ER", "NR-ER-LBD", "NR-PPAR-gamma", "SR-ARE", "SR-ATAD5",
    "SR-HSE", "SR-MMP", "SR-p53",
)  # fmt: skip
Kind = Literal["numbers", "classes", "labels"]


@dataclass(frozen=True)
class Case:
    """A data set, how it is split, how often, and what was asked of which model (or of the best of all)."""

    title: str
    file: Path
    targets: tuple[str, ...]
    kind: Kind
    rule: SplitRule
    runs: int
    models: tuple[str, ...] = ("dmpnn",)
    asked: tuple[tuple[str, float], ...] = ()

    @property
    def metric(self) -> str:
        return "rmse" if self.kind == "numbers" else "roc_auc"


class Run(NamedTuple):
    """One training: what it came to on the test part, how long it took, and how long the processor was at it."""

    score: float
    seconds: float
    processor: float


@dataclass(frozen=True)
class Shared:
    """What both sides read: `file` holds the molecules, the answers and the splits."""

    case: Case
    loaded: Loaded
    file: Path

    @property
    def spec(self) -> MoleculeSpec:
        """What the columns of the table are."""
        assert isinstance(self.loaded.encoders, MoleculeEncoders)
        return self.loaded.encoders.spec

    def splits(self) -> tuple[Split, ...]:
        """As they stand in the file."""
        told, count = json.loads(self.file.read_text())["splits"], self.loaded.dataset.graph.num_graphs
        return tuple(split_of([torch.tensor(split[part]) for part in PARTS], count) for split in told)


def _case(title: str, file: str, targets: Sequence[str], kind: Kind, split: str, runs: int, **more: Any) -> Case:
    rule = SplitRule.model_validate({"kind": split, "train": 0.8, "val": 0.1})
    return Case(title, DATA / "molecules" / file, tuple(targets), kind, rule, runs, **more)


CASES: dict[str, Case] = {
    "esol": _case(
        "ESOL, RMSE on random splits", "ESOL_delaney-processed.csv", ["measured log solubility in mols per litre"],
        "numbers", "random", 10, models=_MODELS, asked=(("dmpnn", 0.62), ("best", 0.60)),
    ),
    "freesolv": _case(
        "FreeSolv, RMSE on random splits", "FreeSolv_SAMPL.csv", ["expt"], "numbers", "random", 10,
        asked=(("dmpnn", 1.05),),
    ),
    "bbbp": _case(
        "BBBP, ROC-AUC on the rarest scaffolds, from several seeds", "BBBP.csv", ["p_np"], "classes",
        "scaffold_sorted", 3, asked=(("dmpnn", 0.68),),
    ),
    "bbbp-balanced": _case("BBBP, ROC-AUC on drawn scaffolds", "BBBP.csv", ["p_np"], "classes", "scaffold", 3),
    "tox21": _case(
        "Tox21, ROC-AUC on random splits", "tox21.csv", _TOX21, "labels", "random", 3, asked=(("dmpnn", 0.82),)
    ),
}  # fmt: skip


def shared(case: Case, runs: int, folder: Path) -> Shared:
    """Read the molecules, draw the splits, and write both to a file that either side reads."""
    spec = MoleculeSpec(smiles="smiles", targets=case.targets, target_kind=case.kind)
    loaded = load(Source(path=str(case.file), molecules=spec))
    dataset = loaded.dataset
    splits = [make_split(case.rule.model_copy(update={"seed": seed}), dataset) for seed in range(runs)]
    told = {
        "kind": "regression" if case.kind == "numbers" else "classification",
        "targets": case.targets,
        "smiles": dataset.smiles,
        "y": [[None if value != value else value for value in row] for row in _answers(loaded).tolist()],
        "splits": [{part: getattr(split, part).nonzero().squeeze(1).tolist() for part in PARTS} for split in splits],
    }
    file = folder / f"{case.file.stem}-{case.rule.kind}.json"
    file.write_text(json.dumps(told))
    return Shared(case, loaded, file)


def ours(data: Shared, model: str, runs: Sequence[int], *, epochs: int | None = None) -> Iterator[Run]:
    """Train on each of those splits, each from its own seed."""
    case = data.case
    loaded = replace(data.loaded, dataset=replace(data.loaded.dataset, splits=data.splits()))
    source = Source(path=str(case.file), molecules=data.spec)
    for run in runs:
        task = TaskConfig(
            kind=case.kind, metric=case.metric, split=SplitRule.model_validate({"kind": "public", "fold": run})
        )
        config = plan(source, model, level="graph", task=task, max_epochs=epochs)
        told = {"seed": run, "monitor_every": 1000}  # nobody looks at the monitors here
        config = config.model_copy(update={"training": config.training.model_copy(update=told)})
        begin = time.process_time()
        result = train(config, loaded=loaded, has_report=False)
        yield Run(result.scores["test"][case.metric], result.seconds, time.process_time() - begin)


def theirs(data: Shared, runs: Sequence[int], *, epochs: int, threads: int) -> Iterator[Run]:
    """The same with chemprop, in its own Python."""
    job = {"what": "train", "problem": str(data.file), "folds": list(runs), "epochs": epochs, "threads": threads}
    splits, y = data.splits(), _answers(data.loaded)
    with Peer(job, data.file.parent) as peer:
        for run in runs:
            answer = peer.answer()
            said = torch.tensor(answer["said"], dtype=torch.float64)
            yield Run(_score(data.case, said, y[splits[run].test]), answer["seconds"], answer["processor"])


class Peer:
    """chemprop's Python at work on a job of chemprop_side.py."""

    def __init__(self, job: dict[str, Any], folder: Path):
        python = chemprop_python()
        assert python is not None, "ask chemprop_python first"
        told, self.log = folder / f"job-{job['what']}.json", folder / f"chemprop-{job['what']}.log"
        told.write_text(json.dumps(job))
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [python, str(_SIDE), str(told)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                env=clean,
            )  # fmt: skip

    def answer(self) -> dict[str, Any]:
        """What it says next.

        Raises:
            RuntimeError: if it ended before; with the end of what it complained of.
        """
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"chemprop's side has ended: {self.log.read_text()[-2000:]}")
        return json.loads(line)

    def go(self) -> None:
        """Let it begin the next epoch."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.communicate()


def chemprop_python() -> str | None:
    """The Python that has chemprop; None where the environment names none."""
    return os.environ.get("CHEMPROP_PYTHON")


def why_no_chemprop() -> str | None:
    """Why its side is left out; None where it is there."""
    python = chemprop_python()
    if python is None:
        return "CHEMPROP_PYTHON names no Python with chemprop 2.3.1; see benchmarks/molecules.py"
    return None if Path(python).is_file() else f"CHEMPROP_PYTHON is {python}, and there is no such file"


class Runs:
    """Finished runs as lines of a file, none of which is made twice."""

    def __init__(self, path: Path):
        self.path = path
        lines = path.read_text().splitlines() if path.is_file() else []
        self.known = {tuple(key): Run(*run) for key, run in map(json.loads, lines)}

    def all(self, key: tuple[str, ...], count: int, make: Callable[[list[int]], Iterator[Run]]) -> list[Run]:
        """The runs 0 .. count - 1 under that key; what is not known yet is made and kept."""
        lacking = [k for k in range(count) if (*key, str(k)) not in self.known]
        for k, run in zip(lacking, make(lacking) if lacking else (), strict=True):
            self.known[*key, str(k)] = run
            with self.path.open("a") as file:
                file.write(json.dumps([[*key, str(k)], run]) + "\n")
            print(f"  {', '.join(key)}, run {k}: {run.score:.4f} ({run.seconds:.0f} s)", file=sys.stderr, flush=True)
        return [self.known[*key, str(k)] for k in range(count)]


@dataclass(frozen=True)
class Scale:
    """How large a run is: at most so many splits and epochs, the threads of each side, and some models or all."""

    runs: int | None = None
    epochs: int | None = None
    threads: int = 2
    has_chemprop: bool = False
    models: tuple[str, ...] = ()


def measure(name: str, case: Case, scale: Scale, folder: Path) -> Result:
    """All models of a case, and chemprop if it is wanted."""
    if not case.file.is_file():
        return skipped(case.title, f"there is no file {case.file}")
    torch.set_num_threads(scale.threads)
    count = min(scale.runs or case.runs, case.runs)
    data, done = shared(case, count, folder), Runs(folder / "runs.jsonl")
    found: dict[str, list[Run]] = {}
    rows = []
    for model in (model for model in case.models if model in (scale.models or case.models)):
        epochs = scale.epochs or _epochs(model)
        key = (name, model, str(epochs))
        found[model] = done.all(key, count, lambda runs, model=model: ours(data, model, runs, epochs=scale.epochs))
        rows.append(_row(model, epochs, found[model], dict(case.asked).get(model)))
    if scale.has_chemprop:
        reason = why_no_chemprop()
        wanted = {
            scale.epochs or CHEMPROP_EPOCHS,
            scale.epochs or training_settings("dmpnn", level="graph", dataset="molecules").max_epochs,
        }
        for epochs in sorted(wanted) if reason is None else ():
            key = (name, CHEMPROP, str(epochs))
            runs = done.all(key, count, lambda k, epochs=epochs: theirs(data, k, epochs=epochs, threads=scale.threads))
            rows.append(_row(CHEMPROP, epochs, runs, None))
        if reason is not None:
            rows.append([CHEMPROP, f"skipped: {reason}", "", None, None, ""])
    sizes = ", ".join(f"{int(getattr(data.splits()[0], part).sum())} {part}" for part in PARTS)
    title = f"{case.title}: {count} runs, {sizes}"
    columns = ["", "mean ± std", "epochs", "seconds a training", "of the processor", "asked"]
    return Result([Table(title, columns, rows)], _claims(case, found))


def _epochs(model: str) -> int:
    """Of its own settings on molecules."""
    return training_settings(model, level="graph", dataset="molecules").max_epochs


def _row(model: str, epochs: int, runs: Sequence[Run], asked: float | None) -> list:
    scores = [run.score for run in runs]
    spread = f" ± {np.std(scores, ddof=1):.3f}" if len(scores) > 1 else ""
    took = fmean(run.seconds for run in runs), fmean(run.processor for run in runs)
    return [model, f"{fmean(scores):.3f}{spread}", str(epochs), *took, "" if asked is None else f"{asked:g}"]


def _claims(case: Case, found: dict[str, list[Run]]) -> list[Claim]:
    means = {model: fmean(run.score for run in runs) for model, runs in found.items()}
    if len(found) == len(case.models):
        means["best"] = (min if case.kind == "numbers" else max)(means.values())
    return [
        Claim(f"{case.title}: {model}", means[model], asked, is_limit=case.kind == "numbers")
        for model, asked in case.asked
        if model in means
    ]


def _answers(loaded: Loaded) -> Tensor:
    """[g, t] in float64, NaN where one is unknown."""
    y = loaded.dataset.graph.y
    y = y.unsqueeze(1) if y.ndim == 1 else y
    return y.double() if y.is_floating_point() else y.double().where(y >= 0, torch.nan)


def _score(case: Case, said: Tensor, y: Tensor) -> float:
    """Of numbers, or of anything that grows with the probability of a label."""
    count = len(case.targets)
    objective = Regression(num_targets=count) if case.kind == "numbers" else MultiLabel(num_labels=count)
    return objective.scores(said, y, [case.metric])[case.metric]


def main() -> None:
    """Measure those that are named, all by default, and keep their results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.molecules", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"some of {', '.join(CASES)}")
    parser.add_argument("--runs", type=int, help="at most so many splits or seeds")
    parser.add_argument("--models", nargs="+", default=[], help="some of those of a data set; else all")
    parser.add_argument("--chemprop", action="store_true", help="chemprop beside ours")
    parser.add_argument("--threads", type=int, default=2, help="of either side")
    parser.add_argument("--folder", type=Path, help="for splits and finished runs; else they are thrown away")
    parser.add_argument("--quick", action="store_true", help="two runs of two epochs, to see that all works")
    told = parser.parse_args()
    if unknown := set(told.names) - set(CASES):
        parser.error(f"there is no {' or '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    scale = Scale(
        2 if told.quick else told.runs, 2 if told.quick else None, told.threads, told.chemprop, tuple(told.models)
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = told.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in told.names or CASES:
            result = measure(name, CASES[name], scale, folder)
            print(f"\n## {name}\n\n{to_markdown(replace(result, claims=[]) if told.quick else result)}\n", flush=True)
            if not told.quick:
                keep(RESULTS / f"molecules-{slug()}.json", list(CASES), name, result, environment(told.threads))


if __name__ == "__main__":
    main()
