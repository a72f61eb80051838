"""A training from its configuration: the same again, resumed after a kill, with several seeds, as an ensemble."""

import os
import signal
import statistics
import subprocess
import sys
import time

import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal

from grapevine.data.datasets import load_dataset
from grapevine.errors import InputError
from grapevine.recipes.choose import choose, fitting_models
from grapevine.recipes.config import TaskConfig
from grapevine.recipes.plan import plan
from grapevine.recipes.problem import posed
from grapevine.recipes.source import Source, load
from grapevine.recipes.train import keep, read_config, resume, train
from grapevine.recipes.trained import from_pretrained, save_pretrained
from grapevine.recipes.tune import tune
from grapevine.task.task import PARTS
from grapevine.train.run import load_run
from tests.data.cases import CORA, needs_cora

SHORT = plan("karate", "gcn", max_epochs=8)


def same_weights(a, b):
    pairs = zip(a.networks.parameters(), b.networks.parameters(), strict=True)
    return all(torch.equal(*pair) for pair in pairs)


def test_the_same_configuration_gives_the_same_model_and_the_folder_gives_it_back(tmp_path):
    first = train(SHORT, out=tmp_path)
    saved = load_run(first.folder)
    again = train(read_config(saved.recipe), out=tmp_path)
    assert same_weights(first.trained, again.trained)
    assert again.folder.name == "karate-gcn-2"
    assert saved.recipe == load_run(again.folder).recipe
    loaded = from_pretrained(first.folder)
    assert same_weights(first.trained, loaded)
    assert (loaded.objective, loaded.temperature) == (first.trained.objective, first.trained.temperature)
    assert_frame_equal(saved.predictions, first.predictions)
    assert saved.metrics["scores"] == first.scores
    assert len(saved.epochs) == 8
    assert "<svg" in saved.report


def test_predictions_are_the_models_own():
    result = train(SHORT)
    task, trained = result.problem.task, result.trained
    answers = task.answers(trained.networks, PARTS)
    for part in PARTS:
        rows = result.predictions.filter(pl.col("part") == part)
        merged = trained.merged(answers[part].output)
        assert rows["id"].to_list() == answers[part].items.tolist()
        assert rows["prediction"].cast(str).to_list() == [
            str(trained.class_names[c]) if trained.class_names else str(c) for c in merged.argmax(1).tolist()
        ]
        assert rows["probability"].to_list() == pytest.approx(merged.softmax(1).max(1).values.tolist())
        right = (rows["prediction"] == rows["target"]).mean()
        assert right == pytest.approx(result.scores[part]["accuracy"])


def test_of_several_seeds_the_best_by_validation_is_kept_and_the_scores_are_means():
    result = train(SHORT.model_copy(update={"seeds": 3}))
    tests = [one.scores["test"]["accuracy"] for one in result.fits]
    assert result.scores["test"]["accuracy"] == pytest.approx(statistics.fmean(tests))
    assert result.spread["test"]["accuracy"] == pytest.approx(statistics.stdev(tests))
    answers = result.problem.task.answers(result.trained.networks, ["val"])["val"]
    kept = result.trained.objective.score(result.trained.merged(answers.output), answers.target)
    assert kept == pytest.approx(max(one.scores["val"]["accuracy"] for one in result.fits))


def test_an_ensemble_is_kept_whole_and_says_how_far_it_is_apart(tmp_path):
    result = train(SHORT.model_copy(update={"members": 3}), out=tmp_path, has_report=False)
    assert result.trained.num_members == 3
    assert "spread" in result.predictions.columns
    assert result.predictions["spread"].max() > 0
    loaded = from_pretrained(result.folder)
    answers = result.problem.task.answers(loaded.networks, ["test"])["test"]
    shares = torch.stack([answers.output[:, m].softmax(1) for m in range(3)]).mean(0)
    torch.testing.assert_close(loaded.merged(answers.output, is_calibrated=False).softmax(1), shares)
    with pytest.raises(InputError, match="not both"):
        train(SHORT.model_copy(update={"members": 2, "seeds": 2}))


def test_numbers_and_links_train_too(tmp_path):
    graph = load_dataset("karate").graph
    degree = graph.adj.in_degree.float()
    loaded = load(Source(dataset="karate"))
    numbers = type(loaded)(type(loaded.dataset)("degrees", graph.replace(node={"y": degree * 10 + 5}), "node"))
    result = train(SHORT.model_copy(update={"members": 2}), loaded=numbers)
    assert set(result.scores["test"]) >= {"mae", "rmse"}
    assert {"prediction", "spread"} <= set(result.predictions.columns)
    links = plan("karate", "gcn", level="link", task=TaskConfig(level="link"), max_epochs=8)
    result = train(links, out=tmp_path)
    assert result.predictions.columns[:2] == ["src", "dst"]
    assert 0 <= result.scores["test"]["roc_auc"] <= 1


