"""The benchmarks of molecules on a few of them: what both sides read, what is judged, and how it is measured."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

pytest.importorskip("rdkit", reason="molecules need the extra chem")

from benchmarks import molecule_speed, molecules
from benchmarks.molecules import Case, Run, Runs, Scale, measure, ours, shared, theirs, why_no_chemprop

from grapevine.data.split import SplitRule, make_split

ALCOHOLS = ["C" * k + "O" for k in range(1, 11)]
AMINES = ["C" * k + "N" for k in range(1, 11)]
RINGS = [f"C1{'C' * k}C1" for k in range(1, 11)]


@pytest.fixture
def case(tmp_path) -> Case:
    """30 molecules with the number of their atoms, of which one is unknown, and one that can not be read."""
    rows = [f"{smiles},{len(smiles.replace('1', ''))}" for smiles in [*ALCOHOLS, *AMINES, *RINGS]]
    rows[3] = ALCOHOLS[3] + ","
    file = tmp_path / "few.csv"
    file.write_text("\n".join(["smiles,atoms", *rows, "C1CC,3", ""]))
    rule = SplitRule.model_validate({"kind": "random", "train": 0.8, "val": 0.1})
    return Case("Few", file, ("atoms",), "numbers", rule, 2, asked=(("dmpnn", 5.0), ("best", 4.0)))


def test_both_sides_read_the_same_file(case, tmp_path):
    data = shared(case, 2, tmp_path)
    told = json.loads(data.file.read_text())
    assert told["smiles"] == [*ALCOHOLS, *AMINES, *RINGS]
    assert told["y"][0] == [2.0]
    assert told["y"][3] == [None]
    assert told["kind"] == "regression"
    for seed, split in enumerate(data.splits()):
        wanted = make_split(case.rule.model_copy(update={"seed": seed}), data.loaded.dataset)
        for part in ("train", "val", "test"):
            assert torch.equal(getattr(split, part), getattr(wanted, part))
            assert told["splits"][seed][part] == getattr(wanted, part).nonzero().squeeze(1).tolist()
    assert told["splits"][0] != told["splits"][1]


def test_labels_and_classes_are_told_as_numbers(case, tmp_path):
    case.file.write_text("smiles,a,b\nC,0,1\nCC,1,\nCCC,0,0\nCCCC,1,1\nCCCCC,0,1\nCCCCCC,1,0\n")
    labels = replace(case, targets=("a", "b"), kind="labels")
    told = json.loads(shared(labels, 1, tmp_path).file.read_text())
    assert told["y"][:3] == [[0.0, 1.0], [1.0, None], [0.0, 0.0]]
    classes = replace(case, targets=("a",), kind="classes")
    assert json.loads(shared(classes, 1, tmp_path).file.read_text())["y"][:2] == [[0.0], [1.0]]


def test_our_runs_are_judged_on_the_test_part(case, tmp_path):
    data = shared(case, 2, tmp_path)
    runs = list(ours(data, "gcn", [0, 1], epochs=2))
    again = list(ours(data, "gcn", [1], epochs=2))
    assert all(math.isfinite(run.score) and run.seconds > 0 for run in runs)
    assert again[0].score == runs[1].score != runs[0].score


def test_scores_are_those_of_the_formulas(case):
    y = torch.tensor([[1.0], [2.0], [math.nan]]).double()
    said = torch.tensor([[2.0], [4.0], [0.0]]).double()
    assert molecules._score(case, said, y) == pytest.approx(math.sqrt((1 + 4) / 2))
    labels = replace(case, targets=("a", "b"), kind="labels")
    y = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    said = torch.tensor([[0.3, 0.1], [0.2, 0.2], [0.9, 0.3]])
    assert molecules._score(labels, said, y) == pytest.approx((0.5 + 1.0) / 2)


def test_finished_runs_are_not_made_twice(tmp_path):
    made = []

    def make(wanted):
        for k in wanted:
            made.append(k)
            yield Run(float(k), 1.0, 1.0)

    Runs(tmp_path / "runs.jsonl").all(("esol", "gcn", "5"), 2, make)
    found = Runs(tmp_path / "runs.jsonl").all(("esol", "gcn", "5"), 3, make)
    assert made == [0, 1, 2]
    assert [run.score for run in found] == [0.0, 1.0, 2.0]


def test_without_chemprop_its_side_is_skipped_and_says_why(case, tmp_path, monkeypatch):
    monkeypatch.delenv("CHEMPROP_PYTHON", raising=False)
    result = measure("few", replace(case, models=("gcn", "dmpnn")), Scale(1, 1, 1, True), tmp_path)
    (table,) = result.tables
    assert [row[0] for row in table.rows] == ["gcn", "dmpnn", molecules.CHEMPROP]
    assert "CHEMPROP_PYTHON" in table.rows[-1][1]
    scores = [float(row[1]) for row in table.rows[:2]]
    best = next(claim for claim in result.claims if claim.what.endswith("best"))
    assert best.measured == pytest.approx(min(scores), abs=1e-3)
    assert best.holds == (min(scores) <= 4.0)
    monkeypatch.setenv("CHEMPROP_PYTHON", "/nowhere/python")
    assert "no such file" in (why_no_chemprop() or "")


def test_a_file_that_is_not_there_is_skipped(case, tmp_path):
    result = measure("few", replace(case, file=tmp_path / "none.csv"), Scale(1, 1, 1), tmp_path)
    assert "there is no file" in str(result.tables[0].rows[0][0])
    assert not result.claims


def test_sides_that_disagree_are_not_timed():
    said = torch.tensor([[0.0], [1.0], [2.0]])
    molecule_speed._check_alike(said + 1e-5, said)
    for wrong in (0.01, math.nan):
        with pytest.raises(RuntimeError, match="predictions differ"):
            molecule_speed._check_alike(said + wrong, said)


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").is_file(), reason="the system says no process's memory")
def test_peak_memory_is_that_of_all_processes():
    hold = "import time; held = bytearray(100 * 10**6); time.sleep(0.6)"
    both = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {hold!r}]); {hold}; child.wait()"
    peak = molecule_speed._peak_of([sys.executable, "-c", both])
    assert 200e6 < peak < 300e6


@pytest.mark.slow
@pytest.mark.skipif(why_no_chemprop() is not None, reason=str(why_no_chemprop()))
def test_chemprop_learns_and_says_the_same_of_the_same_weights(case, tmp_path):
    data = shared(case, 2, tmp_path)
    first, second = theirs(data, [0, 1], epochs=2, threads=1)
    assert all(math.isfinite(run.score) and run.seconds > 0 for run in (first, second))
    assert first.score != second.score
    trained = molecule_speed._trained(tmp_path)
    model = molecule_speed._their_model(trained, tmp_path)
    own, other = tmp_path / "m.txt", tmp_path / "m.csv"
    own.write_text("\n".join([*ALCOHOLS, *RINGS]))
    other.write_text("\n".join(["smiles", *ALCOHOLS, *RINGS]))
    for command in (
        molecule_speed._our_command(trained.folder, own, tmp_path / "a.csv"),
        molecule_speed._their_command(model, other, tmp_path / "b.csv", 0),
    ):
        subprocess.run(command, check=True, capture_output=True)
    molecule_speed._check_files(tmp_path / "a.csv", tmp_path / "b.csv")
