"""Neighbour lists: the edges between atoms nearer than a cut-off, in molecules and in cells that repeat.

j -> i with shift S is an edge where  0 < |pos_j + S @ cell - pos_i| < cutoff,  S three whole numbers

Molecules by our kernel (`ops.neighbors`), cells by vesin (Fraux et al., https://luthaf.fr/vesin), which knows all
images that a cell thinner than the cut-off has. There is no bound on how many neighbours an atom has.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from grapevine.checks import check_rows, check_tensor
from grapevine.data.atoms.ase_parts import atoms_part
from grapevine.data.atoms.cells import full_cell, is_flat
from grapevine.errors import InputError, check
from grapevine.ops.neighbors import radius_pairs, squared_lengths

TOUCHING = 1e-3  # angstrom; atoms nearer than this are at one place
_MOST = 2e9  # edges of one structure


class Edges(NamedTuple):
    """Edges sorted by target, source and shift: where each target's begin, the sources, and the shifts."""

    indptr: Int[Tensor, " n+1"]
    src: Int[Tensor, " e"]
    shift: Int[Tensor, "e 3"]

    @property
    def dst(self) -> Int[Tensor, " e"]:
        return torch.arange(len(self.indptr) - 1).repeat_interleave(self.indptr.diff(), output_size=len(self.src))


class Placed(NamedTuple):
    """Atoms of one or many structures: [n, 3] float64, [g + 1] where each structure's begin, [g, 3, 3], [g, 3]."""

    pos: Float[Tensor, "n 3"]
    ptr: Int[Tensor, " g+1"]
    cell: Float[Tensor, "g 3 3"]
    pbc: Bool[Tensor, "g 3"]


def neighbor_list(
    pos: Float[Tensor, "n 3"],
    cutoff: float,
    *,
    cell: Float[Tensor, "3 3"] | Float[Tensor, "g 3 3"] | None = None,
    pbc: bool | Bool[Tensor, "3"] | Bool[Tensor, "g 3"] | None = None,
    graph_id: Int[Tensor, " n"] | None = None,
) -> tuple[Int[Tensor, "2 e"], Int[Tensor, "e 3"]]:
    """The edges and the shift of each: `pos[src] + shift @ cell - pos[dst]` points from who hears to the neighbour.

    Every pair is there in both directions, an atom is its own neighbour only by an image, and the edges are sorted by
    target, source and shift. Atoms may lie outside the cell. Distances are taken in float64.

    Args:
        cutoff: in the unit of `pos`, angstrom.
        cell: rows are the cell vectors; of all structures, or of each.
        pbc: along which cell vectors a structure repeats; by default along all where there is a cell.
        graph_id: which structure each atom belongs to, ascending; by default all to one.

    Raises:
        InputError: for a coordinate that is not finite, two atoms at one place, a periodic cell without volume, or a
            cut-off that is not positive.
        ImportError: if something is periodic and vesin is not installed.

    >>> pos = torch.tensor([[0.0, 0, 0], [0, 0, 1], [0, 0, 3]])
    >>> edge_index, shift = neighbor_list(pos, 1.5)
    >>> edge_index.tolist()
    [[1, 0], [0, 1]]
    >>> edge_index, shift = neighbor_list(pos[:1], 1.5, cell=torch.diag(torch.tensor([1.0, 9.0, 9.0])))
    >>> edge_index.tolist(), shift.tolist()
    ([[0, 0], [0, 0]], [[-1, 0, 0], [1, 0, 0]])
    """
    placed = as_placed(pos, cell, pbc, graph_id)
    edges = find_edges(placed, cutoff)
    check_apart(placed, edges, lengths_squared(placed, edges))
    return torch.stack([edges.src.long(), edges.dst]).to(pos.device), edges.shift.to(pos.device)


