"""The command `grapevine`. PyTorch is imported when a command runs, so that `--help` is there at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from grapevine import __version__

app = typer.Typer(
    name="grapevine",
    help="Learning on graphs with networks that pass messages.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"grapevine {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Learning on graphs with networks that pass messages."""


@app.command()
def train(
    dataset: Annotated[
        str | None,
        typer.Argument(help="digits, cora, citeseer or pubmed. Without one: digits, with an MLP beside the model."),
    ] = None,
    model: Annotated[str, typer.Option(help="gcn, sage, gat, gatv2, gin or mlp.")] = "gcn",
    root: Annotated[
        Path | None, typer.Option(help="Folder where the data set's files are or are put. Default: a cache folder.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds to train with; gives mean ± deviation.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="At most this many epochs. Default: the model's own.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder in which to make the run folder.")] = Path("runs"),
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON and nothing else.")] = False,
) -> None:
    """Train a network that tells what class each node of a graph is of."""
    with _plain_errors():
        from grapevine.cli import screen
        from grapevine.data.datasets import load_dataset
        from grapevine.recipes.node_models import node_config
        from grapevine.recipes.train_node import train_node

        name, is_tour = dataset or "digits", dataset is None and model != "mlp"
        configs = [node_config(name, one, max_epochs=epochs) for one in ([model, "mlp"] if is_tour else [model])]
        with screen.progress() as on_progress:
            graph = load_dataset(name, root, on_progress=on_progress)
            results = [
                train_node(graph, config, seeds=range(seed, seed + seeds), out=out, on_progress=on_progress)
                for config in configs
            ]
        screen.show_json(results) if json else screen.show(graph, results)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """One line on stderr in place of a traceback: status 2 for wrong input, 1 for any other failure."""
    from grapevine.errors import InputError

    try:
        yield
    except InputError as error:
        typer.echo(f"grapevine: {error}", err=True)
        raise typer.Exit(2) from error
    except Exception as error:
        typer.echo(f"grapevine: failed, {type(error).__name__}: {error}", err=True)
        raise typer.Exit(1) from error
