"""Graphs from and to other libraries: PyTorch Geometric, NetworkX, SciPy, and frames of edges.

Nothing is guessed: only those attributes are carried over that have a standard name or are asked for. Numbers of
Python, pandas and the like become int64, bool or torch's default float. What goes out is in the adjacency's order.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.graph.adjacency import Adjacency
from grapevine.graph.graph import Graph, as_adjacency
from grapevine.graph.levels import STANDARD, Level
from grapevine.ops.sparse import SparseMatrix

if TYPE_CHECKING:
    import networkx
    import pandas
    import polars
    from torch_geometric.data import Data


def from_pyg(data: "Data", *, node: Sequence[str] = (), edge: Sequence[str] = (), graph: Sequence[str] = ()) -> Graph:
    """From a PyTorch Geometric `Data` or `Batch`: the tensors of standard names, and those named here by level.

    A `y` is named where the number of its rows leaves its level open. What is not named stays behind.

    Raises:
        InputError: if data has no edge_index, or nothing of a name asked for.
        ImportError: if PyTorch Geometric is not installed.

    >>> from torch_geometric.data import Data
    >>> from_pyg(Data(x=torch.eye(3), edge_index=torch.tensor([[0, 1], [1, 2]]), y=torch.tensor([7.0])))
    Graph(3 nodes, 2 edges; node: x [3, 3]; graph: y [1])
    """
    geometric = _geometric()
    if isinstance(data, geometric.Batch):
        return Graph.batch([from_pyg(part, node=node, edge=edge, graph=graph) for part in data.to_data_list()])
    check(isinstance(data, geometric.Data), f"data must be a Data or a Batch, got {type(data).__name__}")
    held = {name: value for name, value in data.to_dict().items() if value is not None}
    check("edge_index" in held, f"data must have an edge_index, it has {', '.join(held) or 'nothing'}")
    asked: dict[Level, Sequence[str]] = {"node": node, "edge": edge, "graph": graph}
    declared: dict[Level, dict[str, Any]] = {"node": {}, "edge": {}, "graph": {}}
    for name, level in STANDARD.items():
        if name in held:
            declared[level][name] = held[name]
    for level, names in asked.items():
        for name in names:
            check(name in held, f"data has no {level} tensor {name!r}, it has {', '.join(held)}")
            declared[level][name] = held[name]
    y = None if any("y" in names for names in asked.values()) else held.get("y")
    return Graph(held["edge_index"], y=y, num_nodes=data.num_nodes, **declared)


def to_pyg(graph: Graph) -> "Data":
    """As a PyTorch Geometric `Data` with every tensor, or a `Batch` of several; sparse features as a torch tensor.

    Raises:
        ImportError: if PyTorch Geometric is not installed.

    >>> to_pyg(Graph([[0, 1], [1, 2]], x=torch.eye(3)))
    Data(edge_index=[2, 2], num_nodes=3, x=[3, 3])
    """
    geometric = _geometric()
    if graph.num_graphs != 1:
        return geometric.Batch.from_data_list([to_pyg(part) for part in graph.unbatch()])
    data = geometric.Data(edge_index=graph.adj.edge_index, num_nodes=graph.num_nodes)
    for name, tensor in _tensors(graph).items():
        data[name] = _torch_sparse(tensor) if isinstance(tensor, SparseMatrix) else tensor
    return data


def from_networkx(
    network: "networkx.Graph",
    *,
    node: Mapping[str, str] | None = None,
    edge: Mapping[str, str] | None = None,
    graph: Mapping[str, str] | None = None,
) -> Graph:
    """From a NetworkX graph of any kind; node i is `list(network)[i]`. An undirected edge becomes one each way.

    Args:
        node, edge, graph: which attributes become tensors: our name to the attribute's, as {"edge_weight": "weight"}.

    Raises:
        InputError: if a node or an edge lacks one of these attributes, or it is no number and no row of numbers.

    >>> import networkx
    >>> from_networkx(networkx.karate_club_graph(), edge={"edge_weight": "weight"})
    Graph(34 nodes, 156 edges; edge: edge_weight [156])
    """
    import networkx

    check(isinstance(network, networkx.Graph), f"network must be a NetworkX graph, got {type(network).__name__}")
    place = {label: i for i, label in enumerate(network)}
    arcs = [(u, v, attributes) for u, v, attributes in network.edges(data=True)]
    if not network.is_directed():
        arcs += [(v, u, attributes) for u, v, attributes in arcs if u != v]
    nodes = [(f"node {label!r}", attributes) for label, attributes in network.nodes(data=True)]
    edges = [(f"edge {u!r} -> {v!r}", attributes) for u, v, attributes in arcs]
    return Graph(
        [[place[u] for u, _, _ in arcs], [place[v] for _, v, _ in arcs]],
        num_nodes=len(place),
        node={name: _column(key, nodes) for name, key in (node or {}).items()},
        edge={name: _column(key, edges) for name, key in (edge or {}).items()},
        graph={name: _column(key, [("the graph", network.graph)]) for name, key in (graph or {}).items()},
    )


def to_networkx(
    graph: Graph, *, names: Sequence[str] = (), labels: Sequence[Any] | None = None, multigraph: bool = False
) -> "networkx.DiGraph":
    """As a directed NetworkX graph; its `to_undirected()` joins the two directions of an edge.

    Args:
        names: the tensors to carry over, as attributes of the nodes, the edges or the graph.
        labels: what to call the nodes in place of 0 .. n - 1, as `list(network)` of the graph they came from.
        multigraph: make a MultiDiGraph, which a graph with repeated edges needs.

    Raises:
        InputError: for an unknown name, repeated or too few labels, or repeated edges and no multigraph.

    >>> network = to_networkx(Graph([[0, 1], [1, 2]], edge_weight=torch.tensor([1.0, 2.0])), names=["edge_weight"])
    >>> print(network, network.edges[1, 2])
    DiGraph with 3 nodes and 2 edges {'edge_weight': 2.0}
    """
    import networkx

    labels = range(graph.num_nodes) if labels is None else labels
    check(len(set(labels)) == graph.num_nodes, f"labels must name each of the {graph.num_nodes} nodes, got {labels!r}")
    network = networkx.MultiDiGraph() if multigraph else networkx.DiGraph()
    chosen: dict[Level, dict[str, list]] = {"node": {}, "edge": {}, "graph": {}}
    for name in names:
        check(name in graph.levels, f"the graph has no tensor {name!r}, it has {', '.join(graph.levels) or 'none'}")
        tensor = getattr(graph, name)
        dense = tensor.to_dense() if isinstance(tensor, SparseMatrix) else tensor
        chosen[graph.levels[name]][name] = dense.tolist()
    if chosen["graph"]:
        check(graph.num_graphs == 1, "tensors of the graph are carried over for one graph only: unbatch it first")
    network.graph.update({name: rows[0] for name, rows in chosen["graph"].items()})
    for i, label in enumerate(labels):
        network.add_node(label, **{name: rows[i] for name, rows in chosen["node"].items()})
    for p, (j, i) in enumerate(graph.adj.edge_index.T.tolist()):
        network.add_edge(labels[j], labels[i], **{name: rows[p] for name, rows in chosen["edge"].items()})
    missing = graph.num_edges - network.number_of_edges()
    check(missing == 0, f"{missing} edges stand here repeatedly: ask for multigraph=True")
    return network


def from_scipy(matrix: "scipy.sparse.sparray | scipy.sparse.spmatrix", *, weight: str | None = None) -> Graph:
    """From a square SciPy matrix whose row i and column j hold the edge i -> j; explicit zeros are edges too.

    Args:
        weight: the name of the edge tensor that keeps the entries, as "edge_weight".

    Raises:
        InputError: for another type or a matrix that is not square.

    >>> from_scipy(scipy.sparse.eye_array(3), weight="edge_weight")
    Graph(3 nodes, 3 edges; edge: edge_weight [3])
    """
    check(scipy.sparse.issparse(matrix), f"matrix must be a SciPy sparse matrix, got {type(matrix).__name__}")
    entries: Any = scipy.sparse.coo_array(matrix)
    is_square = entries.ndim == 2 and entries.shape[0] == entries.shape[1]
    check(is_square, f"the matrix of a Graph must be square, got shape {entries.shape}")
    edge = {} if weight is None else {weight: _numbers("the matrix", entries.data)}
    return Graph(np.stack([entries.row, entries.col]), num_nodes=entries.shape[0], edge=edge)


def to_scipy(graph: Graph | Adjacency, *, weight: str | None = None) -> scipy.sparse.csr_array:
    """As a SciPy matrix of compressed rows, the edge i -> j in row i and column j; repeated edges stay apart.

    Args:
        weight: the edge tensor [e] that gives the entries; by default they are ones.

    Raises:
        InputError: if the graph has no such edge tensor of one dimension.

    >>> to_scipy(Graph([[0, 1], [1, 2]])).toarray().tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    by_source = as_adjacency(graph).pattern.transposed
    values = torch.ones(by_source.num_entries)
    if weight is not None:
        held: dict[str, Any] = dict(graph.edge) if isinstance(graph, Graph) else {}
        check(weight in held, f"weight must name one of the edge tensors {list(held)}, got {weight!r}")
        check(held[weight].ndim == 1, f"weight must have one number an edge, got shape {tuple(held[weight].shape)}")
        values = held[weight][by_source.entry]
    arrays = (tensor.detach().cpu().numpy() for tensor in (values, by_source.indices, by_source.indptr))
    return scipy.sparse.csr_array(tuple(arrays), shape=(by_source.num_rows, by_source.num_cols), copy=True)


