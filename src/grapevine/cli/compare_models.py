"""The command `grapevine compare-models`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grapevine.cli import options
from grapevine.cli.errors import plain_errors
from grapevine.cli.given import Columns, Given, Molecules, Place, Question

if TYPE_CHECKING:
    from grapevine.recipes.model_table import ModelComparison, ModelScore

EPILOG = """Examples:

grapevine compare-models molecules

grapevine compare-models solubility.csv --smiles smiles --target logS --split scaffold --models dmpnn,gine,mpnn

grapevine compare-models cora --epochs 100 --out cora.md"""

Models = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES", help="Which models, by commas. Default: every one.", autocompletion=options.complete_model
    ),
]
OutTable = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the table to a .md, .csv, .parquet, .jsonl or .arrow file."),
]


def compare_models(
    data: options.Data = None,
    root: options.Root = None,
    format: options.Format = None,
    target: options.Target = None,
    id: options.Id = None,
    use: options.Use = None,
    smiles: options.Smiles = None,
    inchi: options.Inchi = None,
    atoms: options.Atoms = None,
    standardise: options.Standardise = False,
    hydrogens: options.Hydrogens = False,
    kind: options.Kind = None,
    metric: options.Metric = None,
    split: options.Split = None,
    split_seed: options.SplitSeed = None,
    fold: options.Fold = None,
    by: options.SplitBy = None,
    train_share: options.TrainShare = None,
    val_share: options.ValShare = None,
    models: Models = None,
    epochs: options.Epochs = None,
    learning_rate: options.LearningRate = None,
    hidden: options.Hidden = None,
    batch_size: options.BatchSize = None,
    seeds: options.Seeds = None,
    seed: options.Seed = None,
    device: options.Device = None,
    out: OutTable = None,
    json: options.Json = False,
) -> None:
    """Train every model that fits the data under one budget, and show them in one table, best first.

    Each gets the same epochs, batches, width and split; boosted trees, a linear fit and a guess stand beside them.
    """
    question = Question(
        kind=kind, metric=metric, split=split, split_seed=split_seed, fold=fold, by=by, train_share=train_share,
        val_share=val_share,
    )  # fmt: skip
    place, columns = Place(data, root=root, format=format), Columns(target=target, id=id, use=use)
    told = Given(place, columns, Molecules(smiles, inchi, atoms, standardise, hydrogens), question)
    budget = {
        "epochs": epochs, "learning_rate": learning_rate, "hidden": hidden, "batch_size": batch_size, "seeds": seeds,
        "seed": seed, "accelerator": device,
    }  # fmt: skip
    with plain_errors():
        from grapevine.cli import screen
        from grapevine.cli.build import make_source, make_task
        from grapevine.cli.checked import valid, words
        from grapevine.recipes.compare_models import compare_models as recipe
        from grapevine.recipes.model_table import Budget, check_out
        from grapevine.recipes.source import load

        path = None if out is None else check_out(out)
        source = make_source(told)
        with screen.progress() as on_progress:
            loaded = load(source, on_progress=on_progress)
        found = recipe(
            source, models=None if models is None else words([models]), loaded=loaded,
            budget=valid(Budget, {name: value for name, value in budget.items() if value is not None}),
            task=make_task(question, loaded), on_model=None if json else _say_done,
        )  # fmt: skip
        if path is not None:
            found.write(path)
        screen.show_json(found.to_dict()) if json else _show(found, path)


def _say_done(row: "ModelScore", done: int, total: int) -> None:
    """One line a model, on stderr."""
    seconds = "" if row.seconds is None else f", {row.seconds:.1f} s a training"
    typer.echo(f"{done}/{total} {row.name}{seconds}{', failed' * bool(row.failed)}", err=True)


def _show(found: "ModelComparison", path: Path | None) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    typer.echo(found.title)
    for note in found.notes:
        typer.echo(f"  {note}")
    head, rows = found.cells()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in head:
        table.add_column(name, justify="left" if name in ("model", "why not") else "right")
    for cells in rows:
        table.add_row(*cells)
    console = Console()
    (console if console.is_terminal else Console(width=_WIDE)).print(table, highlight=False)
    if path is not None:
        typer.echo(f"written to {path}")


_WIDE = 180  # characters, where the output goes to a file
