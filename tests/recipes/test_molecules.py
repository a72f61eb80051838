"""Recipes on molecules: the saved model, the report's data, and files of molecules with places."""

import polars as pl
import pytest
import torch

from grapevine.data.molecules.spec import MoleculeSpec
from grapevine.errors import InputError
from grapevine.recipes.config import TaskConfig
from grapevine.recipes.evaluate import evaluate
from grapevine.recipes.plan import plan
from grapevine.recipes.predict import predict
from grapevine.recipes.source import Source, load, source_of
from grapevine.recipes.train import train
from grapevine.recipes.trained import from_pretrained, save_pretrained
from grapevine.recipes.write_report import make_report, report_data
from tests.recipes.molecules import BAD, NUM_MOLECULES, write_molecules

pytest.importorskip("rdkit")

WATER = "water {k}\nO 0 0 0.12\nH 0 0.76 -0.48\nH 0 -0.76 -0.{k}\n{y}\n"


def trained_on(source, model="gine", *, out=None, task=None):
    config = plan(source, model, level="graph", task=task, max_epochs=2)
    small = config.model.model_copy(update={"hidden_channels": 8})
    return train(config.model_copy(update={"model": small}), out=out, has_report=False)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write_molecules(tmp_path_factory.mktemp("drugs"))


@pytest.fixture(scope="module")
def numbers(file):
    return trained_on(Source(path=str(file), molecules=MoleculeSpec(targets=("logP", "mass"), features=("dose",))))


@pytest.fixture(scope="module")
def classes(file):
    return trained_on(Source(path=str(file), molecules=MoleculeSpec(targets=("ring",))))


@pytest.fixture(scope="module")
def labels(file):
    return trained_on(Source(path=str(file), molecules=MoleculeSpec(targets=("ring", "halogen"))))


@pytest.mark.parametrize("kind", ["numbers", "classes", "labels"])
def test_a_saved_model_says_the_same(request, tmp_path, file, kind):
    trained, source = request.getfixturevalue(kind).trained, Source(path=str(file), molecules=MoleculeSpec())
    folder = save_pretrained(trained, tmp_path / "model")
    assert (folder / "encoder.json").is_file()
    again = from_pretrained(folder)
    assert again.encoders == trained.encoders
    one, other = predict(trained, source).frame, predict(again, source).frame
    assert one.equals(other)
    assert one.height == NUM_MOLECULES + len(BAD)
    assert one.columns[-1] == "problem"


def test_predictions_are_those_of_training(numbers, file):
    said = predict(numbers.trained, Source(path=str(file), molecules=MoleculeSpec())).frame.drop_nulls("smiles")
    both = numbers.predictions.join(said, on="id", suffix="_new")
    assert both.height == NUM_MOLECULES
    for name in ("prediction_logP", "prediction_mass"):
        assert both[name].to_list() == pytest.approx(both[f"{name}_new"].to_list(), rel=1e-4, abs=1e-4)


def test_a_run_is_judged_on_other_molecules(file, tmp_path):
    source = Source(path=str(file), molecules=MoleculeSpec(targets=("mass",)))
    folder = trained_on(source, out=tmp_path).folder
    lines = file.read_text().splitlines()
    other = tmp_path / "other.csv"
    other.write_text("\n".join([lines[0].replace("smiles", "SMILES"), *lines[1:15]]) + "\n")
    found = evaluate(folder, Source(path=str(other), molecules=MoleculeSpec()))
    said = predict(folder, Source(path=str(other), molecules=MoleculeSpec())).frame
    wanted = pl.read_csv(other).with_columns(said["prediction"], said["problem"]).filter(pl.col("problem").is_null())
    error = (wanted["prediction"] - wanted["mass"]).abs().drop_nulls()
    assert found.counts == {"all": len(error)}
    assert found.scores["all"]["mae"] == pytest.approx(error.mean(), rel=1e-5)


def test_a_report_calls_targets_and_molecules_by_their_names(numbers):
    data = report_data(numbers)
    assert [one.name for one in data.answers] == ["logP", "mass"]
    assert data.question.startswith("Predicted are 2 numbers of each graph")
    frame = pl.read_csv(numbers.config.source.path)
    smiles = dict(frame.select("id", "smiles").rows())
    (one, _) = data.answers
    assert [smiles[name].count("C") + smiles[name].count("c") for name in one.ids] == [
        s.count("C") + s.count("c") for s in one.smiles
    ]
    page = make_report(numbers)
    worst = one.ids[abs(one.target - one.prediction).argsort()[::-1][0]]
    known = [
        (name, error) for name, error in zip(one.ids, abs(one.target - one.prediction), strict=True) if error == error
    ]
    worst = max(known, key=lambda pair: pair[1])[0]
    assert f"<td>{worst}</td>" in page
    assert '<th scope="col">SMILES</th>' in page


def test_a_report_shows_what_was_left_out_and_missing(numbers):
    problems = report_data(numbers).problems
    (reason,) = problems.rejected
    assert (reason.reason, reason.count) == ("an unreadable molecule", len(BAD))
    assert reason.examples[0].startswith("drugs.csv, line 5: bad3,C1CC,")
    assert reason.examples[0].endswith("(unclosed ring)")
    frame = pl.read_csv(numbers.config.source.path).filter(~pl.col("id").str.starts_with("bad"))
    assert problems.missing_values == {name: frame[name].null_count() for name in ("logP", "mass")}


