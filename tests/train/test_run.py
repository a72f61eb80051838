"""A run folder comes back as it was, is never overwritten and never half there, whatever interrupts it."""

import json
import math
import os
import signal
import subprocess
import sys
import time
import tomllib

import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grapevine.errors import InputError
from grapevine.train import run as module
from grapevine.train.run import Run, RunFolder, join_members, load_run, save_run, split_members, unfinished_runs
from grapevine.train.run_files import to_json, to_toml

SMALL = Run({"a.weight": torch.arange(6.0).view(2, 3).T, "a.bias": torch.ones(2)}, {"width": 2}, {"accuracy": 0.5})
SHARED = torch.arange(4.0)
FULL = Run(
    weights={"one": SHARED, "same memory": SHARED, "part": SHARED[1:], "half": torch.ones(2, dtype=torch.bfloat16)},
    config={"widths": [16, 7], "nothing": None},
    metrics={"test": {"auc": 0.1 + 0.2, "mrr": math.nan}},
    recipe={"data": {"nodes": "a b.csv", "keep": None}, "seeds": (0, 1), "model": {"p": 0.5, "deep": {"é": True}}},
    epochs=pl.DataFrame({"epoch": [1, 2], "loss": [1 / 3, 1e-17]}),
    predictions=pl.DataFrame({"id": ["ann", "bob"], "part": ["train", None], "p": [0.1, None]}),
    encoder={"colour": {"red": 0}},
    rejected=pl.DataFrame({"line": [3], "text": ['a,"b"\nc'], "reason": ["no such node"]}),
    report="<!doctype html>é",
)


def test_a_run_comes_back(tmp_path):
    folder = save_run(SMALL, tmp_path / "deep" / "runs", "cora-gcn")
    assert folder == tmp_path / "deep" / "runs" / "cora-gcn"
    names = ["config.json", "config.toml", "metrics.json", "model.safetensors"]
    assert sorted(path.name for path in folder.iterdir()) == names
    run = load_run(folder)
    assert (run.config, run.metrics, run.recipe) == (SMALL.config, SMALL.metrics, {})
    assert run.weights.keys() == SMALL.weights.keys()
    assert all(torch.equal(run.weights[name], SMALL.weights[name]) for name in SMALL.weights)
    assert (run.epochs, run.predictions, run.encoder, run.rejected, run.report) == (None,) * 5


def test_all_it_can_hold_comes_back(tmp_path):
    run = load_run(save_run(FULL, tmp_path, "all"))
    assert run.config == FULL.config
    assert run.metrics == {"test": {"auc": 0.1 + 0.2, "mrr": None}}
    assert run.recipe == {
        "data": {"nodes": "a b.csv"}, "seeds": [0, 1], "model": {"p": 0.5, "deep": {"é": True}},
    }  # fmt: skip
    for name in ("epochs", "predictions", "rejected"):
        assert getattr(run, name).equals(getattr(FULL, name)), name
    assert (run.encoder, run.report) == (FULL.encoder, FULL.report)
    assert all(torch.equal(run.weights[name], FULL.weights[name]) for name in FULL.weights)
    assert run.weights["half"].dtype == torch.bfloat16


def test_the_large_files_are_read_when_they_are_asked_for(tmp_path, monkeypatch):
    folder = save_run(FULL, tmp_path, "all")
    monkeypatch.setattr(module, "load_file", None)
    run = load_run(folder)
    assert run.epochs is run.epochs
    with pytest.raises(TypeError):
        _ = run.weights


_SCALARS = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()
_PLAIN = st.recursive(
    _SCALARS,
    lambda inner: st.dictionaries(st.text(), inner | st.none(), max_size=4) | st.lists(inner, max_size=3),
    max_leaves=12,
)


def _without_none(value):
    if isinstance(value, dict):
        return {key: _without_none(each) for key, each in value.items() if each is not None}
    return [_without_none(each) for each in value] if isinstance(value, list) else value


@given(st.dictionaries(st.text(), _PLAIN, max_size=4))
def test_nested_settings_come_back_from_toml_but_for_none(values):
    assert tomllib.loads(to_toml(values)) == _without_none(values)


def test_json_is_what_every_reader_takes():
    assert json.loads(to_json({"a": [math.inf, -math.inf, 1.5], "b": None})) == {"a": [None, None, 1.5], "b": None}


def test_an_older_run_is_kept(tmp_path):
    folders = [save_run(SMALL, tmp_path, "cora-gcn") for _ in range(3)]
    assert [folder.name for folder in folders] == ["cora-gcn", "cora-gcn-2", "cora-gcn-3"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cora-gcn", "cora-gcn-2", "cora-gcn-3"]


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (Run(SMALL.weights, {"a": {"width": object()}}, {}), r"a\.width must be a plain value .* type object"),
        (Run(SMALL.weights, {}, {}, {"seeds": [1, None]}), r"seeds\[1\] must be a plain value"),
        (Run(SMALL.weights, {}, {}, {"a": {1: 2}}), "a must have words as keys, got 1"),
    ],
)
def test_what_can_not_be_written_leaves_nothing(tmp_path, run, message):
    with pytest.raises(InputError, match=message):
        save_run(run, tmp_path, "cora-gcn")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "a.partial"])
def test_a_name_that_is_no_folders_name_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="a run's name must be a folder's name"):
        save_run(SMALL, tmp_path, name)


