"""A trained potential on a file of structures: what it says of them, and how far off it is where answers are known."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import torch

from grapevine.data.atoms.options import ReadOptions
from grapevine.data.download import Progress
from grapevine.data.tables import write_table
from grapevine.data.tables.rejects import Rejects
from grapevine.errors import check
from grapevine.recipes.atoms.apply import judge, say
from grapevine.recipes.atoms.data import load_atoms, load_structures
from grapevine.recipes.atoms.result import said_table
from grapevine.recipes.atoms.train import read_atoms_config
from grapevine.recipes.atoms.trained import load_potential
from grapevine.recipes.atoms.write import write_extxyz
from grapevine.recipes.evaluate import Evaluation
from grapevine.recipes.predict import writable
from grapevine.task.task import PARTS, Part
from grapevine.train.run import load_run

_XYZ = (".xyz", ".extxyz")


@dataclass(frozen=True)
class SaidOfFile:
    """What a potential says of a file of structures.

    Args:
        frame: a row for each: id, num_atoms, energy in eV and, where it is known, energy_target.
        notes: what was found in the file, a sentence each.
        rejected: what could not be read.
        path: where it was written.
    """

    frame: pl.DataFrame
    notes: tuple[str, ...] = ()
    rejected: pl.DataFrame | None = None
    path: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "predictions": self.frame.to_dicts(),
            "notes": list(self.notes),
            "rejected": 0 if self.rejected is None else len(self.rejected),
            "path": None if self.path is None else str(self.path),
        }


def predict_structures(
    run: Path, path: Path | str, *, out: Path | None = None, on_progress: Progress | None = None
) -> SaidOfFile:
    """Energies of the structures of a file; into an .xyz file with forces, and stress where they repeat.

    Args:
        out: .xyz or .extxyz, or a table of the energies: .csv, .tsv, .parquet, .jsonl or .arrow.

    Raises:
        InputError: if the file can not be read, or holds an element that the model was not trained on.
    """
    is_xyz = out is not None and out.suffix in _XYZ
    if out is not None:
        check(out.parent.is_dir(), f"there is no folder {out.parent} to write {out.name} into")
        out = out if is_xyz else writable(out)
    trained = load_potential(run)
    options = _options(run)
    unlabelled = ReadOptions(energy_unit=options.energy_unit, length_unit=options.length_unit)
    found, ids = load_structures(path, unlabelled, trained.config.cutoff)
    graph = found.graph
    trained.check_elements(graph.z)
    repeats = "pbc" in graph.graph and bool(graph.pbc.all(1).any())
    said = say(
        trained.potential, graph, forces=is_xyz, stress=is_xyz and repeats, on_batch=_told("structures", on_progress)
    )
    table = said_table(graph, said)
    frame = pl.concat([pl.DataFrame({"id": [str(one) for one in ids]}), table.drop("forces_mae", strict=False)],
                      how="horizontal")  # fmt: skip
    if out is not None and is_xyz:
        write_extxyz(out, graph, said)
    elif out is not None:
        write_table(frame, out)
    return SaidOfFile(frame, found.notes, _rejected(found.rejects), out)


def evaluate_structures(
    run: Path, path: Path | str | None = None, *, options: ReadOptions | None = None, part: Part | None = None,
    on_progress: Progress | None = None,
) -> Evaluation:  # fmt: skip
    """How far off a potential is: on the structures of a file, or again on its own, part by part.

    Args:
        options: under which names the file holds energies and forces; None: as in training.
        part: of its own structures, one of the parts alone.

    Raises:
        InputError: if nothing is known of the structures, or they can not be read.
    """
    trained = load_potential(run)
    has_stress = trained.has_stress
    if path is None:
        config = read_atoms_config(load_run(Path(run)).recipe)
        data = load_atoms(config.source, config.split, config.model.cutoff)
        graph, notes, rejects = data.graph, data.notes, data.rejects
        parts = {name: ids for name, ids in data.parts.items() if part in (None, name) and len(ids)}
    else:
        check(part is None, "--part is of the structures that the model was trained on, and another file was given")
        told = _options(run) if options is None else options
        found, _ = load_structures(path, told, trained.config.cutoff)
        graph, notes, rejects = found.graph, found.notes, found.rejects
        parts = {"all": torch.arange(graph.num_graphs)}
    trained.check_elements(graph.z)
    said = say(
        trained.potential, graph, forces="forces" in graph.node, stress="stress" in graph.graph,
        on_batch=_told("structures", on_progress),
    )  # fmt: skip
    said = said if has_stress else replace(said, stress=None)
    scores = {name: judge(said, graph, ids) for name, ids in parts.items()}
    known = {name: one for name, one in scores.items() if one}
    check(len(known) > 0, "nothing is known of the structures to judge by: no energies, no forces")
    metric = "forces_mae" if any("forces_mae" in one for one in known.values()) else "energy_mae"
    counts = {name: len(parts[name]) for name in known}
    assert set(parts) <= {*PARTS, "all"}
    return Evaluation(metric, known, counts, notes, _rejected(rejects))


def _options(run: Path) -> ReadOptions:
    """How the run's own files were read."""
    return read_atoms_config(load_run(Path(run)).recipe).source.options


def _told(what: str, on_progress: Progress | None):
    return None if on_progress is None else lambda done, total: on_progress(what, done, total)


def _rejected(rejects: Rejects) -> pl.DataFrame | None:
    return rejects.frame if len(rejects) else None