def as_placed(
    pos: Float[Tensor, "n 3"],
    cell: Float[Tensor, "*g 3 3"] | None,
    pbc: bool | Bool[Tensor, "*g 3"] | None,
    graph_id: Int[Tensor, " n"] | None,
) -> Placed:
    """The arguments of `neighbor_list`, checked and spread over the structures, on the processor."""
    check_tensor("pos", pos, ndim=2, dtypes=(torch.float32, torch.float64))
    check(pos.shape[1] == 3, f"pos must have three columns, got shape {tuple(pos.shape)}")
    count = cell.shape[0] if isinstance(cell, Tensor) and cell.ndim == 3 else None
    ptr = _starts(graph_id, len(pos), count)
    num_graphs = len(ptr) - 1
    if cell is None:
        check(pbc is None or not bool(torch.as_tensor(pbc).any()), "a periodic structure needs a cell, got none")
        boxes = torch.zeros(num_graphs, 3, 3, dtype=torch.float64)
    else:
        check_tensor("cell", cell, ndim=(2, 3), dtypes=(torch.float32, torch.float64))
        is_whole = cell.shape[-2:] == (3, 3) and (cell.ndim == 2 or len(cell) == num_graphs)
        check(is_whole, f"cell must be [3, 3] or [{num_graphs}, 3, 3], got shape {tuple(cell.shape)}")
        boxes = cell.detach().cpu().double().expand(num_graphs, 3, 3)
    repeats = torch.as_tensor(cell is not None if pbc is None else pbc).cpu()
    check(repeats.dtype == torch.bool, f"pbc must be boolean, got {repeats.dtype}")
    fits = repeats.ndim < 2 or tuple(repeats.shape) == (num_graphs, 3)
    check(fits and repeats.shape[-1:] in ((), (3,)), f"pbc must be [3] or [{num_graphs}, 3], got {[*repeats.shape]}")
    return Placed(pos.detach().cpu().double(), ptr, boxes, repeats.expand(num_graphs, 3))


def find_edges(placed: Placed, cutoff: float) -> Edges:
    """The edges of all structures; atoms at one place are joined as any others, see `touching`."""
    is_distance = isinstance(cutoff, int | float) and 0 < cutoff < float("inf")
    check(is_distance, f"cutoff must be a positive distance in angstrom, got {cutoff!r}")
    _check_finite(placed)
    repeats = placed.pbc.any(dim=1)
    if not repeats.any():
        pairs = radius_pairs(placed.pos, placed.ptr, cutoff)
        return Edges(pairs.indptr.long(), pairs.indices, torch.zeros(len(pairs.indices), 3, dtype=torch.int32))
    return _mixed(placed, float(cutoff), repeats)


def lengths_squared(placed: Placed, edges: Edges) -> Float[Tensor, " e"]:
    """[e] the squared length of each edge in float64."""
    dst = edges.dst
    if not placed.pbc.any():
        return squared_lengths(placed.pos, edges.src, dst)
    cell = placed.cell[0] if len(placed.cell) == 1 else placed.cell.repeat_interleave(placed.ptr.diff(), dim=0)
    return squared_lengths(placed.pos, edges.src, dst, edges.shift, cell)


def touching(squares: Float[Tensor, " e"]) -> Int[Tensor, " k"]:
    """The edges between atoms at one place, of edges of these squared lengths."""
    return (squares < TOUCHING**2).nonzero().squeeze(1)


def check_apart(placed: Placed, edges: Edges, squares: Float[Tensor, " e"]) -> None:
    """Raise an InputError that names the first two atoms at one place."""
    places = touching(squares)
    if len(places) == 0:
        return
    first, second = int(edges.dst[places[0]]), int(edges.src[places[0]])
    structure, one = _where(placed, first)
    others = f", and {len(places) // 2 - 1} more pairs are" if len(places) > 3 else ""
    if first == second:
        raise InputError(f"atom {one}{structure} is at one place with its own image: the cell is too thin")
    other = second - first + one
    raise InputError(f"atoms {one} and {other}{structure} are at one place (nearer than {TOUCHING} angstrom){others}")


def _where(placed: Placed, atom: int) -> tuple[str, int]:
    """The structure in words, nothing where there is only one, and the atom's number in it."""
    g = int(torch.searchsorted(placed.ptr, atom, right=True)) - 1
    return (f" of structure {g}" if len(placed.ptr) > 2 else ""), atom - int(placed.ptr[g])


def _check_finite(placed: Placed) -> None:
    bad = (~placed.pos.isfinite().all(dim=1)).nonzero()
    if len(bad):
        structure, atom = _where(placed, int(bad[0]))
        place = placed.pos[bad[0, 0]].tolist()
        raise InputError(f"atom {atom}{structure} has a coordinate that is not finite: {place}")


