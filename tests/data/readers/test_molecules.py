"""Molecules from files of every kind: the same graphs, the bad rows, the order of the rows, and prediction in parts."""

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

Chem = pytest.importorskip("rdkit.Chem")

from rdkit.Chem import rdDistGeom  # noqa: E402

from grapevine.data.molecules import saved, workers  # noqa: E402
from grapevine.data.molecules.encoders import MoleculeEncoders  # noqa: E402
from grapevine.data.molecules.features import pack_to_graph  # noqa: E402
from grapevine.data.molecules.parse import parse  # noqa: E402
from grapevine.data.readers.molecules import MoleculeSpec, read_molecules, stream_molecules  # noqa: E402
from grapevine.errors import InputError  # noqa: E402

GOOD = ["CCO", "c1ccccc1O", "CC(=O)N", "C#N"]
FRAME = pl.DataFrame({
    "mol_id": ["a", "b", "c", "d", "e"],
    "smiles": [GOOD[0], "C1CC", *GOOD[1:]],
    "y": [0.5, 1.0, None, 2.5, -1.0],
    "dose": [1.0, 2.0, 3.0, 5.0, 4.0],
})  # fmt: skip


def assert_same(left, right):
    assert left.levels == right.levels
    assert torch.equal(left.adj.edge_index, right.adj.edge_index)
    assert torch.equal(left.ptr, right.ptr)
    for name in left.levels:
        torch.testing.assert_close(getattr(left, name), getattr(right, name), equal_nan=True)


def test_a_table_with_a_bad_row():
    made = read_molecules(FRAME, MoleculeSpec(features=("dose",)))
    expected = pack_to_graph(parse(GOOD).packed)
    assert torch.equal(made.graph.x, expected.x)
    assert torch.equal(made.graph.edge_attr, expected.edge_attr)
    assert made.graph.levels["y"] == "graph"
    np.testing.assert_array_equal(made.graph.y.numpy(), np.array([0.5, np.nan, 2.5, -1.0], np.float32))
    dose = torch.tensor([1.0, 3.0, 5.0, 4.0])
    torch.testing.assert_close(made.graph.features[:, 0], (dose - dose.mean()) / dose.std(correction=0))
    assert (made.num_rows, made.row_of.tolist(), made.ids.tolist()) == (5, [0, 2, 3, 4], ["a", "c", "d", "e"])
    assert made.names.tolist() == ["a", "b", "c", "d", "e"]
    assert made.reasons == {1: "an unreadable molecule (unclosed ring)"}
    assert made.rejects.first() == ["the table, line 2: an unreadable molecule (unclosed ring): b,C1CC,1.0,2.0"]
    assert made.notes[:3] == (
        "the table: 'smiles' holds the molecules, as SMILES",
        "the table: 'y' is the target",
        "the table: 'mol_id' holds the molecules' names",
    )
    dataset = made.dataset("five")
    assert (dataset.level, dataset.ids.tolist()) == ("graph", ["a", "c", "d", "e"])  # pyright: ignore[reportOptionalMemberAccess]


def write(folder: Path, kind: str) -> Path:
    path = folder / f"mols{kind}"
    texts = FRAME["smiles"].to_list()
    if kind in (".csv", ".tsv"):
        FRAME.write_csv(path, separator="," if kind == ".csv" else "\t")
    elif kind == ".parquet":
        FRAME.write_parquet(path)
    elif kind == ".jsonl":
        FRAME.write_ndjson(path)
    elif kind == ".smi":
        path.write_text("".join(f"{text}\t{name}\n" for text, name in zip(texts, FRAME["mol_id"], strict=True)))
    elif kind == ".smi.gz":
        path.write_bytes(gzip.compress("\n".join(["SMILES", *texts]).encode()))
    elif kind == ".sdf":
        path.write_text("".join(map(block, FRAME.rows())))
    return path


def block(row: tuple) -> str:
    """A record of an SDF file, written out for the molecule that is none."""
    name, smiles, y, dose = row
    mol = Chem.MolFromSmiles(smiles)
    text = "b\n\n\n broken counts\nM  END\n" if mol is None else Chem.MolToMolBlock(mol).replace("\n", f"{name}\n", 1)
    said = f">  <y>  (1)\n{y}\n\n" if y is not None else ""
    return f"{text}{said}> <dose>\n{dose}\n\n$$$$\n"


