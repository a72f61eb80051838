"""The full command on Cora against a bare loop: reading, task, monitors, run folder and report beside what they wrap.

The bare loop reads the same files and trains the same networks from the same seeds: step, validation loss, early stop,
best weights kept. Both in one process, after one run of each that is not timed.
"""

import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
import torch.nn.functional as F

from benchmarks.graphs import DATA
from benchmarks.report import Claim, Result, Table, skipped
from benchmarks.timing import Scale
from grapevine.data.datasets import load_dataset
from grapevine.ops.runtime.allocator import keep_memory
from grapevine.recipes.models import build_network, first_layer
from grapevine.recipes.plan import plan
from grapevine.recipes.source import Source
from grapevine.recipes.train import train
from grapevine.task import SingleLabel

_FOLDER = DATA / "planetoid"
_SEEDS = 10
_LIMIT = 1.5


def run(scale: Scale) -> Result:
    """Ten seeds of the published GCN, each way in turn."""
    title = f"GCN on Cora, {_SEEDS} seeds, from the files on disk"
    if not _FOLDER.is_dir():
        return skipped(title, f"Cora's raw files are not in {_FOLDER}")
    seeds, rounds = (_SEEDS, scale.long_rounds) if scale.is_full else (1, 1)
    medians = scale.fresh(compare, seeds, rounds)
    bare, whole = medians["bare loop"], medians["full command"]
    rows = [[name, seconds, seconds / bare] for name, seconds in medians.items()]
    claim = Claim("the full command over the bare loop", whole / bare, _LIMIT, is_limit=True)
    return Result([Table(title, ["", "seconds", "times the bare loop's"], rows)], [claim])


def compare(seeds: int, rounds: int) -> dict[str, float]:
    """The median seconds of each way."""
    keep_memory()
    ways = {"bare loop": _bare, "full command, no report": _without_report, "full command": _full}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way(1)
    for _ in range(rounds):
        for name, way in ways.items():
            begin = perf_counter()
            way(seeds)
            times[name].append(perf_counter() - begin)
    return {name: median(each) for name, each in times.items()}


def _bare(seeds: int) -> None:
    dataset = load_dataset("cora", _FOLDER)
    graph, split = dataset.graph, dataset.splits[0]
    config = plan(Source(dataset="cora"), "gcn")
    settings = config.training
    objective = SingleLabel(num_classes=7)
    nodes = {part: getattr(split, part).nonzero().squeeze(1) for part in ("train", "val", "test")}
    for seed in range(seeds):
        torch.manual_seed(seed)
        network = build_network(config.model, graph, objective, level="node")
        decayed = first_layer(network)
        others = [p for p in network.parameters() if all(p is not q for q in decayed)]
        groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
        optimizer = torch.optim.Adam(groups, lr=settings.learning_rate, fused=True)
        best, best_epoch, weights = float("inf"), 0, {}
        for epoch in range(settings.max_epochs):
            network.train()
            loss = F.cross_entropy(network(graph, nodes["train"]), graph.y[nodes["train"]])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            network.eval()
            with torch.inference_mode():
                value = F.cross_entropy(network(graph, nodes["val"]), graph.y[nodes["val"]]).item()
            if value < best:
                best, best_epoch = value, epoch
                weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
            elif epoch - best_epoch >= settings.patience:
                break
        network.load_state_dict(weights)
        with torch.inference_mode():
            (network(graph, nodes["test"]).argmax(1) == graph.y[nodes["test"]]).float().mean().item()


def _full(seeds: int, *, has_report: bool = True) -> None:
    config = plan(Source(dataset="cora", root=str(_FOLDER)), "gcn").model_copy(update={"seeds": seeds})
    with tempfile.TemporaryDirectory() as out:
        train(config, out=Path(out), has_report=has_report)


def _without_report(seeds: int) -> None:
    _full(seeds, has_report=False)
