"""Potentials trained from files: what is found, what is kept, what it comes to again, and what is refused."""

import json

import numpy as np
import pytest
import torch
from ase.io import read, write

from grapevine.data.structure_files import POTENTIALS as NAMES
from grapevine.data.structure_files import is_potential_recipe, is_potential_run
from grapevine.errors import InputError
from grapevine.recipes.atoms.config import POTENTIALS, AtomsConfig, AtomsSource, AtomsSplit, PotentialConfig
from grapevine.recipes.atoms.data import load_atoms
from grapevine.recipes.atoms.models import build_potential_network, potential_settings
from grapevine.recipes.atoms.plan import plan_potential
from grapevine.recipes.atoms.train import read_atoms_config, resume_potential, train_potential
from grapevine.recipes.atoms.trained import load_potential
from grapevine.train.run import RunFolder, load_run
from tests.recipes.atoms_files import SHIFT, clusters, write_clusters, write_crystals

MODEL = PotentialConfig(name="schnet", hidden_channels=8, num_layers=1, cutoff=2.6)


def config(path, *, epochs=4, model=MODEL, name="small", **source) -> AtomsConfig:
    training = potential_settings("schnet").model_copy(update={"max_epochs": epochs, "learning_rate": 0.01})
    return AtomsConfig(
        name=name, source=AtomsSource(path=str(path), **source), split=AtomsSplit(sizes=(28, 6, 6)), model=model,
        batch_size=4, training=training,
    )  # fmt: skip


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    return write_clusters(tmp_path_factory.mktemp("atoms") / "frames.xyz")


@pytest.fixture(scope="module")
def trained(frames):
    return train_potential(config(frames, epochs=40), out=frames.parent / "runs")


def test_it_learns_and_is_better_than_the_baselines(trained):
    test = trained.scores["test"]
    assert test["forces_mae"] < 0.5 * trained.baselines["composition"]["test"]["forces_mae"]
    assert test["energy_mae"] < trained.baselines["composition"]["test"]["energy_mae"]
    assert trained.baselines["composition"]["test"]["energy_mae"] < trained.baselines["mean"]["test"]["energy_mae"]
    assert [fit.stopped_because for fit in trained.fits] == ["max_epochs", "max_epochs"]
    assert [fit.epochs for fit in trained.fits] == [30, 10]
    assert "in the last 25% of training 1000 for energies" in trained.notes[-1]


def test_the_run_folder_is_whole_and_gives_the_potential_back(trained):
    folder = trained.folder
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "config.toml", "config.json", "model.safetensors", "metrics.json", "metrics.csv", "predictions.parquet",
        "report.html",
    }  # fmt: skip
    run = load_run(folder)
    assert json.loads((folder / "config.json").read_text())["kind"] == "atoms"
    assert run.epochs["epoch"].to_list() == list(range(1, 41))
    assert run.predictions.columns == ["id", "part", "num_atoms", "energy", "energy_target", "forces_mae"]
    assert run.predictions["part"].value_counts().sort("part")["count"].to_list() == [6, 28, 6]
    again = load_potential(folder)
    assert again.potential.shift.tolist() == trained.trained.potential.shift.tolist()
    assert all(torch.equal(t, again.weights()[name]) for name, t in trained.trained.weights().items())
    page = (folder / "report.html").read_text()
    assert all(word in page for word in ("Forces on H", "Forces on O", "energy per atom, less the shifts"))


def test_the_same_seed_gives_the_same_weights_and_the_recipe_trains_it_again(frames, tmp_path):
    first = train_potential(config(frames), out=tmp_path, has_report=False)
    recipe = read_atoms_config(load_run(first.folder).recipe)
    second = train_potential(recipe)
    other = train_potential(
        config(frames).model_copy(update={"training": recipe.training.model_copy(update={"seed": 1})})
    )
    weights = [one.trained.weights() for one in (first, second, other)]
    assert all(torch.equal(t, weights[1][name]) for name, t in weights[0].items())
    assert not all(torch.equal(t, weights[2][name]) for name, t in weights[0].items())


def test_an_interrupted_training_comes_to_the_same_end(frames, tmp_path):
    whole = train_potential(config(frames, epochs=8), out=tmp_path, has_report=False)

    def stop(what, done, total):
        if done == 7:  # in the second part of training
            raise KeyboardInterrupt

    told = config(frames, epochs=8, name="stopped")
    every = {"checkpoint_every": 1, "checkpoint_unit": "epochs"}
    told = told.model_copy(update={"training": told.training.model_copy(update=every)})
    with pytest.raises(KeyboardInterrupt):
        train_potential(told, out=tmp_path, on_progress=stop)
    assert is_potential_recipe(tmp_path / "stopped")
    assert RunFolder.resume(tmp_path / "stopped").recipe["kind"] == "atoms"
    again = resume_potential(tmp_path / "stopped")
    assert all(torch.equal(t, again.trained.weights()[name]) for name, t in whole.trained.weights().items())
    assert is_potential_run(again.folder)


