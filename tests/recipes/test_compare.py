"""Runs side by side."""

import pytest

from grapevine.data.split import SplitRule
from grapevine.errors import InputError
from grapevine.recipes.compare import compare
from grapevine.recipes.config import TaskConfig
from grapevine.recipes.source import Source
from tests.recipes.people import trained_on


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    out, club = tmp_path_factory.mktemp("runs"), Source(dataset="karate")
    drawn = TaskConfig(split=SplitRule(kind="random"))
    return {
        "gcn": trained_on(club, out, seeds=2),
        "mlp": trained_on(club, out, model="mlp"),
        "drawn": trained_on(club, out, task=drawn),
        "by loss": trained_on(club, out, task=TaskConfig(metric="f1_macro")),
    }


def test_a_row_says_what_a_run_came_to(runs):
    table = compare([runs["gcn"].folder, runs["mlp"].folder])
    gcn, mlp = table.frame.iter_rows(named=True)
    assert gcn["test"] == runs["gcn"].scores["test"]["accuracy"]
    assert gcn["test_std"] == runs["gcn"].spread["test"]["accuracy"]
    assert mlp["test_std"] is None
    assert (mlp["model"], mlp["data"], mlp["parameters"]) == ("mlp", "karate", runs["mlp"].trained.num_parameters)
    assert table.notes == ()


@pytest.mark.parametrize(("other", "word"), [("drawn", "question or split"), ("by loss", "metric")])
def test_what_can_not_be_compared_is_said(runs, other, word):
    (note,) = compare([runs["mlp"].folder, runs[other].folder]).notes
    assert note.endswith(f"are not comparable: they differ in {word}")


def test_wrong_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="there is no run folder"):
        compare([tmp_path / "absent"])
    with pytest.raises(InputError, match="say which runs"):
        compare([])
