"""Help and completion: they name what there is, and do not wait for PyTorch."""

import subprocess
import sys
from typing import get_args

import pytest
from typer.main import get_command

import grapevine
from grapevine.cli import app, options
from grapevine.data.datasets import DATASETS
from grapevine.data.split import SPLIT_KINDS
from grapevine.data.structure_files import POTENTIALS
from grapevine.recipes.models import MODELS
from grapevine.recipes.source import Format
from tests.cli.run import run, works

COMMANDS = (
    "train", "predict", "evaluate", "embed", "relax", "md", "info", "compare", "compare-models", "audit",
    "diagnose", "datasets",
)  # fmt: skip


def test_the_words_of_the_options_are_those_of_the_program():
    assert options.MODELS == MODELS
    assert get_args(Format) == options.FORMATS
    assert options.SPLITS == SPLIT_KINDS


def test_every_command_has_help_and_json():
    assert set(get_command(app).commands) == set(COMMANDS)  # pyright: ignore[reportAttributeAccessIssue]
    printed = works("--help").stdout
    for name in COMMANDS:
        assert name in printed
        assert "--json" in works(name, "--help").stdout


def test_every_option_says_what_it_is():
    for name, command in get_command(app).commands.items():  # pyright: ignore[reportAttributeAccessIssue]
        for parameter in command.params:
            assert parameter.help, f"{name} {parameter.name}"


def test_the_help_names_every_model_and_the_version_is_told():
    words = works("train", "--help").stdout.replace(",", " ").replace(";", " ").split()
    assert {*MODELS, *POTENTIALS, "auto"} <= {word.strip(".") for word in words}
    assert works("--version").stdout == f"grapevine {grapevine.__version__}\n"


def test_the_help_does_not_wait_for_pytorch():
    code = "import sys, grapevine.cli; sys.exit('torch' in sys.modules or 'polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("train cor", [name for name in DATASETS if name.startswith("cor")]),
        ("datasets kar", ["karate"]),
        ("train --model ga", ["gat", "gatv2", "gatedgcn", "gat-sep"]),
        ("train --model gcn,sa", ["gcn,sage", "gcn,sage-sep"]),
        ("train --format gi", ["gin"]),
        ("train --split k", ["k_fold"]),
        ("ev", ["evaluate"]),
    ],
)
def test_the_shell_completes_names(monkeypatch, words, found):
    monkeypatch.setenv("_GRAPEVINE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"grapevine {words}")
    monkeypatch.setenv("COMP_CWORD", str(len(words.split())))
    from typer.testing import CliRunner

    done = CliRunner().invoke(app, [], prog_name="grapevine", complete_var="_GRAPEVINE_COMPLETE")
    assert done.stdout.split() == found


def test_completion_can_be_installed():
    assert "--install-completion" in run("--help").stdout
