"""From structures to the graphs that networks of atoms learn on: atoms as nodes, neighbours as edges."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from torch import Tensor

from grapevine.data.atoms.neighbors import Edges, Placed, as_placed, check_apart, find_edges, lengths_squared, touching
from grapevine.data.atoms.structures import Structures
from grapevine.data.dataset import Dataset
from grapevine.data.tables.rejects import Rejects
from grapevine.errors import check
from grapevine.graph import Adjacency, Graph
from grapevine.graph.levels import Level, Tensors, check_rows
from grapevine.ops.group import index_dtype
from grapevine.ops.pattern import Pattern

_OF_NODE, _OF_GRAPH = ("forces",), ("energy", "stress", "dipole")


@dataclass(frozen=True)
class StructureDataset:
    """Structures as one batch of graphs.

    Args:
        dataset: `dataset.graph` holds z, pos, cell, pbc, the labels that some structure has (NaN where another lacks
            them) and the edges with their `shift`; numbers are float64.
        structures: those that are in it, in its order.
        rejects: what was left out, in reading and here.
        notes: what was found and inferred, a sentence each.
    """

    dataset: Dataset
    structures: Structures
    rejects: Rejects
    notes: tuple[str, ...]

    @property
    def graph(self) -> Graph:
        return self.dataset.graph


def structures_dataset(
    structures: Structures, cutoff: float | None = None, *, target: str | None = None
) -> StructureDataset:
    """The structures as a data set: a graph for each, its atoms joined to all neighbours within the cut-off.

    A structure with two atoms at one place is left out and stands in `rejects`. Without a cut-off there are no edges;
    `connect` makes them later.

    Args:
        cutoff: in angstrom.
        target: the label or property that becomes `y`, as "energy" or "gap".

    Raises:
        InputError: if no structure is left, or there is no such target.
        ImportError: if something is periodic and vesin is not installed.

    >>> pair = Structures(z=np.array([1, 1, 2]), pos=np.eye(3), ptr=np.array([0, 2, 3]), energy=np.array([-1.0, -2.0]))
    >>> structures_dataset(pair, 2.0).graph
    Graph(2 graphs, 3 nodes, 2 edges; node: z [3], pos [3, 3]; edge: shift [2, 3]; graph: cell [2, 3, 3], pbc [2, 3], \
energy [2])
    """
    rejects = Rejects()
    rejects.extend(structures.rejects)
    edges = None
    if cutoff is not None:
        structures, edges = _apart(structures, cutoff, rejects)
    check(len(structures) > 0, f"{structures.name} has no structure to use: {'; '.join(rejects.first(2)) or 'none'}")
    tensors = _tensors(structures, target)
    ptr = torch.from_numpy(structures.ptr)
    graph = _joined(tensors, ptr, edges)
    about = {"units": "angstrom, electronvolt", "cutoff": cutoff, "property_units": dict(structures.units)}
    dataset = Dataset(structures.name, graph, "graph", ids=structures.ids, metric="mae", about=about)
    return StructureDataset(dataset, structures, rejects, structures.notes)


def connect(graph: Graph, cutoff: float) -> Graph:
    """The same structures, joined to all neighbours within the cut-off; other edges and their tensors are dropped.

    Raises:
        InputError: as `neighbor_list`, or if the graph holds no `pos`.

    >>> graph = Graph(torch.zeros(2, 0, dtype=torch.int64), pos=torch.eye(3), z=torch.tensor([1, 1, 1]))
    >>> connect(graph, 2.0)
    Graph(3 nodes, 6 edges; node: pos [3, 3], z [3]; edge: shift [6, 3])
    """
    check("pos" in graph.levels, f"the atoms need places, pos, the graph holds {', '.join(graph.levels) or 'nothing'}")
    cell, pbc = graph.graph.get("cell"), graph.graph.get("pbc")
    is_boxed = isinstance(cell, Tensor)
    placed = as_placed(graph.pos, cell if is_boxed else None, pbc if isinstance(pbc, Tensor) else None, graph.graph_id)
    placed = placed if is_boxed else _spread(placed, graph)
    edges = find_edges(placed, cutoff)
    check_apart(placed, edges, lengths_squared(placed, edges))
    tensors: Tensors = {"node": dict(graph.node), "edge": {}, "graph": dict(graph.graph)}
    return _joined(tensors, graph.ptr.cpu(), edges).to(graph.device)


def _spread(placed: Placed, graph: Graph) -> Placed:
    """With the structures that have no atoms, which no number of an atom's structure tells of."""
    num_graphs = graph.num_graphs
    return Placed(placed.pos, graph.ptr.cpu(), torch.zeros(num_graphs, 3, 3).double(), torch.zeros(num_graphs, 3) > 0)


