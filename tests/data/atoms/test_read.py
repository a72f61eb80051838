"""Files of structures: each format against ASE, the numbers in the file, or physics; and frames that are wrong."""

import gzip
import json
import sys

import numpy as np
import pytest

from grapevine.data.atoms import ReadOptions, Structures, copies, join_structures, read_structures
from grapevine.data.atoms.units import BOHR, DEBYE, ENERGY, HARTREE
from grapevine.errors import InputError
from tests.data.files import SHARED, needs

ase = pytest.importorskip("ase")
ase_io = pytest.importorskip("ase.io")

WATER = "3\nenergy=-14.2\nO 0 0 0.12\nH 0 0.76 -0.48\nH 0 -0.76 -0.48\n"
FORCED = "Properties=species:S:1:pos:R:3:forces:R:3"
KCAL = 4184 / (6.02214076e23 * 1.602176634e-19)


def read(tmp_path, text: str, name: str = "frames.xyz", **options) -> Structures:
    (tmp_path / name).write_text(text)
    return read_structures(tmp_path / name, options=ReadOptions(**options))


def same_as_ase(found: Structures, images: list, *, energy: float = 1.0) -> None:
    assert len(found) == len(images)
    for k, atoms in enumerate(images):
        rows = slice(found.ptr[k], found.ptr[k + 1])
        np.testing.assert_array_equal(found.z[rows], atoms.numbers)
        np.testing.assert_allclose(found.pos[rows], atoms.positions, rtol=1e-14)
        np.testing.assert_allclose(found.cell[k], np.array(atoms.cell), rtol=1e-14)
        np.testing.assert_array_equal(found.pbc[k], atoms.pbc)
        results = atoms.calc.results
        np.testing.assert_allclose(found.energy[k], results["energy"] * energy, rtol=1e-13)
        np.testing.assert_allclose(found.forces[rows], results["forces"] * energy, rtol=1e-13)


@needs("atoms/md17_ethanol_2000.xyz")
def test_ethanol_is_what_ase_reads():
    path = SHARED / "atoms" / "md17_ethanol_2000.xyz"
    found = read_structures(path, options=ReadOptions(energy_unit="kcal/mol"))
    assert len(found) == 2000
    images = ase_io.read(path, ":30")
    same_as_ase(found.take(np.arange(30)), images, energy=KCAL)
    assert found.energy.mean() == pytest.approx(-4214.7, abs=1)  # eV, the total energy of ethanol
    assert 0.5 < np.sqrt((found.forces**2).mean()) < 2  # eV/angstrom at 500 K
    assert (found.notes, len(found.rejects), found.has_stress.any()) == ((), 0, False)


@needs("atoms/3bpa_train_300K.xyz")
def test_3bpa_and_its_isolated_atoms():
    path = SHARED / "atoms" / "3bpa_train_300K.xyz"
    found = read_structures(path)
    same_as_ase(found.take(np.arange(10)), ase_io.read(path, ":10"))
    assert (len(found), found.elements, found.isolated_energies) == (500, (1, 6, 7, 8), {})
    atoms = read_structures(SHARED / "atoms" / "3bpa_isolated_atoms.xyz")
    assert len(atoms) == 0
    assert atoms.isolated_energies == pytest.approx({1: -13.5872228, 6: -1029.488999, 7: -1484.98145, 8: -2041.98160})
    assert "energies of isolated atoms" in atoms.notes[0]
    both = join_structures([found, atoms])
    assert (len(both), both.isolated_energies) == (500, atoms.isolated_energies)
    kept = read_structures(SHARED / "atoms" / "3bpa_isolated_atoms.xyz", options=ReadOptions(keep_isolated=True))
    assert (len(kept), kept.isolated_energies) == (4, {})


