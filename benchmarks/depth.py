"""How deep a network can be on Cora, and what helps: python -m benchmarks.depth

Each network is trained at 2 to 64 layers on the public split from five seeds. GCN falls, as is published; beside it
stand what keeps nodes apart: residuals, jumping knowledge, norms, dropped edges and messages, GCNII, and the networks
whose steps have no weights (SGC, APPNP and GRAND, whose steps are counted as layers). Beside each accuracy stands how
far apart neighbours are in the last layer's states, before training and after it: the relative Dirichlet energy
tr(X^T L X) / tr(X^T X).

A cell, one network at one depth from one seed, is kept as soon as it is done, in a file of lines, and is not made
again: the same call goes on where it was stopped, and several calls with --share 1/2 and 2/2 share the work. Then
--write makes the tables and the picture of what is there.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple, cast

import torch

from benchmarks.accuracy import data
from benchmarks.machine import environment, slug
from benchmarks.report import Cell, Claim, Result, Table, keep, to_markdown
from grapevine.diagnose import smoothing
from grapevine.nn.network import Network
from grapevine.recipes.models import ModelConfig, build_network, decayed, model_config, training_settings
from grapevine.task import NodeTask, SingleLabel
from grapevine.train.loop import fit
from grapevine.train.settings import Settings

RESULTS = Path(__file__).with_name("results")
DEPTHS = (2, 4, 8, 16, 32, 64)
SEEDS = 5
HOLDS = 80.0  # percent, at the deepest
_ORDER = (64, 2, 32, 4, 16, 8)  # what says most comes first
# One training for all that are made of GCN layers, so that what stands between them is the only difference.
_GCN = {"hidden_channels": 64, "dropout": 0.5, "input_dropout": 0.5, "decays_first_layer_only": False}
_TRAINING = {"learning_rate": 0.01, "weight_decay": 5e-4, "max_epochs": 1500, "patience": 100}


@dataclass(frozen=True)
class Method:
    """A network for any depth.

    Args:
        title: what the tables call it.
        model: its name.
        changes: to the model's published configuration.
        training: to its published training.
        depth: the field of the configuration that is the depth.
        published: accuracies by depth, as Chen et al. 2020 give them in table 3.
    """

    title: str
    model: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    depth: str = "num_layers"
    published: tuple[float | None, ...] = ()


def _gcn(title: str, *published: float | None, **changes: Any) -> Method:
    return Method(title, "gcn", {**_GCN, **changes}, _TRAINING, published=published)


METHODS: dict[str, Method] = {
    "gcn": _gcn("GCN", 81.1, 80.4, 69.5, 64.9, 60.3, 28.7),
    "gcnii": Method("GCNII", "gcnii", published=(82.2, 82.6, 84.2, 84.6, 85.4, 85.5)),
    "appnp": Method("APPNP, K steps", "appnp"),
    "sgc": Method(
        "SGC, K hops", "sgc", {"num_layers": 1, "input_dropout": 0.0},
        {"learning_rate": 0.2, "weight_decay": 5e-5, "max_epochs": 1500, "patience": 100}, depth="order",
    ),
    # Without dropout between hops and map the map can come first, and 64 hops cost little.
    "grand": Method("GRAND (random), K steps", "grand", {"input_dropout": 0.0}),
    "jump-max": _gcn("GCN, jumping (max)", None, 80.2, 80.7, 80.2, 81.1, 71.5, jumping="max"),
    "initial": _gcn("GCN, initial residual", residual="initial"),
    "add": _gcn("GCN, residual", residual="add"),
    "drop-edge": _gcn("GCN, DropEdge 0.5", 82.8, 82.0, 75.8, 75.7, 62.5, 49.5, drop_edge=0.5),
    "pair": _gcn("GCN, PairNorm", norm="pair"),
    "gated": _gcn("GCN, gated residual", residual="gated"),
    "jump-cat": _gcn("GCN, jumping (cat)", jumping="cat"),
    "group": _gcn("GCN, DiffGroupNorm", norm="group"),
    "drop-message": _gcn("GCN, DropMessage 0.5", drop_message=0.5, dropout=0.0),
}  # fmt: skip


class Key(NamedTuple):
    """Which cell."""

    method: str
    depth: int
    seed: int


def settings_of(method: Method, depth: int) -> tuple[ModelConfig, Settings]:
    """The network and how it is trained."""
    config = model_config(method.model, level="node", dataset="cora")
    settings = training_settings(method.model, level="node", dataset="cora")
    config = ModelConfig.model_validate({**config.model_dump(), **method.changes, method.depth: depth})
    return config, Settings.model_validate({**settings.model_dump(), **method.training})


def measured(key: Key, epochs: int | None = None) -> dict[str, Any]:
    """Train one cell: its accuracies in percent, its epochs, and what its last states look like."""
    network, config, settings, task = _made(key)
    limit = settings.max_epochs if epochs is None else epochs
    settings = settings.model_copy(update={"seed": key.seed, "max_epochs": limit})
    done = fit(network, task, settings, decayed=decayed(network, config))
    scores = {part: 100 * done.scores[part]["accuracy"] for part in ("val", "test")}
    return {**key._asdict(), **scores, "epochs": done.epochs, **_likeness(network, config)}


def at_start(key: Key) -> dict[str, Any]:
    """What the last states of a cell look like before it has learnt anything."""
    network, config, *_ = _made(key)
    return {**key._asdict(), **_likeness(network.eval(), config)}


def _made(key: Key) -> tuple[Network, ModelConfig, Settings, NodeTask]:
    dataset = data("cora")
    config, settings = settings_of(METHODS[key.method], key.depth)
    objective = SingleLabel(num_classes=int(dataset.graph.y.max()) + 1)
    torch.manual_seed(key.seed)
    network = build_network(config, dataset.graph, objective, level="node")
    return network, config, settings, NodeTask(dataset.graph, dataset.splits[0], objective)


def _likeness(network: Network, config: ModelConfig) -> dict[str, float]:
    found = smoothing([_last_states(network, config)], data("cora").graph)[0]
    names = ("energy", "normalised_energy", "relative_energy", "mean_distance", "mean_cosine", "rank")
    return {name: getattr(found, name) for name in names}


def _last_states(network: Network, config: ModelConfig) -> torch.Tensor:
    """The last layer's states; where the answers themselves walk along the edges, those."""
    graph = data("cora").graph
    with torch.inference_mode():
        states = network.encoder.all_states(graph.x, graph)  # pyright: ignore[reportCallIssue] all here are Encoders
    return cast(torch.Tensor, states[-1 if config.name in ("appnp", "sgc") else -2])


