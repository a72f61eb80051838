"""How good the trained networks are, beside what was asked and what was published: python -m benchmarks.accuracy

Each network is trained from its published settings (grapevine.recipes.models), and each figure is the mean of several
seeds, splits or folds on the test part, in percent. The epoch is chosen on the validation part; but for the published
rule of Xu et al. 2019, "How powerful are graph neural networks?", which chooses one epoch for all ten folds by the
mean of what is tested, and so is too good: the honest figure beside it chooses on a tenth of each fold's training part.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean, stdev
from time import perf_counter
from typing import NamedTuple

import torch

from benchmarks.graphs import DATA
from benchmarks.machine import environment, slug
from benchmarks.report import Claim, Result, Table, keep, skipped, to_markdown
from grapevine.data.dataset import Dataset
from grapevine.data.datasets import load_dataset
from grapevine.data.split import Split, link_split, stratified_split
from grapevine.errors import InputError
from grapevine.recipes.models import (
    build_network,
    first_layer,
    model_config,
    training_settings,
    training_steps,
)
from grapevine.task import GraphTask, Link, LinkTask, NodeTask, SingleLabel
from grapevine.task.task import Task
from grapevine.train.loop import fit
from grapevine.train.record import Fit
from grapevine.train.settings import Settings

RESULTS = Path(__file__).with_name("results")
_ROOTS = {"cora": DATA / "planetoid", "minesweeper": DATA / "heterophilous", "amazon-photo": DATA / "npz"}
_ROOTS["texas"] = DATA / "heterophilous"
_INNER = 0.1  # of a fold's training part, to choose the epoch by


@dataclass(frozen=True)
class Scores:
    """A figure of each run in percent, and how long all of them took together."""

    each: tuple[float, ...]
    seconds: float

    @property
    def mean(self) -> float:
        return fmean(self.each)

    @property
    def std(self) -> float:
        return stdev(self.each) if len(self.each) > 1 else 0.0


@dataclass(frozen=True)
class Folds:
    """The accuracies on each fold: by the published rule, at `epoch` for all, and at an epoch chosen without them."""

    published: Scores
    honest: Scores
    epoch: int


@dataclass(frozen=True)
class Scale:
    """How large a run is: at most so many seeds, splits or folds, and epochs; `workers` train at the same time."""

    runs: int = 10
    epochs: int | None = None
    workers: int = 1


class _Job(NamedTuple):
    """One training: of which model on what, from which seed, on which split or fold, with how many epochs."""

    dataset: str
    model: str
    run: int
    epochs: int | None
    is_honest: bool = True


def nodes(dataset: str, model: str, scale: Scale) -> Scores:
    """The test metric of Cora (seeds of the public split), Minesweeper (its masks) or Amazon Photo (drawn splits)."""
    return _scores(_node_score, [_Job(dataset, model, run, scale.epochs) for run in range(scale.runs)], scale)


def links(scale: Scale) -> Scores:
    """The area under the ROC curve of the links of Cora, 85/5/10, with a GCN for an encoder."""
    return _scores(_link_score, [_Job("cora", "gcn", run, scale.epochs) for run in range(scale.runs)], scale)


def folds(name: str, scale: Scale) -> Folds:
    """The accuracy of GIN on the ten folds of a set of the TU collection, by both rules."""
    begin = perf_counter()
    curves = _parallel(_fold_curve, [_Job(name, "gin", k, scale.epochs, False) for k in range(scale.runs)], scale)
    mean = [fmean(column) for column in zip(*curves, strict=True)]
    epoch = max(range(len(mean)), key=lambda k: mean[k])
    published = Scores(tuple(curve[epoch] for curve in curves), perf_counter() - begin)
    honest = _scores(_fold_score, [_Job(name, "gin", k, scale.epochs) for k in range(scale.runs)], scale)
    return Folds(published, honest, epoch + 1)


@cache
def data(name: str) -> Dataset:
    """The data set, from the folder beside the project where it is there.

    Raises:
        InputError: if it can not be had.
    """
    root = _ROOTS.get(name, DATA)
    return load_dataset(name, root if root.is_dir() else None)


def _node_score(job: _Job) -> float:
    dataset = data(job.dataset)
    if dataset.splits:
        split = dataset.splits[job.run if len(dataset.splits) > 1 else 0]
    else:
        split = stratified_split(dataset.graph.y, seed=job.run)
    objective = _classes(dataset)
    done = _trained(job, NodeTask(dataset.graph, split, objective), "node")
    return 100 * done.scores["test"][objective.metric]


def _link_score(job: _Job) -> float:
    task = LinkTask(link_split(data(job.dataset).graph, seed=job.run), Link())
    return 100 * _trained(job, task, "link").scores["test"]["roc_auc"]


def _fold_curve(job: _Job) -> list[float]:
    """The accuracy on the fold's test part after each epoch."""
    dataset = data(job.dataset)
    fold = dataset.splits[job.run]
    judged = Split(fold.train, fold.test, torch.zeros_like(fold.test))  # what is tested stands where epochs are judged
    done = _trained(job, _graphs(job, judged), "graph")
    return [100 * (row.val_metric or 0.0) for row in done.history]


def _fold_score(job: _Job) -> float:
    """The accuracy on the fold's test part at the epoch of the lowest loss on a tenth of its training part."""
    dataset = data(job.dataset)
    fold, y = dataset.splits[job.run], dataset.graph.y
    inner = stratified_split(torch.where(fold.train, y, -1), train=1 - _INNER, val=_INNER, seed=job.run)
    done = _trained(job, _graphs(job, Split(inner.train, inner.val, fold.test)), "graph")
    return 100 * done.scores["test"]["accuracy"]


