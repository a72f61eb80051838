"""The benchmark of trained potentials on a few frames: what is kept, what the table says, what mace-torch is told."""

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("ase", reason="structures need the extra atoms")

from benchmarks import potential_accuracy
from benchmarks.potential_accuracy import CASES, PEER, Run, measure, peer_history

from grapevine.recipes.atoms.config import AtomsSource, AtomsSplit
from grapevine.recipes.atoms.data import load_atoms


@pytest.fixture
def few(tmp_path, monkeypatch) -> str:
    """A case of twelve pairs of atoms on a spring."""
    generator, frames = np.random.default_rng(0), []
    for _ in range(12):
        length = generator.uniform(0.8, 1.2)
        pull = 2 * (length - 1)
        frames.append(
            f'2\nProperties=species:S:1:pos:R:3:forces:R:3 energy={(length - 1) ** 2} pbc="F F F"\n'
            f"H 0 0 0 {pull} 0 0\nO {length} 0 0 {-pull} 0 0\n"
        )
    path = tmp_path / "pairs.xyz"
    path.write_text("".join(frames))
    case = replace(
        CASES["ethanol"], title="Pairs", source=AtomsSource(path=str(path)), split=AtomsSplit(sizes=(8, 2, 2)),
        minutes=1e-6, models=("mace", PEER),
    )  # fmt: skip
    monkeypatch.setitem(CASES, "pairs", case)
    monkeypatch.delenv("MACE_PYTHON", raising=False)
    return "pairs"


def test_runs_are_kept_and_judged(few, tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()
    result = measure(few, folder, (), None)
    (table,) = result.tables
    assert [row[0] for row in table.rows] == ["mace", "mace-torch 0.3.16", "a fit of the composition, no forces"]
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert table.rows[0][4] == "3"  # epochs: those that are clocked, at the least
    kept = json.loads((folder / "pairs-mace" / "metrics.json").read_text())
    assert table.rows[0][1] == kept["scores"]["test"]["forces_mae"] == result.claims[0].measured
    assert result.claims[0].asked == 20
    assert measure(few, folder, (), None).tables[0].rows == table.rows  # nothing is trained again


def test_mace_torch_is_told_the_same_frames(few, tmp_path):
    case = CASES[few]
    data = load_atoms(case.source, case.split, 5.0)
    potential_accuracy._write_frames(data, tmp_path)
    for part, ids in data.parts.items():
        text = (tmp_path / f"{part}.xyz").read_text()
        assert text.count("REF_energy=") == text.count(":REF_forces:R:3") == len(ids)
    job = potential_accuracy._job(tmp_path, "mace", 40)
    told = dict(zip(job["arguments"][1:-3:2], job["arguments"][2:-3:2], strict=True))
    assert told["--max_num_epochs"] == "40"
    assert job["arguments"][-3:] == ["--swa", "--start_swa", "30"]


def test_its_history_leaves_out_what_was_before_training(tmp_path):
    assert peer_history(tmp_path) == []
    rows = [{"epoch": -1, "seconds": 1.0}, {"epoch": 0, "seconds": 2.0, "forces_mae": 30.0}]
    (tmp_path / "epochs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert peer_history(tmp_path) == [(1, 30.0)]


def test_what_is_not_known_is_left_empty():
    column = CASES["ethanol"].columns[0]
    assert potential_accuracy._figure(column, {"test": {"forces_mae": float("nan")}}) is None
    assert potential_accuracy._figure(column, {}) is None
    row = potential_accuracy._row("x", CASES["ethanol"], Run({}, 3, 1000, 60.0, None))
    assert row[-4:] == ["3", 1.0, None, "1,000"]
