"""What a trained model says of a file of molecules, part by part, so that a long one takes no more memory.

Every row of the file is a row of the answer, in the same order; one that is no molecule has an empty prediction and the
reason.
"""

from pathlib import Path

import numpy as np
import polars as pl
import torch

from grapevine.data.download import Progress
from grapevine.data.molecules.spec import MoleculeEncoders
from grapevine.data.molecules.table import MoleculeTable
from grapevine.data.readers.molecules import stream_molecules
from grapevine.errors import InputError, check
from grapevine.recipes.apply import outputs
from grapevine.recipes.source import Source
from grapevine.recipes.trained import Trained

_ROWS = 2048  # of a part
_SHARE = 3  # one thread in so many runs the model, the others parse


def predict_molecules(
    trained: Trained, source: Source, *, on_progress: Progress | None = None
) -> tuple[pl.DataFrame, tuple[str, ...], pl.DataFrame | None]:
    """A row for each row of the file: id, smiles, the prediction, and `problem`, why there is none.

    Returns:
        the frame, what was found in the file, and the rows that could not be read; None if all could be.

    Raises:
        InputError: if there is no such file, it holds no molecule, or the model is none of molecules.
    """
    if not isinstance(trained.encoders, MoleculeEncoders):
        raise InputError("the model was not trained on molecules, so none can be read for it")
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads // _SHARE))
    try:
        return _predicted(trained, trained.encoders, source, on_progress)
    finally:
        torch.set_num_threads(threads)


def _predicted(
    trained: Trained, encoders: MoleculeEncoders, source: Source, on_progress: Progress | None
) -> tuple[pl.DataFrame, tuple[str, ...], pl.DataFrame | None]:
    frames, notes, rejected = [], [], []
    done = num_molecules = 0
    for part in stream_molecules(Path(source.path or ""), encoders, chunk_rows=_ROWS):
        frames.append(_rows(trained, part))
        notes += [note for note in part.notes if note not in notes]
        rejected += [part.rejects.frame] if len(part.rejects) else []
        done += part.num_rows
        num_molecules += len(part.row_of)
        if on_progress is not None:
            on_progress("molecules", done, 0)
    check(num_molecules > 0, f"{source.path} holds no molecule that can be read")
    frame = pl.concat(frames, how="diagonal")
    problems = frame.get_column("problem")
    frame = frame.drop("problem").with_columns(problems)  # at the end
    return frame, tuple(notes), pl.concat(rejected) if rejected else None


def _rows(trained: Trained, part: MoleculeTable) -> pl.DataFrame:
    """All rows of a part."""
    rows = pl.DataFrame({"row": np.arange(part.num_rows), "id": pl.Series(part.names.tolist())})
    reasons = pl.DataFrame(
        {"row": list(part.reasons), "problem": list(part.reasons.values())},
        schema={"row": pl.Int64, "problem": pl.String},
    )
    if len(part.row_of):
        trained.inputs.check(part.graph)
        said = trained.frame(outputs(trained, part.graph))
        good = pl.DataFrame({"row": part.row_of, "smiles": part.smiles}).hstack(said)
        rows = rows.join(good, on="row", how="left", maintain_order="left")
    return rows.join(reasons, on="row", how="left", maintain_order="left").drop("row")
