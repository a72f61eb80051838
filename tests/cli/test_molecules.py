"""The commands on molecules: training with each option, prediction row by row, what looks at runs, and wrong input."""

import polars as pl
import pytest

from grapevine.recipes import compare_models as comparison
from grapevine.train.run import load_run
from tests.cli.run import refused, run, told, works
from tests.recipes.molecules import BAD, NUM_MOLECULES, write_molecules

pytest.importorskip("rdkit")


@pytest.fixture(scope="module")
def drugs(tmp_path_factory):
    return write_molecules(tmp_path_factory.mktemp("drugs"))


@pytest.fixture(scope="module")
def model(drugs):
    """A run folder of two targets."""
    out = drugs.parent / "runs"
    options = ["--target", "logP,mass", "--model", "dmpnn", "--split", "scaffold", "--hidden", 8, "--epochs", 2]
    works("train", drugs, "--smiles", "smiles", *options, "--out", out, "--no-report")
    return out / "drugs-dmpnn"


def trained(path, *options, out):
    return told("train", path, *options, "--hidden", 8, "--epochs", 2, "--no-report", "--out", out)


def test_several_targets_with_gaps_are_trained_and_bad_rows_listed(drugs, model):
    saved = load_run(model)
    assert saved.config["objective"]["kind"] == "regression"
    assert saved.recipe["task"]["split"]["kind"] == "scaffold"
    assert saved.metrics["rejected"] == len(BAD)
    rejected = pl.read_csv(model / "rejected.csv")
    assert rejected["line"].to_list() == [row + 2 for row in BAD]  # the head is line 1
    assert rejected["detail"].to_list() == ["unclosed ring", "no molecule is given"]
    said = pl.read_parquet(model / "predictions.parquet")
    assert said.columns[:4] == ["id", "part", "target_logP", "target_mass"]
    assert said.height == NUM_MOLECULES
    assert said["target_logP"].null_count() == sum(k % 6 == 5 for k in range(NUM_MOLECULES))


def test_what_is_printed_says_what_was_found_and_left_out(drugs, tmp_path):
    done = works("train", drugs, "--target", "logP", "--model", "gine", "--epochs", 1, "--hidden", 8, "--out", tmp_path)
    assert "drugs.csv: 'smiles' holds the molecules, as SMILES" in done.stdout
    assert "2 rows were left out" in done.stdout
    assert "drugs.csv, line 5: an unreadable molecule (unclosed ring): bad3,C1CC" in done.stdout


@pytest.mark.parametrize(
    ("options", "kind", "metric"),
    [
        (["--target", "ring"], "classification", "accuracy"),
        (["--target", "ring,halogen"], "labels", "roc_auc"),
        (["--target", "ring", "--kind", "numbers", "--metric", "rmse"], "regression", "rmse"),
        (["--target", "mass"], "regression", "mae"),
    ],
)
def test_classes_labels_and_numbers(drugs, tmp_path, options, kind, metric):
    found = trained(drugs, *options, "--model", "gine", out=tmp_path)
    objective = load_run(tmp_path / "drugs-gine").config["objective"]
    assert found["metric"] == metric
    assert kind in objective["kind"] or (kind, objective["kind"]) in [
        ("labels", "multi_label"),
        ("classification", "single_label"),
    ]


@pytest.mark.parametrize(
    ("options", "field", "value"),
    [
        (["--use", "dose,batch"], "features", ["dose", "batch"]),
        (["--standardise"], "neutralise", True),
        (["--hydrogens"], "hydrogens", True),
        (["--atoms", "ogb"], "feature_set", "ogb"),
        (["--id", "batch"], "id", "batch"),
    ],
)
def test_options_change_how_molecules_are_read(drugs, tmp_path, options, field, value):
    plain = trained(drugs, "--target", "logP", "--model", "gin", "--name", "plain", out=tmp_path)
    other = trained(drugs, "--target", "logP", "--model", "gin", "--name", "other", *options, out=tmp_path)
    assert load_run(tmp_path / "other").recipe["source"]["molecules"][field] == value
    same = [pl.read_parquet(tmp_path / name / "predictions.parquet") for name in ("plain", "other")]
    is_other = other["scores"] != plain["scores"] or not same[0]["id"].equals(same[1]["id"])
    assert is_other