def from_frame(
    edges: "pandas.DataFrame | polars.DataFrame",
    *,
    source: str = "source",
    target: str = "target",
    edge: Mapping[str, str | Sequence[str]] | None = None,
    num_nodes: int | None = None,
) -> Graph:
    """From a pandas or Polars frame with a row for each edge: the numbers of its two nodes, and what else is known.

    Args:
        source, target: the columns of the nodes.
        edge: which columns become edge tensors: our name to one column, for [e], or to several, for [e, c].
        num_nodes: how many nodes there are; by default the largest number plus one.

    Raises:
        InputError: for a missing column, node numbers that are no integers, or other columns that are no numbers.

    >>> import pandas
    >>> frame = pandas.DataFrame({"source": [0, 1], "target": [1, 2], "km": [3.5, 2.0]})
    >>> from_frame(frame, edge={"edge_weight": "km", "edge_attr": ["km"]})
    Graph(3 nodes, 2 edges; edge: edge_weight [2], edge_attr [2, 1])
    """
    columns = list(getattr(edges, "columns", []))

    def column(name: str) -> np.ndarray:
        check(name in columns, f"the frame has no column {name!r}, it has {', '.join(map(str, columns)) or 'none'}")
        return edges[name].to_numpy()

    for name in (source, target):
        kind = column(name).dtype
        check(kind.kind in "iu", f"column {name!r} must hold the numbers of nodes, got {kind}; is one missing?")
    tensors = {}
    for name, chosen in (edge or {}).items():
        one_or_more = [chosen] if isinstance(chosen, str) else chosen
        stacked = [_numbers(f"column {key!r}", column(key)) for key in one_or_more]
        tensors[name] = stacked[0] if isinstance(chosen, str) else torch.stack(stacked, dim=1)
    return Graph(np.stack([column(source), column(target)]), num_nodes=num_nodes, edge=tensors)