def _graphs(job: _Job, split: Split) -> GraphTask:
    dataset = data(job.dataset)
    steps = training_steps(job.model, level="graph", dataset=job.dataset)
    return GraphTask(dataset.graph, split, _classes(dataset), **steps)


def _classes(dataset: Dataset) -> SingleLabel:
    num_classes = int(dataset.graph.y.max()) + 1
    return SingleLabel.model_validate({"num_classes": num_classes, "metric": dataset.metric or "accuracy"})


def _trained(job: _Job, task: Task, level) -> Fit:
    """The model with its published settings, from the seed of the run."""
    config = model_config(job.model, level=level, dataset=job.dataset)
    torch.manual_seed(job.run)
    network = build_network(config, task.graph, task.objective, level=level)  # pyright: ignore[reportAttributeAccessIssue]
    decayed = first_layer(network) if config.decays_first_layer_only else None
    return fit(network, task, _settings(job, level), decayed=decayed)


def _settings(job: _Job, level) -> Settings:
    settings = training_settings(job.model, level=level, dataset=job.dataset)
    told: dict[str, object] = {"seed": job.run, "monitor_every": 1000}  # nobody looks at the monitors here
    if job.epochs is not None:
        told["max_epochs"] = job.epochs
    if not job.is_honest:  # every epoch is judged
        told |= {"stop_on": "metric", "patience": settings.max_epochs}
    return settings.model_copy(update=told)


def _scores(function: Callable[[_Job], float], jobs: Sequence[_Job], scale: Scale) -> Scores:
    begin = perf_counter()
    return Scores(tuple(_parallel(function, jobs, scale)), perf_counter() - begin)


def _parallel(function: Callable, jobs: Sequence[_Job], scale: Scale) -> list:
    """What the function says of each job; several workers have a thread each."""
    begin, found = perf_counter(), []
    if scale.workers == 1:
        found = [_told(function(job), job, begin) for job in jobs]
    else:
        context = get_context("forkserver")
        with ProcessPoolExecutor(scale.workers, context, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for job, answer in zip(jobs, pool.map(function, jobs), strict=True):
                found.append(_told(answer, job, begin))
    return found


def _told(answer, job: _Job, begin: float):
    said = f"best {max(answer):.1f}" if isinstance(answer, list) else f"{answer:.2f}"
    print(f"  {job.dataset}, {job.model}, run {job.run}: {said} ({perf_counter() - begin:.0f} s)", file=sys.stderr)
    return answer


def _of_nodes(title: str, dataset: str, asked: dict[str, tuple[float, str]], scale: Scale) -> Result:
    found = {model: nodes(dataset, model, scale) for model in asked}
    return _result(title, {model.upper(): (found[model], *asked[model]) for model in asked})


def _of_folds(name: str, asked: float, published: str, scale: Scale) -> Result:
    found, short = folds(name, scale), name.removeprefix("tu:")
    figures = {
        f"published rule, epoch {found.epoch}": (found.published, asked, published),
        "honest": (found.honest, None, ""),
    }
    return _result(f"{short}, GIN, accuracy on {len(found.honest.each)} folds", figures)


def _result(title: str, figures: dict[str, tuple[Scores, float | None, str]]) -> Result:
    rows, claims = [], []
    for name, (found, asked, published) in figures.items():
        spread = f"{found.mean:.2f} ± {found.std:.2f}"
        rows.append([name, spread, published, "" if asked is None else f"{asked:g}", found.seconds])
        if asked is not None:
            claims.append(Claim(f"{title}: {name}", found.mean, asked))
    return Result([Table(title, ["", "measured", "published", "asked", "seconds"], rows)], claims)


BENCHMARKS: dict[str, Callable[[Scale], Result]] = {
    "mutag": lambda scale: _of_folds("tu:MUTAG", 88.0, "89.4", scale),
    "proteins": lambda scale: _of_folds("tu:PROTEINS", 75.0, "76.2", scale),
    "minesweeper": lambda scale: _of_nodes(
        "Minesweeper, ROC-AUC on its masks", "minesweeper", {"gcn": (89.0, "89.75"), "sage": (93.0, "93.51")}, scale
    ),
    "photo": lambda scale: _of_nodes(
        "Amazon Photo, accuracy on random 60/20/20 splits",
        "amazon-photo",
        {"gcn": (93.0, ""), "sage": (93.0, "")},
        scale,
    ),
    "cora-link": lambda scale: _result("Cora, links, ROC-AUC", {"GCN": (links(scale), 91.0, "")}),
    "cora": lambda scale: _of_nodes(
        "Cora, accuracy on the public split", "cora", {"gcn": (81.0, "81.5"), "gat": (82.3, "83.0")}, scale
    ),
}


def main() -> None:
    """Run those that are named, all by default, and keep their results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"some of {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="two runs of a few epochs, to see that all works")
    parser.add_argument("--workers", type=int, default=2, help="how many train at the same time, with a thread each")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"there is no {' or '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    scale = Scale(2, 3, arguments.workers) if arguments.quick else Scale(workers=arguments.workers)
    here = environment(scale.workers)
    for name in arguments.names or BENCHMARKS:
        try:
            result = BENCHMARKS[name](scale)
        except InputError as error:
            result = skipped(name, str(error))
        result = replace(result, claims=[]) if arguments.quick else result
        print(f"\n## {name}\n\n{to_markdown(result)}\n", flush=True)
        if not arguments.quick:
            keep(RESULTS / f"accuracy-{slug()}.json", list(BENCHMARKS), name, result, here)


if __name__ == "__main__":
    main()
