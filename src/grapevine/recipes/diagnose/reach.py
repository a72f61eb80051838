"""How far news comes on given data, and what is in its way: influence by distance, resistance, the gap, bottlenecks.

Measures: `grapevine.diagnose.squashing` and `grapevine.graph.measures`. Steps go along the edges, in their direction;
resistance, gap and bottlenecks are of the simple undirected graph.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse
import torch
from scipy.sparse.csgraph import dijkstra
from torch import Tensor

from grapevine.diagnose import Bottlenecks, Sensitivity, bottlenecks, effective_resistance, sensitivity, spectral_gap
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.graph.measures.undirected import undirected
from grapevine.nn.head import edge_tensor
from grapevine.nn.network import Network
from grapevine.ops.sparse import SparseMatrix
from grapevine.recipes.diagnose.depth import sampled, untrained
from grapevine.recipes.diagnose.subject import Subject
from grapevine.report.diagnosis.data import Drawing, Reach

UNTRAINED_LAYERS = 8
_CHANNELS = 16  # of the features that stand in for the data's own where nothing has learnt
_TARGETS, _COLUMNS = 40, 8  # nodes and columns of their states whose derivatives are taken
_FEWER, _LARGE = 10, 5000  # so many nodes of graphs that are larger
_DENSE = 3e7  # numbers that features may come to
_EDGES = 400_000  # beyond, resistances and curvature take long
_GRAPHS, _HEARD_GRAPHS = 500, 30  # of a collection
_PAIRS = 100  # of nodes whose resistance is computed
_SOURCES = 64  # nodes from which steps are counted
_MARKED, _DRAWN = 12, 70  # bottlenecks that are found, nodes that are drawn


def measure_reach(subject: Subject) -> tuple[Reach | None, list[str]]:
    """The figures, and what was left out and why."""
    graph, left_out = subject.heard, []
    if graph.num_edges == 0:
        return None, ["over-squashing was not measured: there is no edge that news could pass"]
    network, config = subject.network, subject.config
    if network is None or config is None:
        words, layers = f"a GCN of {UNTRAINED_LAYERS} layers that has not learnt", UNTRAINED_LAYERS
    else:
        words, layers = f"this run's {config.model.name.upper()}", config.model.num_layers
        layers = 0 if config.model.name == "mlp" else layers
    reach = Reach(words, network is not None, layers, steps=_steps(subject), spans=_spans(sampled(graph, _GRAPHS)))
    try:
        reach = replace(reach, heard=_heard(network, sampled(graph, _HEARD_GRAPHS)))
    except InputError as error:
        left_out.append(f"influence was not measured: {error}")
    if graph.num_edges > _EDGES:
        return reach, [*left_out, f"bottlenecks were not looked for: {graph.num_edges:,} edges would take long"]
    try:
        return (_of_collection if graph.num_graphs > 1 else _of_graph)(reach, subject), left_out
    except InputError as error:
        return reach, [*left_out, f"bottlenecks were not looked for: {error}"]


def _heard(network: Network | None, graph: Graph) -> Sensitivity:
    if network is None:
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(graph.num_nodes, _CHANNELS, generator=generator)
        encoder, edge = untrained(_CHANNELS, UNTRAINED_LAYERS), None
    else:
        x, encoder, edge = _dense(graph.x), network.eval().encoder, edge_tensor(graph, network.edge)

    def states(x: Tensor) -> Tensor:
        out = encoder(x, graph) if edge is None else encoder(x, graph, edge)
        return out[:, torch.linspace(0, out.shape[1] - 1, min(_COLUMNS, out.shape[1])).long()]

    return sensitivity(states, x, graph, num_targets=_FEWER if graph.num_nodes > _LARGE else _TARGETS)


def _dense(x: Any) -> Tensor:
    count = x.shape[0] * x.shape[1]
    if count > _DENSE:
        raise InputError(f"the features are {count:,} numbers, more than the {int(_DENSE):,} that are taken")
    return torch.from_numpy(x.to_scipy().toarray()).to(x.dtype) if isinstance(x, SparseMatrix) else x


def _of_graph(reach: Reach, subject: Subject) -> Reach:
    graph = subject.heard
    found = bottlenecks(graph, count=_MARKED, by="curvature")
    gap = spectral_gap(graph) if graph.num_nodes > 1 else None
    classes = _classes(subject)
    drawing = None if found.pairs.shape[1] == 0 else _around(graph, found, classes)
    return replace(reach, gap=gap, resistance=_resistance(graph), bottlenecks=found, drawing=drawing)


def _of_collection(reach: Reach, subject: Subject) -> Reach:
    """The gaps of the graphs in one piece, and the narrowest of those that can be drawn."""
    graphs = sampled(subject.heard, _GRAPHS).unbatch()
    found = [(k, spectral_gap(one)) for k, one in enumerate(graphs) if one.num_nodes > 1]
    whole = [(k, gap) for k, gap in found if gap.num_components == 1]
    if not whole:
        return replace(reach, gaps=np.zeros(len(found)))
    small = [(k, gap) for k, gap in whole if graphs[k].num_nodes <= _DRAWN] or whole
    place, gap = min(small, key=lambda pair: pair[1].gap)
    narrow = bottlenecks(graphs[place], count=max(1, min(_MARKED, graphs[place].num_edges // 20)), by="curvature")
    bare = np.full(graphs[place].num_nodes, -1)
    drawing = _around(graphs[place], narrow, bare) if narrow.pairs.shape[1] else None
    resistance = float(np.mean([_resistance(graphs[k]) for k, _ in whole[:50]]))
    gaps = np.array([one.gap for _, one in whole])
    return replace(reach, gap=gap, gaps=gaps, resistance=resistance, bottlenecks=narrow, drawing=drawing)


def _classes(subject: Subject) -> np.ndarray:
    """[n] of the nodes, -1 where they have none."""
    answers = subject.items.answers
    is_of_nodes = subject.level == "node" and answers is not None and not answers.is_floating_point()
    return answers.numpy() if is_of_nodes and answers is not None else np.full(subject.graph.num_nodes, -1)


def _around(graph: Graph, found: Bottlenecks, group: np.ndarray) -> Drawing:
    """The whole graph if it is small, else what is near the worst bottleneck."""
    pairs = undirected(graph)
    ends = np.stack([pairs.low, pairs.high])
    if graph.num_nodes <= _DRAWN:
        return Drawing("", graph.num_nodes, ends, group, marked=found.pairs)
    nodes, front = set(found.pairs[:, 0].tolist()), found.pairs[:, 0].tolist()
    while front and len(nodes) < _DRAWN:
        next_front = []
        for node in front:
            around = pairs.indices[pairs.indptr[node] : pairs.indptr[node + 1]].tolist()
            for other in around:
                if other not in nodes and len(nodes) < _DRAWN:
                    nodes.add(other)
                    next_front.append(other)
        front = next_front
    chosen = np.array(sorted(nodes))
    inside, marked = (np.isin(some, chosen).all(0) for some in (ends, found.pairs))
    return Drawing(
        "",
        len(chosen),
        np.searchsorted(chosen, ends[:, inside]),
        group[chosen],
        marked=np.searchsorted(chosen, found.pairs[:, marked]),
    )


def _resistance(graph: Graph) -> float:
    """The mean over drawn pairs of nodes that a path joins."""
    pairs = np.random.default_rng(0).integers(0, graph.num_nodes, (2, _PAIRS))
    component = undirected(graph).component
    pairs = pairs[:, (component[pairs[0]] == component[pairs[1]]) & (pairs[0] != pairs[1])]
    return float(effective_resistance(graph, pairs).mean()) if pairs.shape[1] else float("nan")


def _steps(subject: Subject) -> np.ndarray | None:
    """[k] of each asked node to the nearest that teaches."""
    parts = subject.items.parts
    if subject.level != "node" or parts is None:
        return None
    asked = np.concatenate([parts[part].numpy() for part in ("val", "test") if part in parts] or [np.zeros(0, int)])
    if len(asked) == 0:
        return None
    matrix, teach = _heard_from(subject.heard), parts["train"].numpy()
    return dijkstra(matrix, indices=teach, unweighted=True, min_only=True)[asked]


def _spans(graph: Graph) -> np.ndarray:
    """[k] the steps from drawn nodes to all others of their graph."""
    sources = np.sort(np.random.default_rng(0).permutation(graph.num_nodes)[:_SOURCES])
    steps = dijkstra(_heard_from(graph), indices=sources, unweighted=True).reshape(len(sources), -1)
    owner = graph.graph_id.numpy()
    is_pair = owner[sources][:, None] == owner[None, :]
    is_pair[np.arange(len(sources)), sources] = False
    return steps[is_pair]


def _heard_from(graph: Graph) -> scipy.sparse.csr_array:
    """[n, n] an entry in row j and column i where i hears j: news goes along the rows."""
    src, dst = graph.adj.edge_index.numpy()
    return scipy.sparse.csr_array((np.ones(len(src)), (src, dst)), shape=(graph.num_nodes, graph.num_nodes))
