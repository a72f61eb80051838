"""What a command does when it fails: one line on stderr, and a status that says whose fault it was."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


@contextmanager
def plain_errors(how_to_go_on: Callable[[], str] | None = None) -> Iterator[None]:
    """One line in place of a traceback: status 2 for wrong input, 130 after Ctrl-C, 1 for any other failure.

    Args:
        how_to_go_on: what to say after Ctrl-C.
    """
    from grapevine.errors import InputError

    try:
        yield
    except InputError as error:
        _say(str(error))
        raise typer.Exit(BAD_INPUT) from error
    except KeyboardInterrupt as stop:
        _say("stopped" + (how_to_go_on() if how_to_go_on is not None else ""))
        raise typer.Exit(INTERRUPTED) from stop
    except ImportError as error:
        _say(str(error))
        raise typer.Exit(FAILED) from error
    except Exception as error:
        _say(f"failed, {type(error).__name__}: {error}")
        raise typer.Exit(FAILED) from error


def _say(message: str) -> None:
    typer.echo(f"grapevine: {' '.join(message.split())}", err=True)