@pytest.mark.parametrize("kind", [".csv", ".tsv", ".parquet", ".jsonl", ".smi", ".smi.gz", ".sdf"])
def test_every_kind_of_file_holds_the_same_molecules(tmp_path, kind):
    whole = read_molecules(FRAME)
    path = write(tmp_path, kind)
    made = read_molecules(path)
    has_columns = ".smi" not in kind
    for name in ("x", "z", "edge_attr") + ("y",) * has_columns:
        torch.testing.assert_close(getattr(made.graph, name), getattr(whole.graph, name), equal_nan=True)
    assert made.row_of.tolist() == whole.row_of.tolist()
    assert list(made.reasons) == [1]
    if kind != ".smi.gz":
        assert made.names.tolist() == ["a", "b", "c", "d", "e"]
    assert_same(read_molecules(path).graph, made.graph)  # from the cache
    parts = list(stream_molecules(path, made.encoders, chunk_rows=2))
    assert [part.first_row for part in parts] == [0, 2, 4]
    assert [part.num_rows for part in parts] == [2, 2, 1]
    assert torch.equal(torch.cat([part.graph.x for part in parts]), made.graph.x)
    assert [name for part in parts for name in part.names] == made.names.tolist()


def test_an_sdf_file_with_places(tmp_path):
    path = tmp_path / "solid.sdf"
    writer = Chem.SDWriter(str(path))
    places = []
    for number, smiles in enumerate(GOOD):
        mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
        rdDistGeom.EmbedMolecule(mol, randomSeed=number)
        mol.SetProp("_Name", f"m{number}")
        mol.SetProp("gap", str(number * 1.5))
        places.append(mol.GetConformer().GetPositions())
        writer.write(mol)
    writer.close()
    made = read_molecules(path, MoleculeSpec(targets=("gap",), hydrogens=True, target_kind="numbers"))
    np.testing.assert_allclose(made.graph.pos.numpy(), np.concatenate(places), atol=1e-4)
    assert made.graph.y.tolist() == [0, 1.5, 3, 4.5]
    assert made.ids.tolist() == ["m0", "m1", "m2", "m3"]


def test_targets_are_classes_labels_and_numbers_with_gaps():
    frame = FRAME.with_columns(
        toxic=pl.Series(["yes", "no", "no", None, "yes"]),
        a=pl.Series([1, 0, None, 0, 1]),
        b=pl.Series([0, 1, 1, None, 1]),
    )
    classes = read_molecules(frame, MoleculeSpec(targets=("toxic",)))
    assert classes.graph.y.tolist() == [1, 0, -1, 1]
    assert classes.dataset("d").class_names == ("no", "yes")
    several = read_molecules(frame, MoleculeSpec(targets=("a", "b")))
    expected = np.array([[1, 0], [np.nan, 1], [0, np.nan], [1, 1]], np.float32)
    np.testing.assert_array_equal(several.graph.y.numpy(), expected)
    assert several.target is not None
    assert several.target.kind == "labels"
    assert "y" not in read_molecules(frame.select("smiles")).graph.levels


def test_bad_numbers_make_bad_rows_in_training():
    count = 30
    frame = pl.DataFrame(
        {
            "smiles": ["C" * (k + 1) for k in range(count)],
            "y": [f"{k}.5" if k != 3 else "high" for k in range(count)],
            "dose": [str(k * 0.1) if k != 7 else "much" for k in range(count)],
        }
    )
    made = read_molecules(frame, MoleculeSpec(features=("dose",)))
    assert made.reasons == {7: "an unreadable number (dose: much)", 3: "an unreadable target (y: high)"}
    assert made.graph.num_graphs == count - 2
    again = read_molecules(frame, made.encoders)
    assert list(again.reasons) == [7], "a prediction does not need the target"
    assert torch.isnan(again.graph.y[3])


def test_new_molecules_are_read_as_the_first_ones():
    made = read_molecules(FRAME, MoleculeSpec(features=("dose",), feature_set="full", largest_fragment=True))
    encoders = MoleculeEncoders.from_dict(made.encoders.to_dict())
    assert encoders == made.encoders
    new = FRAME.select(pl.col("smiles").alias("SMILES"), "dose")
    again = read_molecules(new, encoders)
    assert torch.equal(again.graph.x, made.graph.x)
    assert torch.equal(again.graph.features, made.graph.features)
    assert bool(again.graph.y.isnan().all())
    assert again.graph.x.shape[1] == len(encoders.atom_names)
    assert again.graph.edge_attr.shape[1] == len(encoders.bond_names)
    none = read_molecules(pl.DataFrame({"smiles": ["?", None], "dose": [1, 2]}), encoders)
    assert (none.graph.num_graphs, none.num_rows, list(none.reasons)) == (0, 2, [0, 1])
    with pytest.raises(InputError, match="these are no saved encoders of molecules"):
        MoleculeEncoders.from_dict({"spec": 3})


