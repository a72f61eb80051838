"""Texts to molecules: forms, reasons, standardisation, hydrogens, places, workers, and what is kept of them."""

import os
import subprocess
import sys

import numpy as np
import pytest

Chem = pytest.importorskip("rdkit.Chem")

from rdkit.Chem import rdDepictor, rdDistGeom  # noqa: E402

from grapevine.data.molecules import rdkit_parts, saved, workers  # noqa: E402
from grapevine.data.molecules.packed import AtomCode, PackedMolecules  # noqa: E402
from grapevine.data.molecules.parse import Parsed, ParseOptions, parse  # noqa: E402
from grapevine.data.molecules.workers import parse_chunks  # noqa: E402
from grapevine.errors import InputError  # noqa: E402
from tests.data.molecules.cases import SMILES  # noqa: E402


def assert_same(left: PackedMolecules, right: PackedMolecules) -> None:
    assert left.arrays().keys() == right.arrays().keys()
    for name, array in left.arrays().items():
        assert np.array_equal(array, right.arrays()[name]), name
        assert array.dtype == right.arrays()[name].dtype, name


def assert_same_parsed(left: Parsed, right: Parsed) -> None:
    assert_same(left.packed, right.packed)
    assert left.rows.tolist() == right.rows.tolist()
    assert (left.reasons, left.smiles) == (right.reasons, right.smiles)


def test_bad_texts_have_a_reason_and_rdkit_is_silent(capfd):
    bad = {
        "C1CC": "unclosed ring",
        "C[N](C)(C)(C)C": "Explicit valence for atom # 1 N, 5, is greater than permitted",
        "c1cccc1": "Can't kekulize mol. Unkekulized atoms: 0 1 2 3 4",
        "xyz": "syntax error",
        "C(C": "extra open parentheses",
        "": "no molecule is given",
        "  ": "no molecule is given",
        "C\0C": "it holds a zero byte",
        "|$_AP1$|": "syntax error",
    }
    parsed = parse(["CCO", *bad, None, "C ethane"])
    assert parsed.rows.tolist() == [0, len(bad) + 2]
    assert parsed.reasons == dict(enumerate([*bad.values(), "no molecule is given"], 1))
    assert parsed.smiles == ("CCO", "C")
    assert parse(["InChI=1S/xx", "CCO"], ParseOptions("inchi")).reasons == {0: "it is no InChI", 1: "it is no InChI"}
    blocks = [Chem.MolToMolBlock(Chem.MolFromSmiles(text, sanitize=False)) for text in ("C=C", "CN(C)(C)(C)C")]
    blocks = ["a\nb\nc\nd e f\n", blocks[0].replace(" C ", " Xx", 1), blocks[1]]
    why = [
        "it is no mol block",
        "Element 'Xx' not found",
        "Explicit valence for atom # 1 N, 5, is greater than permitted",
    ]
    assert parse(blocks, ParseOptions("sdf")).reasons == dict(enumerate(why))
    assert capfd.readouterr() == ("", "")


def test_every_form_gives_the_same_molecule():
    mol = Chem.MolFromSmiles("C[C@H](N)C(=O)O")
    rdDepictor.Compute2DCoords(mol)
    canonical = Chem.MolToSmiles(mol)
    inchi, block = Chem.MolToInchi(mol), Chem.MolToMolBlock(mol)
    for parsed in (parse([inchi], ParseOptions("inchi")), parse([block], ParseOptions("sdf"))):
        assert parsed.smiles == (canonical,)
        assert sorted(parsed.packed.atom[:, AtomCode.Z].tolist()) == [6, 6, 6, 7, 8, 8]
        assert parsed.packed.pos is None


def test_places_are_kept_where_all_molecules_have_them():
    mol = Chem.AddHs(Chem.MolFromSmiles("CCO"))
    rdDistGeom.EmbedMolecule(mol, randomSeed=7)
    solid, flat = Chem.MolToMolBlock(mol), Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
    places = mol.GetConformer().GetPositions()
    kept = parse([solid], ParseOptions("sdf", hydrogens=True)).packed
    assert kept.pos is not None
    np.testing.assert_allclose(kept.pos, places, atol=1e-4)
    heavy = parse([solid], ParseOptions("sdf")).packed
    assert heavy.pos is not None
    np.testing.assert_allclose(heavy.pos, places[:3], atol=1e-4)
    assert parse([solid, flat], ParseOptions("sdf")).packed.pos is None


def test_salts_and_charges_are_standardised_on_request():
    salt = "[Na+].CC(=O)[O-]"
    assert parse([salt]).packed.atom[:, AtomCode.CHARGE].tolist() == [1, 0, 0, 0, -1]
    largest = parse([salt], ParseOptions(largest_fragment=True)).packed
    assert largest.atom[:, AtomCode.CHARGE].tolist() == [0, 0, 0, -1]
    neutral = parse([salt], ParseOptions(largest_fragment=True, neutralise=True)).packed
    assert neutral.atom[:, AtomCode.CHARGE].tolist() == [0, 0, 0, 0]
    assert_same(neutral, parse(["CC(=O)O"]).packed)
    assert parse(["[NH4+]"], ParseOptions(neutralise=True)).packed.atom[0, AtomCode.CHARGE] == 0


