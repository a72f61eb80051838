"""What every rewiring is: a rule that changes a graph's edges, by its name and numbers, the same every time.

rewiring(graph) = the nodes of the graph, the edges that it keeps, and new ones with zeros for their features
"""

from abc import ABC, abstractmethod
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph
from grapevine.graph.levels import Tensors
from grapevine.graph.measures.undirected import Undirected, from_pairs

NEW = "is_new"  # the edge tensor that says which edges a rewiring added


class Change(NamedTuple):
    """What is done to one graph.

    Args:
        added: [2, k] pairs of nodes that become neighbours.
        removed: [2, r] pairs that no longer are.
        weight: [k] of the added ones; None: all 1.
        steps: [k] how far apart they were; None: not known.
    """

    added: np.ndarray
    removed: np.ndarray = np.zeros((2, 0), np.int64)
    weight: np.ndarray | None = None
    steps: np.ndarray | None = None


@dataclass(frozen=True)
class Rewiring(ABC):
    """A rule that changes edges, called as rewiring(graph) on one graph or on each graph of a batch.

    The tensors of the nodes and graphs stay. An edge that stays keeps its tensors; a new one has zeros, but for
    `edge_weight`: 1, unless the rule says otherwise. New edges lead both ways; the rules look at the simple undirected
    graph under the edges, and what they take away they take both ways, with all its copies.

    Args:
        mark: declare an edge tensor `is_new`: which edges were not there before.
    """

    name: ClassVar[str]
    mark: bool = field(default=False, kw_only=True)

    @abstractmethod
    def __call__(self, graph: Graph) -> Graph:
        """The graph with its edges changed."""

    def __str__(self) -> str:
        """The spec that `parse` makes this of.

        >>> from grapevine.rewire import FoSR
        >>> str(FoSR(20, mark=True))
        'fosr:20:mark=True'
        """
        own = [each for each in fields(self) if each.name != "mark"]
        told = [str(getattr(self, own[0].name))] if own else []
        rest = [*own[1:], *(each for each in fields(self) if each.name == "mark")]
        told += [f"{f.name}={getattr(self, f.name)}" for f in rest if getattr(self, f.name) != f.default]
        return ":".join([self.name, *told])

    @classmethod
    def of(cls, *words: str) -> "Rewiring":
        """From the words of a spec behind the name: values in the order of the arguments, or name=value."""
        known = {each.name: each for each in fields(cls)}
        places = [name for name in known if name != "mark"]
        given: dict[str, Any] = {}
        for k, word in enumerate(words):
            key, equals, value = word.partition("=")
            if not equals:
                check(k < len(places), f"{cls.name} takes at most {len(places)} values, {word!r} is one more")
                key, value = places[k], word
            check(key in known, f"{cls.name} has no {key!r}, it has {', '.join(known)}")
            check(key not in given, f"{key} of {cls.name} is given twice")
            default = known[key].default
            assert default is not MISSING, f"{cls.name}.{key} has no default"
            given[key] = _read(cls.name, key, value, default)
        return cls(**given)


@dataclass(frozen=True)
class PairRewiring(Rewiring):
    """A rewiring that adds and removes pairs of neighbours, graph by graph; a subclass says which."""

    @abstractmethod
    def change(self, graph: Undirected, number: int) -> Change:
        """What is done to one graph of a batch, whose number draws what is drawn."""

    def __call__(self, graph: Graph) -> Graph:
        check(isinstance(graph, Graph), f"a rewiring is called with a Graph, got {type(graph).__name__}")
        changes = [self.change(part, k) for k, part in enumerate(undirected_parts(graph))]
        return changed(graph, changes, self.mark)


def undirected_parts(graph: Graph) -> list[Undirected]:
    """The simple undirected graph under each graph of a batch, its nodes counted from 0.

    >>> [part.num_pairs for part in undirected_parts(Graph.batch([Graph([[0, 1], [1, 0]]), Graph([[0], [0]])]))]
    [1, 0]
    """
    edges, ptr = graph.adj.edge_index.cpu().numpy(), graph.ptr.tolist()
    bounds = graph.adj.indptr[graph.ptr].tolist()
    return [
        from_pairs(edges[:, bounds[k] : bounds[k + 1]] - ptr[k], ptr[k + 1] - ptr[k]) for k in range(graph.num_graphs)
    ]


