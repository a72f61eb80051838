"""Finds two graphs, or two nodes with their neighbourhoods, that no network that passes messages tells apart.

Preferred are two of different answers, then two that a stronger test tells apart (which so are not one graph twice),
then small ones.
"""

from collections.abc import Sequence
from itertools import combinations, islice

import networkx
import numpy as np
import torch
from torch import Tensor

from grapevine.diagnose import WLTest, color_refinement, separates
from grapevine.diagnose.labelled import row_classes
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.graph.measures.undirected import undirected
from grapevine.graph.take import take
from grapevine.recipes.diagnose.power import EDGES, Seen
from grapevine.recipes.diagnose.subject import Subject
from grapevine.report.diagnosis.data import Drawing, Twins

_CLASSES, _PAIRS = 3000, 300  # that are looked at
_DRAWN = 40  # nodes of a graph or a neighbourhood
_TYPICAL = 10  # the nearer to it the better: enough to see, and not too many
_HOPS = 2
_TESTS: dict[WLTest, tuple[str, int]] = {  # and up to how many nodes two graphs are put to it
    "distance-wl": ("distance-WL", 400),
    "resistance-wl": ("resistance-WL", 400),
    "random-walk": ("return probabilities", 400),
    "node-marking": ("node marking", 200),
    "2-fwl": ("2-FWL (= oblivious 3-WL)", 100),
    "root-and-neighbour-marking": ("root-and-neighbour marking", 60),
    "3-fwl": ("3-FWL (= oblivious 4-WL)", 40),
}
_ISOMORPHIC = 40  # nodes up to which it is found out whether two are one graph


def find_twins(subject: Subject, seen: Sequence[Seen], plain: int) -> Twins | None:
    """By all that is told; if that tells all of different answers apart, by the edges alone."""
    if subject.level not in ("node", "graph"):
        return None
    alone = next((one for one in seen if one.limit.told == EDGES and one.limit.test == "1-WL"), None)
    found: list[Twins] = []
    for base in (seen[plain], alone):
        if base is None or base.colors is None or base.nodes is None:
            continue
        finer = [one for one in seen if one.colors is not None and one.limit.told.startswith(base.limit.told)]
        pair = _pair(subject, base.colors, finer)
        if pair is not None:
            found.append(
                _graphs(subject, pair, base) if subject.level == "graph" else _nodes(subject, pair, base, finer)
            )
    return next((one for one in found if one.is_of_two_answers), found[0] if found else None)


def _pair(subject: Subject, colors: Tensor, finer: Sequence[Seen]) -> tuple[int, int] | None:
    """The best pair of one colour; None if all colours differ."""
    _, classes, counts = np.unique(colors.numpy(), return_inverse=True, return_counts=True)
    order = np.argsort(classes, kind="stable")
    starts = np.concatenate([[0], counts.cumsum()])
    answers = subject.items.answers
    size = _sizes(subject)
    best: tuple[tuple, tuple[int, int]] | None = None
    for k in np.flatnonzero(counts > 1)[:_CLASSES]:
        members = order[starts[k] : starts[k + 1]]
        members = members[np.argsort(size[members], kind="stable")]
        for one, other in islice(combinations(members.tolist(), 2), _PAIRS):
            differ = answers is not None and _differ(answers[one], answers[other])
            apart = any(bool(view.colors[one] != view.colors[other]) for view in finer if view.colors is not None)
            fits = max(size[one], size[other]) <= _DRAWN
            key = (not fits, not differ, not apart, abs(max(size[one], size[other]) - _TYPICAL))
            if best is None or key < best[0]:
                best = key, (one, other)
    return None if best is None else best[1]


def _sizes(subject: Subject) -> np.ndarray:
    """How much would have to be drawn of each item."""
    graph = subject.graph
    if subject.level == "graph":
        return graph.ptr.diff().numpy()
    pairs = undirected(graph.adj)
    reach = np.ones(graph.num_nodes)
    for _ in range(_HOPS):
        reach = 1 + pairs.matrix @ reach
    return reach


def _differ(one: Tensor, other: Tensor) -> bool:
    if not one.is_floating_point():
        return int(one) != int(other) and int(one) >= 0 and int(other) >= 0
    return bool(((one != other) & ~one.isnan() & ~other.isnan()).any())


def _graphs(subject: Subject, pair: tuple[int, int], base: Seen) -> Twins:
    both = take(subject.graph, torch.tensor(pair))
    is_bare = base.limit.told == EDGES
    parts = [Graph(part.adj, node=_told(part, is_bare)) for part in both.unbatch()]
    names, most = list(parts[0].node), max(part.num_nodes for part in parts)
    answers = {True: [], False: []}
    for test, (words, limit) in _TESTS.items():
        if most <= limit:
            try:
                answers[separates(parts[0], parts[1], test, node=names)].append(words)
            except InputError:  # as where edges go one way and the test needs both
                continue
    same = None
    if answers[True]:
        same = False
    elif most <= _ISOMORPHIC:
        same = _is_one(*parts)
    colors = _palette(color_refinement(both, node_labels=_labels(both, is_bare)).colors.numpy())
    groups = np.split(colors, [parts[0].num_nodes])
    drawings = [
        _drawn(f"graph {_name(subject, k)}", part, group) for k, part, group in zip(pair, parts, groups, strict=True)
    ]
    told = _answers(subject, pair)
    return Twins(
        "graph", base.limit.told, (drawings[0], drawings[1]), told, tuple(answers[True]), tuple(answers[False]), same
    )


