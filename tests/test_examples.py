"""Every example runs from start to end."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
SHORTER = {"bonds": ("--epochs", "8"), "sequences": ("--updates", "60", "--examples", "60")}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path, tmp_path):
    _run(path, tmp_path, *SHORTER.get(path.stem, ()))


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in EXAMPLES if path.stem in SHORTER], ids=lambda path: path.stem)
def test_long_example_runs_as_it_is(path, tmp_path):
    _run(path, tmp_path)


def _run(path, folder, *options):
    command = [sys.executable, path, *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), "an example says what it did"
