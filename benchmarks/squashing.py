"""Over-squashing on Tree-NeighborsMatch, and a rewiring that undoes it: python -m benchmarks.squashing [cells]

A cell is a network, a depth and, if any, a rewiring: gcn-4, gin-5+virtual-node. Each trains for so many minutes of the
processor on one thread, and what it reached is kept after each in benchmarks/results/squashing-MACHINE.{json,md}; with
`--folder` the trainings themselves are kept, so that another call with more minutes goes on where they ended, and
several calls can share the work. The published accuracies took up to 50,000 epochs on a GPU: Alon & Yahav 2021, "On the
bottleneck of graph neural networks and its practical implications", figure 3.

Beside the accuracies: how much the root of a tree hears of its leaves before anything is learnt, and the spectral gap.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor

from benchmarks.machine import environment, slug
from benchmarks.report import Result, Table, to_markdown
from benchmarks.squashing_levels import answers_of, batches
from benchmarks.squashing_shared import SharedTrees
from benchmarks.squashing_training import Progress, train
from benchmarks.squashing_trees import MODELS, Examples, SeparateTrees, TreeNetwork
from grapevine.diagnose.squashing import jacobian_norms
from grapevine.graph import Graph
from grapevine.graph.measures import spectral_gap
from grapevine.ops.runtime.allocator import keep_memory
from grapevine.rewire import parse, rewire

RESULTS = Path(__file__).with_name("results")
DEPTHS = (4, 5, 6)
FULLY_ADJACENT = "fully-adjacent"  # the last layer, the remedy of the paper
PUBLISHED = {
    "gcn": {4: 0.70, 5: 0.19, 6: 0.14}, "gin": {4: 0.77, 5: 0.29, 6: 0.20},
    "gat": {4: 1.0, 5: 0.41, 6: 0.21}, "ggnn": {4: 1.0, 5: 0.60, 6: 0.38},
}  # fmt: skip
CELLS = [f"{model}-{depth}" for depth in DEPTHS for model in MODELS]
REMEDIES = (f"gatv2-{{}}+{FULLY_ADJACENT}", "gatv2-{}", "gin-{}+virtual-node")
CELLS += [cell.format(depth) for depth in DEPTHS for cell in REMEDIES]
_ORDERS = {2: 24, 3: 80, 4: 80, 5: 40, 6: 20}  # of values in a batch: about 1,024 trees that teach, as in the paper
_SEPARATE = 32  # trees in a batch where they share nothing
_DRAWN = 10  # networks whose sensitivity is averaged


def parts_of(cell: str) -> tuple[str, int, str]:
    """The network, the depth and the spec of the rewiring."""
    name, _, spec = cell.partition("+")
    model, _, depth = name.rpartition("-")
    return model, int(depth), spec


def run(cell: str, minutes: float, folder: Path) -> Progress:
    """Train a cell for so many minutes in all."""
    model, depth, spec = parts_of(cell)
    torch.manual_seed(0)
    network, examples = TreeNetwork(model, depth), Examples(depth)

    def shared(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in batches(examples, _ORDERS[depth], generator):
            yield answers_of(network, batch), batch.answers

    def separate(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        for x, answers in trees.batches(generator):
            yield network(x, trees.edges, trees.roots), answers

    def climbing(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        for x, roots, answers in forest.batches(generator):
            yield network(x, forest.edges, roots), answers

    if model in MODELS and not spec:
        return train(network, shared, minutes, folder / f"{cell}.pt")
    if spec in ("", FULLY_ADJACENT) and model != "gin":  # whose batch normalisation counts nodes
        forest = SharedTrees(examples, _ORDERS[depth], fully_adjacent=bool(spec))
        return train(network, climbing, minutes, folder / f"{cell}.pt")
    trees = _separate(examples, _SEPARATE, spec)
    return train(network, separate, minutes, folder / f"{cell}.pt", num_epochs=1)


def _separate(examples: Examples, num_trees: int, spec: str) -> SeparateTrees:
    if spec == FULLY_ADJACENT:
        return SeparateTrees(examples, num_trees, fully_adjacent=True)
    return SeparateTrees(examples, num_trees, (lambda graph: rewire(graph, parse(spec))) if spec else None)


def measures(cell: str) -> dict[str, float]:
    """Of a tree, before training: what the root hears of a leaf and of all leaves, and the spectral gap."""
    model, depth, spec = parts_of(cell)
    examples = Examples(depth)
    trees = _separate(examples, 1, spec)
    x, _ = trees.batch(torch.tensor([0]))
    of_leaf, share = [], []
    for seed in range(_DRAWN):
        torch.manual_seed(seed)
        network = TreeNetwork(model, depth).double()
        heard = jacobian_norms(lambda x, net=network: net.states(x, trees.edges), x.double(), trees.roots)[0]
        leaves = heard[2**depth - 1 : 2 ** (depth + 1) - 1]
        of_leaf.append(float(leaves.mean()))
        share.append(float(leaves.sum() / heard.sum()))
    tree = Graph(trees.edges[-1].without_self_loops())
    return {"of_leaf": float(np.mean(of_leaf)), "share": float(np.mean(share)), "gap": spectral_gap(tree).gap}


def keep(path: Path, cell: str, found: dict[str, Any]) -> None:
    """Put a cell among those in the file, and write all of them as tables."""
    path.parent.mkdir(exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        cells = json.loads(path.read_text()) if path.is_file() else {}
        cells[cell] = found
        cells = {name: cells[name] for name in sorted(cells, key=_place)}
        path.write_text(json.dumps(cells, indent=1) + "\n")
        path.with_suffix(".md").write_text(f"# Tree-NeighborsMatch\n\n{to_markdown(tables(cells))}\n")


def tables(cells: dict[str, Any]) -> Result:
    """The accuracies beside the published ones, what each cell took, and what was measured before."""
    plain = [name for name in cells if "+" not in name]
    rows = [[model, *(_beside(cells, model, depth) for depth in DEPTHS)] for model in MODELS]
    others = dict.fromkeys((parts_of(name)[0], parts_of(name)[2]) for name in cells)
    for model, spec in others:
        found = [cells.get(f"{model}-{depth}" + f"+{spec}" * bool(spec)) for depth in DEPTHS]
        if spec or model not in MODELS:
            title = f"{model}, {spec}" if spec else model
            rows.append([title, *("" if cell is None else f"{cell['accuracy']:.3f}" for cell in found)])
    wide = ["", *(f"depth {depth}" for depth in DEPTHS)]
    notes = [
        "", "Of what is said of the trees that teach, the best round of ten epochs; in brackets the published one.",
        "Published: up to 50,000 epochs. Here: the table below." if plain else "",
    ]  # fmt: skip
    taken = [
        [name, f"{cell['accuracy']:.3f}", f"{cell['seconds'] / 60:.1f}", f"{cell['epochs']:,}", f"{cell['steps']:,}",
         cell["ended"] or "time is over", cell["day"]]
        for name, cell in cells.items()
    ]  # fmt: skip
    before = [[name, cell["of_leaf"], cell["share"], cell["gap"]] for name, cell in cells.items()]
    return Result(
        [
            Table("Training accuracy on Tree-NeighborsMatch", wide, rows, notes),
            Table("What each took", ["", "accuracy", "minutes", "epochs", "steps", "ended by", "day"], taken),
            Table(
                "Before training, means of ten networks",
                ["", "|d root / d leaf|", "of all the root hears, from leaves", "spectral gap"],
                before,
            ),
        ]
    )


def _beside(cells: dict[str, Any], model: str, depth: int) -> str:
    found = cells.get(f"{model}-{depth}")
    return f"{found['accuracy']:.3f} ({PUBLISHED[model][depth]:.2f})" if found else ""


def _place(cell: str) -> tuple[int, str]:
    return (CELLS.index(cell) if cell in CELLS else len(CELLS), cell)


def main() -> None:
    """Train the cells that are named, all by default, and keep what they reached."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.squashing", description=__doc__)
    parser.add_argument("cells", nargs="*", metavar="cell", help=f"such as {', '.join(CELLS[-5:])}")
    parser.add_argument("--minutes", type=float, default=10.0, help="of the processor, for each cell, earlier ones too")
    parser.add_argument("--folder", type=Path, help="where trainings are kept, to go on with them")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_memory()
    here = environment(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for cell in arguments.cells or CELLS:
            done = run(cell, arguments.minutes, folder)
            day = datetime.now(UTC).date().isoformat()
            found = {**asdict(done), **measures(cell), "day": day, "environment": here}
            keep(RESULTS / f"squashing-{slug()}.json", cell, found)
    path = RESULTS / f"squashing-{slug()}.json"
    print(to_markdown(tables(json.loads(path.read_text()))))


if __name__ == "__main__":
    main()