def _geometric() -> Any:
    try:
        import torch_geometric.data
    except ImportError as error:
        raise ImportError("PyTorch Geometric is not installed: pip install 'grapevine-gnn[peers]'") from error
    return torch_geometric.data


def _tensors(graph: Graph) -> dict[str, Tensor | SparseMatrix]:
    return {**graph.node, **graph.edge, **graph.graph}


def _torch_sparse(matrix: SparseMatrix) -> Tensor:
    indptr, indices = matrix.pattern.indptr.long(), matrix.pattern.indices.long()
    return torch.sparse_csr_tensor(indptr, indices, matrix.values, matrix.shape, check_invariants=False)


def _column(key: str, records: Iterable[tuple[str, Mapping[str, Any]]]) -> Tensor:
    """The attribute of every record, below each other; a record comes with what to call it."""
    values = []
    for what, attributes in records:
        check(key in attributes, f"{what} has no attribute {key!r}, it has {', '.join(map(str, attributes)) or 'none'}")
        values.append(attributes[key])
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InputError(f"attribute {key!r} must have one shape everywhere: {error}") from None
    return _numbers(f"attribute {key!r}", array)


def _numbers(what: str, array: np.ndarray) -> Tensor:
    """Booleans as they are, integers as int64, floats as torch's default float."""
    check(array.dtype.kind in "biuf", f"{what} must hold numbers, got {array.dtype}, as {array.flat[:1].tolist()}")
    if array.dtype.kind == "f":
        return torch.from_numpy(array.astype(np.float64)).to(torch.get_default_dtype())
    return torch.from_numpy(array.astype(np.bool_ if array.dtype.kind == "b" else np.int64))