def _apart(structures: Structures, cutoff: float, rejects: Rejects) -> tuple[Structures, Edges]:
    """The structures without two atoms at one place, and their edges."""
    placed = _placed(structures)
    edges = find_edges(placed, cutoff)
    pairs = touching(lengths_squared(placed, edges))
    if len(pairs) == 0:
        return structures, edges
    owner = torch.searchsorted(placed.ptr, edges.dst[pairs], right=True) - 1
    bad, first = np.unique(owner.numpy(), return_index=True)
    ends = torch.stack([edges.dst[pairs], edges.src[pairs]])[:, first] - placed.ptr[bad]
    rows = [
        f"atoms {one} and {other}" if one != other else f"atom {one} and its image" for one, other in ends.T.tolist()
    ]
    rejects.add("two atoms at one place", structures.name, structures.lines[bad], pl.Series(rows))
    structures = structures.take(np.setdiff1d(np.arange(len(structures)), bad))
    return structures, find_edges(_placed(structures), cutoff)


def _placed(structures: Structures) -> Placed:
    arrays = structures.pos, structures.ptr, structures.cell, structures.pbc
    return Placed(*(torch.from_numpy(array) for array in arrays))


def _tensors(structures: Structures, target: str | None) -> Tensors:
    node = {"z": structures.z, "pos": structures.pos}
    graph = {"cell": structures.cell, "pbc": structures.pbc}
    for held, names in ((node, _OF_NODE), (graph, _OF_GRAPH)):
        held |= {name: getattr(structures, name) for name in names if np.isfinite(getattr(structures, name)).any()}
    graph |= structures.properties
    if target is not None:
        known = [name for name in graph if name not in ("cell", "pbc", "stress")]
        check(target in known, f"there is no target {target!r}: the structures have {', '.join(known) or 'no labels'}")
        graph["y"] = graph[target]
    tensors: Tensors = {"node": {}, "edge": {}, "graph": {}}
    tensors["node"] = {name: torch.from_numpy(array) for name, array in node.items()}
    tensors["graph"] = {name: torch.from_numpy(array) for name, array in graph.items()}
    return tensors


def _joined(tensors: Tensors, ptr: Tensor, edges: Edges | None) -> Graph:
    """The graph of edges that are sorted already."""
    num_nodes = int(ptr[-1])
    if edges is None:
        nothing = torch.zeros(0, dtype=torch.int64)
        edges = Edges(torch.zeros(num_nodes + 1, dtype=torch.int64), nothing, torch.zeros(0, 3, dtype=torch.int32))
    tensors["edge"] = {"shift": edges.shift}
    dtype = index_dtype(num_nodes + 1, len(edges.src))
    adj = Adjacency.trusted(Pattern.trusted(edges.indptr.to(dtype), edges.src.to(dtype), num_nodes))
    sizes: dict[Level, int] = {"node": num_nodes, "edge": adj.num_edges, "graph": len(ptr) - 1}
    on_cpu: Tensors = {
        level: {name: tensor.to("cpu") for name, tensor in held.items()} for level, held in tensors.items()
    }
    check_rows(on_cpu, sizes, adj.device)
    return Graph._made(adj, on_cpu, ptr)