@needs("atoms/mlearn_Cu.json")
def test_copper_has_the_stress_that_its_shape_asks_for():
    """Strained perfect cells answer against the strain: C44 about 80 GPa, C11 about 170, in eV/angstrom^3."""
    found = read_structures(SHARED / "atoms" / "mlearn_Cu.json")
    assert len(found) == 324
    assert (found.energy / found.sizes).min() == pytest.approx(-4.1, abs=0.01)  # eV an atom
    relaxed, slopes = 10.849222, []
    strain = (found.cell + found.cell.transpose(0, 2, 1)) / 2 / relaxed - np.eye(3)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        others = strain.copy()
        others[:, a, b] = others[:, b, a] = 0
        is_shear = (np.abs(others).max(axis=(1, 2)) < 5e-3) & (np.abs(strain[:, a, b]) > 6e-3) & found.has_stress
        assert is_shear.sum() >= 10
        slopes += (found.stress[is_shear, a, b] / (2 * strain[is_shear, a, b])).tolist()
        off = [(c, d) for c, d in ((0, 1), (0, 2), (1, 2)) if (c, d) != (a, b)]
        assert all(np.abs(found.stress[is_shear, c, d]).max() < 0.05 * 80 / 160.2 for c, d in off)
    assert min(slopes) > 60 / 160.2
    assert max(slopes) < 100 / 160.2
    is_stretch = (strain[:, 2, 2] > 0.02) & (np.abs(strain[:, :2]).max(axis=(1, 2)) < 1e-3) & found.has_stress
    assert is_stretch.sum() >= 2
    assert (found.stress[is_stretch, 2, 2] > 100 / 160.2 * strain[is_stretch, 2, 2]).all()


@needs("atoms/mlearn_Cu.json")
def test_copper_has_copies_and_borrowed_stresses():
    """The last 31 cells are those before them, and both have the stresses of the first 31."""
    found = read_structures(SHARED / "atoms" / "mlearn_Cu.json")
    first = copies(found)
    late = (first != np.arange(324)).nonzero()[0]
    assert late.tolist() == list(range(293, 324))
    assert (first[late] == late - 31).all()
    assert (~found.has_stress).nonzero()[0].tolist() == list(range(262, 324))
    assert "31 structures are copies" in found.notes[0]
    assert "62 stresses are not used" in found.notes[1]


@needs("qm9_small")
def test_blocks():
    found = read_structures(SHARED / "qm9_small" / "val.txt")
    assert (len(found), found.ids[0], found.z[:4].tolist()) == (1479, "dsgdb9nsd_000002", [7, 1, 1, 1])
    assert found.energy[0] == pytest.approx(-12.00586, abs=1e-4)
    other = read_structures(SHARED / "qm9_small" / "val.txt", options=ReadOptions(energy_unit="Ha"))
    np.testing.assert_allclose(other.energy, found.energy * HARTREE)


def written(tmp_path, name: str) -> tuple[Structures, list]:
    """Two frames of a periodic cell and one molecule, by ASE."""
    single = pytest.importorskip("ase.calculators.singlepoint").SinglePointCalculator
    generator, images = np.random.default_rng(0), []
    for k, pbc in enumerate(([True] * 3, [True, True, False], [False] * 3)):
        cell = np.eye(3) * 4 + generator.random((3, 3)) if k < 2 else None
        atoms = ase.Atoms(("Cu", "O", "H"), positions=4 * generator.random((3, 3)), cell=cell, pbc=pbc)
        results = {"energy": -1.5 - k, "forces": generator.normal(size=(3, 3))}
        if k < 2:
            results["stress"] = generator.normal(size=6)
        atoms.calc = single(atoms, **results)
        images.append(atoms)
    if name.endswith(("db", "json")):
        with pytest.importorskip("ase.db").connect(tmp_path / name) as database:
            for atoms in images:
                database.write(atoms)
    else:
        ase_io.write(tmp_path / name, images)
    return read_structures(tmp_path / name), images


@pytest.mark.parametrize("name", ["frames.extxyz", "frames.xyz", "frames.traj", "rows.db", "rows.json"])
def test_what_ase_writes(tmp_path, name):
    found, images = written(tmp_path, name)
    places = [atoms.positions for atoms in images]
    np.testing.assert_allclose(found.pos, np.concatenate(places), atol=1e-8)
    np.testing.assert_allclose(found.energy, [-1.5, -2.5, -3.5])
    np.testing.assert_allclose(found.forces, np.concatenate([a.calc.results["forces"] for a in images]), atol=1e-8)
    np.testing.assert_allclose(found.cell, [np.array(atoms.cell) for atoms in images], atol=1e-8)
    assert found.pbc.tolist() == [atoms.pbc.tolist() for atoms in images]
    assert found.has_stress.tolist() == [True, True, False]
    for k in (0, 1):
        np.testing.assert_allclose(found.stress[k], images[k].get_stress(voigt=False), atol=1e-8)