@pytest.mark.parametrize("split", ["scaffold", "scaffold_sorted", "cluster", "random"])
def test_every_split_of_molecules(drugs, tmp_path, split):
    trained(drugs, "--target", "logP", "--model", "gin", "--split", split, out=tmp_path)
    assert load_run(tmp_path / "drugs-gin").recipe["task"]["split"]["kind"] == split


def test_folds_of_scaffolds_judge_every_molecule_once(drugs, tmp_path):
    judged = []
    for fold in range(10):
        options = ["--target", "mass", "--model", "mlp", "--split", "k_fold", "--by", "scaffold", "--fold", fold]
        trained(drugs, *options, "--name", f"fold-{fold}", out=tmp_path)
        said = pl.read_parquet(tmp_path / f"fold-{fold}" / "predictions.parquet")
        judged += said.filter(pl.col("part") == "test")["id"].to_list()
    known = pl.read_csv(drugs).filter(pl.col("mass").is_not_null(), ~pl.col("id").str.starts_with("bad"))
    assert sorted(judged) == sorted(known["id"].to_list())


def test_smi_and_sdf_files(drugs, tmp_path):
    from rdkit import Chem

    rows = pl.read_csv(drugs).filter(~pl.col("id").str.starts_with("bad"))
    with Chem.SDWriter(str(tmp_path / "drugs.sdf")) as writer:
        for name, smiles, mass in rows.select("id", "smiles", "mass").rows():
            mol = Chem.MolFromSmiles(smiles)
            mol.SetProp("_Name", name)
            if mass is not None:
                mol.SetProp("mass", str(mass))
            writer.write(mol)
    trained(tmp_path / "drugs.sdf", "--target", "mass", "--model", "gin", out=tmp_path)
    run_folder = tmp_path / "drugs-gin"
    (tmp_path / "new.smi").write_text("CCO ethanol\nC1CC broken\nc1ccccc1 benzene\n")
    rows = told("predict", run_folder, tmp_path / "new.smi")["predictions"]
    assert [row["prediction"] is None for row in rows] == [False, True, False]
    assert [row["problem"] for row in rows] == [None, "an unreadable molecule (unclosed ring)", None]
    again = told("predict", run_folder, tmp_path / "drugs.sdf")["predictions"]
    assert len(again) == NUM_MOLECULES
    assert None not in [row["prediction"] for row in again]


def test_prediction_keeps_the_rows_in_order_with_the_reason_for_an_empty_one(drugs, model, tmp_path):
    new = write_molecules(tmp_path, name="new.csv", column="SMILES", has_answers=False)
    rows = told("predict", model, new)["predictions"]
    assert [row["id"] for row in rows] == pl.read_csv(new)["id"].to_list()
    for k, row in enumerate(rows):
        is_bad = k in BAD
        assert (row["prediction_logP"] is None) == (row["prediction_mass"] is None) == is_bad
        assert (row["problem"] is not None) == is_bad
    out = tmp_path / "said.csv"
    works("predict", model, new, "--out", out)
    said = pl.read_csv(out)
    assert said["problem"].drop_nulls().to_list()[0] == "an unreadable molecule (unclosed ring)"
    assert said["id"].to_list() == [row["id"] for row in rows]
    good = said.filter(pl.col("problem").is_null())["prediction_logP"].to_list()
    assert good == pytest.approx([row["prediction_logP"] for k, row in enumerate(rows) if k not in BAD], rel=1e-5)


def test_a_model_judges_embeds_and_tells_of_itself(drugs, model):
    judged = told("evaluate", model)
    assert judged["scores"]["test"] == pytest.approx(load_run(model).metrics["scores"]["test"], rel=1e-5)
    assert told("evaluate", model, drugs)["counts"]["all"] > judged["counts"]["test"]
    rows = told("embed", model)["embeddings"]
    assert [row["id"] for row in rows] == pl.read_csv(drugs)["id"].to_list()
    assert len(rows[0]) > 8
    for k, row in enumerate(rows):
        assert (row["h_0"] is None) == (row["problem"] is not None) == (k in BAD)
    assert told("info", model)["data"]["molecules"]["smiles"] == "smiles"
    assert told("info", drugs)["graph"]["num_graphs"] == NUM_MOLECULES