def test_a_column_that_says_the_part():
    frame = FRAME.with_columns(split=pl.Series(["train", "train", "val", "test", "train"]))
    (split,) = read_molecules(frame, MoleculeSpec(split="split")).dataset("d").splits
    assert [part.tolist() for part in (split.train, split.val, split.test)] == [
        [True, False, False, True], [False, True, False, False], [False, False, True, False],
    ]  # fmt: skip


def test_inchi_is_found_where_there_are_no_smiles():
    frame = pl.DataFrame({"InChI": [Chem.MolToInchi(Chem.MolFromSmiles(text)) for text in GOOD]})
    made = read_molecules(frame)
    assert made.notes[0] == "the table: 'InChI' holds the molecules, as InChI"
    assert list(made.smiles) == [Chem.MolToSmiles(Chem.MolFromInchi(text)) for text in frame["InChI"]]


def test_long_files_are_read_in_parts_by_workers(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "_FEW", 4)
    path = tmp_path / "long.txt"
    path.write_text("\n".join(GOOD * 20 + ["C1CC"] + GOOD))
    parts = list(stream_molecules(path, chunk_rows=8, workers=2))
    whole = read_molecules(path, workers=2, cache=False)
    assert whole.num_rows == 85
    assert torch.equal(torch.cat([part.graph.x for part in parts]), whole.graph.x)
    assert [part.first_row + row for part in parts for row in part.row_of] == whole.row_of.tolist()
    assert {part.first_row + row: why for part in parts for row, why in part.reasons.items()} == whole.reasons


def test_progress_and_the_cache(tmp_path, monkeypatch):
    path, told = write(tmp_path, ".csv"), []
    read_molecules(path, on_progress=lambda *step: told.append(step), cache=False)
    assert told == [("reading the molecules", 5, 5)]
    assert not (saved.cache_folder() / "molecules").exists()
    read_molecules(path)
    monkeypatch.setattr("grapevine.data.readers.molecules.parse_chunks", None)
    assert read_molecules(path).graph.num_graphs == 4


def test_what_is_wrong_is_said(tmp_path):
    (tmp_path / "empty.smi").write_text("\n")
    (tmp_path / "empty.sdf").write_text("")
    (tmp_path / "bad.smi").write_text("?\n!\n")
    (tmp_path / "bad.smi.gz").write_bytes(b"no gzip")
    plain = pl.DataFrame({"a": ["C"], "b": [1]})
    refused = [
        (plain, None, r"no column of a usual name for SMILES \(smiles, .*\): name one of a, b"),
        (plain, MoleculeSpec(smiles="c"), "no column 'c' for the molecules, it has a, b"),
        (plain, MoleculeSpec(smiles="a", targets=("c",)), "no column 'c' for the targets, it has a, b"),
        (plain, MoleculeSpec(smiles="a", targets=("a",)), "'a' is named for two"),
        (plain, MoleculeSpec(smiles="a", inchi="b"), "SMILES or one of InChI, not both"),
        (tmp_path / "empty.smi", None, "is empty: molecules were expected"),
        (tmp_path / "empty.sdf", None, "is empty: molecules were expected"),
        (
            tmp_path / "bad.smi",
            None,
            r"no row that can be used: bad.smi, line 1: an unreadable molecule \(syntax error\)",
        ),
        (tmp_path / "bad.smi.gz", None, "can not be read"),
        (tmp_path / "none.smi", None, "there is no file"),
        (tmp_path / "mols.xyz", None, r"must end in one of \.smi"),
    ]
    for source, spec, message in refused:
        with pytest.raises(InputError, match=message):
            read_molecules(source, spec, cache=False)
    with pytest.raises(InputError, match="features are fitted on a whole file"):
        stream_molecules(plain, MoleculeSpec(smiles="a", features=("b",)))
    with pytest.raises(InputError, match="a part must have 1 row or more"):
        stream_molecules(plain, MoleculeSpec(smiles="a"), chunk_rows=0)
    made = read_molecules(FRAME, MoleculeSpec(features=("dose",)))
    with pytest.raises(InputError, match="'dose'"):
        read_molecules(FRAME.drop("dose"), made.encoders)
