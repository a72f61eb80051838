"""`grapevine info`, `compare`, `audit` and `datasets`."""

import pytest

from grapevine.data.datasets import DATASETS
from tests.cli.run import refused, told, works
from tests.recipes.people import source_of, trained_on, write_people


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    people, friends = write_people(folder)
    return ["--nodes", people, "--edges", friends], trained_on(source_of(people, friends), folder / "runs").folder


def test_info_of_a_run_a_data_set_and_data(town):
    tables, run = town
    assert told("info", run)["scores"]["test"]["accuracy"] == told("evaluate", run)["scores"]["test"]["accuracy"]
    printed = works("info", run).stdout
    assert "metric: accuracy" in printed
    assert told("info", "karate")["graph"]["num_components"] == 1
    assert "class counts: Mr. Hi 17, Officer 17" in works("info", "karate").stdout
    assert told("info", *tables, "--target", "label")["graph"]["num_nodes"] == 60
    assert "homophily: edge 1" in works("info", *tables).stdout
    assert "no other option goes with it" in refused("info", run, "--target", "label")
    assert "--level is for tables" in refused("info", "karate", "--level", "link")
    assert "there is no data set" in refused("info", "absent")


def test_a_data_set_that_is_not_there_is_said_to_be_so(tmp_path):
    assert told("info", "cora", "--root", tmp_path)["graph"] is None
    assert "Its files are not here yet" in works("info", "cora", "--root", tmp_path).stdout


def test_compare(town, tmp_path):
    _, run = town
    other = trained_on(source_of(*write_people(tmp_path, seed=3)), tmp_path / "runs", model="mlp").folder
    found = told("compare", run, other)
    assert [row["model"] for row in found["runs"]] == ["gcn", "mlp"]
    assert "not comparable: they differ in data" in found["notes"][0]
    printed = works("compare", run, other).stdout
    assert all(word in printed for word in ("people.csv", "validation", "not comparable"))
    assert "there is no run folder" in refused("compare", run, tmp_path / "absent")


def test_audit(town):
    tables, run = town
    report = told("audit", *tables, "--target", "label", "--split", "random", "--split-seed", 2)
    assert any(one["kind"] == "telling_feature" for one in report["findings"])  # age and height tell the group
    assert "age" in works("audit", *tables).stdout
    assert told("audit", run)["findings"] == told("audit", *tables)["findings"]
    assert "looked at pairs in two parts" in works("audit", *tables, "--level", "link").stdout


def test_datasets():
    printed = works("datasets").stdout
    assert all(name in printed for name in DATASETS)
    assert [one["name"] for one in told("datasets")] == list(DATASETS)
    assert told("datasets", "cora")["num_nodes"] == 2708
    assert "citation: Zachary 1977" in works("datasets", "karate").stdout
    assert "did you mean cora" in refused("datasets", "core")