def test_the_second_line(tmp_path):
    """What ASE understands of it, written in all ways."""
    lines = (
        'Lattice="4 0 0 1 4 0 0 0 4" Properties=species:S:1:pos:R:3 energy=-1.0',
        'Lattice="4 0 0 1 4 0 0 0 4" pbc="T T F" Properties=species:S:1:pos:R:3 energy = -1.0 note=\'a b\'',
        'energy=-1e0 Lattice="4 0 0 1 4 0 0 0 4" pbc="F F T" Properties=species:S:1:pos:R:3 done note="say \\"x=1\\""',
        'pbc="F F F" energy=-1 Properties=species:S:1:pos:R:3 empty="" list={1 2 3}',
        "Lattice=[[4, 0, 0], [1, 4, 0], [0, 0, 4]] energy=-1 Properties=species:S:1:pos:R:3 pbc=[true, true, true]",
    )
    text = "".join(f"2\n{line}\nCu 0 0 0\nO 1.5 2.5 -1e-1\n" for line in lines)
    found = read(tmp_path, text)
    images = ase_io.read(tmp_path / "frames.xyz", ":4", format="extxyz")
    assert (found.energy == -1).all()
    for k, atoms in enumerate(images):
        np.testing.assert_array_equal(found.cell[k], np.array(atoms.cell))
        assert found.pbc[k].tolist() == atoms.pbc.tolist()
    assert (found.cell[4].tolist(), found.pbc[4].all()) == (found.cell[0].tolist(), True)


def test_columns_in_any_order_and_numbers_for_species(tmp_path):
    text = "2\nProperties=id:I:1:pos:R:3:Z:I:1:move:L:1:dft_forces:R:3\n1 0 0 0 8 T 1 2 3\n2 0 0 1 1 F 4 5 6\n"
    found = read(tmp_path, text)
    assert (found.z.tolist(), found.pos[1].tolist(), found.forces[1].tolist()) == ([8, 1], [0, 0, 1], [4, 5, 6])
    plain = read(tmp_path, "2\nwater, measured = twice\n8 0 0 0 0.3\nh 0 0 1 0.4\n")
    assert (plain.z.tolist(), plain.has_energy.tolist()) == ([8, 1], [False])


def test_packed_files_and_blank_lines(tmp_path):
    (tmp_path / "frames.xyz.gz").write_bytes(gzip.compress((WATER + "\n\n" + WATER + "\n").encode()))
    assert len(read_structures(tmp_path / "frames.xyz.gz")) == 2
    assert len(read(tmp_path, WATER.replace("\n", "\r\n"))) == 1


@pytest.mark.parametrize(
    ("frame", "line", "reason"),
    [
        ("2\nenergy=1\nH 0 0 nan\nH 0 0 1\n", 3, "a coordinate is not finite"),
        ("2\nenergy=1\nH 0 0 0\nQq 0 0 1\n", 4, "an unknown element 'Qq'"),
        ("2\nenergy=1\nH 0 0 0\nH 0 far 1\n", 4, "pos must be numbers"),
        (f"2\n{FORCED}\nH 0 0 0 0 0 0\nH 0 0 1 0 0\n", 4, "expected 7 columns"),
        (f"2\n{FORCED}\nH 0 0 0 0 0 0\nH 0 0 1 0 0 inf\n", 1, "the force on atom 1 is not finite"),
        ("3\nenergy=1\nH 0 0 0\nH 0 0 1\n", 1, "a frame of 3 atoms has 2 lines of them"),
        ("1\nenergy=1\nH 0 0 0\nH 0 0 1\n", 4, "expected the number of atoms of the next frame"),
        ("0\nenergy=1\n", 1, "a frame without atoms"),
        ("2\nenergy=low\nH 0 0 0\nH 0 0 1\n", 1, "energy can not be read as numbers"),
        ('2\nLattice="1 0 0"\nH 0 0 0\nH 0 0 1\n', 2, "Lattice must be nine numbers"),
        ('2\nLattice="1 0 0 1 0 0 0 0 1"\nH 0 0 0\nH 0 0 1\n', 1, "a periodic cell of no volume"),
        ('2\npbc="T F"\nH 0 0 0\nH 0 0 1\n', 2, "pbc must be three of T and F"),
        ("2\nProperties=species:S:1\nH\nH\n", 2, "Properties must have species and three columns of pos"),
        ("2\nProperties=species:S\nH\nH\n", 2, "Properties must be name:kind:count"),
        ('2\nenergy=1 stress="1 2 3"\nH 0 0 0\nH 0 0 1\n', 1, "stress must be 6 or 9 numbers, got 3"),
        ('2\nenergy=1 virial="1 0 0 0 1 0 0 0 1"\nH 0 0 0\nH 0 0 1\n', 1, "a virial needs a cell"),
        ("two\nenergy=1\n", 1, "expected the number of atoms"),
    ],
)
def test_a_bad_frame_is_left_out_with_its_line(tmp_path, frame, line, reason):
    found = read(tmp_path, WATER + frame + WATER)
    ones = 1 if frame.startswith("1\n") and "H 0 0 0\n" in frame else 0  # the free atom before the line too many
    assert (len(found), len(found.rejects), len(found.isolated_energies)) == (2, 1, ones)
    file, number, why, *_ = found.rejects.frame.rows()[0]
    assert (file, number) == ("frames.xyz", 5 + line)
    assert reason in why