def test_pretrained_folders_hold_a_model_and_nothing_else(tmp_path):
    result = train(SHORT)
    folder = save_pretrained(result.trained, tmp_path / "model")
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
    assert same_weights(from_pretrained(folder), result.trained)
    (folder / "config.json").write_text('{"model": {"name": "gnc"}}')
    with pytest.raises(InputError, match="no model that this version"):
        from_pretrained(folder)
    with pytest.raises(InputError, match="there is no run folder"):
        from_pretrained(tmp_path / "nothing")


_TRAIN = """
import sys
from pathlib import Path
import torch
from grapevine.recipes.plan import plan
from grapevine.recipes.train import train

torch.set_num_threads(1)
config = plan("digits", "gcn", max_epochs=150)
often = config.training.model_copy(update={"checkpoint_every": 5, "checkpoint_unit": "epochs", "patience": 150})
print("begun", flush=True)
train(config.model_copy(update={"training": often}), out=Path(sys.argv[1]), has_report=False)
"""


def test_a_killed_training_is_taken_up_and_ends_with_the_same_weights(tmp_path):
    whole = tmp_path / "whole"
    subprocess.run([sys.executable, "-c", _TRAIN, whole], check=True, capture_output=True)
    begun = subprocess.Popen([sys.executable, "-c", _TRAIN, tmp_path / "cut"], stdout=subprocess.PIPE)
    checkpoints = tmp_path / "cut" / "digits-gcn.partial" / "checkpoints"
    deadline = time.monotonic() + 60
    while not list(checkpoints.glob("*/*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(begun.pid, signal.SIGKILL)
    begun.wait()
    assert not (tmp_path / "cut" / "digits-gcn").exists()
    with pytest.raises(InputError, match="is not finished: resume it"):
        load_run(tmp_path / "cut" / "digits-gcn")
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # the bits are the same for a given number of threads
    result = resume(tmp_path / "cut" / "digits-gcn")
    torch.set_num_threads(before)
    assert same_weights(result.trained, from_pretrained(whole / "digits-gcn"))
    assert result.folder == tmp_path / "cut" / "digits-gcn"


def test_what_fails_leaves_nothing_behind(tmp_path):
    wild = SHORT.training.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(RuntimeError, match="in epoch"):
        train(SHORT.model_copy(update={"training": wild}), out=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_several_models_are_compared_with_plain_ones(tmp_path):
    loaded = load(Source(dataset="karate"))
    fitting, left_out = fitting_models(loaded, posed(SHORT.task, loaded), ("mlp", "gcn", "gine"))
    assert fitting == ["mlp", "gcn"]
    assert left_out[0].startswith("gine is left out")
    found = choose({name: plan("karate", name, max_epochs=8) for name in fitting}, loaded=loaded)
    rows = {row.name: row for row in found.result.comparison.rows}
    assert set(rows) == {"mlp", "gcn", "boosted trees", "linear fit", "guess"}
    assert found.result.comparison.chosen in fitting
    y, train_mask = loaded.dataset.graph.y, loaded.dataset.splits[0].train
    test = y[loaded.dataset.splits[0].test]
    assert rows["guess"].score.mean == pytest.approx((test == y[train_mask].mode().values).float().mean().item())
    kept = keep(found.result, tmp_path)
    assert "boosted trees" in load_run(kept.folder).report
    with pytest.raises(InputError, match="there is no model 'gnc'"):
        fitting_models(loaded, posed(SHORT.task, loaded), ("gnc",))


def test_tuning_finds_what_does_best_on_the_validation_part():
    loaded = load(Source(dataset="karate"))
    told = []
    found = tune(SHORT, 3, loaded=loaded, on_progress=lambda *what: told.append(what))
    assert len(found.trials) == 3
    assert told[-1][1:] == (3, 3)
    best = max(trial["accuracy"] for trial in found.trials)
    again = train(found.config, loaded=loaded)
    assert again.scores["val"]["accuracy"] == pytest.approx(best)


@needs_cora
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("model", ["gcn", "gat"])
def test_two_runs_on_cora_end_with_the_same_bits(model, threads):
    before, source = torch.get_num_threads(), Source(dataset="cora", root=str(CORA))
    torch.set_num_threads(threads)
    runs = [train(plan(source, model, max_epochs=10)).trained for _ in range(2)]
    torch.set_num_threads(before)
    assert same_weights(*runs)