def test_a_column_of_another_name_is_told_to_all_that_look(tmp_path):
    drugs = write_molecules(tmp_path, column="what")
    assert told("info", drugs, "--smiles", "what")["graph"]["num_graphs"] == NUM_MOLECULES
    audited = told("audit", drugs, "--smiles", "what", "--target", "mass", "--split", "k_fold", "--by", "scaffold")
    assert not [one for one in audited["findings"] if one["severity"] == "leak"]


def test_an_audit_finds_a_molecule_that_both_teaches_and_judges(drugs, tmp_path):
    twice = tmp_path / "twice.csv"
    lines = drugs.read_text().splitlines()
    again = [
        line.replace("CCO,", "OCC,") for line in lines if line.startswith("m0,")
    ]  # the same one, written otherwise
    twice.write_text("\n".join([*lines, *again * 6]) + "\n")
    options = ["--target", "mass", "--split", "random"]
    report = told("audit", twice, *options)
    (found,) = [one for one in report["findings"] if one["kind"] == "duplicate_graph"]
    assert found["severity"] == "leak"
    trained(twice, *options, "--model", "mlp", out=tmp_path)
    again = told("audit", tmp_path / "twice-mlp")
    assert [one["kind"] for one in again["findings"]] == [one["kind"] for one in report["findings"]]
    assert not [one for one in told("audit", drugs, "--target", "mass")["findings"] if one["severity"] == "leak"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["drugs.csv", "--smiles", "shape"], "no column 'shape'"),
        (["drugs.csv", "--target", "shape"], "no column 'shape'"),
        (["drugs.csv", "--use", "shape", "--target", "mass"], "no column 'shape'"),
        (["drugs.csv"], "no answers to learn from"),
        (["none.csv"], "no row that can be used"),
        (["empty.csv", "--smiles", "smiles"], "is empty"),
        (["header.csv", "--target", "mass"], "no rows"),
        (["absent.csv", "--smiles", "smiles"], "there is no file"),
        (["empty.smi"], "empty.smi"),
        (["empty.sdf"], "empty.sdf"),
        (["drugs.csv", "--edges", "drugs.csv"], "both say where the data are"),
        (["drugs.csv", "--target", "mass", "--level", "node"], "each graph, not node"),
        (["drugs.csv", "--target", "mass", "--directed"], "--directed: for tables"),
        (["drugs.csv", "--target", "mass", "--atoms", "all"], "--atoms must be one of"),
        (["drugs.csv", "--target", "mass", "--smiles", "smiles", "--inchi", "id"], "not both"),
        (["drugs.csv", "--target", "mass,batch"], "holds no numbers"),
        (["drugs.csv", "--target", "mass", "--use", "mass"], "for two"),
        (["karate", "--smiles", "smiles"], "there is no file karate"),
        (["karate", "--hydrogens"], "--hydrogens: for files of molecules"),
        (["karate", "--split", "scaffold"], "scaffolds and clusters are of molecules"),
        (["drugs.csv", "--target", "mass", "--split", "k_fold", "--by", "shape"], "by"),
        (["drugs.csv", "--target", "mass", "--model", "drugnet"], "no model 'drugnet'"),
    ],
)
def test_wrong_input_is_one_line(drugs, monkeypatch, arguments, said):
    monkeypatch.chdir(drugs.parent)
    files = {"empty.csv": "", "header.csv": "smiles,mass\n", "none.csv": "smiles,y\nC1CC,1\nQ,2\n"}
    for name, text in {**files, "empty.smi": "", "empty.sdf": ""}.items():
        (drugs.parent / name).write_text(text)
    assert said in refused("train", *arguments, "--epochs", "1")


