"""A trained potential in use: as a calculator of ASE, on files, relaxing, and let go in time."""

import copy

import numpy as np
import polars as pl
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress
from ase.io import read, write

import grapevine as gv
from grapevine.data.atoms.options import ReadOptions
from grapevine.errors import InputError
from grapevine.recipes.atoms.config import AtomsSplit
from grapevine.recipes.atoms.moved import drift_of, relax, run_md
from grapevine.recipes.atoms.train import train_potential
from grapevine.recipes.atoms.use import evaluate_structures, predict_structures
from tests.recipes.atoms_files import clusters, write_clusters, write_crystals
from tests.recipes.test_atoms_train import MODEL, config


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("use")


@pytest.fixture(scope="module")
def run(place):
    """Of clusters of hydrogen and oxygen."""
    told = config(write_clusters(place / "frames.xyz"), epochs=40)
    return train_potential(told, out=place, has_report=False).folder


@pytest.fixture(scope="module")
def copper(place):
    told = config(write_crystals(place / "copper.xyz"), epochs=20, name="copper")
    told = told.model_copy(
        update={"split": AtomsSplit(sizes=(10, 1, 1)), "model": MODEL.model_copy(update={"cutoff": 4.0})}
    )
    return train_potential(told, out=place, has_report=False).folder


def test_forces_and_stress_are_the_derivatives_of_the_energy(run, copper):
    atoms = clusters(1)[0]
    atoms.calc = gv.atoms.Calculator(run, dtype="float64")
    assert np.allclose(atoms.get_forces(), calculate_numerical_forces(atoms, eps=1e-5), atol=1e-6)
    assert atoms.get_potential_energy() == atoms.get_potential_energy(force_consistent=True)
    assert atoms.calc.results["energies"].sum() == pytest.approx(atoms.get_potential_energy())
    cell = bulk("Cu", cubic=True)
    cell.rattle(0.05, seed=1)
    cell.calc = gv.atoms.Calculator(copper, dtype="float64")
    assert np.allclose(cell.get_forces(), calculate_numerical_forces(cell, eps=1e-5), atol=1e-6)
    assert np.allclose(cell.get_stress(), calculate_numerical_stress(cell, eps=1e-5), atol=1e-7)


def test_energies_alone_are_asked_for_alone_and_precisions_agree(run):
    atoms = clusters(1)[0]
    atoms.calc = gv.atoms.Calculator(run)
    energy = atoms.get_potential_energy()
    assert "forces" not in atoms.calc.results
    double = gv.atoms.Calculator(run, dtype="float64")
    assert energy == pytest.approx(double.get_potential_energy(atoms), abs=1e-4)
    assert atoms.calc.dtype == torch.float32  # the other one has weights of its own


def test_neighbours_are_kept_and_found_anew_when_they_must(copper):
    atoms = bulk("Cu", cubic=True)
    atoms.calc = gv.atoms.Calculator(copper, dtype="float64", skin=0.4)
    for step in range(8):
        atoms.positions[0, 0] += 0.08
        fresh = copy.deepcopy(atoms)
        fresh.calc = gv.atoms.Calculator(copper, dtype="float64", skin=0.0)
        assert np.allclose(atoms.get_forces(), fresh.get_forces(), atol=1e-10), step
    assert 1 < atoms.calc.neighbors.num_builds < 8


def test_a_slab_is_that_of_a_cell_with_room_and_has_no_stress(copper):
    slab = bulk("Cu", cubic=True)
    slab.pbc = (True, True, False)
    slab.cell[2] = 0
    roomy = slab.copy()
    roomy.cell[2] = (0, 0, 30)
    roomy.pbc = True
    for atoms in (slab, roomy):
        atoms.calc = gv.atoms.Calculator(copper, dtype="float64")
    assert np.allclose(slab.get_forces(), roomy.get_forces(), atol=1e-10)
    with pytest.raises(InputError, match="repeats in every direction"):
        slab.get_stress()


def test_a_lone_atom_and_an_atom_far_away_have_energies_and_no_forces(run):
    atom = Atoms("O", positions=[[0, 0, 0]])
    atom.calc = gv.atoms.Calculator(run)
    assert np.isfinite(atom.get_potential_energy())
    assert not atom.get_forces().any()
    pair = Atoms("OO", positions=[[0, 0, 0], [0, 0, 50]])
    pair.calc = gv.atoms.Calculator(run, dtype="float64")
    atom.calc = pair.calc
    assert pair.get_potential_energy() == pytest.approx(2 * atom.get_potential_energy())


@pytest.mark.parametrize(
    ("atoms", "why"),
    [
        (Atoms("HN", positions=[[0, 0, 0], [0, 0, 1]]), "not trained on N: it knows H, O"),
        (Atoms("HH", positions=[[0, 0, 0], [0, 0, 0]]), "atoms 0 and 1 are at one place"),
        (Atoms("HH", positions=[[0, 0, 0], [0, 0, np.nan]]), "not finite"),
    ],
)
def test_what_can_not_be_said_is_an_error(run, atoms, why):
    atoms.calc = gv.atoms.Calculator(run)
    with pytest.raises(InputError, match=why):
        atoms.get_forces()


