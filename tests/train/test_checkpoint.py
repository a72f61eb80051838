"""Training goes on after a kill at any moment to the same bits; damaged and foreign checkpoints are noticed."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from grapevine.errors import InputError
from grapevine.train.checkpoint import BEST, LAST, PREVIOUS, Checkpoints, State, read_state
from grapevine.train.loop import fit
from grapevine.train.settings import Settings
from tests.train.cases import Nodes, plain, same, two_classes
from tests.train.interrupted import settings, train

ROOT = Path(__file__).parents[2]
STATE = State({"a": torch.arange(3.0), "b": torch.tensor(2, dtype=torch.int64)}, {"epoch": 3, "value": float("inf")})


class Stop(Exception):
    """Ends training from outside."""


def trained(folder, options: Settings, *, stop_at=None, size=None):
    """The model and the fit, or None where training was stopped."""
    model = plain()

    def on_epoch(epoch):
        if epoch.number == stop_at:
            raise Stop

    try:
        return model, fit(model, Nodes(two_classes(), size=size), options, checkpoints=folder, on_epoch=on_epoch)
    except Stop:
        return model, None


def timeless(fit_):
    """A fit without what the clock says."""
    return replace(fit_, seconds=0.0, history=tuple(replace(row, seconds=0.0) for row in fit_.history))


def killed_until_done(folder: Path, epochs: int, pause: float, kills: int) -> int:
    """Start the program again until it is done, killing it so often at random moments; returns how often it was."""
    draw, done = random.Random(0), 0
    command = [sys.executable, "-m", "tests.train.interrupted", str(folder), str(epochs), str(pause)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    while not (folder / "done.safetensors").exists():
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=environment)
        if done < kills:
            process.stdout.readline()
            time.sleep(draw.uniform(0, 1.2 * epochs * pause / kills))
            process.send_signal(signal.SIGKILL)
        done += process.wait() == -signal.SIGKILL
        process.stdout.close()
    return done


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize(
    ("epochs", "pause", "kills"), [(40, 0.005, 3), pytest.param(300, 0.002, 25, marks=pytest.mark.slow)]
)
def test_killed_training_ends_with_the_same_weights(tmp_path, epochs, pause, kills):
    expected, _ = train(None, epochs)
    assert killed_until_done(tmp_path, epochs, pause, kills) >= min(kills, 3)
    found = load_file(tmp_path / "done.safetensors")
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.state_dict().items())


@pytest.mark.parametrize(
    "options",
    [
        Settings(max_epochs=20),
        Settings(max_epochs=20, optimizer="sgd", schedule="cosine", warmup_epochs=3, clip_norm=0.1),
        Settings(max_epochs=20, optimizer="adamw", ema=0.9, accumulate=2, stop_on="metric"),
        Settings(max_epochs=20, precision="bf16-true"),
        settings(20),
    ],
    ids=["adam", "sgd", "adamw", "bf16", "everything"],
)
def test_it_goes_on_to_the_same_end(tmp_path, options):
    options = options.model_copy(update={"checkpoint_every": 3.0, "checkpoint_unit": "epochs"})
    whole, expected = trained(None, options, size=5)
    for stop_at in (5, 11):
        assert trained(tmp_path, options, size=5, stop_at=stop_at)[1] is None
    model, found = trained(tmp_path, options, size=5)
    assert same(model, whole)
    assert timeless(found) == timeless(expected)
    again, same_fit = trained(tmp_path, options, size=5, stop_at=20)  # it is done: nothing is trained
    assert same(again, whole)
    assert same_fit == found
    assert read_state(tmp_path / BEST).content["epoch"] == found.best_epoch
    assert not list(tmp_path.glob(".*"))


def test_early_stopping_goes_on_counting(tmp_path):
    options = Settings(learning_rate=0.1, patience=9, checkpoint_every=1, checkpoint_unit="epochs")
    _, expected = trained(None, options)
    trained(tmp_path, options, stop_at=expected.best_epoch + 4)
    _, found = trained(tmp_path, options)
    assert timeless(found) == timeless(expected)
    assert found.stopped_because == "patience"


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    options = Settings(max_epochs=8, checkpoint_every=1, checkpoint_unit="epochs")
    trained(tmp_path, options, stop_at=4)
    with pytest.raises(InputError, match=r"another settings\.learning_rate; take the same configuration"):
        trained(tmp_path, options.model_copy(update={"learning_rate": 0.5}))
    with pytest.raises(InputError, match=r"another first weights, model\.network"):
        fit(plain(hidden=9), Nodes(two_classes()), options, checkpoints=tmp_path)
    model = plain()
    torch.nn.init.ones_(model.network[0].weight)
    with pytest.raises(InputError, match="another first weights;"):
        fit(model, Nodes(two_classes()), options, checkpoints=tmp_path)
    with pytest.raises(InputError, match="another decayed"):
        fit(plain(), Nodes(two_classes()), options, checkpoints=tmp_path, decayed=[])
    trained(tmp_path, options.model_copy(update={"checkpoint_every": 2.0}))


@pytest.mark.parametrize("harm", ["cut", "flipped", "empty", "gone"])
def test_a_damaged_checkpoint_gives_way_to_the_previous_one(tmp_path, harm):
    options = Settings(max_epochs=12, checkpoint_every=2, checkpoint_unit="epochs")
    whole, _ = trained(None, options)
    trained(tmp_path, options, stop_at=9)
    last = tmp_path / LAST
    data = bytearray(last.read_bytes())
    data[-1] ^= 1
    {
        "cut": lambda: last.write_bytes(data[: len(data) // 2]),
        "flipped": lambda: last.write_bytes(data),
        "empty": lambda: last.write_bytes(b""),
        "gone": last.unlink,
    }[harm]()
    model, found = trained(tmp_path, options)
    assert same(model, whole)
    if harm == "gone":  # a kill between two renames leaves that
        assert found.warnings == ()
    else:
        assert "last.safetensors" in found.warnings[0]
        assert "training goes on from previous.safetensors" in found.warnings[0]


def test_if_all_are_damaged_it_says_so(tmp_path):
    options = Settings(max_epochs=8, checkpoint_every=2, checkpoint_unit="epochs")
    trained(tmp_path, options, stop_at=7)
    for name in (LAST, PREVIOUS):
        (tmp_path / name).write_bytes(b"none")
    with pytest.raises(InputError, match=r"previous\.safetensors can not be read .*delete the folder to begin anew"):
        trained(tmp_path, options)


def test_a_state_comes_back_as_it_was(tmp_path):
    keeper = Checkpoints(tmp_path, {"width": 3})
    assert keeper.read() is None
    keeper.write(STATE)
    found = keeper.read()
    assert found.content == dict(STATE.content) | {"identity": {"width": 3}}
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in STATE.tensors.items())


def test_it_is_due_in_time(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("grapevine.train.checkpoint.monotonic", lambda: now[0])
    keeper = Checkpoints(tmp_path, {})
    assert [keeper.is_due(epoch, 3, "epochs") for epoch in range(1, 7)] == [False, False, True, False, False, True]
    assert not keeper.is_due(1, 60, "seconds")
    now[0] = 161.0
    assert keeper.is_due(1, 60, "seconds")
    keeper.write(STATE)
    assert not keeper.is_due(2, 60, "seconds")


def test_a_folder_that_can_not_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can not be made"):
        Checkpoints(tmp_path / "file" / "folder", {})