def test_a_file_cut_short(tmp_path):
    found = read(tmp_path, WATER + WATER[: WATER.rindex("H")])
    assert (len(found), found.rejects.frame["line"].to_list()) == (1, [6])
    assert "ends within a frame of 3 atoms" in found.rejects.first()[0]


def test_no_good_frame(tmp_path):
    with pytest.raises(InputError, match=r"no structure that can be used: frames.xyz, line 3: an unknown element"):
        read(tmp_path, "1\n\nXx 0 0 0\n")
    with pytest.raises(InputError, match="it is empty"):
        read(tmp_path, "")
    with pytest.raises(InputError, match="there is no file"):
        read_structures(tmp_path / "none.xyz")


def frames_with(*comments: str) -> str:
    return "".join(f"2\n{comment}\nH 0 0 0\nH 0 0 0.7\n" for comment in comments)


def test_names_of_energies(tmp_path):
    assert read(tmp_path, frames_with("dft_energy=-2")).energy.tolist() == [-2]
    assert read(tmp_path, frames_with("Energy=-3")).energy.tolist() == [-3]
    assert read(tmp_path, frames_with("my=-4"), energy_key="my").energy.tolist() == [-4]
    several = read(tmp_path, frames_with("energy=-1 REF_energy=-5", "energy=-1"))
    assert several.energy[0] == -5
    assert np.isnan(several.energy[1])  # not an energy of another kind
    assert "energy is taken from 'REF_energy'; there are energy too" in several.notes[0]
    with pytest.raises(
        InputError, match=r"no frame has energy under the name 'mine'; the names are: energy, REF_energy"
    ):
        read(tmp_path, frames_with("energy=-1 REF_energy=-5"), energy_key="mine")
    with pytest.raises(InputError, match="no frame has forces under the name 'mine'"):
        read(tmp_path, WATER, forces_key="mine")


def test_names_of_forces(tmp_path):
    text = "2\nProperties=species:S:1:pos:R:3:REF_forces:R:3:mine:R:3\nH 0 0 0 1 1 1 2 2 2\nH 0 0 1 1 1 1 2 2 2\n"
    assert (read(tmp_path, text).forces == 1).all()
    assert (read(tmp_path, text, forces_key="mine").forces == 2).all()
    assert np.isnan(read(tmp_path, text.replace(" 1 1 1 2", " nan nan nan 2")).forces).all()


def test_missing_labels_are_nan(tmp_path):
    found = read(tmp_path, WATER + f"2\n{FORCED}\nH 0 0 0 0 0 1\nH 0 0 0.7 0 0 -1\n")
    assert found.has_energy.tolist() == [True, False]
    assert found.has_forces.tolist() == [False, True]
    assert "1 energies, 1 forces, 0 stresses" in repr(found)


