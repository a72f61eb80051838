"""The commands on structures of atoms: what they say, what they write, and what they refuse in one line."""

import re

import numpy as np
import polars as pl
import pytest
from ase.io import read, write

from grapevine.train.run import load_run, unfinished_runs
from tests.cli.run import refused, run, told, works
from tests.recipes.atoms_files import clusters, write_clusters

SMALL = ("--channels", 8, "--layers", 1, "--cutoff", 2.6, "--lr", 0.01, "--batch-size", 4)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("atoms")
    write_clusters(folder / "frames.xyz")
    return folder


@pytest.fixture(scope="module")
def saved(place):
    done = works(
        "train", place / "frames.xyz", "--model", "schnet", *SMALL, "--max-epochs", 30, "--sizes", "28/6/6",
        "--out", place / "runs", "--name", "small",
    )  # fmt: skip
    return place / "runs" / "small", done.stdout


def test_training_says_what_it_found_how_far_off_it_is_and_where(saved, place):
    folder, said = saved
    assert "frames: 40 structures of 6 atoms of H, O; 40 energies, 40 with forces" in said
    assert "28 structures teach, 6 choose and 6 judge, split at random" in said
    for row in ("energy, meV/atom: schnet", "energy, meV/atom: linear fit of composition", "forces, meV/Å: no forces"):
        assert row in said
    assert f"schnet saved in {folder}\n" in said
    recipe = load_run(folder).recipe
    assert (recipe["kind"], recipe["model"]["hidden_channels"], recipe["training"]["max_epochs"]) == ("atoms", 8, 30)


def test_its_config_trains_it_again_and_json_is_all_it_says(saved, place):
    folder, _ = saved
    found = told("train", "--config", folder / "config.toml", "--out", place / "again", "--no-report")
    assert found["scores"] == load_run(folder).metrics["scores"]
    assert found["units"]["forces_mae"] == "meV/angstrom"
    other = told("train", "--config", folder, "--seed", 3, "--name", "b", "--out", place / "again", "--no-report")
    assert other["scores"] != found["scores"]
    assert "--config says all there is to train: --lr" not in refused(
        "train", "--config", folder, "--learning-rate", 0.1, "--out", place
    )


def test_structures_without_a_model_are_for_mace(place):
    said = works(
        "train", place / "frames.xyz", "--channels", 2, "--layers", 1, "--degree", 0, "--cutoff", 2.0, "--epochs", 1,
        "--sizes", "4/2/2", "--out", place / "runs", "--no-report",
    ).stdout  # fmt: skip
    assert f"mace saved in {place / 'runs' / 'frames-mace'}" in said


def test_a_stopped_training_says_how_to_go_on(place, monkeypatch):
    from grapevine.recipes.atoms import train

    def stop(*_, **__):
        raise KeyboardInterrupt

    out = place / "stopped"
    arguments = ("train", place / "frames.xyz", "--model", "schnet", *SMALL, "--epochs", 4, "--out", out, "--no-report")
    with monkeypatch.context() as patch:
        patch.setattr(train, "fit", stop)
        done = run(*arguments)
    assert done.exit_code == 130
    [left] = unfinished_runs(out)
    assert f"go on with: grapevine train --resume {left.folder}" in done.stderr
    assert "schnet saved in" in works("train", "--resume", left.folder).stdout


def test_weights_clock_test_file_and_finetuning_reach_the_run(saved, place):
    folder, _ = saved
    write_clusters(place / "test.xyz", count=4, seed=5)
    found = told(
        "train", place / "frames.xyz", "--finetune", folder, "--test", place / "test.xyz", "--epochs", 2,
        "--energy-weight", 3, "--forces-weight", 50, "--last-energy-weight", 0, "--max-minutes", 1,
        "--train-share", 0.5, "--val-share", 0.25, "--out", place / "runs", "--no-report", "--name", "on",
    )  # fmt: skip
    recipe = load_run(place / "runs" / "on").recipe
    assert recipe["loss"]["energy_weight"] == 3
    assert "last_energy_weight" not in recipe["loss"] or len(found["stopped_because"]) == 1
    assert recipe["training"]["max_minutes"] == 1
    assert any("20 structures teach, 10 choose and 4 judge" in note for note in found["notes"])


