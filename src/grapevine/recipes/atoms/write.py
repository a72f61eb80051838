"""Writes structures with what is said of them as extended XYZ (https://github.com/libAtoms/extxyz)."""

from pathlib import Path

import numpy as np

from grapevine.data.atoms.elements import symbol_of
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.recipes.atoms.apply import Said


def write_extxyz(path: Path, graph: Graph, said: Said) -> None:
    """A frame for each structure, with energy, forces and, where it repeats in every direction, stress.

    Raises:
        InputError: if the file can not be written.
    """
    frames = [frame_text(graph, said, number) for number in range(graph.num_graphs)]
    try:
        path.write_text("".join(frames), encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"{path} can not be written: {error}") from error


def frame_text(graph: Graph, said: Said, number: int) -> str:
    """One structure of a graph as a frame.

    >>> import torch
    >>> atom = Graph(torch.zeros(2, 0, dtype=torch.int64), z=torch.tensor([8]), pos=torch.zeros(1, 3).double())
    >>> print(frame_text(atom, Said(torch.tensor([-1.5])), 0), end="")
    1
    Properties=species:S:1:pos:R:3 energy=-1.5 pbc="F F F"
    O          0.00000000       0.00000000       0.00000000
    """
    first, last = int(graph.ptr[number]), int(graph.ptr[number + 1])
    atoms = slice(first, last)
    pbc = graph.pbc[number].tolist() if "pbc" in graph.graph else [False] * 3
    columns, properties = [graph.pos[atoms].double().numpy()], "species:S:1:pos:R:3"
    if said.forces is not None:
        columns.append(said.forces[atoms].numpy())
        properties += ":forces:R:3"
    head = [f"Properties={properties}", f"energy={float(said.energy[number])!r}"]
    if any(pbc):
        head.insert(0, f'Lattice="{_listed(graph.cell[number].numpy())}"')
    if all(pbc) and said.stress is not None:
        head.append(f'stress="{_listed(said.stress[number].numpy())}"')
    head.append('pbc="' + " ".join("T" if repeats else "F" for repeats in pbc) + '"')
    rows = np.concatenate(columns, axis=1).tolist()
    symbols = [symbol_of(z) for z in graph.z[atoms].tolist()]
    lines = [f"{symbol:<2}" + "".join(f" {x:16.8f}" for x in row) for symbol, row in zip(symbols, rows, strict=True)]
    return "\n".join([str(last - first), " ".join(head), *lines]) + "\n"


def _listed(values: np.ndarray) -> str:
    return " ".join(repr(float(x)) for x in values.reshape(-1))