def test_stress_is_learnt_where_cells_have_one(tmp_path):
    path = write_crystals(tmp_path / "copper.xyz")
    told = config(path, epochs=3, model=MODEL.model_copy(update={"cutoff": 4.0}))
    result = train_potential(told.model_copy(update={"split": AtomsSplit(sizes=(8, 2, 2))}), out=tmp_path)
    assert result.trained.has_stress
    assert result.scores["test"]["stress_mae"] > 0
    assert "100 for stress" in result.notes[-1]


def test_the_clock_ends_training_and_the_step_has_come_down_by_then(frames):
    told = config(frames, epochs=100_000)
    training = told.training.model_copy(update={"max_minutes": 0.02, "patience": 100_000})
    result = train_potential(told.model_copy(update={"training": training}))
    assert [fit.stopped_because for fit in result.fits] == ["max_minutes", "max_minutes"]
    rates = [row.learning_rate for fit in result.fits for row in fit.history]
    assert rates[-1] < 0.3 * rates[0]
    assert result.seconds < 20


def test_isolated_atoms_give_the_shifts_and_a_fit_where_there_are_none(frames, tmp_path):
    alone = tmp_path / "alone.xyz"
    alone.write_text("".join(f"1\nenergy={SHIFT[z]}\n{symbol} 0 0 0\n" for symbol, z in (("H", 1), ("O", 8))))
    fitted = train_potential(config(frames, epochs=1))
    assert "from a fit of the composition on" in fitted.notes[-2]
    with_atoms = train_potential(config(frames, epochs=1, isolated=str(alone)))
    assert "learnt from isolated atoms on" in with_atoms.notes[-2]
    shift = with_atoms.trained.potential.shift
    assert (shift[1] - shift[0]).item() == pytest.approx(SHIFT[8] - SHIFT[1])
    with pytest.raises(InputError, match="holds no frame of one atom"):
        train_potential(config(frames, isolated=str(frames)))


def test_it_goes_on_from_a_run(frames, trained, tmp_path):
    plan = plan_potential(frames, finetune=trained.folder, max_epochs=2)
    assert (plan.model.name, plan.training.learning_rate) == ("schnet", pytest.approx(1e-4))
    told = plan.model_copy(update={"split": AtomsSplit(sizes=(10, 2, 6)), "batch_size": 4})
    result = train_potential(told)
    fresh = train_potential(config(frames, epochs=2))
    assert result.scores["test"]["forces_mae"] < 0.7 * fresh.scores["test"]["forces_mae"]
    assert result.config.model == trained.config.model
    with pytest.raises(InputError, match="is a schnet, which can not be gone on from as painn"):
        plan_potential(frames, "painn", finetune=trained.folder)
    with pytest.raises(InputError, match="not trained on Cu: it knows H, O"):
        train_potential(plan_potential(write_crystals(tmp_path / "cu.xyz"), finetune=trained.folder))


def test_frames_without_forces_or_energies_teach_what_they_know(tmp_path):
    mixed = clusters(20)
    for atoms in mixed[:5]:
        del atoms.calc.results["forces"]
    for atoms in mixed[5:8]:
        del atoms.calc.results["energy"]
    write(tmp_path / "mixed.xyz", mixed, format="extxyz")
    data = load_atoms(AtomsSource(path=str(tmp_path / "mixed.xyz")), AtomsSplit(), 2.6)
    assert "5 structures have no forces: they teach by their energy alone" in data.notes
    assert "3 structures have no energy: they teach by their forces alone" in data.notes
    told = config(tmp_path / "mixed.xyz", epochs=2).model_copy(update={"split": AtomsSplit()})
    assert train_potential(told).scores["train"]["forces_mae"] > 0


def test_energies_alone_are_enough(tmp_path):
    plain = clusters(20)
    for atoms in plain:
        del atoms.calc.results["forces"]
    write(tmp_path / "plain.xyz", plain, format="extxyz")
    told = config(tmp_path / "plain.xyz", epochs=2).model_copy(update={"split": AtomsSplit(kind="time")})
    result = train_potential(told, out=tmp_path)
    assert "there are no forces: energies alone teach" in result.notes
    assert result.metric == "energy_mae"
    assert not result.trained.has_forces
    assert len(result.fits) == 1
    assert load_run(result.folder).predictions["part"].to_list() == ["train"] * 16 + ["val"] * 2 + ["test"] * 2


def test_a_file_of_its_own_judges_and_copies_do_not(tmp_path, frames):
    test = write_clusters(tmp_path / "test.xyz", count=5, seed=1)
    data = load_atoms(AtomsSource(path=str(frames), test=str(test)), AtomsSplit(), 2.6)
    assert [int(mask.sum()) for mask in (data.split.train, data.split.val, data.split.test)] == [36, 4, 5]
    data = load_atoms(AtomsSource(path=str(frames), test=str(frames)), AtomsSplit(), 2.6)
    assert int(data.split.test.sum()) == 0
    assert "40 copies of structures that teach or choose are left out of the parts that judge" in data.notes