def test_it_predicts_and_evaluates(saved, place):
    folder, _ = saved
    assert "40 structures written to" in works("predict", folder, place / "frames.xyz", "--out", place / "a.xyz").stdout
    assert np.isfinite(read(place / "a.xyz", 39).get_forces()).all()
    table = works("predict", folder, place / "frames.xyz").stdout
    assert pl.read_csv(table.encode()).columns == ["id", "num_atoms", "energy", "energy_target"]
    assert len(told("predict", folder, place / "frames.xyz")["predictions"]) == 40
    said = works("evaluate", folder, place / "frames.xyz").stdout
    assert re.search(r"forces MAE, meV/angstrom +\d", said)
    scores = told("evaluate", folder, "--part", "test")["scores"]
    assert scores["test"] == pytest.approx(load_run(folder).metrics["scores"]["test"])


def test_it_relaxes_and_runs(saved, place):
    folder, _ = saved
    said = works("relax", folder, place / "frames.xyz", "--out", place / "relaxed.xyz").stdout
    assert "no force is above 0.01 eV/Å" in said
    said = works(
        "md", folder, place / "relaxed.xyz", "--steps", 50, "--temperature", 30, "--trajectory", place / "md.traj",
        "--every", 5,
    ).stdout  # fmt: skip
    assert re.search(r"drift \S+ meV/atom/ps", said)
    assert (place / "md.png").exists()
    assert len(read(place / "md.traj", ":")) == 11
    found = told("md", folder, place / "relaxed.xyz", "--steps", 20, "--ensemble", "langevin")
    assert found["picoseconds"] == pytest.approx(0.01)


def test_runs_of_potentials_are_looked_at_and_compared(saved, place):
    folder, _ = saved
    assert told("info", folder)["model"]["name"] == "schnet"
    assert "schnet" in works("compare", folder).stdout


BAD = {
    "empty.xyz": "",
    "noise.xyz": "this is no structure\n",
    "none.xyz": "2\nProperties=species:S:1:pos:R:3 gap=1.0\nH 0 0 0\nH 0 0 1\n",
    "nan.xyz": "2\nenergy=1\nH 0 0 0\nH 0 0 nan\n",
    "same.xyz": "2\nenergy=1\nH 0 0 0\nH 0 0 0\n",
    "lone.xyz": "1\nenergy=1\nH 0 0 0\n",
    "nitrogen.xyz": "2\nenergy=1\nH 0 0 0\nN 0 0 1\n",
}


@pytest.fixture(scope="module")
def bad(place):
    for name, text in BAD.items():
        (place / name).write_text(text)
    return place


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("empty.xyz", "it is empty"), ("noise.xyz", "expected the number of atoms"),
        ("none.xyz", "the names there are: gap"), ("nan.xyz", "a coordinate is not finite"),
        ("same.xyz", "two atoms at one place"), ("lone.xyz", "lone atoms alone"), ("missing.xyz", "there is no file"),
    ],
)  # fmt: skip
def test_files_that_nothing_can_be_learnt_from_are_refused(bad, name, why):
    assert why in refused("train", bad / name, "--model", "schnet", "--out", bad / "runs", "--epochs", 1)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("noise.xyz", "expected the number"), ("nan.xyz", "not finite"), ("same.xyz", "two atoms at one place"),
        ("nitrogen.xyz", "not trained on N: it knows H, O"), ("missing.xyz", "there is no file"),
    ],
)  # fmt: skip
def test_files_that_nothing_can_be_said_of_are_refused(bad, saved, name, why):
    assert why in refused("predict", saved[0], bad / name)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--model", "schnet,mace"), "name no other model beside it"),
        (("--model", "schnet", "--nodes", "a.csv"), "--nodes: not for structures of atoms in space"),
        (("--model", "gcn", "--cutoff", 4), "--cutoff: for structures of atoms in space"),
        (("--model", "schnet", "--sizes", "many"), "--sizes must be as 950/50/1000"),
        (("--model", "schnet", "--sizes", "40/10/1"), "asks for 51 structures, and there are 40"),
        (("--model", "schnet", "--split", "scaffold"), "at random or by time"),
        (("--model", "schnet", "--degree", 1), "schnet has no hidden_degree"),
        (("--model", "schnet", "--energy-key", "gap"), "no frame has energy under the name 'gap'"),
        (("--model", "schnet", "--isolated", "no.xyz"), "there is no file no.xyz"),
        (("--finetune", "nowhere"), "there is no run folder nowhere"),
    ],
)
def test_options_that_do_not_go_are_refused(place, arguments, why):
    assert why in refused("train", place / "frames.xyz", *arguments, "--out", place / "runs")


