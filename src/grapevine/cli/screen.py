"""What the command shows: a bar while it works, a table and a sentence at the end."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from grapevine.graph import Graph
from grapevine.recipes.train_node import NodeResult, Part

_SECONDS_BETWEEN = 0.1
_COLUMNS: dict[str, Part] = {"train": "train", "validation": "val", "test": "test"}


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None] | None]:
    """A bar on stderr, drawn ten times a second at most; None where stderr is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}")
    with Progress(*columns, console=console, auto_refresh=False, transient=True) as bar:
        task, next_time = bar.add_task("", total=None, visible=False), 0.0

        def report(what: str, done: int, total: int) -> None:
            nonlocal next_time
            if monotonic() >= next_time:
                bar.update(task, description=what, completed=done, total=total or None, visible=True)
                bar.refresh()
                next_time = monotonic() + _SECONDS_BETWEEN

        yield report


def show(graph: Graph, results: Sequence[NodeResult]) -> None:
    """Print the accuracies, the time and where the models are; of two results, what the graph adds."""
    console = Console()
    first = results[0]
    seeds = f", {len(first.seeds)} seeds" if len(first.seeds) > 1 else ""
    console.print(f"{first.config.dataset}: {_size(graph)}{seeds}", highlight=False)
    console.print(_table(results))
    if len(results) == 2:
        console.print(gain_in_words(*results, num_labels=int(graph.train_mask.sum())), highlight=False)
    for result in results:
        said = f"{result.config.model} saved in {result.folder}"
        console.print(said, soft_wrap=True, highlight=False, markup=False)


def show_json(results: Sequence[NodeResult]) -> None:
    """Print a JSON list with an entry for each model."""
    print(json.dumps([result.to_dict() for result in results], indent=2))


def gain_in_words(model: NodeResult, mlp: NodeResult, *, num_labels: int) -> str:
    """What the graph adds: the test accuracies of a network on it, and of an MLP on the same labels."""
    with_graph, without = 100 * model.mean("test"), 100 * mlp.mean("test")
    gain = with_graph - without
    said = f"adds {gain:.1f} points" if gain > 0 else f"takes {-gain:.1f} points" if gain < 0 else "adds nothing"
    return (
        f"The graph {said}: from the same {num_labels} labels, {model.config.model.upper()} is right on "
        f"{with_graph:.1f} % of the test nodes and an MLP, which sees no edges, on {without:.1f} %."
    )


def _size(graph: Graph) -> str:
    is_symmetric = graph.adj.is_symmetric()
    edges = f"{graph.num_edges // 2:,} undirected" if is_symmetric else f"{graph.num_edges:,}"
    return f"{graph.num_nodes:,} nodes, {edges} edges"


def _table(results: Sequence[NodeResult]) -> Table:
    table = Table("accuracy in %", box=box.SIMPLE_HEAD)
    for name in (*_COLUMNS, "seconds"):
        table.add_column(name, justify="right")
    for result in results:
        cells = [_percent(result, part) for part in _COLUMNS.values()]
        table.add_row(result.config.model, *cells, f"{result.seconds:.1f}")
    return table


def _percent(result: NodeResult, part: Part) -> str:
    mean, std = 100 * result.mean(part), 100 * result.std(part)
    return f"{mean:.1f} ± {std:.1f}" if len(result.seeds) > 1 else f"{mean:.1f}"
