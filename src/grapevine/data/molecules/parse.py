"""Texts of molecules (SMILES, InChI, mol blocks) to flat arrays, with a reason for each that can not be read.

Workers import this file, so it must not import PyTorch.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Int

from grapevine.data.molecules.packed import PackedMolecules
from grapevine.data.molecules.pickled import PickledMolecules, pickle_molecules, unpickle
from grapevine.data.molecules.rdkit_parts import rdkit_part

Form = Literal["smiles", "inchi", "sdf"]

_LONGEST = 120  # characters of a reason
_TIME = re.compile(r"^\[\d\d:\d\d:\d\d\]\s*")
_PREFIX = re.compile(r"^(ERROR:|SMILES Parse Error:)\s*")
_INPUT = re.compile(r" (for input:|while parsing:).*$")


@dataclass(frozen=True)
class ParseOptions:
    """How texts become molecules.

    Args:
        form: what the texts are.
        largest_fragment: keep the largest part of a salt or mixture.
        neutralise: add and take protons until the charge is as near to zero as it can be.
        hydrogens: make every hydrogen an atom of its own; an SDF's own ones keep their places.
        roles: mark donors and acceptors of hydrogen bonds, which the set "gilmer" needs.
    """

    form: Form = "smiles"
    largest_fragment: bool = False
    neutralise: bool = False
    hydrogens: bool = False
    roles: bool = False


@dataclass(frozen=True)
class Parsed:
    """The molecules that could be read, which of the texts they are, and why the others could not be.

    Args:
        rows: [m] the number of each molecule's text.
        reasons: by number of the text, for those that are no molecule.
        smiles: of each molecule: the text itself, or for other forms RDKit's canonical SMILES.
    """

    packed: PackedMolecules
    rows: Int[np.ndarray, " m"]
    reasons: dict[int, str] = field(default_factory=dict)
    smiles: tuple[str, ...] = ()

    @staticmethod
    def concat(parts: Sequence["Parsed"], sizes: Sequence[int]) -> "Parsed":
        """The parts one after another; `sizes` says how many texts each had."""
        starts = [0, *np.cumsum(sizes).tolist()]
        rows = [part.rows + start for part, start in zip(parts, starts, strict=False)]
        reasons = {
            row + start: why for part, start in zip(parts, starts, strict=False) for row, why in part.reasons.items()
        }
        smiles = tuple(text for part in parts for text in part.smiles)
        packed = PackedMolecules.concat([part.packed for part in parts])
        return Parsed(packed, np.concatenate([np.zeros(0, np.int64), *rows]), reasons, smiles)


@dataclass(frozen=True)
class ReadTexts:
    """The same as a worker sends it, with the molecules in RDKit's form."""

    pickled: PickledMolecules
    rows: Int[np.ndarray, " m"]
    reasons: dict[int, str]
    smiles: tuple[str, ...]

    def parsed(self) -> Parsed:
        """With flat arrays, which takes Numba, and so PyTorch."""
        return Parsed(unpickle(self.pickled), self.rows, self.reasons, self.smiles)


class Unreadable(Exception):
    """A text that is no molecule; the message says why."""


def parse(texts: Sequence[str | None], options: ParseOptions = ParseOptions()) -> Parsed:
    """Read the texts in this process; RDKit prints nothing.

    Raises:
        ImportError: if RDKit is not installed.

    >>> parsed = parse(["CCO", "C1CC", "c1ccccc1"])
    >>> parsed.packed, parsed.rows.tolist(), parsed.reasons
    (PackedMolecules(2 molecules, 9 atoms, 8 bonds), [0, 2], {1: 'unclosed ring'})
    """
    return read_texts(texts, options).parsed()


def read_texts(texts: Sequence[str | None], options: ParseOptions) -> ReadTexts:
    """RDKit's part of it, which is what workers do."""
    rows: list[int] = []
    reasons: dict[int, str] = {}
    smiles: list[str] = []
    reader = Reader(options)
    with rdkit_part("rdBase").BlockLogs():

        def mols() -> Iterator[Any]:
            for row, text in enumerate(texts):
                try:
                    mol = reader.molecule(text)
                except Unreadable as error:
                    reasons[row] = str(error)
                    continue
                rows.append(row)
                smiles.append((text or "").split()[0] if options.form == "smiles" else reader.smiles(mol))
                yield mol

        pickled = pickle_molecules(mols(), roles=options.roles)
    return ReadTexts(pickled, np.array(rows, np.int64), reasons, tuple(smiles))


class Reader:
    """Makes RDKit molecules of single texts; what it raises is `Unreadable`."""

    def __init__(self, options: ParseOptions):
        self._options = options
        self._chem, self._base = rdkit_part("Chem"), rdkit_part("rdBase")
        self._choose, self._neutralise = None, None
        if options.largest_fragment or options.neutralise:
            standardize = rdkit_part("Chem.MolStandardize.rdMolStandardize")
            self._choose = standardize.LargestFragmentChooser().choose if options.largest_fragment else None
            self._neutralise = standardize.Uncharger().uncharge if options.neutralise else None

    def molecule(self, text: str | None) -> Any:
        """The molecule of a text, changed as the options say."""
        if text is None or not text.strip():
            raise Unreadable("no molecule is given")
        if "\0" in text:
            raise Unreadable("it holds a zero byte")
        mol = self._parsed(text)
        if mol is None:
            raise Unreadable(self._why(text))
        if mol.GetNumAtoms() == 0:
            raise Unreadable("it has no atoms")
        try:
            for change in (self._choose, self._neutralise):
                mol = mol if change is None else change(mol)
            if self._options.hydrogens:
                mol = self._chem.AddHs(mol, addCoords=mol.GetNumConformers() > 0)
        except (ValueError, RuntimeError) as error:  # RDKit's own errors are among these
            raise Unreadable(_short(f"it can not be standardised: {error}")) from error
        return mol

    def smiles(self, mol: Any) -> str:
        """RDKit's canonical SMILES."""
        return self._chem.MolToSmiles(self._chem.RemoveHs(mol) if self._options.hydrogens else mol)

    def _parsed(self, text: str) -> Any:
        if self._options.form == "smiles":
            return self._chem.MolFromSmiles(text)
        if self._options.form == "inchi":
            return self._chem.MolFromInchi(text.strip())
        return self._chem.MolFromMolBlock(text, removeHs=not self._options.hydrogens)

    def _why(self, text: str) -> str:
        """RDKit's own message, asked for only once a text is known to be bad."""
        with self._base.CaptureErrorLog() as log:
            self._parsed(text)
        lines = [_PREFIX.sub("", _TIME.sub("", line)).strip() for line in log.messages.splitlines()]
        said = next((line for line in lines if line.strip("*-") and not line.endswith("Violation")), None)
        names = {"smiles": "SMILES", "inchi": "InChI", "sdf": "mol block"}
        return _short(_INPUT.sub("", said)) if said else f"it is no {names[self._options.form]}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
