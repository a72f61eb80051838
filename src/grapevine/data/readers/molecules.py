"""Reads molecules from tables of SMILES or InChI, SMILES files and SDF files into a batch of graphs."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from grapevine.data.download import Progress
from grapevine.data.molecules.encoders import MoleculeEncoders
from grapevine.data.molecules.files import open_molecules
from grapevine.data.molecules.parse import Parsed, ParseOptions
from grapevine.data.molecules.parts import PART_ROWS, ParsedParts, start_parsing, texts_of
from grapevine.data.molecules.saved import parsed_once
from grapevine.data.molecules.spec import MoleculeSpec, molecule_column, resolve
from grapevine.data.molecules.table import MoleculeTable, make_table
from grapevine.data.molecules.workers import CHUNK, parse_chunks
from grapevine.data.tables.read import Table
from grapevine.errors import check


def read_molecules(
    source: Any,
    spec: MoleculeSpec | MoleculeEncoders | None = None,
    *,
    on_progress: Progress | None = None,
    workers: int | None = None,
    cache: bool = True,
) -> MoleculeTable:
    """All molecules of a file as one batch of graphs.

    Rows that can not be used are left out and listed: a molecule that RDKit can not read, a number or target that can
    not be read. A missing target is NaN or -1, and its molecule stays.

    Args:
        source: a file .csv, .tsv, .parquet, .jsonl, .arrow, .smi, .txt (SMILES and perhaps a name a line) or .sdf, the
            text files also in .gz; or a Polars or pandas frame.
        spec: which column is what, by default all is found by name; or the encoders of a former call, to read new
            molecules in the same way, where the targets may be absent.
        on_progress: called with what is being done, how many rows are done, and how many there are.
        workers: how many processes parse; by default as many as there are processors.
        cache: whether to keep what was parsed, by the file's content, in the cache folder for the next time.

    Raises:
        InputError: for a file or column that is not there, or no row that can be used.
        ImportError: if RDKit is not installed.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"SMILES": ["CCO", "C1CC", "c1ccccc1"], "y": [0.5, 1.5, None]})
    >>> made = read_molecules(frame)
    >>> made.graph
    Graph(2 graphs, 9 nodes, 16 edges; node: x [9, 72], z [9]; edge: edge_attr [16, 14]; graph: y [2])
    >>> made.row_of.tolist(), made.reasons
    ([0, 2], {1: 'an unreadable molecule (unclosed ring)'})
    """
    table = open_molecules(source)
    check(table.frame.height > 0, f"{table.name} has no rows: molecules were expected")
    notes = list(table.notes)
    encoders, found = _resolved(MoleculeSpec() if spec is None else spec, table)
    told = encoders.spec if isinstance(encoders, MoleculeEncoders) else encoders
    column, form = molecule_column(told, table, found, strict=False)
    options = told.options(form)
    make = partial(_parse_all, texts_of(table, column), options, workers, on_progress)
    is_file = cache and isinstance(source, str | Path)
    parsed = parsed_once(Path(source), column, options, make) if is_file else make()
    return make_table(table, parsed, encoders, notes=notes + found)


def stream_molecules(
    source: Any,
    spec: MoleculeSpec | MoleculeEncoders | None = None,
    *,
    chunk_rows: int = PART_ROWS,
    workers: int | None = None,
) -> Iterator[MoleculeTable]:
    """The molecules of a file in parts, in order, for prediction: a `MoleculeTable` for each `chunk_rows` rows.

    Few parts are in memory at a time, whatever the length of a SMILES or SDF file; the text of a table is held whole.
    While one part is used, workers parse the next ones. A part may hold no molecule.

    Args:
        source, workers: as for `read_molecules`.
        spec: the encoders of a trained model; or a spec without targets and features, which take a whole file to fit.

    Raises:
        InputError: for a file or column that is not there, or a spec with features.

    >>> import polars as pl
    >>> parts = stream_molecules(pl.DataFrame({"smiles": ["C", "?", "CC"]}), chunk_rows=2)
    >>> [(part.first_row, part.num_rows, part.row_of.tolist()) for part in parts]
    [(0, 2, [0]), (2, 1, [0])]
    """
    if not isinstance(spec, MoleculeEncoders):
        spec = MoleculeSpec() if spec is None else spec
        check(not spec.features, "features are fitted on a whole file: give the encoders that read_molecules made")
        spec = MoleculeEncoders(spec=spec)
    return stream_tables(start_parsing(source, spec.spec, part_rows=chunk_rows, workers=workers), spec)


def stream_tables(started: ParsedParts, encoders: MoleculeEncoders) -> Iterator[MoleculeTable]:
    """The same of parts that workers are at already.

    Raises:
        InputError: if a column is not there that the encoders need.
    """
    if encoders.features is not None:
        encoders.features.check_columns(started.first.name, started.first.frame)
    return _made(started, encoders)


def _made(started: ParsedParts, encoders: MoleculeEncoders) -> Iterator[MoleculeTable]:
    row, notes = 0, list(started.notes)
    for table, parsed in started.parts:
        made = make_table(table, parsed, encoders, notes=notes, first_row=row)
        row, notes = row + made.num_rows, []
        yield made


def _resolved(spec: MoleculeSpec | MoleculeEncoders, table: Table) -> tuple[MoleculeSpec | MoleculeEncoders, list[str]]:
    """A spec with its columns filled in; encoders as they are, once the columns that they need are there."""
    if isinstance(spec, MoleculeSpec):
        return resolve(spec, table)
    if spec.features is not None:
        spec.features.check_columns(table.name, table.frame)
    return spec, []


def _parse_all(
    texts: list[str | None], options: ParseOptions, workers: int | None, on_progress: Progress | None
) -> Parsed:
    chunks = [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]
    parts, done = [], 0
    for chunk, parsed in zip(chunks, parse_chunks(chunks, options, workers=workers), strict=True):
        parts.append(parsed)
        done += len(chunk)
        if on_progress is not None:
            on_progress("reading the molecules", done, len(texts))
    return Parsed.concat(parts, [len(chunk) for chunk in chunks])