def test_predictions_come_as_structures_that_ase_reads(run, place):
    said = predict_structures(run, place / "frames.xyz", out=place / "said.xyz")
    frames = read(place / "said.xyz", ":")
    assert (said.frame.height, len(frames)) == (40, 40)
    calculator = gv.atoms.Calculator(run)
    for atoms in frames[:3]:
        assert atoms.get_potential_energy() == pytest.approx(calculator.get_potential_energy(atoms), abs=1e-4)
        assert np.allclose(atoms.get_forces(), calculator.get_forces(atoms), atol=1e-4)


def test_periodic_predictions_keep_cell_and_stress(copper, place):
    predict_structures(copper, place / "copper.xyz", out=place / "cells.xyz")
    atoms, given = read(place / "cells.xyz", 3), read(place / "copper.xyz", 3)
    assert np.allclose(atoms.cell, given.cell)
    assert np.allclose(atoms.get_stress(), gv.atoms.Calculator(copper).get_stress(atoms), atol=1e-5)


def test_predictions_need_no_labels_and_come_as_tables(run, place):
    plain = clusters(3)
    for atoms in plain:
        atoms.calc = None
    write(place / "plain.xyz", [*plain, Atoms("H", positions=[[0, 0, 0]])], format="extxyz")
    said = predict_structures(run, place / "plain.xyz", out=place / "said.csv")
    assert pl.read_csv(place / "said.csv").columns == ["id", "num_atoms", "energy"] == said.frame.columns
    assert said.frame["num_atoms"].to_list() == [6, 6, 6, 1]
    with pytest.raises(InputError, match="not trained on Cu"):
        predict_structures(run, place / "copper.xyz")


def test_a_run_is_judged_again_to_the_same_numbers(run, place):
    found = evaluate_structures(run)
    saved = gv.atoms.load_potential(run)
    assert found.counts == {"train": 28, "val": 6, "test": 6}
    assert found.metric == "forces_mae"
    other = evaluate_structures(run, write_clusters(place / "other.xyz", count=6, seed=3))
    assert other.counts == {"all": 6}
    assert other.scores["all"]["forces_mae"] < 3 * found.scores["test"]["forces_mae"]
    assert saved.num_parameters > 0
    with pytest.raises(InputError, match="nothing is known"):
        evaluate_structures(run, place / "plain.xyz")
    with pytest.raises(InputError, match="no frame has energy under the name 'gap'"):
        evaluate_structures(run, place / "other.xyz", options=ReadOptions(energy_key="gap"))


def test_it_relaxes_and_lets_the_cell_relax(run, copper, place):
    done = relax(run, place / "frames.xyz", fmax=0.01, out=place / "relaxed.xyz")
    assert done.numbers["converged"]
    last = read(place / "relaxed.xyz")
    assert np.linalg.norm(last.get_forces(), axis=1).max() < 0.01
    assert done.table["energy"][-1] < done.table["energy"][0]
    start = bulk("Cu", a=3.9, cubic=True)
    cell = relax(copper, start, has_cell=True, fmax=0.05, max_steps=60)
    assert abs(cell.atoms.cell[0, 0] - 3.6) < 0.2 < abs(start.cell[0, 0] - 3.6)
    with pytest.raises(InputError, match="repeats in every direction"):
        relax(run, place / "frames.xyz", has_cell=True)


def test_energy_is_kept_and_the_drift_is_told(run, place):
    start = relax(run, place / "frames.xyz").atoms
    done = run_md(run, start, steps=200, temperature=50, every=5, dtype="float64", trajectory=place / "path.traj",
                  picture=place / "path.png")  # fmt: skip
    assert done.table.height == 41
    assert abs(done.numbers["drift"]) < 5
    assert done.table["total"].std() / 6 < 1e-3
    assert done.table["temperature"][0] == pytest.approx(50)
    frames = read(place / "path.traj", ":")
    assert len(frames) == 41
    assert frames[-1].get_potential_energy() == pytest.approx(done.table["potential"][-1])
    assert (place / "path.png").read_bytes().startswith(b"\x89PNG")


def test_a_bath_warms_and_runs_repeat(run, place):
    start = relax(run, place / "frames.xyz").atoms
    both = [
        run_md(run, start, steps=60, temperature=80, ensemble="langevin", friction=20, seed=seed, trajectory=path)
        for seed, path in ((0, place / "a.xyz"), (0, None), (1, None))
    ]
    first, second, other = (one.table["total"].to_list() for one in both)
    assert first == second != other
    assert len(read(place / "a.xyz", ":")) == 7
    assert "varied" in both[0].sentences[1]


def test_the_drift_is_the_slope():
    time = np.linspace(0, 2, 50)
    table = pl.DataFrame({"time": time, "total": 0.03 * time - 5 + 1e-3 * np.cos(np.pi * time)})
    assert drift_of(table, 6) == pytest.approx(5, rel=0.02)


def test_the_facade_is_lazy():
    assert set(gv.atoms.__all__) == {"Calculator", "TrainedPotential", "load_potential"}
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        gv.atoms.nothing  # noqa: B018
