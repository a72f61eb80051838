"""`grapevine train`: what it says, where it saves, and that every option does something."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from grapevine.train.run import load_run, unfinished_runs
from tests.cli.run import refused, told, works
from tests.data.cases import write_planetoid
from tests.recipes.people import write_people


@pytest.fixture
def people(tmp_path):
    nodes, edges = write_people(tmp_path / "town")
    return ["--nodes", nodes, "--edges", edges, "--epochs", 3, "--no-report", "--out", tmp_path / "runs"]


def recipe(found) -> dict:
    return load_run(Path(found["folder"])).recipe


def test_it_trains_on_files_and_says_how_well_and_where(tmp_path):
    root, out = tmp_path / "files", tmp_path / "runs"
    root.mkdir()
    write_planetoid(root)
    done = works("train", "citeseer", "--root", root, "--seeds", 2, "--epochs", 3, "--out", out, "--no-report")
    assert "citeseer: 13 nodes, 5 undirected edges, 2 seeds" in done.stdout
    assert all(word in done.stdout for word in ("accuracy in %", "train", "validation", "test", "seconds", "±"))
    assert f"gcn saved in {out / 'citeseer-gcn'}\n" in done.stdout
    assert load_run(out / "citeseer-gcn").recipe["source"]["root"] == str(root)


def test_without_arguments_it_says_what_the_graph_adds(tmp_path):
    done = works("train", "--epochs", 2, "--out", tmp_path)
    assert re.search(r"The graph (adds|takes|adds nothing).*from the same 200 labels, GCN", done.stdout)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digits-gcn", "digits-mlp"]
    assert (tmp_path / "digits-gcn" / "report.html").exists()
    found = told("train", "--epochs", 2, "--out", tmp_path, "--no-report", "--name", "tour")
    assert found["without_graph"]["model"] == "mlp"
    assert sorted(path.name for path in tmp_path.glob("tour*")) == ["tour-gcn", "tour-mlp"]
    assert told("train", "--model", "mlp", "--epochs", 2, "--out", tmp_path, "--no-report")["without_graph"] is None


def test_from_tables_it_says_what_it_found_and_left_out(tmp_path, people):
    with (tmp_path / "town" / "friends.csv").open("a") as file:
        file.write("nobody,no one,2\n")
    done = works("train", *people)
    assert "people.csv: 'who' holds the nodes' names" in done.stdout
    assert "1 row was left out, all of them in " in done.stdout
    assert "friends.csv, line 122: an edge to an unknown node (from: nobody): nobody,no one,2" in done.stdout
    folder = tmp_path / "runs" / "people-gcn"
    assert pl.read_csv(folder / "rejected.csv")["line"].to_list() == [122]
    assert not (folder / "report.html").exists()


@pytest.mark.parametrize(
    ("options", "place", "value"),
    [
        (["--target", "height"], "source.table.target", ["height"]),
        (["--id", "who", "--src", "to", "--dst", "from"], "source.table.src", "to"),
        (["--weight", "kind"], "source.table.weight", "kind"),
        (["--directed"], "source.table.directed", True),
        (["--use", "age"], "source.table.use", ["age"]),
        (["--drop", "height,town", "--drop", "kind"], "source.table.drop", ["height", "town", "kind"]),
        (["--level", "link", "--negatives", "hard"], "task.links.negatives.kind", "hard"),
        (["--level", "link", "--val-share", "0.1", "--train-share", "0.7"], "task.links.test", 0.2),
        (["--level", "link", "--split-seed", "4"], "task.links.seed", 4),
        (["--level", "edge", "--target", "kind"], "task.level", "edge"),
        (["--kind", "numbers", "--target", "kind", "--level", "edge"], "task.kind", "numbers"),
        (["--metric", "f1_macro"], "task.metric", "f1_macro"),
        (["--balanced"], "task.balanced", True),
        (["--split", "random"], "task.split.kind", "random"),
        (["--split-seed", "7"], "task.split", {"kind": "stratified", "seed": 7}),
        (["--fold", "3"], "task.split", {"kind": "k_fold", "fold": 3}),
        (["--train-share", "0.5", "--val-share", "0.25"], "task.split", {"train": 0.5, "val": 0.25}),
        (["--time", "height", "--split", "time"], "task.split.kind", "time"),
        (["--hidden", "5", "--layers", "3", "--dropout", "0.1"], "model.hidden_channels", 5),
        (["--ensemble", "2"], "members", 2),
        (["--learning-rate", "0.02", "--weight-decay", "0", "--patience", "9"], "training.patience", 9),
        (["--seed", "5"], "training.seed", 5),
        (["--device", "cpu", "--precision", "bf16-mixed"], "training.precision", "bf16-mixed"),
        (["--name", "mine"], "name", "mine"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) and value and value[0].startswith("--") else "",
)
def test_every_option_is_in_the_configuration(people, options, place, value):
    found = recipe(told("train", *people, *options))
    for name in place.split("."):
        found = found[name]
    if isinstance(value, dict):
        assert {name: found[name] for name in value} == value
    else:
        assert found == value


def test_graphs_have_batches_and_folds(tmp_path):
    lines = ["20"]
    for k in range(20):  # of the one-file format: a path of three nodes, tagged by its class
        lines += [f"3 {k % 2}", f"{k % 2} 1 1", f"{k % 2} 2 0 2", f"{k % 2} 1 1"]
    path = tmp_path / "paths.txt"
    path.write_text("\n".join(lines) + "\n")
    options = ["--model", "gin", "--epochs", 2, "--no-report", "--out", tmp_path, "--fold", 1, "--format", "gin"]
    found = told("train", path, *options, "--batch-size", 4, "--batches", 3)
    task = recipe(found)["task"]
    assert (found["level"], task["batch_size"], task["num_batches"]) == ("graph", 4, 3)
    assert recipe(found)["source"]["format"] == "gin"


def test_from_a_database(tmp_path, people):
    pytest.importorskip("sqlalchemy")
    base = tmp_path / "town.db"
    with sqlite3.connect(base) as connection:
        for name, table in (("people", "people.csv"), ("friends", "friends.csv")):
            frame = pl.read_csv(tmp_path / "town" / table)
            connection.execute(f"create table {name} ({', '.join(map(repr, frame.columns))})")
            marks = ", ".join("?" * frame.width)
            connection.executemany(f"insert into {name} values ({marks})", frame.rows())
    queries = ["--nodes-query", "select * from people", "--edges-query", "select * from friends"]
    found = told("train", "--sql", f"sqlite:///{base}", *queries, *people[4:])
    assert found["scores"] == told("train", *people)["scores"]


def test_several_models_are_compared_and_one_is_kept(people):
    done = works("train", *people, "--model", "auto")
    rows = re.findall(r"^  (mlp|gcn|sage|gat|gin|boosted trees|linear fit|guess)\b", done.stdout, re.MULTILINE)
    assert {"mlp", "gcn", "sage", "gat", "gin", "boosted trees"} <= set(rows)
    assert done.stdout.count("(kept)") == 1
    found = told("train", *people, "--model", "gcn,mlp", "--ensemble", 2)
    assert found["members"] == 2
    assert {"gcn", "mlp"} <= {row["model"] for row in found["comparison"]}
    assert found["model"] in ("gcn", "mlp")


def test_settings_are_searched(people):
    pytest.importorskip("optuna")
    assert len(told("train", *people, "--tune", 3)["trials"]) == 3
    assert "Of 2 settings the best on the validation part" in works("train", *people, "--tune", 2).stdout


def test_a_configuration_trains_the_same_again(tmp_path, people):
    first = told("train", *people, "--seeds", 2)
    config = Path(first["folder"]) / "config.toml"
    again = told("train", "--config", config, "--out", tmp_path / "again", "--name", "again", "--no-report")
    assert Path(again["folder"]).name == "again"
    assert again["scores"] == first["scores"]
    other = told("train", "--config", config, "--out", tmp_path / "again", "--seed", 8, "--no-report")
    assert other["seeds"] == [8, 9]
    said = refused("train", "--config", config, "--epochs", 5, "--hidden", 3)
    assert "--epochs" in said
    assert "--hidden" in said


def test_ctrl_c_leaves_a_run_that_can_be_resumed(tmp_path, people):
    """The interrupted training and its second half come to what one that was left alone comes to."""
    options = ["--epochs", 800, "--patience", 800, "--dropout", 0.2]
    arguments = [str(a) for a in [*people[:4], "--no-report", "--out", tmp_path / "runs", *options]]
    code = "import sys; from grapevine.cli import app; app(sys.argv[1:])"
    began = subprocess.Popen([sys.executable, "-c", code, "train", *arguments], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not unfinished_runs(tmp_path / "runs") and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    os.kill(began.pid, signal.SIGINT)
    stderr = began.communicate(timeout=60)[1]
    partial = tmp_path / "runs" / "people-gcn.partial"
    assert began.returncode == 130, stderr
    assert stderr == f"grapevine: stopped; go on with: grapevine train --resume {partial}\n"
    assert "--epochs" in refused("train", "--resume", partial, "--epochs", 3)
    done = told("train", "--resume", partial)
    assert done["folder"] == str(tmp_path / "runs" / "people-gcn")
    assert done["scores"] == told("train", *people, *options, "--name", "whole")["scores"]
    assert "is finished" in refused("train", "--resume", partial)