def test_wrong_files_to_predict_are_one_line(model, tmp_path):
    (tmp_path / "none.smi").write_text("C1CC\nQ\n")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    assert "no molecule that can be read" in refused("predict", model, tmp_path / "none.smi")
    assert "no column of a usual name for SMILES" in refused("predict", model, tmp_path / "other.csv")
    assert "there is no file" in refused("predict", model, tmp_path / "absent.csv")
    assert "not trained on" in refused("predict", model, "--edges", tmp_path / "other.csv")


def test_molecules_with_places(tmp_path):
    """A folder whose files say what they are for, and one file, which begins like a list of SMILES."""
    blocks = [f"water {k}\nO 0 0 0.1\nH 0 0.76 -0.{k}\nH 0 -0.76 -0.48\n{-k / 10}\n" for k in range(40, 60)]
    for name in ("val.txt", "test.txt"):
        (tmp_path / name).write_text("\n".join([*blocks, "broken\nO 0 0 0\n"]))
    for place in (tmp_path, tmp_path / "val.txt"):
        done = works(
            "train",
            place,
            "--format",
            "xyz",
            "--model",
            "mpnn",
            "--hidden",
            4,
            "--epochs",
            1,
            "--name",
            "water",
            "--no-report",
            "--out",
            tmp_path / "runs",
        )
        assert "graphs, " in done.stdout
        assert "expected" in done.stdout or "a block has a name" in done.stdout
    rows = told("predict", tmp_path / "runs" / "water", tmp_path / "test.txt", "--format", "xyz")["predictions"]
    assert [row["id"] for row in rows] == [f"water {k}" for k in range(40, 60)]


def test_models_are_compared_in_one_table(drugs, tmp_path):
    """In processes of their own, as a user's are."""
    out = tmp_path / "table.md"
    options = ["--target", "mass", "--models", "gin", "--epochs", 2, "--hidden", 8, "--split", "scaffold"]
    done = run("compare-models", drugs, *options, "--out", out)
    assert done.exit_code == 0, done.output
    assert [line.split()[:2] for line in done.stderr.splitlines()] == [
        ["1/4", "gin,"],
        ["2/4", "boosted"],
        ["3/4", "linear"],
        ["4/4", "guess,"],
    ]
    assert "2 epochs, batches of 64 graphs, states 8 wide" in done.stdout
    assert "| gin |" in out.read_text()


def test_the_comparison_as_json(drugs, monkeypatch):
    """In this process, which is sooner."""
    monkeypatch.setattr(comparison, "_apart", lambda *job: comparison._read_and_try(*job, threads=1))
    options = ["--target", "ring", "--models", "mlp,gcn", "--epochs", 2, "--batch-size", 8, "--seeds", 2, "--seed", 3]
    found = told("compare-models", drugs, *options, "--split", "scaffold", "--metric", "balanced_accuracy")
    assert {row["model"] for row in found["models"]} == {"mlp", "gcn", "boosted trees", "linear fit", "guess"}
    assert found["metric"] == "balanced_accuracy"
    asked = {"epochs": 2, "batch_size": 8, "seeds": 2, "seed": 3, "hidden": 48, "accelerator": "auto"}
    assert asked.items() <= found["budget"].items()
    assert [row["test_std"] is None for row in found["models"]] == [
        row["parameters"] is None for row in found["models"]
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["drugs.csv", "--target", "mass", "--models", "drugnet"], "no model 'drugnet'"),
        (["drugs.csv", "--target", "mass", "--out", "table.doc"], "must end in one of"),
        (["drugs.csv", "--target", "mass", "--out", "absent/table.md"], "there is no folder absent"),
        (["drugs.csv", "--target", "mass", "--device", "cuda"], "cuda"),
        (["karate", "--models", "gine"], "no model fits karate"),
        (["karate", "--smiles", "smiles"], "there is no file karate"),
        ([], "say where the data are"),
    ],
)
def test_a_comparison_that_can_not_be_is_one_line(drugs, monkeypatch, arguments, said):
    monkeypatch.chdir(drugs.parent)
    assert said in refused("compare-models", *arguments, "--epochs", "1")