def _starts(graph_id: Tensor | None, num_atoms: int, num_graphs: int | None) -> Tensor:
    if graph_id is None:
        check(num_graphs in (None, 1), f"{num_graphs} cells need graph_id, the structure of each atom")
        return torch.tensor([0, num_atoms])
    check_tensor("graph_id", graph_id, ndim=1, dtypes=(torch.int32, torch.int64))
    check_rows("graph_id", graph_id, num_atoms, "atoms")
    ids = graph_id.cpu().long()
    is_sorted = len(ids) == 0 or (bool((ids.diff() >= 0).all()) and int(ids[0]) >= 0)
    check(is_sorted, "graph_id must ascend from 0 on: the atoms of a structure stand behind one another")
    found = int(ids[-1]) + 1 if len(ids) else 0
    check(num_graphs is None or found <= num_graphs, f"graph_id names structure {found - 1}, there are {num_graphs}")
    counts = torch.bincount(ids, minlength=found if num_graphs is None else num_graphs)
    return torch.nn.functional.pad(counts.cumsum(0), (1, 0))


def _mixed(placed: Placed, cutoff: float, repeats: Tensor) -> Edges:
    """Each structure that repeats by vesin, each run of others at once; behind one another they are sorted already."""
    finder = atoms_part("vesin").NeighborList(cutoff=cutoff, full_list=True, n_threads=torch.get_num_threads())
    ends = (repeats[1:] | repeats[:-1]).nonzero().squeeze(1) + 1  # between two molecules the run goes on
    bounds = [0, *ends.tolist(), len(repeats)]
    parts = []
    for first, last in pairwise(bounds):
        begin, end = int(placed.ptr[first]), int(placed.ptr[last])
        if repeats[first]:
            box, pbc = placed.cell[first].numpy(), placed.pbc[first].numpy()
            parts.append((begin, *_periodic(finder, placed.pos[begin:end].numpy(), box, pbc, first)))
        else:
            pairs = radius_pairs(placed.pos[begin:end], placed.ptr[first : last + 1] - begin, cutoff)
            no_shift = torch.zeros(len(pairs.indices), 3, dtype=torch.int32)
            parts.append((begin, pairs.indptr.long().diff(), pairs.indices, no_shift))
    counts = torch.cat([part[1] for part in parts])
    indptr = torch.nn.functional.pad(counts.cumsum(0), (1, 0))
    src = torch.cat([src.long() + begin for begin, _, src, _ in parts])
    return Edges(indptr, src, torch.cat([part[3] for part in parts]))


def _periodic(finder: Any, pos: np.ndarray, cell: np.ndarray, pbc: np.ndarray, which: int) -> tuple:
    """How many neighbours each atom has, the neighbours and their shifts."""
    flat = f"structure {which} repeats, but its cell has no volume: {cell.tolist()} along {pbc.tolist()}"
    check(not is_flat(cell, pbc), flat)
    box = full_cell(cell, pbc, pos)
    around = (len(pos) / abs(np.linalg.det(box))) * 4.2 * finder.cutoff**3
    check(len(pos) * around < _MOST, f"structure {which} would have {len(pos) * around:.0e} edges: is its cell right?")
    if len(pos) == 0:
        return torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64), torch.zeros(0, 3).int()
    dst, src, shift = finder.compute(pos, box, pbc, "ijS")
    dst, src, shift = dst.astype(np.int64), src.astype(np.int64), shift.astype(np.int64)
    order = np.argsort(_keys(dst, src, shift, len(pos)))
    counts = torch.from_numpy(np.bincount(dst, minlength=len(pos)))
    return counts, torch.from_numpy(src[order]), torch.from_numpy(shift[order].astype(np.int32))


def _keys(dst: np.ndarray, src: np.ndarray, shift: np.ndarray, num_atoms: int) -> np.ndarray:
    """One number for each edge, ascending by target, source and shift."""
    if len(shift) == 0:
        return dst
    low, high = shift.min(axis=0), shift.max(axis=0)
    keys = dst * num_atoms + src
    for d in range(3):
        keys = keys * (high[d] - low[d] + 1) + shift[:, d] - low[d]
    room = float(num_atoms) ** 2 * float(np.prod((high - low + 1).astype(float)))
    return keys if room < 2**62 else np.lexsort((*shift.T[::-1], src, dst)).argsort()