def test_units(tmp_path):
    cell = 'Lattice="2 0 0 0 2 0 0 0 2"'
    text = f'1\n{cell} energy=1 stress="1 2 3 4 5 6" dipole="0 0 1" {FORCED}\nH 1 0 0 0 0 1\n'
    found = read(tmp_path, text, energy_unit="Ha", length_unit="bohr", dipole_unit="debye")
    assert found.energy[0] == pytest.approx(HARTREE)
    assert found.pos[0, 0] == pytest.approx(BOHR)
    assert found.cell[0, 0, 0] == pytest.approx(2 * BOHR)
    assert found.forces[0, 2] == pytest.approx(HARTREE / BOHR)
    assert found.dipole[0, 2] == pytest.approx(DEBYE)
    full = np.array([[1, 6, 5], [6, 2, 4], [5, 4, 3]])
    np.testing.assert_allclose(found.stress[0], full * HARTREE / BOHR**3)
    np.testing.assert_allclose(read(tmp_path, text, stress_unit="GPa").stress[0], full / 160.2176634)
    virial = text.replace("stress", "virial")
    np.testing.assert_allclose(read(tmp_path, virial).stress[0], -full / 8)
    assert ENERGY["kcal/mol"] == pytest.approx(KCAL, rel=1e-12)
    assert ENERGY["kcal/mol"] == pytest.approx(pytest.importorskip("ase.units").kcal / ase.units.mol, rel=1e-7)
    assert pytest.approx(ase.units.Hartree, rel=1e-7) == HARTREE
    assert pytest.approx(ase.units.Bohr, rel=1e-7) == BOHR
    assert pytest.approx(ase.units.Debye, rel=1e-7) == DEBYE
    with pytest.raises(InputError, match=r"energy_unit must be one of eV, meV, Ha, kcal/mol, kJ/mol, got 'cal'"):
        ReadOptions(energy_unit="cal")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="give stress_key or virial_key, not both"):
        ReadOptions(stress_key="a", virial_key="b")


def test_isolated_atoms_among_frames(tmp_path):
    box = 'Lattice="20 0 0 0 20 0 0 0 20"'
    text = WATER + f"1\nenergy=-13.6 {box} config_type=IsolatedAtom\nH 0 0 0\n" + "1\nenergy=-432.1\nO 0 0 0\n"
    found = read(tmp_path, text)
    assert (len(found), found.isolated_energies) == (1, {1: -13.6, 8: -432.1})
    crystal = read(tmp_path, '1\nenergy=-3.7 Lattice="0 1.8 1.8 1.8 0 1.8 1.8 1.8 0"\nCu 0 0 0\n')
    assert (len(crystal), crystal.isolated_energies) == (1, {})  # one atom a cell is no free atom
    unlabelled = read(tmp_path, "1\n\nH 0 0 0\n")
    assert (len(unlabelled), unlabelled.isolated_energies) == (1, {})


