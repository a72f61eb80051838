"""What a trained model says of new data: nodes, graphs, edges or pairs, under the user's own names."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor

from grapevine.data.download import Progress
from grapevine.data.molecules.encoders import MoleculeEncoders
from grapevine.data.molecules.parts import ParsedParts, saved_spec, start_parsing
from grapevine.data.tables import Identifiers, Rejects, TableEncoders, read_table, write_table
from grapevine.data.tables.read import suffix_of
from grapevine.data.tables.rows import Rows
from grapevine.data.tables.write import TableWriter, read_written
from grapevine.errors import InputError, check
from grapevine.recipes.apply import data_for, edge_items, graph_for, model_of, outputs
from grapevine.recipes.predict_molecules import MoleculeRows
from grapevine.recipes.source import Loaded, Source
from grapevine.recipes.trained import Trained
from grapevine.task.task import Level


@dataclass(frozen=True)
class Predictions:
    """What a model says.

    Args:
        num_rows: of the frame.
        notes: what was missing, unknown or repeated in the data, a sentence each.
        rejected: the rows that could not be read, so that nothing is predicted of them: file, line, reason and row.
        path: where the frame was written.
        held: the frame, where it is not only in its file.
    """

    num_rows: int
    notes: tuple[str, ...] = ()
    rejected: pl.DataFrame | None = None
    path: Path | None = None
    held: pl.DataFrame | None = None

    @property
    def frame(self) -> pl.DataFrame:
        """A row for each node, graph, edge or pair, in the order of the user's table: its name (id, or src and dst),
        the prediction, probabilities, and for an ensemble the spread.

        Of molecules that were written to a file it is read from there: they need not all have been in memory.
        """
        if self.held is not None:
            return self.held
        assert self.path is not None
        return read_written(self.path)

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "predictions": self.frame.to_dicts(),
            "notes": list(self.notes),
            "rejected": [] if self.rejected is None else self.rejected.to_dicts(),
            "path": None if self.path is None else str(self.path),
        }


def predict(
    run: Path | str | Trained,
    source: Source | None = None,
    *,
    pairs: Any = None,
    parts: ParsedParts | None = None,
    out: Path | str | None = None,
    on_progress: Progress | None = None,
) -> Predictions:
    """Use a model on data that it need not have seen: new nodes, new graphs, new edges.

    Tables are read by the encoders that were fitted in training; they need no target. A category that was not there
    then counts as none, a missing value as in training, and `notes` says how many there were of each. Molecules come
    back row by row: one that can not be read has an empty prediction, and the reason in the column `problem`.

    Args:
        run: a run folder, a folder of `save_pretrained`, or a model.
        source: the data; None: those that the run was trained on.
        pairs: of a model of links, the table of pairs that are asked for (a path or a frame), its columns called as
            the ends of the edges or else its first two; messages pass over the edges of `source`.
        parts: the molecules of `source`, where workers are at them already.
        out: a file to write to: .csv, .tsv, .parquet, .jsonl or .arrow.

    Raises:
        InputError: if the data can not be read, or are not what the model was made for.

    >>> from grapevine.recipes.models import model_config, training_settings
    >>> from grapevine.recipes.config import TrainConfig
    >>> from grapevine.recipes.train import train
    >>> club = Source(dataset="karate")
    >>> training = training_settings("gcn", level="node").model_copy(update={"max_epochs": 5})
    >>> model = model_config("gcn", level="node")
    >>> trained = train(TrainConfig(name="club", source=club, model=model, training=training)).trained
    >>> predict(trained, club).frame.columns
    ['id', 'prediction', 'probability', 'probability_Mr. Hi', 'probability_Officer']
    """
    path = None if out is None else writable(Path(out))
    if source is not None and (source.molecules is not None or _is_of_molecules(run, source)):
        check(pairs is None, "pairs are of nodes, for models of links: molecules have none")
        return _of_molecules(model_of(run), source, parts, path, on_progress)
    trained, loaded = data_for(run, source, on_progress=on_progress)
    graph, rejects = graph_for(trained, loaded), Rejects()
    if trained.level == "link":
        check(pairs is not None, "the model is one of links: say which pairs, as a table of two columns (--pairs FILE)")
        items = _pairs(pairs, trained, loaded, rejects)
    else:
        check(pairs is None, f"pairs are for models of links, and this one is of {trained.level}s")
        items = edge_items(loaded) if trained.level == "edge" else None
    output = outputs(trained, graph, items)
    frame = pl.concat([names_of(trained.level, loaded, items), trained.frame(output)], how="horizontal")
    if path is not None:
        write_table(frame, path)
    both = [] if loaded.rejected is None else [loaded.rejected]
    both += [rejects.frame] if len(rejects) else []
    return Predictions(frame.height, loaded.notes, pl.concat(both) if both else None, path, frame)


def _of_molecules(
    trained: Trained, source: Source, parts: ParsedParts | None, path: Path | None, on_progress: Progress | None
) -> Predictions:
    """Row by row, as they come to the file, if there is one."""
    if not isinstance(trained.encoders, MoleculeEncoders):
        raise InputError("the model was not trained on molecules, so none can be read for it")
    parts = start_parsing(Path(source.path or ""), trained.encoders.spec) if parts is None else parts
    rows, frame = MoleculeRows(trained, trained.encoders, parts, on_progress), None
    if path is None:
        frame = pl.concat(list(rows))
        count = frame.height
    else:
        with TableWriter(path) as writer:
            for part in rows:
                writer.append(part)
        count = writer.num_rows
    return Predictions(count, tuple(rows.notes), pl.concat(rows.rejected) if rows.rejected else None, path, frame)


def names_of(level: Level, loaded: Loaded, items: Tensor | None = None) -> pl.DataFrame:
    """What the user calls the items: a column id of all nodes or graphs, or src and dst of these edges or pairs."""
    dataset, graph = loaded.dataset, loaded.dataset.graph
    if items is None:
        count = graph.num_graphs if level == "graph" else graph.num_nodes
        return pl.DataFrame({"id": np.arange(count) if dataset.ids is None else dataset.ids})
    ends = (items if items.ndim == 2 else graph.adj.edge_index[:, items]).numpy()
    ids = np.arange(graph.num_nodes) if dataset.ids is None else np.asarray(dataset.ids)
    return pl.DataFrame({"src": ids[ends[0]], "dst": ids[ends[1]]})


def writable(out: Path) -> Path:
    """The path, checked before anything is computed: its suffix says a format, and its folder is there."""
    suffix_of(out)
    check(out.parent.is_dir(), f"there is no folder {out.parent} to write {out.name} into")
    return out


def _is_of_molecules(run: Path | str | Trained, source: Source) -> bool:
    """Whether a file is one of molecules since the model was trained on molecules."""
    if source.path is None or not Path(source.path).is_file():
        return False
    return isinstance(run.encoders, MoleculeEncoders) if isinstance(run, Trained) else saved_spec(run) is not None


def _pairs(pairs: Any, trained: Trained, loaded: Loaded, rejects: Rejects) -> Tensor:
    """[2, k] the nodes of each pair; pairs of nodes that are not in the graph are rejected."""
    is_named = isinstance(pairs, str | Path)
    table = read_table(pairs, name=None if is_named else "the pairs")
    rejects.extend(table.rejects)
    columns = table.frame.columns
    check(len(columns) >= 2, f"{table.name} must have a column for each end of a pair, it has {', '.join(columns)}")
    spec = trained.encoders.spec if isinstance(trained.encoders, TableEncoders) else None
    told = [name for name in (spec.src, spec.dst) if name is not None] if spec is not None else []
    names = told if len(told) == 2 and all(name in columns for name in told) else columns[:2]
    dataset, rows = loaded.dataset, Rows(table, rejects)
    numbers = np.arange(dataset.graph.num_nodes)
    ids = (
        loaded.tables.ids if loaded.tables is not None else Identifiers(numbers if dataset.ids is None else dataset.ids)
    )
    ends = []
    for name in names:
        number = ids.lookup(table.frame[name])
        rows.reject(number < 0, "a pair with an unknown node", name)
        ends.append(number)
    good = rows.good()
    why = f": {rejects.first(1)[0]}" if len(rejects) else ""
    check(len(good) > 0, f"{table.name} has no pair of two nodes of the graph{why}")
    return torch.from_numpy(np.stack(ends)[:, good])
