"""Reads and writes GraphML and GEXF files through NetworkX: a network with attributes of its nodes and edges.

Brandes, Eiglsperger, Lerner & Pich 2013, "Graph markup language (GraphML)"; gexf.net for GEXF.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import networkx
import numpy as np
import torch
from torch import Tensor

from grapevine.data.dataset import Dataset
from grapevine.errors import InputError, check
from grapevine.graph import Graph
from grapevine.graph.convert import from_networkx

_READERS: dict[str, Callable] = {".graphml": networkx.read_graphml, ".gexf": networkx.read_gexf}
_WRITERS: dict[str, Callable] = {".graphml": networkx.write_graphml, ".gexf": networkx.write_gexf}
_WEIGHT = "weight"  # what both formats call it


def read_network(
    path: Path, *, target: str | None = None, node: Sequence[str] | None = None, edge: Sequence[str] | None = None
) -> Dataset:
    """The network of a .graphml or .gexf file; its nodes keep their names as `ids`.

    An undirected edge becomes one each way. `x` has a column for each attribute of `node`, `edge_attr` for each of
    `edge`; an edge attribute called weight is the `edge_weight` instead. `about` lists the columns' names and the
    attributes left out. `y` are classes from 0 if the target holds text, whole numbers or truth values (in their
    order, their names in `class_names`), numbers otherwise; -1 or NaN for a node without the target.

    Args:
        target: the node attribute to be predicted; None: there is no `y`.
        node, edge: which attributes become features; None: all that hold numbers or truth values for every node, edge.

    Raises:
        InputError: if the file is missing or broken, or an attribute asked for is missing somewhere or no number.
    """
    path = Path(path)
    network = _read(path)
    check(network.number_of_nodes() > 0, f"{path} has no nodes")
    nodes = [attributes for _, attributes in network.nodes(data=True)]
    edges = [attributes for _, _, attributes in network.edges(data=True)]
    columns = _numeric(nodes, but=target) if node is None else list(node)
    edge_columns = _numeric(edges, but=_WEIGHT) if edge is None else list(edge)
    node_names = {f"node_{k}": name for k, name in enumerate(columns)}
    edge_names = {f"edge_{k}": name for k, name in enumerate(edge_columns)}
    if edge is None and _WEIGHT in _numeric(edges):
        edge_names["edge_weight"] = _WEIGHT
    try:
        graph = from_networkx(network, node=node_names, edge=edge_names)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    y, class_names = (None, None) if target is None else _target(path, target, nodes)
    tensors = {"x": _stack(graph.node, columns, "node"), "y": y}
    edge_tensors = {"edge_attr": _stack(graph.edge, edge_columns, "edge"), "edge_weight": graph.edge.get("edge_weight")}
    left_out = sorted({name for attributes in nodes for name in attributes} - {target, *columns})
    about = {"features": columns, "edge_features": edge_columns, "left_out": left_out}
    graph = Graph(
        graph.adj,
        node={name: tensor for name, tensor in tensors.items() if tensor is not None},
        edge={name: tensor.float() for name, tensor in edge_tensors.items() if tensor is not None},
    )
    ids = np.array([str(name) for name in network])
    return Dataset(path.stem, graph, "node", ids=ids, class_names=class_names, about=about)


def write_network(dataset: Dataset, path: Path, *, target: str = "y") -> None:
    """Write one graph as .graphml or .gexf: features under their names or as x_0, x_1, ..., and the target.

    The file is of undirected edges if every edge runs both ways with the same numbers.

    Raises:
        InputError: for another suffix, or several graphs.
    """
    path, graph = Path(path), dataset.graph
    check(path.suffix in _WRITERS, f"{path} must end with {' or '.join(_WRITERS)}")
    check(graph.num_graphs == 1, f"a file holds one graph, {dataset.name} has {graph.num_graphs}")
    labels = [str(i) for i in range(graph.num_nodes)] if dataset.ids is None else dataset.ids.astype(str).tolist()
    count = len(torch.unique(graph.adj.edge_index, dim=1).T)
    network = networkx.MultiDiGraph() if count < graph.num_edges else networkx.DiGraph()
    network.add_nodes_from(zip(labels, _rows(dataset, target), strict=True))
    ends = graph.adj.edge_index.T.tolist()
    rows = zip(ends, _edge_rows(dataset), strict=True)
    network.add_edges_from((labels[u], labels[v], attributes) for (u, v), attributes in rows)
    arcs = network.edges(data=True)
    if not network.is_multigraph() and all(network.get_edge_data(v, u) == attributes for u, v, attributes in arcs):
        network = network.to_undirected()
    _WRITERS[path.suffix](network, path)


def _read(path: Path) -> networkx.Graph:
    check(path.suffix in _READERS, f"{path} must end with {' or '.join(_READERS)}")
    check(path.is_file(), f"there is no file {path}")
    try:
        return _READERS[path.suffix](path)
    except ParseError as error:
        raise InputError(f"{path}, line {error.position[0]}: it is no proper XML, or cut short: {error}") from None
    except (networkx.NetworkXException, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"{path} is no proper {path.suffix[1:]} file: {error!r}") from None


def _numeric(records: list[dict[str, Any]], but: str | None = None) -> list[str]:
    """The attributes that are numbers or truth values in every record, in the order of the first one."""
    names = [name for name in (records[0] if records else {}) if name != but]
    return [name for name in names if all(isinstance(r.get(name), int | float) for r in records)]


def _stack(tensors: Any, columns: list[str], prefix: str) -> Tensor | None:
    """[n, c] the columns side by side, as floats."""
    return torch.stack([tensors[f"{prefix}_{k}"].float() for k in range(len(columns))], 1) if columns else None


def _target(path: Path, target: str, nodes: list[dict[str, Any]]) -> tuple[Tensor, tuple[str, ...] | None]:
    """[n] classes and their names, or numbers."""
    values = [attributes.get(target) for attributes in nodes]
    known = [value for value in values if value is not None]
    held = sorted({name for attributes in nodes for name in attributes})
    check(len(known) > 0, f"{path}: no node has the attribute {target!r}; they have {', '.join(held) or 'none'}")
    if any(isinstance(value, float) for value in known):
        is_number = all(isinstance(value, int | float) for value in known)
        check(is_number, f"{path}: attribute {target!r} holds numbers and text")
        return torch.tensor([math.nan if value is None else float(value) for value in values]), None
    kinds = {type(value) for value in known}
    check(
        len(kinds) == 1, f"{path}: attribute {target!r} must be of one type, got {', '.join(k.__name__ for k in kinds)}"
    )
    names = sorted(set(known))
    place = {name: k for k, name in enumerate(names)}
    return torch.tensor([place.get(value, -1) for value in values]), tuple(str(name) for name in names)


def _rows(dataset: Dataset, target: str) -> list[dict[str, Any]]:
    """The attributes of each node."""
    graph = dataset.graph
    rows: list[dict[str, Any]] = [{} for _ in range(graph.num_nodes)]
    if "x" in graph.node:
        x = graph.x if isinstance(graph.x, Tensor) else graph.x.to_dense()
        names = _column_names(dataset.about.get("features"), "x", x.shape[1])
        rows = [dict(zip(names, row, strict=True)) for row in x.tolist()]
    if "y" in graph.node:
        for row, value in zip(rows, graph.y.tolist(), strict=True):
            is_known = value >= 0 if isinstance(value, int) else not math.isnan(value)
            if is_known:
                row[target] = dataset.class_names[value] if dataset.class_names else value
    return rows


def _edge_rows(dataset: Dataset) -> list[dict[str, Any]]:
    """The attributes of each edge."""
    graph = dataset.graph
    rows: list[dict[str, Any]] = [{} for _ in range(graph.num_edges)]
    if "edge_attr" in graph.edge:
        values = graph.edge_attr.reshape(graph.num_edges, -1)
        names = _column_names(dataset.about.get("edge_features"), "edge", values.shape[1])
        rows = [dict(zip(names, row, strict=True)) for row in values.tolist()]
    if "edge_weight" in graph.edge:
        rows = [row | {_WEIGHT: weight} for row, weight in zip(rows, graph.edge_weight.tolist(), strict=True)]
    return rows


def _column_names(names: Any, prefix: str, count: int) -> list[str]:
    is_fit = isinstance(names, list | tuple) and len(names) == count
    return [str(name) for name in names] if is_fit else [f"{prefix}_{k}" for k in range(count)]
