"""How the places of atoms reach a network: as the vector along each edge, and so as nothing but differences.

r_e = x_j + s_e C - x_i,   e the edge j -> i, s_e whole numbers of cell vectors, C the cell with its vectors as rows
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grapevine.checks import check_rows, check_tensor, check_together
from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph
from grapevine.ops.gather import gather


def edge_vectors(
    pos: Float[Tensor, "n 3"],
    adj: Adjacency,
    *,
    shift: Float[Tensor, "e 3"] | None = None,
    cell: Float[Tensor, "*g 3 3"] | None = None,
    graph_id: Int[Tensor, " n"] | None = None,
) -> Float[Tensor, "e 3"]:
    """Where the source of each edge is, seen from its target.

    Args:
        pos: [n, 3] places in angstrom.
        adj: who hears whom.
        shift: [e, 3] how many cell vectors away the image of the source is, in the order of `adj`; goes with `cell`.
        cell: [3, 3] cell vectors as rows, or [g, 3, 3] one cell for each structure.
        graph_id: [n] the structure of each atom, where there are several cells.

    Returns:
        [e, 3].

    Raises:
        InputError: for tensors that do not fit together, or a place that is no number.

    >>> pos = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    >>> edge_vectors(pos, Adjacency([[1], [0]], num_nodes=2)).tolist()
    [[0.0, 0.0, 1.0]]
    >>> shift = torch.tensor([[0.0, 0.0, -1.0]])
    >>> edge_vectors(pos, Adjacency([[1], [0]], num_nodes=2), shift=shift, cell=3 * torch.eye(3)).tolist()
    [[0.0, 0.0, -2.0]]
    """
    check_tensor("pos", pos, ndim=2)
    check(pos.shape[1] == 3, f"pos must have shape [n, 3], got {tuple(pos.shape)}")
    is_number = pos.isfinite().all(dim=1)
    if not bool(is_number.all()):
        atom = int(is_number.logical_not().nonzero()[0])
        raise InputError(f"the place of atom {atom} is {pos[atom].tolist()}: every coordinate must be a finite number")
    vector = gather(adj.pattern, pos) - gather(adj.pattern, pos, side="rows")
    check((shift is None) == (cell is None), "shift and cell go together: give both, or neither")
    if shift is None or cell is None:
        return vector
    return vector + _offsets(adj, shift.to(pos.dtype), cell.to(pos.dtype), graph_id)


def _offsets(adj: Adjacency, shift: Tensor, cell: Tensor, graph_id: Tensor | None) -> Tensor:
    """[e, 3] how far the image of each source is from the source."""
    check_tensor("shift", shift, ndim=2)
    check_rows("shift", shift, adj.num_edges, "edges")
    check_tensor("cell", cell, ndim=(2, 3))
    check(cell.shape[-2:] == (3, 3), f"cell must have shape [3, 3] or [g, 3, 3], got {tuple(cell.shape)}")
    check_together(shift=shift, cell=cell)
    if cell.ndim == 3 and cell.shape[0] == 1:
        cell = cell[0]
    if cell.ndim == 2:
        return shift @ cell
    if graph_id is None:
        raise InputError(f"{cell.shape[0]} cells need graph_id, the structure of each atom")
    of_edge = cell.index_select(0, graph_id.index_select(0, adj.dst))
    return (shift.unsqueeze(1) @ of_edge).squeeze(1)


def vectors_of(graph: Graph) -> Float[Tensor, "e 3"]:
    """The edge vectors of a graph, or of a batch, that holds `pos` and, where it is periodic, `shift` and `cell`.

    >>> graph = Graph([[0], [1]], pos=torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))
    >>> vectors_of(graph).tolist()
    [[-1.0, 0.0, 0.0]]
    """
    check(isinstance(graph, Graph), f"structures come as a Graph, got {type(graph).__name__}")
    check("pos" in graph.node, "the graph must hold pos, the places of its atoms")
    if "shift" not in graph.edge:
        return edge_vectors(graph.pos, graph.adj)
    check("cell" in graph.graph, "a graph with shift needs cell, the cell vectors, among its graph tensors")
    return edge_vectors(graph.pos, graph.adj, shift=graph.shift, cell=graph.cell, graph_id=graph.graph_id)


def lengths(vector: Float[Tensor, "*e s"]) -> Float[Tensor, "*e"]:
    """The length of each vector; its derivatives at the zero vector are 0.

    >>> lengths(torch.tensor([[3.0, 0.0, 4.0], [0.0, 0.0, 0.0]])).tolist()
    [5.0, 0.0]
    """
    square = (vector * vector).sum(-1)
    is_zero = square == 0
    return torch.where(is_zero, 1.0, square).sqrt().masked_fill(is_zero, 0.0)


def directions(vector: Float[Tensor, "*e s"], length: Float[Tensor, "*e"]) -> Float[Tensor, "*e s"]:
    """Each vector over its length, and the zero vector as it is."""
    return vector / torch.where(length == 0, 1.0, length).unsqueeze(-1)
