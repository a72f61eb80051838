"""A neighbour list that is kept from one step of a simulation to the next.

A list with cut-off + skin holds every edge within the cut-off until some atom has moved by more than skin / 2
(Verlet 1967). Each step the edges longer than the cut-off are dropped, so that the answer is always that of a new list.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from grapevine.data.atoms.neighbors import Edges, Placed, as_placed, check_apart, find_edges, lengths_squared
from grapevine.errors import check


class SkinNeighbors:
    """Gives the edges within `cutoff` as `neighbor_list` does, and looks for them anew only when it must.

    Anew is when an atom has moved by more than skin / 2 since the last time, or when a cell, what repeats, the
    species or the number of atoms is another. `num_builds` counts how often.

    Args:
        cutoff: in angstrom.
        skin: in angstrom; a wider one lasts longer and holds more edges to measure.

    >>> keep = SkinNeighbors(1.5, skin=0.4)
    >>> pos = torch.tensor([[0.0, 0, 0], [0, 0, 1.6]])
    >>> keep(pos)[0].tolist(), keep(0.9 * pos)[0].tolist(), keep.num_builds
    ([[], []], [[1, 0], [0, 1]], 1)
    """

    def __init__(self, cutoff: float, skin: float = 0.5):
        is_distance = isinstance(cutoff, int | float) and 0 < cutoff < float("inf")
        check(is_distance, f"cutoff must be a positive distance in angstrom, got {cutoff!r}")
        check(skin >= 0, f"skin must be a distance in angstrom, 0 or more, got {skin!r}")
        self.cutoff, self.skin, self.num_builds = float(cutoff), float(skin), 0
        self._last: tuple[Placed, Tensor | None] | None = None
        self._edges: Edges | None = None

    def __call__(
        self,
        pos: Float[Tensor, "n 3"],
        *,
        cell: Float[Tensor, "*g 3 3"] | None = None,
        pbc: bool | Bool[Tensor, "*g 3"] | None = None,
        graph_id: Int[Tensor, " n"] | None = None,
        z: Int[Tensor, " n"] | None = None,
    ) -> tuple[Int[Tensor, "2 e"], Int[Tensor, "e 3"]]:
        """The edges and their shifts; arguments, order and errors are those of `neighbor_list`."""
        placed = as_placed(pos, cell, pbc, graph_id)
        if self._edges is None or not self._lasts(placed, z):
            self._edges = find_edges(placed, self.cutoff + self.skin)
            self._last = placed._replace(pos=placed.pos.clone(), cell=placed.cell.clone()), _copy(z)
            self.num_builds += 1
        squares = lengths_squared(placed, self._edges)
        check_apart(placed, self._edges, squares)
        is_near = squares < self.cutoff**2
        edge_index = torch.stack([self._edges.src.long(), self._edges.dst])[:, is_near]
        return edge_index.to(pos.device), self._edges.shift[is_near].to(pos.device)

    def _lasts(self, placed: Placed, z: Tensor | None) -> bool:
        """Whether the kept edges are all that can be within the cut-off now. NaN moves too far."""
        assert self._last is not None
        last, last_z = self._last
        same = all(torch.equal(one, other) for one, other in zip(placed[1:], last[1:], strict=True))
        if not same or (z is None) != (last_z is None):
            return False
        if z is not None and last_z is not None and not torch.equal(z.cpu(), last_z):
            return False
        moved = (placed.pos - last.pos).square().sum(1)
        return bool((moved <= (self.skin / 2) ** 2).all())


def _copy(z: Tensor | None) -> Tensor | None:
    return None if z is None else z.detach().cpu().clone()
