"""The command: what it prints, where it saves, its exit statuses, and that it never shows a traceback."""

import json
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import grapevine
from grapevine.cli import app
from grapevine.data.datasets import DATASETS
from grapevine.recipes import train_node as recipe
from grapevine.recipes.node_models import MODELS
from grapevine.recipes.train_node import load_node_model
from tests.data.cases import write_planetoid


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    write_planetoid(folder)
    return folder


def test_it_trains_on_files_and_says_how_well_and_where(tmp_path, root):
    out = tmp_path / "runs"
    done = run("train", "citeseer", "--root", root, "--seeds", 2, "--epochs", 3, "--out", out)
    assert done.exit_code == 0, done.output
    assert "citeseer: 13 nodes, 5 undirected edges, 2 seeds" in done.stdout
    assert all(word in done.stdout for word in ("train", "validation", "test", "seconds", "±"))
    assert str(out / "citeseer-gcn") in done.stdout.replace("\n", "")
    assert done.stderr == ""
    load_node_model(out / "citeseer-gcn")


def test_json_is_all_there_is(tmp_path, root):
    done = run(
        "train", "citeseer", "--model", "gat", "--root", root, "--epochs", 2, "--seed", 3, "--out", tmp_path, "--json"
    )
    (entry,) = json.loads(done.stdout)
    assert (entry["dataset"], entry["model"], list(entry["seeds"])) == ("citeseer", "gat", ["3"])
    assert entry["folder"] == str(tmp_path / "citeseer-gat")


def test_without_arguments_it_says_what_the_graph_adds(tmp_path):
    done = run("train", "--epochs", 2, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert re.search(r"The graph (adds|takes|adds nothing).*from the same 200 labels, GCN", done.stdout)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digits-gcn", "digits-mlp"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["core"], f"no data set 'core'; there are {', '.join(DATASETS)}"),
        (["cora", "--model", "gnc"], f"no model 'gnc'; there are {', '.join(MODELS)}"),
        (["digits", "--root", "."], "digits comes with scikit-learn"),
        (["digits", "--out", "{tmp}/file/runs"], "can not be made"),
        (["cora", "--root", "{tmp}/absent"], "put them there: ind.cora.x"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(tmp_path, monkeypatch, arguments, said):
    monkeypatch.setattr("grapevine.data.datasets.planetoid.ADDRESS", "http://127.0.0.1:9")
    (tmp_path / "file").touch()
    done = run("train", *(argument.replace("{tmp}", str(tmp_path)) for argument in arguments))
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["train", "--seeds", "0"], ["train", "--epochs", "x"], ["trian"], ["train", "--x"]]
)
def test_a_wrong_option_is_status_2(arguments):
    done = run(*arguments)
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def test_a_failure_is_one_line_and_status_1(tmp_path, monkeypatch, root):
    def fail(*arguments, **options):
        raise RuntimeError("no memory")

    monkeypatch.setattr(recipe, "train_node", fail)
    done = run("train", "citeseer", "--root", root, "--out", tmp_path)
    assert done.exit_code == 1
    assert done.stderr == "grapevine: failed, RuntimeError: no memory\n"


def test_the_help_names_every_data_set_and_model_and_the_version_is_told():
    words = run("train", "--help").stdout.replace(",", " ").replace(".", " ").split()
    assert {*DATASETS, *MODELS} <= set(words)
    assert run("--version").stdout == f"grapevine {grapevine.__version__}\n"


def test_the_help_does_not_wait_for_pytorch():
    code = "import sys, grapevine.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
