"""Graphs of a collection that are in two parts at once, by their 1-WL hash.

Ivanov, Sviridov & Burnaev 2019, "Understanding isomorphism bias in graph data sets": many collections hold the same
graph repeatedly, and a model that remembers it is right for the wrong reason.
"""

import networkx
import torch
from torch import Tensor

from grapevine.data.audit.report import MAX_EXAMPLES, Finding, counted
from grapevine.data.audit.shared import across
from grapevine.data.audit.subject import PARTS, Subject
from grapevine.graph.hash import graph_hash, wl_colors

_ROUNDS = 8
_MOST_NODES = 60  # of a graph that is compared node by node,
_MOST_ALIKE = 8  # and of one colour in it: the search tries their permutations


def check_duplicates(subject: Subject) -> Finding | None:
    """Graphs of val or test that 1-WL does not tell from one in an earlier part; x, z and edge tensors count."""
    if subject.items != "graph":
        return None
    graph = subject.graph
    edge = tuple(graph.edge)
    hashes = graph_hash(graph, rounds=_ROUNDS, edge=edge)
    later, earlier = across(hashes, subject.part_of)
    if len(later) == 0:
        return None
    colors = wl_colors(graph, rounds=_ROUNDS, edge=edge)
    examples, verdicts = [], []
    for item, other in zip(later[:MAX_EXAMPLES].tolist(), earlier[:MAX_EXAMPLES].tolist(), strict=True):
        verdicts.append(_verdict(subject, item, other, colors))
        parts = [PARTS[subject.part_of[one]] for one in (item, other)]
        examples.append((subject.name(item), parts[0], subject.name(other), parts[1], verdicts[-1]))
    of = int((subject.part_of > 0).sum())
    sentence = (
        f"{counted(len(later), 'graph')} of the {of:,} of val and test with the 1-WL hash of one in an earlier part"
        f"{_contradicting(subject, later, earlier)}. Equal hashes do not prove graphs isomorphic, but a network that "
        f"passes messages can not tell them apart; of the first {len(verdicts)}, {verdicts.count('isomorphic')} were "
        "compared node by node and are isomorphic."
    )
    is_proved = any(verdict != "not isomorphic" for verdict in verdicts)
    return Finding("duplicate_graph", "leak" if is_proved else "warning", sentence, len(later), tuple(examples))


def _contradicting(subject: Subject, later: Tensor, earlier: Tensor) -> str:
    y = subject.y
    if y is None:
        return ""
    differs = (y[later] != y[earlier]).flatten(1).any(1) if y.ndim > 1 else y[later] != y[earlier]
    return f" ({int(differs.sum()):,} with another answer)"


def _verdict(subject: Subject, item: int, other: int, colors: Tensor) -> str:
    """Whether two graphs are isomorphic, colours and edges of one kind on each other; 1-WL equal if they are large."""
    ptr = subject.graph.ptr.tolist()
    own = colors[ptr[item] : ptr[item + 1]]
    if len(own) > _MOST_NODES or int(own.unique(return_counts=True)[1].max()) > _MOST_ALIKE:
        return "1-WL equal"
    pair = [_network(subject, one, colors) for one in (item, other)]
    is_same = networkx.is_isomorphic(
        *pair,
        node_match=lambda a, b: a["color"] == b["color"],
        edge_match=lambda a, b: sorted(e["kind"] for e in a.values()) == sorted(e["kind"] for e in b.values()),
    )
    return "isomorphic" if is_same else "not isomorphic"


def _network(subject: Subject, item: int, colors: Tensor) -> "networkx.MultiDiGraph":
    """One graph, with the colours of its nodes and the edges' tensors as one attribute."""
    graph = subject.graph
    low, high = graph.ptr[item : item + 2].tolist()
    is_own = (graph.adj.dst >= low) & (graph.adj.dst < high)
    network = networkx.MultiDiGraph()
    for node in range(low, high):
        network.add_node(node, color=int(colors[node]))
    rows = [tensor[is_own].double() for tensor in graph.edge.values() if isinstance(tensor, Tensor)]
    kinds = torch.cat([row.reshape(len(row), -1) for row in rows], 1).tolist() if rows else None
    for k, (j, i) in enumerate(graph.adj.edge_index[:, is_own].T.tolist()):
        network.add_edge(j, i, kind=tuple(kinds[k]) if kinds else ())
    return network