@pytest.mark.parametrize("kind", ["classes", "labels"])
def test_reports_of_classes_and_labels(request, kind):
    result = request.getfixturevalue(kind)
    data = report_data(result)
    assert [one.name for one in data.answers] == (["ring"] if kind == "classes" else ["ring", "halogen"])
    for one in data.answers:
        assert len(one.smiles) == len(one.ids) == len(one.target)
        assert one.probability.sum(1) == pytest.approx(1)
    assert "2 rows could not be used" in make_report(result)


def test_molecules_that_are_called_by_their_smiles_have_no_second_column():
    config = plan("molecules", "mlp", max_epochs=1)
    data = report_data(train(config))
    (one,) = data.answers
    assert one.smiles is None
    assert one.unit == "eV"


def write_blocks(folder, names):
    folder.mkdir()
    for name in names:
        text = "\n".join(WATER.format(k=40 + k, y=-10 - 0.1 * k) for k in range(20))
        (folder / name).write_text(f"{text}\nbroken\nO 0 0 0\n" * 1)
    return folder


def test_molecules_with_places_are_read_by_blocks(tmp_path):
    folder = write_blocks(tmp_path / "blocks", ("val.txt", "test.txt"))
    assert source_of(str(folder)).path == str(folder)
    loaded = load(Source(path=str(folder)))
    assert loaded.dataset.name == "blocks"
    assert loaded.dataset.about["unit"] == "eV"
    assert loaded.notes[0] == "val.txt teaches, and a tenth of it chooses; test.txt judges"
    assert loaded.rejected is not None
    assert loaded.rejected["file"].to_list() == ["val.txt", "test.txt"]
    (split,) = loaded.dataset.splits
    assert (int(split.train.sum()), int(split.val.sum()), int(split.test.sum())) == (18, 2, 20)
    result = trained_on(Source(path=str(folder), format="xyz"))
    assert result.scores["test"]["mae"] >= 0
    (reason,) = report_data(result).problems.rejected
    assert reason.count == 2


def test_a_training_file_teaches_where_there_is_one(tmp_path):
    folder = write_blocks(tmp_path / "blocks", ("train.txt", "val.txt", "test.txt"))
    assert load(Source(path=str(folder))).notes[0].startswith("train.txt teaches")


def test_one_file_of_blocks_is_split_at_random(tmp_path):
    folder = write_blocks(tmp_path / "blocks", ("val.txt",))
    loaded = load(Source(path=str(folder / "val.txt"), format="xyz"))
    assert loaded.dataset.graph.num_graphs == 20
    assert loaded.dataset.splits == ()
    said = predict(
        trained_on(Source(path=str(folder / "val.txt"), format="xyz")).trained,
        Source(path=str(folder / "val.txt"), format="xyz"),
    ).frame
    assert said["id"].to_list() == [f"water {40 + k}" for k in range(20)]


def test_a_folder_without_blocks_is_refused(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="format"):
        load(Source(path=str(tmp_path / "folder")))
    with pytest.raises(InputError, match=r"val\.txt"):
        load(Source(path=str(tmp_path / "folder"), format="xyz"))


def test_every_target_of_the_embedded_set_has_a_unit():
    units = {name: load(Source(dataset=name)).dataset.about["unit"] for name in ("molecules", "molecules:dipole")}
    assert units == {"molecules": "eV", "molecules:dipole": "debye"}


def test_the_split_by_scaffold_keeps_scaffolds_together(file):
    from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles

    from grapevine.data.split import SplitRule
    from grapevine.recipes.problem import posed

    loaded = load(Source(path=str(file), molecules=MoleculeSpec(targets=("mass",))))
    rule = SplitRule(kind="k_fold", by="scaffold", folds=4, fold=1)
    split = posed(TaskConfig(split=rule), loaded).task.split
    parts = {}
    for k, smiles in enumerate(loaded.dataset.smiles):
        part = [bool(getattr(split, name)[k]) for name in ("train", "val", "test")]
        if any(part):
            parts.setdefault(MurckoScaffoldSmiles(smiles), set()).add(part.index(True))
    rings = {scaffold: found for scaffold, found in parts.items() if scaffold}
    assert len(rings) > 5
    assert all(len(found) == 1 for found in rings.values())
    assert torch.cat([split.train[None], split.val[None], split.test[None]]).sum(0).max() == 1


@pytest.mark.parametrize("name", ["said.csv", "said.jsonl", "said.parquet"])
def test_predictions_that_go_to_a_file_are_the_same(classes, file, tmp_path, name):
    source = Source(path=str(file), molecules=MoleculeSpec())
    alone = predict(classes.trained, source)
    written = predict(classes.trained, source, out=tmp_path / name)
    assert written.num_rows == alone.num_rows == alone.frame.height
    assert (written.notes, written.rejected.height) == (alone.notes, alone.rejected.height)
    assert written.frame["id"].to_list() == alone.frame["id"].to_list()
    assert written.frame["problem"].to_list() == alone.frame["problem"].to_list()
    both = [frame["probability"].drop_nulls().to_list() for frame in (written.frame, alone.frame)]
    assert both[0] == pytest.approx(both[1], rel=1e-6)


def test_a_part_without_a_molecule_has_every_column(classes):
    """The first part of a file says what the columns of the written table are."""
    from grapevine.data.molecules.parts import start_parsing
    from grapevine.recipes.predict_molecules import MoleculeRows

    frame = pl.DataFrame({"smiles": ["C1CC", "?", "CCO", "CC"]})
    trained = classes.trained
    parts = start_parsing(frame, trained.encoders.spec, part_rows=2)
    first, second = MoleculeRows(trained, trained.encoders, parts)
    assert first.schema == second.schema
    assert first["prediction"].to_list() == [None, None]
