"""Networks where neighbours are unlike, beside an MLP that hears nobody: python -m benchmarks.heterophily [names]

texas        web pages of a university: accuracy on the ten published splits, and what `diagnose` says beforehand
minesweeper  a grid with mines: ROC-AUC on its masks

Each network is trained from its published settings (grapevine.recipes.models), each split from a seed of its own; the
validation part chooses the epoch, the test part judges. `--folder` keeps each training, so that an interrupted call can
go on, within a training too; one whose settings were changed since is done again.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean, stdev
from typing import NamedTuple

import torch

from benchmarks.accuracy import data
from benchmarks.machine import environment, slug
from benchmarks.report import Cell, Claim, Result, Table, keep, skipped, to_markdown
from grapevine.data.dataset import Dataset
from grapevine.diagnose import homophily
from grapevine.errors import InputError
from grapevine.recipes.models import ModelConfig, build_network, model_config, settled, training_settings
from grapevine.task import NodeTask, SingleLabel
from grapevine.train.loop import fit
from grapevine.train.settings import Settings

RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True)
class Case:
    """What is trained on a data set, with the figure that was published for it, and what is said of the settings."""

    title: str
    models: Mapping[str, str]
    notes: tuple[str, ...]


class Job(NamedTuple):
    """One training: of which model on what, on which split, with at most how many epochs."""

    dataset: str
    model: str
    split: int
    epochs: int | None = None


class Score(NamedTuple):
    """The metric on two parts in percent, and the epochs that were trained."""

    val: float
    test: float
    epochs: int


CASES: dict[str, Case] = {
    "texas": Case(
        "Texas, accuracy",
        {
            "mlp": "81.89 ± 4.78", "gcn": "59.46 ± 5.25", "h2gcn": "82.16 ± 5.28", "gprgnn": "", "fagcn": "",
            "sage-sep": "82.43 ± 6.14", "linkx": "74.60 ± 8.37", "dirgnn": "",
        },
        (
            "Published: Zhu et al. 2020, Beyond homophily in graph neural networks (SAGE without blocks; its H2GCN-1 "
            "84.86 ± 6.77), and of LINKX Lim et al. 2021; other papers have other splits.",
            "The file holds each edge once and in no direction, so Dir-GNN hears the same neighbours twice.",
        ),
    ),
    "minesweeper": Case(
        "Minesweeper, ROC-AUC",
        {"gcn": "89.75 ± 0.52", "sage-sep": "93.51 ± 0.57", "gat-sep": "93.91 ± 0.35"},
        (
            "Published: Platonov et al. 2023, 512 wide, 1,000 steps of 3e-5. Here 64 wide, with steps of 3e-3, until "
            "the validation part gains no more.",
        ),
    ),
}  # fmt: skip


def score(job: Job, folder: Path) -> Score:
    """Train, or read what the training came to from the folder."""
    dataset = data(job.dataset)
    config, settings = plan(job, dataset)
    told = config.model_dump_json(exclude_defaults=True) + settings.model_dump_json(exclude_defaults=True)
    path = folder / f"{job.dataset}-{job.model}-{job.split}-{sha256(told.encode()).hexdigest()[:12]}.json"
    if path.is_file():
        return Score(**json.loads(path.read_text()))
    task = NodeTask(dataset.graph, dataset.splits[job.split], classes(dataset))
    torch.manual_seed(job.split)
    network = build_network(config, task.graph, task.objective, level="node")
    checkpoints = path.with_suffix(".part")
    done = fit(network, task, settings, checkpoints=checkpoints)
    val, test = (100 * done.scores[part][task.objective.metric] for part in ("val", "test"))
    found = Score(val, test, done.epochs)
    path.write_text(json.dumps(found._asdict()))
    shutil.rmtree(checkpoints)
    print(f"  {job.dataset}, {job.model}, split {job.split}: {test:.2f}, val {val:.2f}", file=sys.stderr, flush=True)
    return found


def plan(job: Job, dataset: Dataset) -> tuple[ModelConfig, Settings]:
    """The published network and training, the seed that of the split."""
    told: dict[str, object] = {"seed": job.split, "monitor_every": 1000}  # nobody looks at the monitors here
    if job.epochs is not None:
        told["max_epochs"] = job.epochs
    config = settled(model_config(job.model, level="node", dataset=job.dataset), dataset.graph)
    return config, training_settings(job.model, level="node", dataset=job.dataset).model_copy(update=told)


def classes(dataset: Dataset) -> SingleLabel:
    """What is asked of the nodes."""
    num_classes = int(dataset.graph.y.max()) + 1
    return SingleLabel.model_validate({"num_classes": num_classes, "metric": dataset.metric or "accuracy"})


def measure(name: str, jobs: Sequence[Job], folder: Path, workers: int) -> Result:
    """Train all of them and set them side by side."""
    found: dict[str, list[Score]] = {}
    for job, one in zip(jobs, _scores(jobs, folder, workers), strict=True):
        found.setdefault(job.model, []).append(one)
    case, num_splits = CASES[name], len(jobs) // len(found)
    columns = ["", "test", "validation", "published", "epochs"]
    rows = [[model, *_row(scores, case.models[model])] for model, scores in found.items()]
    table = Table(f"{case.title}, mean and deviation of {num_splits} splits", columns, rows, case.notes)
    return Result([foreseen(name), table], claims(name, {model: _mean(scores) for model, scores in found.items()}))


def foreseen(name: str) -> Table:
    """What is known before anything is trained: how alike neighbours are, and the share of the largest class."""
    graph = data(name).graph
    measured = homophily(graph, graph.y)
    largest = float(graph.y[graph.y >= 0].bincount().max() / (graph.y >= 0).sum())
    kinds = ("edge", "node", "class_insensitive", "adjusted", "label_informativeness")
    rows: list[list[Cell]] = [[kind.replace("_", " "), f"{getattr(measured, kind):.3f}"] for kind in kinds]
    rows.append(["share of the largest class", f"{largest:.3f}"])
    verdict = "Neighbours are no more alike than by chance: a network that averages them has to be measured against "
    verdict += "an MLP."
    return Table(f"{name}: homophily", ["", ""], rows, (verdict,) if measured.adjusted < 0.1 else ())


def claims(name: str, mean: Mapping[str, float]) -> list[Claim]:
    """What was asked for, of the means on the test parts."""
    if name == "minesweeper":
        return [Claim("Minesweeper, ROC-AUC of gat-sep", mean["gat-sep"], 93.0)]
    best = max(("h2gcn", "sage-sep"), key=lambda model: mean[model])
    return [
        Claim("Texas, accuracy of the MLP less that of GCN", mean["mlp"] - mean["gcn"], 0.0),
        Claim(f"Texas, accuracy of {best} less that of the MLP", mean[best] - mean["mlp"], 0.0),
    ]


def _scores(jobs: Sequence[Job], folder: Path, workers: int) -> list[Score]:
    """In the order of the jobs; several workers have a thread each."""
    one = partial(score, folder=folder)
    if workers == 1:
        return [one(job) for job in jobs]
    with ProcessPoolExecutor(
        workers, get_context("forkserver"), initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:
        return list(pool.map(one, jobs))


def _row(scores: Sequence[Score], published: str) -> list[Cell]:
    spread = [stdev(part) if len(scores) > 1 else 0.0 for part in ([s.test for s in scores], [s.val for s in scores])]
    val = fmean(one.val for one in scores)
    epochs = round(fmean(one.epochs for one in scores))
    return [f"{_mean(scores):.2f} ± {spread[0]:.2f}", f"{val:.2f} ± {spread[1]:.2f}", published, epochs]


def _mean(scores: Sequence[Score]) -> float:
    return fmean(one.test for one in scores)


def main() -> None:
    """Run those that are named, all by default, and keep their results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.heterophily", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"some of {', '.join(CASES)}")
    parser.add_argument("--splits", type=int, default=10, help="how many of the ten")
    parser.add_argument("--models", help="train only these, by commas, into the folder; makes no table")
    parser.add_argument("--folder", type=Path, help="where trainings are kept, to go on from")
    parser.add_argument("--workers", type=int, default=2, help="how many train at the same time, with a thread each")
    parser.add_argument("--quick", action="store_true", help="two splits, a few epochs; keeps no results")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(CASES):
        parser.error(f"there is no {' or '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    splits, epochs = (2, 3) if arguments.quick else (arguments.splits, None)
    if arguments.workers == 1:
        torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as passing:
        folder = arguments.folder or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        for name in arguments.names or CASES:
            models = arguments.models.split(",") if arguments.models else list(CASES[name].models)
            jobs = [Job(name, model, split, epochs) for model in models for split in range(splits)]
            if arguments.models:
                _scores(jobs, folder, arguments.workers)
                continue
            try:
                result = measure(name, jobs, folder, arguments.workers)
            except InputError as error:
                result = skipped(name, str(error))
            result = replace(result, claims=[]) if arguments.quick else result
            print(f"\n## {name}\n\n{to_markdown(result)}\n", flush=True)
            if not arguments.quick:
                path = RESULTS / f"heterophily-{slug()}.json"
                keep(path, list(CASES), name, result, environment(arguments.workers))


if __name__ == "__main__":
    main()
