"""What a trained model says of a file of molecules, part by part, so that a long one takes no more memory.

Every row of the file is a row of the answer, in the same order; one that is no molecule has an empty prediction and the
reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import torch

from grapevine.data.download import Progress
from grapevine.data.molecules.encoders import MoleculeEncoders
from grapevine.data.molecules.parts import ParsedParts
from grapevine.data.molecules.table import MoleculeTable
from grapevine.data.readers.molecules import stream_tables
from grapevine.errors import check
from grapevine.ops.runtime.allocator import keep_memory
from grapevine.recipes.apply import outputs, ready
from grapevine.recipes.trained import Trained


@dataclass
class MoleculeRows:
    """What is said of the molecules of a file, part by part; what else there is to say is known after the last part.

    Iterating gives frames with a row for each row of the file: id, smiles, the prediction, and `problem`, why there is
    none.

    Args:
        encoders: the model's.
        parts: those of the file, with workers at them.
        notes: what was found in the file, a sentence each.
        rejected: the rows that could not be read.

    Raises:
        InputError: if the file holds no molecule.
    """

    trained: Trained
    encoders: MoleculeEncoders
    parts: ParsedParts
    on_progress: Progress | None = None
    notes: list[str] = field(default_factory=list)
    rejected: list[pl.DataFrame] = field(default_factory=list)

    def __iter__(self) -> Iterator[pl.DataFrame]:
        keep_memory()  # the next part takes what the last one had
        done = num_molecules = 0
        for part in stream_tables(self.parts, self.encoders):
            yield _rows(self.trained, part)
            self.notes += [note for note in part.notes if note not in self.notes]
            self.rejected += [part.rejects.frame] if len(part.rejects) else []
            done += part.num_rows
            num_molecules += len(part.row_of)
            if self.on_progress is not None:
                self.on_progress("molecules", done, 0)
        check(num_molecules > 0, f"{self.parts.first.name} holds no molecule that can be read")


def _rows(trained: Trained, part: MoleculeTable) -> pl.DataFrame:
    """All rows of a part."""
    if len(part.row_of):
        said = outputs(trained, ready(trained, part.graph, is_kept=False))
    else:
        said = torch.zeros(0, trained.num_members, trained.objective.out_channels)
    return in_all_rows(part, trained.frame(said))


def in_all_rows(part: MoleculeTable, said: pl.DataFrame) -> pl.DataFrame:
    """What is said of the molecules, beside the id of each row of their file, and why a row has none."""
    reasons = pl.DataFrame(
        {"row": list(part.reasons), "problem": list(part.reasons.values())},
        schema={"row": pl.Int64, "problem": pl.String},
    )
    rows = pl.DataFrame({"row": np.arange(part.num_rows), "id": pl.Series(part.names.tolist())})
    good = pl.DataFrame({"row": part.row_of, "smiles": part.smiles}, schema_overrides={"smiles": pl.String})
    rows = rows.join(good.hstack(said), on="row", how="left", maintain_order="left")
    return rows.join(reasons, on="row", how="left", maintain_order="left").drop("row")