def test_moving_needs_a_potential_and_a_structure(bad, saved, tmp_path):
    folder, _ = saved
    assert "not trained on N" in refused("relax", folder, bad / "nitrogen.xyz")
    assert "can not be read by ASE" in refused("relax", folder, bad / "noise.xyz")
    assert "there is no file" in refused("md", folder, bad / "missing.xyz")
    assert "there is no run folder" in refused("md", tmp_path / "none", bad / "frames.xyz")
    assert "there is no folder" in refused("relax", folder, bad / "frames.xyz", "--out", tmp_path / "no" / "a.xyz")
    works("train", "karate", "--epochs", 2, "--no-report", "--out", tmp_path)
    assert "holds no potential" in refused("relax", tmp_path / "karate-gcn", bad / "frames.xyz")
    assert "--energy-key: for potentials" in refused("evaluate", tmp_path / "karate-gcn", "--energy-key", "x")
    assert "give a file of structures" in refused("predict", folder, "--edges", bad / "frames.xyz")


def test_labels_under_other_names(place):
    odd = clusters(8)
    for atoms in odd:
        atoms.info["E_low"], atoms.arrays["pull"] = atoms.calc.results["energy"], atoms.calc.results["forces"]
        atoms.calc = None
    write(place / "odd.xyz", odd, format="extxyz")
    found = told(
        "train", place / "odd.xyz", "--model", "schnet", *SMALL, "--energy-key", "E_low", "--forces-key", "pull",
        "--epochs", 1, "--out", place / "runs", "--no-report",
    )  # fmt: skip
    assert "8 energies, 8 with forces" in found["notes"][0]
    again = told("evaluate", place / "runs" / "odd-schnet", place / "odd.xyz")
    assert again["counts"] == {"all": 8}


def test_info_of_a_file_and_of_a_run(saved, place):
    folder, _ = saved
    found = told("info", place / "frames.xyz")
    frames = read(place / "frames.xyz", index=":")
    symbols = [symbol for atoms in frames for symbol in atoms.get_chemical_symbols()]
    assert found["atoms"] == {symbol: symbols.count(symbol) for symbol in ("H", "O")}
    energies = [atoms.get_potential_energy() / len(atoms) for atoms in frames]
    assert found["energy per atom, eV"]["mean"] == pytest.approx(np.mean(energies), abs=1e-5)
    shortest = min(atoms.get_all_distances()[np.triu_indices(6, 1)].min() for atoms in frames)
    assert found["shortest distance, angstrom"] == pytest.approx(shortest, abs=1e-4)
    assert "40 structures of 6 atoms of H, O" in works("info", place / "frames.xyz").stdout
    assert told("info", folder)["model"]["name"] == "schnet"


def test_what_is_not_for_potentials_says_so(saved):
    folder, _ = saved
    for command in ("audit", "embed"):
        assert "this is a potential: predict, evaluate, relax, md" in refused(command, folder)
