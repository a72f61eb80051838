"""Whether a file holds molecules, from its name and its first line."""

import gzip
from pathlib import Path

import polars as pl

from grapevine.data.molecules.files import INCHI, SMILES

_MOLECULES = (".smi", ".smiles", ".ism", ".sdf", ".sd")
_DELIMITED = (".csv", ".tsv")
_SCANS = {
    ".parquet": pl.scan_parquet, ".jsonl": pl.scan_ndjson, ".ndjson": pl.scan_ndjson, ".arrow": pl.scan_ipc,
    ".feather": pl.scan_ipc, ".ipc": pl.scan_ipc,
}  # fmt: skip


def holds_molecules(path: Path) -> bool:
    """A file of molecules by its suffix, a table with a column of a usual name for SMILES or InChI, or a text whose
    first line is no number, as that of a file of graphs is.

    >>> holds_molecules(Path("screened.smi")), holds_molecules(Path("friends.graphml"))
    (True, False)
    """
    kind = (Path(path.stem).suffix if path.suffix == ".gz" else path.suffix).lower()
    if kind in _MOLECULES:
        return True
    if not path.is_file() or (kind != ".txt" and kind not in (*_DELIMITED, *_SCANS)):
        return False
    if kind == ".txt":
        words = _first_line(path).split()
        return len(words) > 0 and not words[0].isdigit()
    if kind in _SCANS:
        try:
            columns = _SCANS[kind](path).collect_schema().names()
        except (pl.exceptions.PolarsError, OSError):  # its reader will say what is wrong with it
            return False
    else:
        columns = _first_line(path).replace(";", ",").replace("\t", ",").split(",")
    return any(name.strip().strip('"').lower() in (*SMILES, *INCHI) for name in columns)


def _first_line(path: Path) -> str:
    how = gzip.open if path.suffix == ".gz" else open
    with how(path, "rt", errors="replace") as file:
        return file.readline().removeprefix("\ufeff")