def test_a_folder_of_two_parts_and_elements_that_nothing_teaches(tmp_path):
    blocks = {
        "val.txt": [("a", "H 0 0 0\nH 0 0 0.7", -1), ("b", "H 0 0 0\nO 0 0 0.9", -2), ("c", "O 0 0 0\nO 0 0 1.2", -3)]
        * 5,
        "test.txt": [("d", "H 0 0 0\nH 0 0 0.8", -1), ("e", "H 0 0 0\nN 0 0 1", -4)],
    }
    for name, rows in blocks.items():
        texts = [f"{row[0]}{k}\n{row[1].replace('0.', f'0.{k}')}\n{row[2]}\n" for k, row in enumerate(rows)]
        (tmp_path / name).write_text("\n".join(texts))
    data = load_atoms(AtomsSource(path=str(tmp_path)), AtomsSplit(), 2.6)
    assert "1 structures hold N, which no training structure holds: they are left out" in data.notes
    assert data.elements == (1, 8)
    assert int(data.split.test.sum()) == 1


@pytest.mark.parametrize(
    ("sizes", "found"), [((0.5, 0.25, 0.25), (20, 10, 10)), ((30, 5, 5), (30, 5, 5)), ((30, 5, 0), (30, 5, 0))]
)
def test_sizes_are_counts_or_shares(frames, sizes, found):
    split = load_atoms(AtomsSource(path=str(frames)), AtomsSplit(sizes=sizes), 2.6).split
    assert tuple(int(mask.sum()) for mask in (split.train, split.val, split.test)) == found


@pytest.mark.parametrize(
    ("sizes", "why"), [((40, 5, 0), "asks for 45 structures, and there are 40"), ((0.9, 0.2, 0), "at most 1 together")]
)
def test_sizes_that_can_not_be_are_refused(frames, sizes, why):
    with pytest.raises(InputError, match=why):
        load_atoms(AtomsSource(path=str(frames)), AtomsSplit(sizes=sizes), 2.6)


def test_names_of_labels_that_are_there_are_listed(tmp_path, frames):
    text = frames.read_text().replace("energy=", "gap=").replace("forces:R:3", "pull:R:3")
    (tmp_path / "odd.xyz").write_text(text)
    with pytest.raises(InputError, match=r"has an energy or forces; the names there are: .*gap.*--energy-key"):
        load_atoms(AtomsSource(path=str(tmp_path / "odd.xyz")), AtomsSplit(), 2.6)
    found = load_atoms(
        AtomsSource(path=str(tmp_path / "odd.xyz"), energy_key="gap", forces_key="pull"), AtomsSplit(), 2.6
    )
    assert "40 energies, 40 with forces" in found.notes[0]


def test_two_atoms_at_one_place_are_left_out_and_listed(tmp_path):
    bad = clusters(12)
    bad[3].positions[1] = bad[3].positions[0]
    write(tmp_path / "bad.xyz", bad, format="extxyz")
    result = train_potential(
        config(tmp_path / "bad.xyz", epochs=1).model_copy(update={"split": AtomsSplit()}), out=tmp_path, has_report=True
    )
    rejected = load_run(result.folder).rejected
    assert rejected["reason"].to_list() == ["two atoms at one place"]
    assert "bad.xyz" in (result.folder / "report.html").read_text()


@pytest.mark.parametrize("suffix", [".traj", ".db", ".extxyz", ".xyz.gz"])
def test_the_other_formats_hold_the_same(tmp_path, suffix):
    write(tmp_path / f"frames{suffix}", clusters(6))
    data = load_atoms(AtomsSource(path=str(tmp_path / f"frames{suffix}")), AtomsSplit(), 2.6)
    assert "6 structures of 6 atoms of H, O; 6 energies, 6 with forces" in data.notes[0]


def test_the_names_are_the_same_everywhere():
    assert NAMES == POTENTIALS


@pytest.mark.parametrize("name", NAMES)
def test_every_network_is_built_and_takes_its_options(name):
    network = build_potential_network(PotentialConfig(name=name, elements=(1, 8), hidden_channels=8, num_layers=2))
    small = sum(p.numel() for p in network.parameters())
    wide = build_potential_network(PotentialConfig(name=name, elements=(1, 8), hidden_channels=16, num_layers=2))
    assert small < sum(p.numel() for p in wide.parameters())
    double = build_potential_network(PotentialConfig(name=name, elements=(1, 8), hidden_channels=8, dtype="float64"))
    assert next(double.parameters()).dtype == torch.float64


def test_an_option_that_a_network_has_not_is_refused():
    with pytest.raises(InputError, match="schnet has no max_degree; of these it has hidden_channels, num_layers"):
        build_potential_network(PotentialConfig(name="schnet", elements=(1,), max_degree=2))


def test_energies_in_another_unit_are_doubted(tmp_path):
    hard = clusters(10)
    for atoms in hard:
        atoms.calc.results["forces"] = 40 * np.ones((6, 3))
    write(tmp_path / "hard.xyz", hard, format="extxyz")
    data = load_atoms(AtomsSource(path=str(tmp_path / "hard.xyz")), AtomsSplit(), 2.6)
    assert any("if they are in another unit, say --energy-unit" in note for note in data.notes)
    assert len(read(tmp_path / "hard.xyz", ":")) == 10
