"""The command `grapevine`. PyTorch is imported when a command runs, so that `--help` is there at once."""

import atexit
import gc
from typing import Annotated

import typer

from grapevine import __version__
from grapevine.cli import atoms_use, compare_models, diagnose, look, train, use

_EPILOG = """Examples:

grapevine train · a tour on embedded data: what the graph adds

grapevine train cora --model gat --seeds 10 · a data set by its name

grapevine train --nodes people.csv --edges friends.csv --target club · your own tables

grapevine predict runs/people-gcn --nodes new.csv --edges new-friends.csv --out said.csv

Exit status: 0, 1 if it failed, 2 for wrong input, 130 after Ctrl-C."""

_NEW_OBJECTS = 50_000  # before cycles among them are looked for: imports make more, and no cycle

app = typer.Typer(
    name="grapevine",
    help="Learning on graphs with networks that pass messages: from your data to a model you can use.",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_MAKE, _USE, _LOOK = "Make a model", "Use a model", "Look"
app.command(rich_help_panel=_MAKE, epilog=train.EPILOG)(train.train)
app.command("compare-models", rich_help_panel=_MAKE, epilog=compare_models.EPILOG)(compare_models.compare_models)
app.command(rich_help_panel=_USE, epilog=use.PREDICT_EPILOG)(use.predict)
app.command(rich_help_panel=_USE)(use.evaluate)
app.command(rich_help_panel=_USE)(use.embed)
app.command(rich_help_panel=_USE, epilog=atoms_use.RELAX_EPILOG)(atoms_use.relax)
app.command(rich_help_panel=_USE, epilog=atoms_use.MD_EPILOG)(atoms_use.md)
app.command(rich_help_panel=_LOOK)(look.info)
app.command(rich_help_panel=_LOOK)(look.compare)
app.command(rich_help_panel=_LOOK)(look.audit)
app.command(rich_help_panel=_LOOK, epilog=diagnose.EPILOG)(diagnose.diagnose)
app.command(rich_help_panel=_LOOK)(look.datasets)


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
    """Learning on graphs with networks that pass messages: from your data to a model you can use."""
    gc.set_threshold(_NEW_OBJECTS)
    atexit.register(gc.freeze)  # at the end nobody need look for them, which takes PyTorch's half a second