@pytest.mark.parametrize("names", [("z", "R", "E", "F"), ("nuclear_charges", "coords", "energies", "forces")])
def test_npz(tmp_path, names):
    generator = np.random.default_rng(0)
    pos, forces, energy = generator.random((5, 3, 3)), generator.random((5, 3, 3)), generator.random((5, 1))
    arrays = dict(zip(names, (np.array([8, 1, 1], np.uint8), pos, energy, forces), strict=True))
    np.savez(tmp_path / "water.npz", **arrays)
    found = read_structures(tmp_path / "water.npz")
    np.testing.assert_allclose(found.energy, energy[:, 0] * KCAL)
    np.testing.assert_allclose(found.forces, forces.reshape(-1, 3) * KCAL)
    np.testing.assert_array_equal(found.pos, pos.reshape(-1, 3))
    assert found.z.tolist() == [8, 1, 1] * 5
    as_said = read_structures(tmp_path / "water.npz", options=ReadOptions(energy_unit="eV"))
    np.testing.assert_allclose(as_said.energy, energy[:, 0])
    np.savez(tmp_path / "bad.npz", z=np.array([1, 8]), R=pos)
    with pytest.raises(InputError, match="places must be"):
        read_structures(tmp_path / "bad.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(InputError, match=r"can not be read as \.npz"):
        read_structures(tmp_path / "text.npz")


METHANE = (  # gdb 1 of QM9, as its publishers wrote it
    "5\ngdb 1\t157.7118\t157.70997\t157.70699\t0.\t13.21\t-0.3877\t0.1171\t0.5048\t35.3641\t0.044749\t-40.47893\t"
    "-40.476062\t-40.475117\t-40.498597\t6.469\t\n"
    "C\t-0.0126981359\t 1.0858041578\t 0.0080009958\t-0.535689\n"
    "H\t 0.002150416\t-0.0060313176\t 0.0019761204\t 0.133921\n"
    "H\t 1.0117308433\t 1.4637511618\t 2.765*^-4\t 0.133922\nH\t-0.540815069\t 1.4475266138\t-0.8766437152\t 0.133923\n"
    "H\t-0.5238136345\t 1.4379326443\t 0.9063972942\t 0.133923\n"
    "1341.307\t1341.3284\nC\tC\t\nInChI=1S/CH4/h1H4\tInChI=1S/CH4/h1H4\n"
)


def test_qm9(tmp_path):
    (tmp_path / "dsgdb9nsd_000001.xyz").write_text(METHANE)
    (tmp_path / "dsgdb9nsd_000002.xyz").write_text(METHANE.replace("gdb 1", "gdb 2").replace("1.4637511618", "far"))
    (tmp_path / "dsgdb9nsd_000003.xyz").write_text(METHANE.replace("gdb 1", "gdb 3").replace("157.7118", "nan"))
    found = read_structures(tmp_path)
    assert (len(found), found.ids.tolist(), found.z.tolist()) == (1, ["gdb_1"], [6, 1, 1, 1, 1])
    assert found.pos[2, 2] == pytest.approx(2.765e-4)
    assert found.energy[0] == pytest.approx(-40.47893 * HARTREE)
    assert found.properties["gap"][0] == pytest.approx(0.5048 * HARTREE)
    assert found.properties["alpha"][0] == pytest.approx(13.21 * BOHR**3)
    assert found.properties["Cv"][0] == 6.469
    assert found.units["mu"] == "e angstrom"
    assert len(found.properties) == 15
    assert found.rejects.frame["line"].to_list() == [5, 2]
    free = read_structures(tmp_path / "dsgdb9nsd_000001.xyz", options=ReadOptions(energy_key="G"))
    assert free.energy[0] == pytest.approx(-40.498597 * HARTREE)
    with pytest.raises(InputError, match="leave the units out"):
        read_structures(tmp_path, options=ReadOptions(energy_unit="eV"))


def test_a_folder_of_frames(tmp_path):
    for k in range(3):
        (tmp_path / f"part{k}.xyz").write_text(WATER)
    assert len(read_structures(tmp_path)) == 3
    with pytest.raises(InputError, match=r"holds no \.xyz files"):
        read_structures(tmp_path.parent / tmp_path.name / "..")


def test_cells_of_the_other_layout(tmp_path):
    sites = [
        {"species": [{"element": "Cu", "occu": 1}], "abc": [0, 0, 0]},
        {"species": [{"element": "O"}], "abc": [0.5] * 3},
    ]
    item = {
        "structure": {"lattice": {"matrix": (4 * np.eye(3)).tolist()}, "sites": sites},
        "outputs": {"energy": -8.0, "forces": np.ones((2, 3)).tolist(), "virial_stress": [1, 2, 3, 4, 5, 6]},
    }
    (tmp_path / "cells.json").write_text(json.dumps([item, {"neither": 1}]))
    found = read_structures(tmp_path / "cells.json")
    assert (found.z.tolist(), found.pos[1].tolist(), found.energy[0]) == ([29, 8], [2, 2, 2], -8.0)
    expected = -np.array([[1, 4, 6], [4, 2, 5], [6, 5, 3]]) / 1602.176634
    np.testing.assert_allclose(found.stress[0], expected)
    in_meV = read_structures(tmp_path / "cells.json", options=ReadOptions(energy_unit="meV"))
    np.testing.assert_allclose(in_meV.stress[0], expected)  # has a unit of its own
    assert in_meV.energy[0] == -8e-3
    assert "neither of the known layouts" in found.rejects.first()[0]
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(InputError, match="is no JSON"):
        read_structures(tmp_path / "bad.json")


def test_files_that_ase_can_not_read(tmp_path):
    for name in ("broken.db", "broken.traj", "broken.cif"):
        (tmp_path / name).write_text("nothing of the kind")
        with pytest.raises(InputError, match="can not be read"):
            read_structures(tmp_path / name)


def test_without_ase(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ase.db", None)
    (tmp_path / "rows.db").write_text("")
    with pytest.raises(ImportError, match=r"pip install 'grapevine-gnn\[atoms\]'"):
        read_structures(tmp_path / "rows.db")
    assert len(read(tmp_path, WATER)) == 1  # XYZ needs no ASE
