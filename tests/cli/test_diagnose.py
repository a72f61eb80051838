"""`grapevine diagnose`."""

import pytest

from tests.cli.run import refused, run, told, works
from tests.recipes.people import source_of, trained_on, write_people


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    people, friends = write_people(folder)
    return ["--nodes", people, "--edges", friends], trained_on(source_of(people, friends), folder / "runs").folder


def test_data_by_their_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = works("diagnose", "karate").stdout
    assert "A GCN is expected to beat an MLP" in printed
    assert "grapevine train karate --model" in printed
    assert printed.strip().endswith("page: karate-diagnosis.html")
    assert (tmp_path / "karate-diagnosis.html").is_file()


def test_a_run_and_its_tables(town, tmp_path):
    tables, run = town
    found = told("diagnose", run)
    assert found["is_of_run"]
    assert found["page"] == str(run / "diagnosis.html")
    assert (run / "diagnosis.html").is_file()
    assert found["depth"]["is_trained"]
    command = found["remedies"][0]["command"]
    assert f"--nodes {tables[1]} --edges {tables[3]}" in command
    of_tables = told("diagnose", *tables, "--target", "label", "--out", tmp_path / "why.html")
    assert of_tables["power"]["limits"]
    assert (tmp_path / "why.html").is_file()


def test_the_command_that_is_advised_trains(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    remedy = told("diagnose", "karate", "--split", "stratified", "--split-seed", 1)["remedies"][0]["command"]
    words = remedy.split()
    assert words[:2] == ["grapevine", "train"]
    assert "--split-seed" in words
    done = told(*words[1:], "--epochs", 2, "--out", tmp_path / "runs", "--no-report")
    assert done["model"] == words[words.index("--model") + 1]


def test_links_and_tables_without_answers(tmp_path):
    _, friends = write_people(tmp_path, has_target=False)
    out = ["--out", tmp_path / "why.html"]
    found = told("diagnose", "--edges", friends, "--level", "link", *out)
    assert (found["level"], found["power"]["what"]) == ("link", "pairs of nodes")
    assert "--level link" in found["remedies"][0]["command"]


def test_what_is_refused(town, tmp_path):
    tables, run = town
    assert "no other option goes with it" in refused("diagnose", run, "--target", "label")
    assert "there is no data set" in refused("diagnose", "absent")
    assert "there is no file" in refused("diagnose", tmp_path / "absent.graphml")
    assert "--budget is the time for --try" in refused("diagnose", "karate", "--budget", 3)
    assert "positive" in refused("diagnose", "karate", "--try", "--budget", 0)
    assert "ends in .html" in refused("diagnose", "karate", "--out", tmp_path / "why.txt")
    assert "there is no folder" in refused("diagnose", "karate", "--out", tmp_path / "no" / "why.html")
    assert "say where the data are" in refused("diagnose")
    assert "no_such" in refused("diagnose", *tables, "--target", "no_such")


def test_trying_in_seconds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("diagnose", "karate", "--try", "--budget", "0.1")
    assert done.exit_code == 0, done.output
    assert "(baseline)" in done.stdout
    assert "tried" in done.stdout
