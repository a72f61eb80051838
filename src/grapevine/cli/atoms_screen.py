"""What the commands show of potentials: tables of errors in milli-electronvolt, and where the run is."""

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from grapevine.cli.screen import console, say, show_folder, show_rejected

if TYPE_CHECKING:
    from grapevine.recipes.atoms.moved import Moved
    from grapevine.recipes.atoms.result import AtomsResult
    from grapevine.recipes.atoms.use import SaidOfFile
    from grapevine.recipes.evaluate import Evaluation

_PARTS = {"train": "train", "val": "validation", "test": "test"}
_SHOWN = {"energy_mae": "energy, meV/atom", "forces_mae": "forces, meV/Å", "stress_mae": "stress, meV/Å³"}
_BASELINES = {"mean": "mean of the training part", "composition": "linear fit of composition"}


def show_potential(result: "AtomsResult") -> None:
    """What was found, how far off the potential is beside the baselines, and where it is."""
    for note in result.notes:
        say(note)
    console().print(_errors(result), highlight=False)
    best, epochs = result.best_epoch, result.epochs
    parameters = f"{result.trained.num_parameters:,} parameters"
    say(f"{epochs} epochs in {_time(result.seconds)}, the weights of epoch {best} are kept; {parameters}")
    for warning in result.warnings:
        say(f"warning: {warning}")
    show_rejected(result.data.rejected, result.folder)
    if result.folder is not None:
        show_folder(result.config.model.name, result.folder)


def show_errors(found: "Evaluation") -> None:
    """Every metric, a column for each part."""
    from grapevine.task.energy_forces import UNITS

    for note in found.notes:
        say(f"  {note}")
    table = Table("error", box=box.SIMPLE_HEAD)
    for part in found.scores:
        table.add_column(f"{_PARTS.get(part, part)} ({found.counts[part]:,})", justify="right")
    for metric in dict.fromkeys(name for scores in found.scores.values() for name in scores):
        what, how = metric.rsplit("_", 1)
        cells = [_figure(scores.get(metric)) for scores in found.scores.values()]
        table.add_row(f"{what} {how.upper()}, {UNITS[metric]}", *cells)
    console().print(table, highlight=False)
    show_rejected(found.rejected, None)


def show_said(said: "SaidOfFile") -> None:
    """Where the structures are, or the energies themselves."""
    is_table = said.path is None
    for note in said.notes:
        say(f"  {note}", is_aside=is_table)
    if said.path is None:
        print(said.frame.write_csv(), end="")
    else:
        say(f"{said.frame.height:,} structures written to {said.path}")
    show_rejected(said.rejected, None, is_aside=is_table)


def show_moved(moved: "Moved") -> None:
    """What a relaxation or a run came to, a sentence a line."""
    for sentence in moved.sentences:
        say(sentence)


def _errors(result: "AtomsResult") -> Table:
    """A block for each kind of number; the baselines feel no forces, so that there they are one."""
    table = Table("mean absolute error", box=box.SIMPLE_HEAD)
    for part in _PARTS.values():
        table.add_column(part, justify="right", no_wrap=True)
    model = result.config.model.name
    for metric, what in _SHOWN.items():
        rows = {model: result.scores}
        rows |= {_BASELINES[name]: scores for name, scores in result.baselines.items() if metric == "energy_mae"}
        if metric == "forces_mae":
            rows["no forces"] = next(iter(result.baselines.values()))
        if not any(metric in scores for scores in result.scores.values()):
            continue
        for name, scores in rows.items():
            cells = [_figure(scores.get(part, {}).get(metric)) for part in _PARTS]
            table.add_row(f"{what}: {name}", *cells, end_section=name == list(rows)[-1])
    return table


def _figure(value: float | None) -> str:
    if value is None or value != value:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"