def test_hydrogens_become_atoms():
    packed = parse(["CCO", "C"], ParseOptions(hydrogens=True)).packed
    assert np.diff(packed.ptr).tolist() == [9, 5]
    assert not packed.atom[:, AtomCode.HYDROGENS].any()


def test_parts_are_taken_and_joined():
    whole = parse(SMILES).packed
    single = [parse([smiles]).packed for smiles in SMILES]
    assert_same(PackedMolecules.concat(single), whole)
    chosen = np.array([3, 0, 3, len(SMILES) - 1])
    assert_same(whole.take(chosen), PackedMolecules.concat([single[k] for k in chosen]))
    assert_same(whole.take(np.array([], int)), PackedMolecules.concat([]))
    mixed = PackedMolecules.concat(
        [whole, PackedMolecules(**(single[0].arrays() | {"pos": np.zeros((3, 3), np.float32)}))]
    )
    assert mixed.pos is None


def test_workers_give_what_one_process_gives(monkeypatch):
    monkeypatch.setattr(workers, "_FEW", 4)
    monkeypatch.setattr(workers, "_AHEAD", 3)
    texts = [*SMILES, "C1CC", *SMILES]
    chunks = [texts[k : k + 7] for k in range(0, len(texts), 7)]
    taken = []

    def ask():
        for k, chunk in enumerate(chunks):
            taken.append(k)
            yield chunk

    parts = []
    for parsed in parse_chunks(ask(), ParseOptions(roles=True), workers=2):
        parts.append(parsed)
        assert len(taken) <= len(parts) + 4, "the chunks are not all asked for at once"
    joined = Parsed.concat(parts, [len(chunk) for chunk in chunks])
    assert_same_parsed(joined, parse(texts, ParseOptions(roles=True)))
    with pytest.raises(InputError, match="workers must be 1 or more, got 0"):
        parse_chunks([["C"]], ParseOptions(), workers=0)


def test_a_worker_does_not_import_torch():
    code = (
        "import sys, grapevine.data.molecules.parse as p; p.read_texts(['C'], p.ParseOptions()); "
        "print('torch' in sys.modules or 'numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_what_was_saved_comes_back(tmp_path):
    parsed = parse([*SMILES, "é", "C1CC"], ParseOptions(roles=True))
    saved.save_parsed(parsed, tmp_path / "some.safetensors")
    assert_same_parsed(saved.load_parsed(tmp_path / "some.safetensors"), parsed)
    empty = parse(["?"])
    saved.save_parsed(empty, tmp_path / "none.safetensors")
    assert_same_parsed(saved.load_parsed(tmp_path / "none.safetensors"), empty)
    (tmp_path / "broken.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="holds no saved molecules"):
        saved.load_parsed(tmp_path / "broken.safetensors")
    with pytest.raises(InputError, match="there is no file"):
        saved.load_parsed(tmp_path / "absent.safetensors")


def test_the_cache_goes_by_content_and_is_mended(tmp_path):
    path, calls = tmp_path / "two.smi", []
    path.write_text("CCO\nCC\n")

    def make(texts=("CCO", "CC")):
        calls.append(texts)
        return parse(texts)

    def get(options=ParseOptions()):  # noqa: B008
        return saved.parsed_once(path, "smiles", options, make)

    first = get()
    os.utime(path, (0, 0))
    assert_same_parsed(get(), first)
    assert len(calls) == 1
    get(ParseOptions(hydrogens=True))
    assert len(calls) == 2
    path.write_text("CCO\nCN\n")
    get()
    assert len(calls) == 3
    for file in (saved.cache_folder() / "molecules").iterdir():
        file.write_bytes(b"")
    assert_same_parsed(get(), first)
    assert len(calls) == 4


def test_without_rdkit_the_extra_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "rdkit"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"pip install 'grapevine-gnn\[chem\]'"):
        rdkit_parts.rdkit_part("Chem")


def test_a_file_is_opened_and_parsed_before_torch_is_there(tmp_path):
    (tmp_path / "few.smi").write_text("CCO\nC1CC\n")
    code = (
        "import sys; from pathlib import Path; from grapevine.cli.given import Place; "
        "from grapevine.cli.ahead import start_molecules; from grapevine.data.molecules.parts import start_parsing; "
        "from grapevine.data.molecules.spec import MoleculeSpec; "
        f"start_parsing(Path({str(tmp_path / 'few.smi')!r}), MoleculeSpec()); "
        f"start_molecules(Path({str(tmp_path)!r}), Place(data={str(tmp_path / 'few.smi')!r})); "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