def read(path: Path) -> dict[Key, dict[str, Any]]:
    """The cells that are done."""
    lines = path.read_text().splitlines() if path.is_file() else []
    return {Key(one["method"], one["depth"], one["seed"]): one for one in map(json.loads, lines)}


def cells(seeds: int, methods: Sequence[str] = ()) -> Iterator[Key]:
    """Those of some methods, of all by default; a whole table of one seed first."""
    return (Key(name, depth, seed) for seed in range(seeds) for depth in _ORDER for name in methods or METHODS)


def result(done: Mapping[Key, Mapping[str, Any]], start: Mapping[Key, Mapping[str, Any]]) -> Result:
    """The tables of what is there, and what was asked for; `start` is of the same cells before training."""
    columns, there = ["", *map(str, DEPTHS), "seeds"], [name for name in METHODS if any(key[0] == name for key in done)]
    accuracy = [_row(done, name, "test", 1) for name in there]
    published = [[m.title, *(_short(p, 1) for p in m.published), ""] for m in METHODS.values() if m.published]
    before = [_row(start, name, "relative_energy", 6) for name in there]
    energy = [_row(done, name, "relative_energy", 4) for name in there]
    cosine = [_row(done, name, "mean_cosine", 3) for name in there]
    deepest = {name: _mean(done, name, DEPTHS[-1], "test") for name in METHODS}
    holding = sum(value is not None and value > HOLDS for value in deepest.values())
    claims = [Claim(f"networks of {DEPTHS[-1]} layers above {HOLDS:g}", float(holding), 3.0)]
    fall = _mean(done, "gcn", DEPTHS[-1], "test")
    if fall is not None:
        claims.append(Claim(f"GCN of {DEPTHS[-1]} layers, published 28.7", fall, 60.0, is_limit=True))
    best = deepest["gcnii"]
    if best is not None:
        claims.append(Claim(f"GCNII of {DEPTHS[-1]} layers, published 85.5", best, 84.5))
    tables = [
        Table("Cora, public split: test accuracy by the number of layers, percent", columns, accuracy),
        Table("The same as published (Chen et al. 2020, table 3)", columns, published),
        Table("Relative Dirichlet energy of the last states before training: 0 where all is smooth", columns, before),
        Table("The same after training", columns, energy),
        Table("Mean cosine of all pairs of nodes in the last states: 1 where all are alike", columns, cosine),
    ]
    return Result(tables, claims)


def _row(done: Mapping[Key, Mapping[str, Any]], name: str, what: str, digits: int) -> list[Cell]:
    values = [[done[key][what] for key in done if key[:2] == (name, depth)] for depth in DEPTHS]
    counts = [len(column) for column in values]
    seeds = f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
    return [METHODS[name].title, *(_spread(column, digits) for column in values), seeds]


def _spread(values: list[float], digits: int) -> str:
    if not values:
        return ""
    deviation = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{fmean(values):.{digits}f}{deviation}"


def _short(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _mean(done: Mapping[Key, Mapping[str, Any]], name: str, depth: int, what: str) -> float | None:
    values = [row[what] for key, row in done.items() if key[:2] == (name, depth)]
    return fmean(values) if values else None


def main() -> None:
    """Train what is not done yet, or write what is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.depth", description=__doc__)
    parser.add_argument("methods", nargs="*", metavar="method", help=f"some of {', '.join(METHODS)}; all by default")
    parser.add_argument("--cells", type=Path, default=RESULTS / f"depth-{slug()}.jsonl", help="where cells are kept")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--share", default="1/1", help="K/N: every N-th cell, from the K-th on")
    parser.add_argument("--write", action="store_true", help="write tables and picture of the cells that are done")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if unknown := set(arguments.methods) - set(METHODS):
        parser.error(f"there is no {' or '.join(sorted(unknown))}; there are {', '.join(METHODS)}")
    first, step = map(int, arguments.share.split("/"))
    if not arguments.write:
        for key in list(cells(arguments.seeds, arguments.methods))[first - 1 :: step]:
            if key not in read(arguments.cells):
                found = measured(key)
                with arguments.cells.open("a") as file:
                    file.write(json.dumps(found) + "\n")
                print(*key, f"test {found['test']:.1f}, {found['epochs']} epochs", flush=True)
        return
    from benchmarks.depth_picture import draw

    done = read(arguments.cells)
    start = {key: at_start(key) for key in done}
    whole = result(done, start)
    keep(RESULTS / f"depth-{slug()}.json", ["depth"], "depth", whole, environment(1))
    draw(done, start, Path(__file__).parents[1] / "docs" / "pictures" / "depth.png")
    print(to_markdown(whole))


if __name__ == "__main__":
    main()
