"""Which column of a table of molecules is what: told, or found by its name and then written down.

Prediction begins to read before PyTorch is there, so this file must not import it.
"""

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from grapevine.data.molecules.files import BLOCK, INCHI, SMILES, TITLE, is_sdf
from grapevine.data.molecules.parse import Form, ParseOptions
from grapevine.data.tables.kinds import Kind
from grapevine.data.tables.names import TargetKind, find_target
from grapevine.data.tables.read import Table
from grapevine.errors import InputError, check

FeatureSet = Literal["gilmer", "chemprop", "ogb", "full"]
FEATURE_SETS: tuple[FeatureSet, ...] = get_args(FeatureSet)
WITH_ROLES: tuple[FeatureSet, ...] = ("gilmer", "full")  # need the donors and acceptors
IDS = ("id", "mol_id", "molecule_id", "compound_id", "compound id", "name", TITLE)


class MoleculeSpec(BaseModel):
    """What the columns of a table of molecules are, and how molecules become graphs.

    Args:
        smiles: the column of SMILES; else smiles, canonical_smiles, smi, mol, ... An SDF file needs none.
        inchi: the column of InChI in place of SMILES; else inchi, where there are no SMILES.
        targets: what to predict; else target, label, y, ..., and where there is none nothing.
        target_kind: what the targets hold, where their values say too little.
        id: the column of the molecules' names; else id, mol_id, name, ..., or the number of the row.
        split: a column that says train, val or test.
        features: columns that join as features of the whole molecule, the tensor `features`.
        kinds: what they are: numeric, boolean, categorical, date, text or drop.
        feature_set: the features of atoms and bonds: gilmer, chemprop, ogb or full.
        largest_fragment: keep the largest part of a salt or mixture.
        neutralise: add and take protons until the charge is as near to zero as it can be.
        hydrogens: make every hydrogen an atom of its own.

    >>> MoleculeSpec(targets=("logS",)).feature_set
    'chemprop'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    smiles: str | None = None
    inchi: str | None = None
    targets: tuple[str, ...] = ()
    target_kind: TargetKind | None = None
    id: str | None = None
    split: str | None = None
    features: tuple[str, ...] = ()
    kinds: dict[str, Kind] = {}
    feature_set: FeatureSet = "chemprop"
    largest_fragment: bool = False
    neutralise: bool = False
    hydrogens: bool = False

    def options(self, form: Form) -> ParseOptions:
        """How texts of that form are parsed."""
        return ParseOptions(
            form, self.largest_fragment, self.neutralise, self.hydrogens, roles=self.feature_set in WITH_ROLES
        )


def resolve(spec: MoleculeSpec, table: Table) -> tuple[MoleculeSpec, list[str]]:
    """The spec with every column filled in, and a sentence for each that was found rather than told.

    Raises:
        InputError: for a column that is not there, or no molecules.
    """
    notes: list[str] = []
    columns = table.frame.columns
    column, form = molecule_column(spec, table, notes)
    check_columns(spec, table, column)
    free = [name for name in columns if name not in (column, *spec.features)]
    target = spec.targets
    if not target and (name := find_target([name for name in free if name != spec.id])) is not None:
        target = (name,)
        notes.append(f"{table.name}: {name!r} is the target")
    own_id = spec.id or _found(IDS, [name for name in free if name not in target])
    if own_id is not None and spec.id is None:
        notes.append(f"{table.name}: {own_id!r} holds the molecules' names")
    own = {} if form == "sdf" else {form: column}
    return spec.model_copy(update={"targets": target, "id": own_id, **own}), notes


def molecule_column(spec: MoleculeSpec, table: Table, notes: list[str], *, strict: bool = True) -> tuple[str, Form]:
    """The column that holds the molecules, and what they are; a note where it was found.

    Args:
        strict: whether a column that the spec names must be there; else it is found where it is not.

    Raises:
        InputError: if there is none.
    """
    columns, listed = table.frame.columns, ", ".join(table.frame.columns)
    if is_sdf(table):
        return BLOCK, "sdf"
    check(spec.smiles is None or spec.inchi is None, "name a column of SMILES or one of InChI, not both")
    told = spec.smiles if spec.inchi is None else spec.inchi
    if told is not None and told in columns:
        return told, "smiles" if spec.inchi is None else "inchi"
    check(told is None or not strict, f"{table.name} has no column {told!r} for the molecules, it has {listed}")
    usual: dict[Form, tuple[str, ...]] = {"smiles": SMILES, "inchi": INCHI}
    for kind, names in usual.items():
        found = _found(names, columns)
        if found is not None:
            notes.append(f"{table.name}: {found!r} holds the molecules, as {'SMILES' if kind == 'smiles' else 'InChI'}")
            return found, kind
    raise InputError(
        f"{table.name} has no column of a usual name for SMILES ({', '.join(SMILES)}): name one of {listed}"
    )


def check_columns(spec: MoleculeSpec, table: Table, column: str) -> None:
    """Raise an InputError unless every column that the spec names is there, and none is taken for two things."""
    listed = ", ".join(name for name in table.frame.columns if name != BLOCK)
    roles = {"id": (spec.id,), "split": (spec.split,), "features": spec.features, "targets": spec.targets}
    for role, names in roles.items():
        for name in names:
            is_there = name is None or name in table.frame.columns
            check(is_there, f"{table.name} has no column {name!r} for the {role}, it has {listed}")
    used = [column, *spec.targets, *spec.features]
    twice = sorted({name for name in used if used.count(name) > 1})
    check(not twice, f"a column is one thing only, but {', '.join(map(repr, twice))} is named for two")


def _found(names: tuple[str, ...], columns: list[str]) -> str | None:
    by_name = {column.lower(): column for column in reversed(columns)}
    return next((by_name[name] for name in names if name in by_name), None)
