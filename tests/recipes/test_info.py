"""What there is to know of runs, data sets and data."""

import json

import pytest

from grapevine.errors import InputError
from grapevine.recipes.info import info
from grapevine.recipes.source import Source
from tests.data.cases import write_planetoid
from tests.recipes.people import NUM_PEOPLE, source_of, trained_on, write_people


def test_a_data_set_that_is_there_has_figures():
    found = info("karate")
    assert (found["kind"], found["num_edges"], found["licence"]) == ("dataset", 78, "not stated")
    graph = found["graph"]
    assert (graph["num_nodes"], graph["num_edges"], graph["num_components"]) == (34, 78, 1)
    assert graph["in_degree"] == {"min": 1, "mean": pytest.approx(2 * 78 / 34), "max": 17}
    assert graph["class_counts"] == {"Mr. Hi": 17, "Officer": 17}
    json.dumps(found)


def test_nothing_is_downloaded(tmp_path, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda *a, **k: pytest.fail("it asked the network"))
    for name in ("cora", "tu:MUTAG", "minesweeper"):
        found = info(name, root=tmp_path)
        assert found["graph"] is None
        assert found["citation"]


def test_files_that_are_there_are_read(tmp_path):
    write_planetoid(tmp_path)
    assert info(Source(dataset="citeseer", root=str(tmp_path)))["graph"]["num_nodes"] == 13


def test_data_of_ones_own(tmp_path):
    found = info(source_of(*write_people(tmp_path)))
    assert (found["kind"], found["level"], found["graph"]["num_nodes"]) == ("data", "node", NUM_PEOPLE)
    assert found["graph"]["homophily"]["edge"] == 1.0
    assert any("'who' holds the nodes' names" in note for note in found["notes"])


def test_a_run_says_what_was_asked_and_what_it_came_to(tmp_path):
    run = trained_on(source_of(*write_people(tmp_path)), tmp_path / "runs")
    found = info(run.folder)
    assert found["kind"] == "run"
    assert found["scores"]["test"]["accuracy"] == run.scores["test"]["accuracy"]
    assert found["model"]["name"] == "gcn"
    assert found["parameters"] == run.trained.num_parameters
    assert found["asked"]["split"]["kind"] == "stratified"
    assert found["data"]["nodes"].endswith("people.csv")
    json.dumps(found)


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(InputError, match="no data set 'core'; did you mean cora"):
        info("core")
    with pytest.raises(InputError, match="not a whole run folder"):
        info(tmp_path)
