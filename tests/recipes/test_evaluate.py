"""Judging again: a run's own data give its own numbers, other data those that scikit-learn gives."""

import polars as pl
import pytest
from sklearn.metrics import accuracy_score, mean_absolute_error

from grapevine.errors import InputError
from grapevine.recipes.evaluate import evaluate
from grapevine.recipes.predict import predict
from grapevine.recipes.source import Source
from grapevine.train.run import load_run
from tests.recipes.people import source_of, trained_on, write_people


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        ({}, {}),
        ({"target": ("height",)}, {}),
        ({"target": ("height",)}, {"members": 2}),
        ({"level": "link"}, {}),
        ({"level": "edge", "target": ("kind",)}, {}),
    ],
    ids=["classes", "numbers", "ensemble", "links", "edges"],
)
def test_the_own_data_give_the_numbers_of_the_run_folder(tmp_path, table, changes):
    run = trained_on(source_of(*write_people(tmp_path), **table), tmp_path / "runs", **changes)
    found = evaluate(run.folder)
    kept = load_run(run.folder).metrics["scores"]
    assert set(found.scores) == {"train", "val", "test"}
    for part, scores in found.scores.items():
        assert scores == pytest.approx(kept[part], nan_ok=True, rel=1e-6), part
    assert evaluate(run.folder, part="val").scores == {"val": found.scores["val"]}


def test_a_run_on_a_data_set_too(tmp_path):
    run = trained_on(Source(dataset="karate"), tmp_path)
    found = evaluate(run.folder)
    assert {part: dict(scores) for part, scores in found.scores.items()} == load_run(run.folder).metrics["scores"]
    assert found.counts == {"train": 2, "val": 8, "test": 24}


def test_of_several_seeds_it_is_the_one_that_was_kept(tmp_path):
    run = trained_on(source_of(*write_people(tmp_path)), tmp_path / "runs", seeds=3)
    each = load_run(run.folder).metrics["each"]
    found = {part: dict(scores) for part, scores in evaluate(run.folder).scores.items()}
    best = max(each, key=lambda scores: scores["val"]["accuracy"])  # the first of equals, as training takes
    assert found == best


def test_other_data_are_judged_as_scikit_learn_does(tmp_path):
    run = trained_on(source_of(*write_people(tmp_path / "here")), tmp_path / "runs")
    there = source_of(*write_people(tmp_path / "there", seed=7, count=20))
    found, said = evaluate(run.folder, there), predict(run.folder, there).frame
    truth = pl.read_csv(tmp_path / "there" / "people.csv")["label"]
    assert found.counts == {"all": 20}
    assert found.scores["all"]["accuracy"] == pytest.approx(accuracy_score(truth, said["prediction"]))

    run = trained_on(source_of(*write_people(tmp_path / "here"), target=("height",)), tmp_path / "runs")
    found, said = evaluate(run.folder, there), predict(run.folder, there).frame
    truth = pl.read_csv(tmp_path / "there" / "people.csv")["height"]
    assert found.scores["all"]["mae"] == pytest.approx(mean_absolute_error(truth, said["prediction"]), rel=1e-5)


def test_links_of_other_data_are_held_out_of_them(tmp_path):
    run = trained_on(source_of(*write_people(tmp_path / "here"), level="link"), tmp_path / "runs")
    found = evaluate(run.folder, source_of(*write_people(tmp_path / "there", seed=7, count=80)))
    assert set(found.scores) == {"val", "test"}
    assert found.counts == {"val": 16, "test": 32}  # 5% and 10% of 160 edges, and as many pairs without one


def test_data_without_answers_are_refused(tmp_path):
    run = trained_on(source_of(*write_people(tmp_path / "here"), drop=("height",)), tmp_path / "runs")
    there = source_of(*write_people(tmp_path / "there", has_target=False))
    with pytest.raises(InputError, match="no known answer"):
        evaluate(run.folder, there)
    with pytest.raises(InputError, match="no split"):
        evaluate(run.folder, source_of(*write_people(tmp_path / "more")), part="test")
    with pytest.raises(InputError, match="part must be one of"):
        evaluate(run.folder, part="all")  # pyright: ignore[reportArgumentType]
