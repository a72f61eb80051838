"""`grapevine predict`, `evaluate` and `embed`."""

import io

import polars as pl
import pytest

from grapevine.train.run import load_run
from tests.cli.run import refused, run, told, works
from tests.recipes.people import source_of, trained_on, write_people


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    return trained_on(source_of(*write_people(folder), drop=("height",)), folder / "runs").folder


@pytest.fixture
def new(tmp_path):
    people, friends = write_people(tmp_path / "new", seed=5, count=12, has_target=False)
    return ["--nodes", people, "--edges", friends]


def test_predictions_of_new_people_are_a_table_under_their_names(run_folder, new, tmp_path):
    printed = run("predict", run_folder, *new)
    frame = pl.read_csv(io.StringIO(printed.stdout))
    assert "the graph has 12 nodes" in printed.stderr
    assert frame["id"].to_list() == pl.read_csv(new[1])["who"].to_list()
    out = tmp_path / "said.csv"
    assert f"12 rows written to {out}" in works("predict", run_folder, *new, "--out", out).stdout
    assert pl.read_csv(out)["prediction"].to_list() == frame["prediction"].to_list()
    found = told("predict", run_folder, *new)
    assert [row["id"] for row in found["predictions"]] == frame["id"].to_list()
    assert found["rejected"] == []


def test_without_data_it_predicts_on_its_own(run_folder):
    assert len(told("predict", run_folder)["predictions"]) == 60


def test_pairs(tmp_path):
    people, friends = write_people(tmp_path)
    links = trained_on(source_of(people, friends, level="link"), tmp_path / "runs").folder
    names = pl.read_csv(people)["who"].to_list()
    pairs = tmp_path / "pairs.csv"
    pairs.write_text(f"from,to\n{names[0]},{names[1]}\nnobody,{names[2]}\n")
    done = run("predict", links, "--pairs", pairs)
    assert f"{names[0]},{names[1]}," in done.stdout
    assert "pairs.csv, line 3: a pair with an unknown node (from: nobody)" in done.stderr
    assert "--pairs FILE" in refused("predict", links)


def test_evaluate_without_data_gives_the_numbers_of_the_run_folder(run_folder):
    found = told("evaluate", run_folder)
    assert found["scores"] == load_run(run_folder).metrics["scores"]
    assert list(told("evaluate", run_folder, "--part", "test")["scores"]) == ["test"]
    printed = works("evaluate", run_folder).stdout
    assert f"{100 * found['scores']['test']['accuracy']:.1f}" in printed
    assert "validation (12)" in printed


def test_evaluate_on_other_data(run_folder, tmp_path, new):
    people, friends = write_people(tmp_path / "known", seed=5, count=12)
    found = told("evaluate", run_folder, "--nodes", people, "--edges", friends)
    assert found["counts"] == {"all": 12}
    assert "no known answer" in refused("evaluate", run_folder, *new)


def test_embed(run_folder, new, tmp_path):
    rows = told("embed", run_folder, *new)["embeddings"]
    assert list(rows[0]) == ["id", "h_0", "h_1"]
    out = tmp_path / "where.parquet"
    works("embed", run_folder, *new, "--out", out)
    assert pl.read_parquet(out).to_dicts() == rows


@pytest.mark.parametrize("command", ["predict", "evaluate", "embed"])
def test_wrong_run_folders_are_refused(command, tmp_path, run_folder):
    assert "no run folder" in refused(command, tmp_path / "absent") or "can not be read" in refused(
        command, tmp_path / "absent"
    )
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "metrics.json").write_text("{}")
    assert "not a whole run folder" in refused(command, tmp_path / "broken")
    assert "there is no file" in refused(command, run_folder, "--edges", "absent.csv", "--nodes", "absent.csv")
    assert "takes 3 features a node, the graph has 34" in refused(command, run_folder, "karate")
