"""Runs a command as the shell does."""

import json
from typing import Any

from typer.testing import CliRunner, Result

from grapevine.cli import app


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def works(*arguments: object) -> Result:
    """It ends well and is silent on stderr."""
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    return done


def told(*arguments: object) -> Any:
    """What it says as JSON, which is all it says."""
    return json.loads(works(*arguments, "--json").stdout)


def refused(*arguments: object) -> str:
    """The one line it says to wrong input."""
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert done.stderr.startswith("grapevine: ")
    assert done.stderr.count("\n") == 1
    return done.stderr