def changed(graph: Graph, changes: list[Change], mark: bool = False) -> Graph:
    """The graph with what is said of each of its graphs done to it.

    >>> path = Graph([[0, 1], [1, 2]], edge_weight=torch.tensor([2.0, 3.0]))
    >>> new = changed(path, [Change(np.array([[0], [2]]), np.array([[1], [2]]))], mark=True)
    >>> new.adj.edge_index.tolist(), new.edge_weight.tolist(), new.is_new.tolist()
    ([[2, 0, 0], [0, 1, 2]], [1.0, 2.0, 1.0], [True, False, True])
    """
    starts = graph.ptr[:-1].tolist()
    added = _joined([change.added for change in changes], starts)
    removed = _joined([change.removed for change in changes], starts)
    edges = graph.adj.edge_index.cpu().numpy()
    goes = np.isin(_keys(edges, graph.num_nodes), _keys(removed, graph.num_nodes))
    kept = torch.from_numpy(np.flatnonzero(~goes)).to(graph.device)
    new = torch.from_numpy(np.concatenate([added, added[::-1]], 1)).to(graph.device)
    adj = Adjacency(torch.cat([graph.adj.edge_index[:, kept], new], 1), graph.num_nodes)
    filled: dict[str, Tensor] = {}
    if "edge_weight" in graph.edge or any(change.weight is not None for change in changes):
        filled["edge_weight"] = _both_ways([_ones(change) for change in changes], graph)
    if any(change.steps is not None for change in changes):
        filled["steps"] = _both_ways([change.steps for change in changes if change.steps is not None], graph).long()
    return with_edges(graph, adj, kept, filled, mark)


def with_edges(graph: Graph, adj: Adjacency, kept: Tensor, filled: dict[str, Tensor], mark: bool) -> Graph:
    """The graph with other edges, of which the first were its own `kept` ones before they were sorted.

    Args:
        filled: tensors of the new edges by name; the others get zeros, and the kept edges ones where they had none.
    """
    num_new = adj.num_edges - len(kept)
    old: dict[str, Any] = dict(graph.edge)
    if mark or NEW in old:
        old.setdefault(NEW, torch.zeros(graph.num_edges, dtype=torch.bool, device=graph.device))
        filled = {**filled, NEW: torch.ones(num_new, dtype=torch.bool, device=graph.device)}
    edge = {}
    for name in [*old, *(name for name in filled if name not in old)]:
        held = old[name][kept] if name in old else filled[name].new_ones(len(kept))
        new = filled[name].to(held.dtype) if name in filled else held.new_zeros(num_new, *held.shape[1:])
        edge[name] = torch.cat([held, new])[adj.edge_id]
    tensors: Tensors = {"node": dict(graph.node), "edge": edge, "graph": dict(graph.graph)}
    order = Adjacency.trusted(adj.pattern)  # the edges stand as they are: nothing remains of the order they came in
    return Graph._made(order, tensors, graph.ptr)


def _joined(parts: list[np.ndarray], starts: list[int]) -> np.ndarray:
    moved = [part.astype(np.int64) + start for part, start in zip(parts, starts, strict=True) if part.size]
    return np.concatenate([np.zeros((2, 0), np.int64), *moved], 1)


def _keys(pairs: np.ndarray, num_nodes: int) -> np.ndarray:
    return pairs.min(0, initial=num_nodes) * num_nodes + pairs.max(0, initial=0)


def _ones(change: Change) -> np.ndarray:
    return np.ones(change.added.shape[1]) if change.weight is None else change.weight


def _both_ways(parts: list[np.ndarray], graph: Graph) -> Tensor:
    values = np.concatenate([np.zeros(0), *parts])
    dtype = graph.edge_weight.dtype if "edge_weight" in graph.edge else torch.float32
    return torch.from_numpy(np.concatenate([values, values])).to(graph.device, dtype)


def _read(name: str, key: str, value: str, default: Any) -> Any:
    kind = type(default)
    if kind is bool:
        check(value in ("True", "False"), f"{key} of {name} must be True or False, got {value!r}")
        return value == "True"
    try:
        return kind(value)
    except ValueError:
        words = {int: "a whole number", float: "a number"}
        raise InputError(f"{key} of {name} must be {words.get(kind, 'text')}, got {value!r}") from None
