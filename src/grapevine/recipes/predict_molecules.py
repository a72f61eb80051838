"""What a trained model says of a file of molecules, part by part, so that a long one takes no more memory.

Every row of the file is a row of the answer, in the same order; one that is no molecule has an empty prediction and the
reason.
"""

from pathlib import Path

import numpy as np
import polars as pl

from grapevine.data.download import Progress
from grapevine.data.molecules.encoders import MoleculeEncoders
from grapevine.data.molecules.parts import ParsedParts, start_parsing
from grapevine.data.molecules.table import MoleculeTable
from grapevine.data.readers.molecules import stream_tables
from grapevine.errors import InputError, check
from grapevine.ops.runtime.allocator import keep_memory
from grapevine.recipes.apply import outputs
from grapevine.recipes.source import Source
from grapevine.recipes.trained import Trained


def predict_molecules(
    trained: Trained, source: Source, *, parts: ParsedParts | None = None, on_progress: Progress | None = None
) -> tuple[pl.DataFrame, tuple[str, ...], pl.DataFrame | None]:
    """A row for each row of the file: id, smiles, the prediction, and `problem`, why there is none.

    Args:
        parts: those of the file, where workers are at them already.

    Returns:
        the frame, what was found in the file, and the rows that could not be read; None if all could be.

    Raises:
        InputError: if there is no such file, it holds no molecule, or the model is none of molecules.
    """
    if not isinstance(trained.encoders, MoleculeEncoders):
        raise InputError("the model was not trained on molecules, so none can be read for it")
    keep_memory()  # the next part takes what the last one had
    parts = start_parsing(Path(source.path or ""), trained.encoders.spec) if parts is None else parts
    frames, notes, rejected = [], [], []
    done = num_molecules = 0
    for part in stream_tables(parts, trained.encoders):
        frames.append(_rows(trained, part))
        notes += [note for note in part.notes if note not in notes]
        rejected += [part.rejects.frame] if len(part.rejects) else []
        done += part.num_rows
        num_molecules += len(part.row_of)
        if on_progress is not None:
            on_progress("molecules", done, 0)
    check(num_molecules > 0, "there is no molecule that can be read")
    frame = pl.concat(frames, how="diagonal")
    problems = frame.get_column("problem")
    frame = frame.drop("problem").with_columns(problems)  # at the end
    return frame, tuple(notes), pl.concat(rejected) if rejected else None


def _rows(trained: Trained, part: MoleculeTable) -> pl.DataFrame:
    """All rows of a part."""
    if not len(part.row_of):
        return in_all_rows(part, pl.DataFrame())
    trained.inputs.check(part.graph)
    return in_all_rows(part, trained.frame(outputs(trained, part.graph)))


def in_all_rows(part: MoleculeTable, said: pl.DataFrame) -> pl.DataFrame:
    """What is said of the molecules, beside the id of each row of their file, and why a row has none."""
    reasons = pl.DataFrame(
        {"row": list(part.reasons), "problem": list(part.reasons.values())},
        schema={"row": pl.Int64, "problem": pl.String},
    )
    rows = pl.DataFrame({"row": np.arange(part.num_rows), "id": pl.Series(part.names.tolist())})
    if len(part.row_of):
        good = pl.DataFrame({"row": part.row_of, "smiles": part.smiles}).hstack(said)
        rows = rows.join(good, on="row", how="left", maintain_order="left")
    return rows.join(reasons, on="row", how="left", maintain_order="left").drop("row")