def _nodes(subject: Subject, pair: tuple[int, int], base: Seen, finer: Sequence[Seen]) -> Twins:
    """The two with those within two steps; coloured by what 1-WL gives every node of the graph."""
    assert base.nodes is not None
    made = [view for view in finer if view is not base and view.colors is not None and not _is_weaker(view)]
    apart = {
        _words(view): bool(view.colors[pair[0]] != view.colors[pair[1]]) for view in made if view.colors is not None
    }
    around = [_around(subject.graph, node) for node in pair]
    colors = base.nodes.numpy()
    groups = np.split(_palette(np.concatenate([colors[nodes] for nodes, _ in around])), [len(around[0][0])])
    drawings = [
        Drawing(f"node {_name(subject, k)}", len(nodes), edges, group, root=int(np.flatnonzero(nodes == k)[0]))
        for k, (nodes, edges), group in zip(pair, around, groups, strict=True)
    ]
    yes, no = ([name for name, is_so in apart.items() if is_so == wanted] for wanted in (True, False))
    return Twins(
        "node",
        base.limit.told,
        (drawings[0], drawings[1]),
        _answers(subject, pair),
        tuple(yes),
        tuple(no),
        False if yes else None,
    )


def _words(view: Seen) -> str:
    """The test, and what it is told beside the rest."""
    beside = view.limit.told.partition(", ")[2]
    return f"{view.limit.test} with {beside}" if beside else view.limit.test


def _is_weaker(view: Seen) -> bool:
    return "rounds" in view.limit.test or view.limit.test in ("no neighbours",)


def _around(graph: Graph, node: int) -> tuple[np.ndarray, np.ndarray]:
    """The nodes within two steps, as many as can be drawn, and the pairs [2, m] of neighbours among them."""
    pairs = undirected(graph.adj)
    nodes = [node]
    for _ in range(_HOPS):
        for one in list(nodes):
            for other in pairs.indices[pairs.indptr[one] : pairs.indptr[one + 1]].tolist():
                if other not in nodes and len(nodes) < _DRAWN:
                    nodes.append(other)
    chosen = np.array(sorted(nodes))
    both = np.isin(pairs.low, chosen) & np.isin(pairs.high, chosen)
    return chosen, np.searchsorted(chosen, np.stack([pairs.low[both], pairs.high[both]]))


def _drawn(title: str, graph: Graph, group: np.ndarray) -> Drawing:
    pairs = undirected(graph.adj)
    return Drawing(title, graph.num_nodes, np.stack([pairs.low, pairs.high]), group)


def _palette(colors: np.ndarray) -> np.ndarray:
    """The commonest colour as 0, and so on."""
    _, place, counts = np.unique(colors, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return rank[place]


def _told(graph: Graph, is_bare: bool) -> dict:
    return {} if is_bare else {name: graph.node[name] for name in ("x", "z") if name in graph.node}


def _labels(graph: Graph, is_bare: bool) -> Tensor | None:
    held = [torch.from_numpy(row_classes(rows)) for rows in _told(graph, is_bare).values()]
    return torch.stack(held, 1) if held else None


def _is_one(one: Graph, other: Graph) -> bool:
    """Whether they are the same graph with the same features, only numbered otherwise."""
    both = Graph.batch([one, other])
    labels = _labels(both, is_bare=False)
    kinds = torch.zeros(both.num_nodes, 1).long() if labels is None else labels
    networks = []
    for graph, rows in zip((one, other), kinds.split([one.num_nodes, other.num_nodes]), strict=True):
        network = networkx.DiGraph()
        network.add_nodes_from((k, {"kind": tuple(row)}) for k, row in enumerate(rows.tolist()))
        network.add_edges_from(graph.adj.edge_index.T.tolist())
        networks.append(network)
    return networkx.is_isomorphic(*networks, node_match=lambda a, b: a["kind"] == b["kind"])


def _answers(subject: Subject, pair: tuple[int, int]) -> tuple[str, str] | None:
    answers, names = subject.items.answers, subject.class_names
    if answers is None:
        return None
    words = []
    for k in pair:
        one = answers[k]
        if names and one.ndim == 0:
            words.append(names[int(one)] if int(one) >= 0 else "unknown")
        else:
            words.append(
                ", ".join("unknown" if value != value else f"{value:.4g}" for value in one.reshape(-1).tolist()[:4])
            )
    return words[0], words[1]


def _name(subject: Subject, k: int) -> str:
    ids = subject.loaded.dataset.ids
    return str(k if ids is None else ids[k])
