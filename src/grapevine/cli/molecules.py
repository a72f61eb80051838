"""From what was given of molecules on the command line to the source that the recipes take."""

from pathlib import Path

from grapevine.cli.checked import valid, words
from grapevine.cli.given import Given, Molecules, Place
from grapevine.data.molecules.detect import holds_molecules
from grapevine.data.molecules.spec import FEATURE_SETS, MoleculeSpec
from grapevine.errors import InputError, check
from grapevine.recipes.source import Source

_COLUMNS = ("target", "id", "use")  # the columns that a table of molecules can have


def are_molecules(data: str, told: Molecules) -> bool:
    """Whether DATA is a file of molecules: it was said, or its name or first line says so."""
    return told.smiles is not None or told.inchi is not None or holds_molecules(Path(data))


def refuse_molecules(told: Molecules, data: str | None) -> None:
    """Raise an InputError where something is told of molecules and there are none."""
    options = [f"--{name}" for name, value in vars(told).items() if value not in (None, False)]
    what = "tables of nodes and edges hold" if data is None else f"{data} holds"
    check(not options, f"{', '.join(options)}: for files of molecules, and {what} none")


def molecule_source(data: str, told: Given) -> Source:
    """A file of molecules and what its columns are.

    Raises:
        InputError: if there is no such file, or options do not go with molecules.
    """
    path, columns, molecules, question = Path(data), told.columns, told.molecules, told.question
    if not path.is_file():
        raise InputError(f"there is no file {data}")
    is_alone = told.place == Place(data=data)
    check(is_alone, f"{data} holds molecules: --root, --format and tables of nodes and edges do not go with it")
    wrong = [name for name, value in vars(columns).items() if value not in (None, False) and name not in _COLUMNS]
    listed = ", ".join(f"--{name}" for name in wrong)
    check(not wrong, f"{listed}: for tables of nodes and edges, and {data} holds molecules")
    check(question.level in (None, "graph"), f"of molecules something is predicted of each graph, not {question.level}")
    fields = {
        "smiles": molecules.smiles, "inchi": molecules.inchi, "id": columns.id, "targets": words(columns.target),
        "features": words(columns.use), "target_kind": question.kind, "hydrogens": molecules.hydrogens,
        "largest_fragment": molecules.standardise, "neutralise": molecules.standardise,
    }  # fmt: skip
    if molecules.atoms is not None:
        known = molecules.atoms in FEATURE_SETS
        check(known, f"--atoms must be one of {', '.join(FEATURE_SETS)}, got {molecules.atoms}")
        fields["feature_set"] = molecules.atoms
    return Source(path=str(path.expanduser().absolute()), molecules=valid(MoleculeSpec, fields))