@pytest.mark.parametrize("file", ["config.toml", "config.json", "model.safetensors", "metrics.json"])
def test_a_missing_file_is_named(tmp_path, file):
    folder = save_run(FULL, tmp_path, "run")
    (folder / file).unlink()
    with pytest.raises(InputError, match=f"is not a whole run folder: there is no {file}"):
        load_run(folder)


@pytest.mark.parametrize(
    "file", ["config.toml", "config.json", "model.safetensors", "metrics.json", "predictions.parquet"]
)
@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe = ", "half"])
def test_a_damaged_file_is_named(tmp_path, file, damage):
    folder = save_run(FULL, tmp_path, "run")
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: len(content) // 2] if damage == "half" else damage)
    if file == "config.toml" and damage == b"":
        assert load_run(folder).recipe == {}  # an empty file is whole TOML
        return
    with pytest.raises(InputError, match=f"is not a whole run folder: {file} "):
        load_run(folder)


def test_a_damaged_table_is_named_when_it_is_read(tmp_path):
    folder = save_run(FULL, tmp_path, "run")
    (folder / "metrics.csv").write_text('a,b\n1,2\n3,4,5\n"')
    (folder / "encoder.json").write_text("[1]")
    (folder / "report.html").write_bytes(b"\xff")
    run = load_run(folder)
    for name, message in (("epochs", "metrics.csv"), ("encoder", "must hold an object"), ("report", "report.html")):
        with pytest.raises(InputError, match=message):
            getattr(run, name)


def test_what_is_no_run_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no run folder"):
        load_run(tmp_path / "absent")
    with pytest.raises(InputError, match=r"there is no config\.toml, no config\.json, no model"):
        load_run(tmp_path)


def test_the_weights_of_an_ensemble_are_those_of_its_modules():
    members = [torch.nn.Linear(2, 1) for _ in range(11)]
    ensemble = torch.nn.Module()
    ensemble.members = torch.nn.ModuleList(members)
    weights = join_members([member.state_dict() for member in members])
    ensemble.load_state_dict(weights)
    back = split_members(ensemble.state_dict())
    assert [part["bias"].item() for part in back] == [member.bias.item() for member in members]
    assert split_members({"members": SHARED})[0]["members"] is SHARED


def test_an_unfinished_run_is_found_and_finished(tmp_path):
    save_run(SMALL, tmp_path, "cora")
    begun = RunFolder.begin(tmp_path, "cora", {"seed": 3})
    assert (begun.name, begun.folder.name) == ("cora-2", "cora-2.partial")
    (begun.checkpoints / "last.pt").write_text("step 5")
    with pytest.raises(InputError, match="is not finished: resume it first"):
        load_run(tmp_path / "cora-2")
    assert [folder.name for folder in unfinished_runs(tmp_path)] == ["cora-2"]
    for path in (tmp_path / "cora-2", begun.folder):
        again = RunFolder.resume(path)
        assert again.recipe == {"seed": 3}
        assert (again.checkpoints / "last.pt").read_text() == "step 5"
    assert save_run(SMALL, tmp_path, "cora").name == "cora-3"  # the name is taken already
    assert again.finish(FULL) == tmp_path / "cora-2"
    assert unfinished_runs(tmp_path) == []
    assert not (tmp_path / "cora-2" / "checkpoints").exists()
    with pytest.raises(InputError, match="is finished: there is nothing to resume"):
        RunFolder.resume(tmp_path / "cora-2")


def test_what_can_not_be_resumed_names_what_can(tmp_path):
    RunFolder.begin(tmp_path, "other", {})
    with pytest.raises(InputError, match=r"unfinished there: .*other\.partial"):
        RunFolder.resume(tmp_path / "absent")
    with pytest.raises(InputError, match="unfinished there: none"):
        RunFolder.resume(tmp_path / "nowhere" / "absent")


def test_a_failed_finish_can_be_repeated(tmp_path):
    folder = RunFolder.begin(tmp_path, "cora", {"seed": 3})
    with pytest.raises(InputError):
        folder.finish(Run(FULL.weights, {}, {}, {"bad": object()}, rejected=FULL.rejected))
    assert not (tmp_path / "cora").exists()
    assert RunFolder.resume(folder.folder).recipe == {"seed": 3}
    whole = folder.finish(SMALL)
    assert not (whole / "rejected.csv").exists()  # the first attempt's


def test_a_name_taken_meanwhile_is_not_overwritten(tmp_path):
    folder = RunFolder.begin(tmp_path, "cora", {})
    (tmp_path / "cora").mkdir()
    (tmp_path / "cora" / "precious").touch()
    assert folder.finish(SMALL).name == "cora-2"
    assert (tmp_path / "cora" / "precious").exists()


_SAVES_FOREVER = """
import sys, torch
from pathlib import Path
from grapevine.train.run import Run, save_run
weights = {str(k): torch.zeros(50_000) for k in range(8)}
run = Run(weights, {"k": [0] * 5000}, {"m": 1.0}, {"seed": 1}, report="x" * 10**6)
print("ready", flush=True)
while True:
    save_run(run, Path(sys.argv[1]), "run")
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
def test_a_kill_leaves_whole_runs_and_resumable_ones(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", _SAVES_FOREVER, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    whole = [path for path in tmp_path.iterdir() if not path.name.endswith(".partial")]
    assert len(whole) > 0
    for path in whole:
        assert load_run(path).weights["7"].shape == (50_000,)
    for folder in unfinished_runs(tmp_path):
        assert load_run(folder.finish(SMALL)).metrics == SMALL.metrics
    assert not any(name.endswith(".writing") for _, _, files in os.walk(tmp_path) for name in files)
