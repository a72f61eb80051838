"""What the commands show: a bar while they work, tables and sentences at the end, or JSON alone."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import polars as pl
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from grapevine.cli.numbers import figure, name_of, score

if TYPE_CHECKING:  # each command imports no more than what it does itself
    from grapevine.cli.job import Outcome
    from grapevine.data.datasets import DatasetInfo
    from grapevine.graph import Graph
    from grapevine.recipes.compare import RunTable
    from grapevine.recipes.evaluate import Evaluation
    from grapevine.recipes.predict import Predictions
    from grapevine.recipes.result import TrainResult
    from grapevine.report.data import Comparison

_SECONDS_BETWEEN = 0.1
_PARTS = {"train": "train", "validation": "val", "test": "test"}
_REJECTED = 5  # rows that are shown
_WIDE, _ROOMY = 150, 120  # characters
_ANSWERS = {"classification": "class", "regression": "number"}


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


def show_json(value: Any) -> None:
    """Print a value as JSON that every reader takes: null for what is no number, and dates and such as words."""
    print(json.dumps(_plain(value), indent=2, ensure_ascii=False, default=str))


def show_training(outcome: "Outcome") -> None:
    """What was found, how good the model is, what is to be known of it, and where it is."""
    result = outcome.result
    dataset = result.problem.dataset
    seeds = f", {result.config.seeds} seeds" if result.config.seeds > 1 else ""
    members = f", {result.config.members} members" if result.config.members > 1 else ""
    say(f"{dataset.name}: {size_in_words(dataset.graph)}{seeds}{members}")
    for note in (*result.notes, *outcome.notes):
        say(f"  {note}")
    both = [result] if outcome.beside is None else [result, outcome.beside]
    _print(_scores(both))
    if outcome.beside is not None:
        say(gain_in_words(result, outcome.beside))
    if result.comparison is not None:
        _print(_compared(result.comparison))
    if outcome.trials:
        say(_searched(outcome))
    for one in both:
        for warning in one.warnings:
            say(f"warning, {one.config.model.name}: {warning}")
    show_rejected(result.loaded.rejected, result.folder)
    for one in both:
        if one.folder is not None:
            show_folder(one.config.model.name, one.folder)


def gain_in_words(model: "TrainResult", mlp: "TrainResult") -> str:
    """What the graph adds: the test accuracies of a network on it, and of an MLP on the same labels."""
    with_graph, without = 100 * model.scores["test"]["accuracy"], 100 * mlp.scores["test"]["accuracy"]
    gain = with_graph - without
    said = f"adds {gain:.1f} points" if gain > 0 else f"takes {-gain:.1f} points" if gain < 0 else "adds nothing"
    num_labels = len(model.problem.task.answers(model.trained.networks, ["train"])["train"].target)
    return (
        f"The graph {said}: from the same {num_labels} labels, {model.config.model.name.upper()} is right on "
        f"{with_graph:.1f} % of the test nodes and an MLP, which sees no edges, on {without:.1f} %."
    )


def size_in_words(graph: "Graph") -> str:
    """How large a graph or a collection is."""
    is_symmetric = graph.adj.is_symmetric()
    edges = f"{graph.num_edges // 2:,} undirected" if is_symmetric else f"{graph.num_edges:,}"
    several = f"{graph.num_graphs:,} graphs, " if graph.num_graphs > 1 else ""
    return f"{several}{graph.num_nodes:,} nodes, {edges} edges"


def show_predictions(said: "Predictions") -> None:
    """Where the rows are, or the rows themselves; then what else there is to say goes to stderr, to be piped apart."""
    is_table = said.path is None
    for note in said.notes:
        say(f"  {note}", is_aside=is_table)
    if said.path is None:
        show_frame(said.frame, None)
    else:
        say(f"{said.num_rows:,} rows written to {said.path}")
    show_rejected(said.rejected, None, is_aside=is_table)


def show_frame(frame: pl.DataFrame, path: Path | None) -> None:
    """A line of how much was written where; without a file, the rows themselves as CSV."""
    if path is not None:
        say(f"{frame.height:,} rows written to {path}")
    else:
        print(frame.write_csv(), end="")


def show_evaluation(found: "Evaluation") -> None:
    """Every metric, a column for each part."""
    for note in found.notes:
        say(f"  {note}")
    table = Table("metric", box=box.SIMPLE_HEAD)
    parts = list(found.scores)
    for part in parts:
        table.add_column(f"{'validation' if part == 'val' else part} ({found.counts[part]:,})", justify="right")
    for metric in next(iter(found.scores.values())):
        table.add_row(name_of(metric), *(score(metric, found.scores[part].get(metric)) for part in parts))
    _print(table)
    show_rejected(found.rejected, None)


def show_runs(table: "RunTable") -> None:
    """A row for each run."""
    shown = _table("run", "data", "model", "metric", numbers=("validation", "test", "parameters", "seconds"))
    for row in table.frame.iter_rows(named=True):
        cells = [score(row["metric"], row[part], row[f"{part}_std"]) for part in ("val", "test")]
        named = (row["run"], Path(row["data"]).name, row["model"], name_of(row["metric"]))
        shown.add_row(*named, *cells, f"{row['parameters']:,}", f"{row['seconds']:.1f}")
    _print(shown)
    for note in table.notes:
        say(note)


def show_datasets(infos: "list[DatasetInfo]") -> None:
    """A row for each data set; what it is in words where there is room."""
    table = _table("name", "predicted", "metric", numbers=("graphs", "nodes", "edges", "classes"))
    table.add_column("licence", no_wrap=True)
    has_room = console().width >= _ROOMY
    if has_room:
        table.add_column("what it is")
    for one in infos:
        sizes = [one.num_graphs, one.num_nodes, one.num_edges, one.num_classes]
        cells = ["" if size is None else f"{size:,}" for size in sizes]
        predicted = f"{one.level} {_ANSWERS.get(one.task, '')}"
        table.add_row(one.name, predicted, one.metric or "", *cells, one.licence, *[one.title] * has_room)
    _print(table)
    say("Any set of the TU collection is one too, as tu:NAME. More of one: grapevine datasets NAME")


def _table(*words: str, numbers: tuple[str, ...]) -> Table:
    table = Table(*words, box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in table.columns:
        column.no_wrap = True
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def show_info(found: Mapping[str, Any]) -> None:
    """Names and values, one below another."""
    show_fields({name: value for name, value in found.items() if name != "kind"})
    if found["kind"] == "dataset" and found["graph"] is None:
        say("Its files are not here yet, so the figures of its graph are not known: grapevine train fetches them.")


def show_fields(fields: Mapping[str, Any], indent: int = 0) -> None:
    """Names and values, one below another; what is empty is left out."""
    for name, value in fields.items():
        if value is None or value in ("", (), [], {}):
            continue
        title = "  " * indent + name.replace("_", " ")
        if isinstance(value, Mapping) and not _is_short(value):
            say(f"{title}:")
            show_fields(value, indent + 1)
        elif isinstance(value, list | tuple) and value and isinstance(value[0], str | Mapping) and len(value) > 1:
            say(f"{title}:")
            for one in value:
                say("  " * (indent + 1) + _in_line(one))
        else:
            say(f"{title}: {_in_line(value)}")


def show_text(text: str) -> None:
    """A text as it is."""
    say(text)


def _scores(results: "list[TrainResult]") -> Table:
    """The metric that chose, by model and part."""
    metric = results[0].trained.objective.metric
    table = Table(name_of(metric), box=box.SIMPLE_HEAD)
    for name in (*_PARTS, "best epoch", "seconds"):
        table.add_column(name, justify="right")
    for one in results:
        cells = [score(metric, one.scores[part].get(metric), _spread(one, part, metric)) for part in _PARTS.values()]
        epochs = ", ".join(str(each.best_epoch) for each in one.fits)
        table.add_row(one.config.model.name, *cells, epochs, f"{one.seconds:.1f}")
    return table


def _spread(result: "TrainResult", part: str, metric: str) -> float | None:
    return result.spread[part].get(metric) if result.spread else None


def _compared(comparison: "Comparison") -> Table:
    part = "validation" if comparison.part == "val" else comparison.part
    table = Table("tried", box=box.SIMPLE_HEAD)
    for name in (f"{name_of(comparison.metric)}, {part}", "parameters", "seconds"):
        table.add_column(name, justify="right")
    for row in comparison.rows:
        name = f"{row.name} (kept)" if row.name == comparison.chosen else row.name
        parameters = "" if row.num_parameters is None else f"{row.num_parameters:,}"
        seconds = "" if row.seconds is None else f"{row.seconds:.1f}"
        table.add_row(name, score(comparison.metric, row.score.mean, row.score.std), parameters, seconds)
    return table


def _searched(outcome: "Outcome") -> str:
    metric, is_higher = outcome.result.trained.objective.metric, outcome.result.trained.objective.is_higher_better
    known = [row for row in outcome.trials if row[metric] is not None and not math.isnan(row[metric])]
    best = (max if is_higher else min)(known, key=lambda row: row[metric])
    settings = ", ".join(f"{name} {figure(value)}" for name, value in best.items() if name != metric)
    found = score(metric, best[metric])
    return f"Of {len(outcome.trials)} settings the best on the validation part ({name_of(metric)} {found}): {settings}"


def show_rejected(rejected: pl.DataFrame | None, folder: Path | None, *, is_aside: bool = False) -> None:
    """How many rows were left out, and the first of them."""
    if rejected is None or rejected.height == 0:
        return
    kept = "" if folder is None else f", all of them in {folder / 'rejected.csv'}"
    rows = "1 row was" if rejected.height == 1 else f"{rejected.height:,} rows were"
    say(f"{rows} left out{kept}:", is_aside=is_aside)
    for row in rejected.head(_REJECTED).iter_rows(named=True):
        detail = f" ({row['detail']})" if row["detail"] else ""
        say(f"  {row['file']}, line {row['line']}: {row['reason']}{detail}: {row['row']}", is_aside=is_aside)
    if rejected.height > _REJECTED:
        say(f"  and {rejected.height - _REJECTED:,} more", is_aside=is_aside)


def show_folder(model: str, folder: Path) -> None:
    """Where a run is, and what in it is for people."""
    say(f"{model} saved in {folder}")
    for name, what in (("report.html", "report"), ("predictions.parquet", "predictions")):
        if (folder / name).exists():
            say(f"  {what}: {folder / name}")


def _is_short(value: Mapping[str, Any]) -> bool:
    return len(value) <= 4 and all(isinstance(each, int | float | str | None) for each in value.values())


def _in_line(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(
            f"{name.replace('_', ' ')} {_in_line(each)}" for name, each in value.items() if each is not None
        )
    if isinstance(value, list | tuple):
        return ", ".join(map(_in_line, value))
    return figure(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def console() -> Console:
    """As wide as the terminal; wide enough for whole tables where the output goes to a file."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDE)


def say(text: str, *, is_aside: bool = False) -> None:
    """A line as it is, on stdout or aside on stderr."""
    Console(stderr=is_aside).print(text, soft_wrap=True, highlight=False, markup=False, emoji=False)


def _print(table: Table) -> None:
    console().print(table, highlight=False)
