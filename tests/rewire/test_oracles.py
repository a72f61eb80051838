"""Each rewiring against the formula of its paper on small graphs, other libraries, and what it is for."""

import itertools
import math

import networkx as nx
import numpy as np
import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.graph.measures import balanced_forman, effective_resistance, ollivier_ricci, spectral_gap, undirected
from grapevine.rewire import BORF, GDC, SDRF, Cayley, Expander, FoSR, Shortcuts
from grapevine.rewire.expander import cayley_graph, cayley_size, regular_graph
from grapevine.rewire.fosr import _least, _step
from grapevine.rewire.lists import neighbour_lists
from tests.rewire.cases import dense, graph_of, networkx_of, pairs_of, some_graphs

GRAPHS = [nx.barbell_graph(5, 0), nx.cycle_graph(9), nx.gnp_random_graph(12, 0.3, seed=1), nx.star_graph(6)]


@pytest.mark.parametrize("plain", [*GRAPHS, nx.disjoint_union(nx.path_graph(3), nx.empty_graph(2))])
def test_fosr_takes_the_least_product(plain):
    """A step of the power method and the choice, as matrices."""
    graph = graph_of(plain)
    lists = neighbour_lists(undirected(graph), 0)
    adjacency = dense(graph)
    degree = np.maximum(adjacency.sum(0), 1)
    looped = adjacency + np.diag(adjacency.sum(0) == 0)
    walk = np.eye(len(degree)) + looped / np.sqrt(np.outer(degree, degree))
    x = np.random.default_rng(0).standard_normal(len(degree))
    top = np.sqrt(degree)
    expected = walk @ (x - top * (top @ x) / (top @ top))
    _step(lists, x)
    assert np.allclose(x, expected / np.linalg.norm(expected))
    i, j = _least(lists, x)
    products = np.outer(x, x) / np.sqrt(np.outer(1 + adjacency.sum(0), 1 + adjacency.sum(0)))
    strangers = (adjacency == 0) & ~np.eye(len(x), dtype=bool)
    assert strangers[i, j]
    assert math.isclose(products[i, j], products[strangers].min())


def test_fosr_widens_barbells_and_joins_pieces():
    for size in (4, 6, 10):
        barbell = graph_of(nx.barbell_graph(size, 0))
        gaps = [spectral_gap(FoSR(count)(barbell)).gap for count in (0, 1, 2, 4)]
        assert gaps == sorted(gaps)
        assert gaps[2] > 2 * gaps[0]
        added = pairs_of(FoSR(2)(barbell)) - pairs_of(barbell)
        assert all(i < size <= j for i, j in added)  # every one of them leads over the bridge
    pieces = graph_of(nx.disjoint_union_all([nx.complete_graph(4), nx.complete_graph(4), nx.empty_graph(1)]))
    assert nx.is_connected(networkx_of(FoSR(4)(pieces)))
    whole = graph_of(nx.complete_graph(5))
    assert FoSR(3)(whole).num_edges == whole.num_edges
    assert FoSR(100)(graph_of(nx.path_graph(5))).num_edges == 20


def _curvature(plain: nx.Graph) -> dict[tuple[int, int], float]:
    pairs = torch.tensor(list(plain.edges), dtype=torch.int64).reshape(-1, 2).T
    ends, values = balanced_forman(Graph(pairs, num_nodes=plain.number_of_nodes()))
    return dict(zip(map(tuple, ends.T.tolist()), values.tolist(), strict=True))


def _best(plain: nx.Graph) -> set[tuple[int, int]]:
    """The pairs that may be joined: of an edge of the lowest curvature that has strangers near it, the most gainful."""
    now, best, level = _curvature(plain), set(), None
    for (i, j), value in sorted(now.items(), key=lambda item: item[1]):
        if level is not None and value > level + 1e-9:
            break
        gains = {}
        for k, other in itertools.product({i, *plain[i]}, {j, *plain[j]}):
            if k != other and not plain.has_edge(k, other):
                more = plain.copy()
                more.add_edge(k, other)
                gains[min(k, other), max(k, other)] = _curvature(more)[i, j] - value
        if gains:
            level = value
            best |= {pair for pair, gain in gains.items() if gain > max(gains.values()) - 1e-9}
    return best


@pytest.mark.parametrize("seed", range(4))
def test_each_step_of_sdrf_is_that_of_its_paper(seed):
    """The flow keeps the curvatures near a change up to date; here all of them are computed anew before each step."""
    plain = nx.connected_watts_strogatz_graph(14, 4, 0.4, seed=seed)
    graph, before = graph_of(plain), plain
    for steps in range(1, 9):
        after = networkx_of(SDRF(steps, temperature=math.inf, bound=math.inf)(graph))
        ((k, other),) = set(after.edges) - set(before.edges)
        assert (min(k, other), max(k, other)) in _best(before)
        before = after


@pytest.mark.parametrize("seed", range(4))
def test_sdrf_removes_the_highest_above_the_bound(seed):
    plain = nx.connected_watts_strogatz_graph(14, 6, 0.3, seed=seed)
    graph, before, bound, removals = graph_of(plain), pairs_of(graph_of(plain)), 0.4, 0
    for steps in range(1, 7):
        after = pairs_of(SDRF(steps, temperature=math.inf, bound=bound)(graph))
        between = nx.empty_graph(14)
        between.add_edges_from(before | after)
        curvature = _curvature(between)
        gone = before - after
        highest = max(curvature.values())
        if len(after - before) == 1:  # else the edge that was added is the one that was removed
            assert len(gone) == (highest > bound)
            assert all(curvature[pair] > highest - 1e-9 for pair in gone)
            removals += len(gone)
        before = after
    assert removals > 0


def test_sdrf_draws_by_the_gain():
    """At a high temperature nearly always the best, at a low one anything near the edge."""
    plain = nx.barbell_graph(4, 0)
    graph = graph_of(plain)

    def drawn(temperature: float) -> list[frozenset]:
        rules = [SDRF(1, temperature=temperature, bound=math.inf, seed=seed) for seed in range(40)]
        return [frozenset(pairs_of(rule(graph)) - pairs_of(graph)) for rule in rules]

    best = {frozenset([pair]) for pair in _best(plain)}
    assert set(drawn(1000.0)) <= best
    assert len(set(drawn(1e-3))) > len(set(drawn(1000.0)))
    assert not set(drawn(1e-3)) <= best


@pytest.mark.parametrize("size", [4, 6])
def test_sdrf_removes_the_bottleneck_of_a_dumbbell(size):
    dumbbell = graph_of(nx.barbell_graph(size, 0))
    bridge = [[size - 1], [size]]
    rewired = SDRF(3, bound=math.inf)(dumbbell)
    assert balanced_forman(rewired)[1].min() > balanced_forman(dumbbell)[1].min()
    assert effective_resistance(rewired, bridge)[0] < 0.7 < effective_resistance(dumbbell, bridge)[0]
    assert spectral_gap(rewired).gap > spectral_gap(dumbbell).gap


def test_borf_supports_the_lowest_and_removes_the_highest():
    for plain in (nx.barbell_graph(5, 0), nx.connected_caveman_graph(3, 4)):
        graph = graph_of(plain)
        pairs, curvature = balanced_forman(graph)[0], ollivier_ricci(graph)
        lowest, order = pairs[:, np.argmin(curvature)], np.argsort(curvature, kind="stable")
        added = pairs_of(BORF(1, add=1, remove=0)(graph)) - pairs_of(graph)
        ((p, q),) = added
        near = [set(plain[int(node)]) for node in lowest]
        assert (p in near[0] and q in near[1]) or (q in near[0] and p in near[1])
        removed = pairs_of(graph) - pairs_of(BORF(1, add=0, remove=2)(graph))
        assert removed == {tuple(pair) for pair in pairs[:, order[-2:]].T.tolist()}
    assert spectral_gap(BORF(2, add=2, remove=0)(graph)).gap > spectral_gap(graph).gap


@pytest.mark.parametrize("n", range(3, 13))
def test_cayley_graphs_have_their_size_and_degree(n):
    pairs = cayley_graph(n)
    primes = [p for p in range(2, n + 1) if n % p == 0 and all(p % k for k in range(2, p))]
    size = round(n**3 * math.prod(1 - 1 / p**2 for p in primes))
    assert cayley_size(n) == pairs.max() + 1 == size
    assert (np.bincount(pairs.ravel()) == 4).all()
    plain = nx.Graph(pairs.T.tolist())
    assert nx.is_connected(plain)
    steps = nx.single_source_shortest_path_length(plain, 0)
    assert [steps[node] for node in range(size)] == sorted(steps.values())  # numbered by the distance from the identity


def test_cayley_graphs_join_matrices_and_their_products():
    """By the definition: over all pairs of matrices of SL(2, Z_3)."""
    matrices = [m for m in itertools.product(range(3), repeat=4) if (m[0] * m[3] - m[1] * m[2]) % 3 == 1]
    by_definition = nx.Graph()
    for m in matrices:
        for g in ((1, 1, 0, 1), (1, 0, 1, 1)):
            times = np.array(m).reshape(2, 2) @ np.array(g).reshape(2, 2) % 3
            by_definition.add_edge(m, tuple(times.ravel().tolist()))
    assert nx.is_isomorphic(by_definition, nx.Graph(cayley_graph(3).T.tolist()))


@pytest.mark.parametrize(("num_nodes", "degree"), [(7, 4), (50, 4), (51, 6), (300, 4)])
def test_regular_graphs_are_that(num_nodes, degree):
    pairs = regular_graph(num_nodes, degree, seed=1)
    assert (np.bincount(pairs.ravel(), minlength=num_nodes) == degree).all()
    assert len(np.unique(pairs, axis=1).T) == pairs.shape[1] == num_nodes * degree // 2
    assert nx.is_connected(nx.Graph(pairs.T.tolist()))
    gap = spectral_gap(torch.from_numpy(pairs)).gap
    if num_nodes >= 300:
        assert gap > 0.8 * (1 - 2 * math.sqrt(degree - 1) / degree)


def test_expanders_open_a_path():
    path = graph_of(nx.path_graph(60))
    for rule in (Expander(4), Cayley()):
        assert spectral_gap(rule(path)).gap > 20 * spectral_gap(path).gap
    assert len({frozenset(pairs_of(Expander(4, seed=k)(path))) for k in range(3)}) == 3
    several = Expander(4)(Graph.batch([path, path])).unbatch()
    assert pairs_of(several[0]) != pairs_of(several[1])


@pytest.mark.parametrize("steps", [2, 3, 5])
def test_shortcuts_are_distances(steps):
    for graph in some_graphs():
        plain = networkx_of(graph)
        rewired = Shortcuts(steps)(graph)
        apart = dict(nx.all_pairs_shortest_path_length(plain))
        wanted = {(i, j): d for i in apart for j, d in apart[i].items() if i < j and d <= steps}
        assert pairs_of(rewired) == set(wanted)
        for (i, j), told in zip(rewired.adj.edge_index.T.tolist(), rewired.steps.tolist(), strict=True):
            assert told == wanted[min(i, j), max(i, j)]


@pytest.mark.parametrize("rule", [GDC(top=4), GDC("heat", time=3.0, top=4), GDC(top=0, threshold=0.02)], ids=str)
def test_gdc_is_that_of_pyg(rule):
    transforms = pytest.importorskip("torch_geometric.transforms", reason="compared with PyTorch Geometric")
    data = pytest.importorskip("torch_geometric.data", reason="compared with PyTorch Geometric")
    kinds = {"ppr": {"method": "ppr", "alpha": 0.15}, "heat": {"method": "heat", "t": rule.time}}
    thin = {"method": "topk", "k": 4, "dim": 0} if rule.top else {"method": "threshold", "eps": rule.threshold}
    theirs = transforms.GDC(
        self_loop_weight=1, normalization_in="sym", normalization_out="col", diffusion_kwargs=kinds[rule.diffusion],
        sparsification_kwargs=thin, exact=True,
    )  # fmt: skip
    plain = nx.gnp_random_graph(15, 0.3, seed=2)
    graph = graph_of(plain)
    made = theirs(data.Data(edge_index=graph.adj.edge_index, num_nodes=15))
    ours, wanted = np.zeros((15, 15)), np.zeros((15, 15))
    new = rule(graph)
    np.add.at(ours, tuple(new.adj.edge_index.numpy()), new.edge_weight.numpy())
    np.add.at(wanted, tuple(made.edge_index.numpy()), made.edge_attr.numpy())
    assert np.allclose(ours, wanted, atol=1e-6)


def test_gdc_by_its_series_and_with_weights():
    graph = some_graphs()[8]
    weights = np.zeros((14, 14))
    np.add.at(weights, tuple(graph.adj.edge_index.numpy()), graph.edge_weight.double().numpy())
    looped = weights + np.eye(14)
    walk = looped / np.sqrt(np.outer(looped.sum(0), looped.sum(0)))
    powers = [np.linalg.matrix_power(walk, k) for k in range(200)]
    ppr = sum(0.15 * 0.85**k * power for k, power in enumerate(powers))
    heat = sum(math.exp(-5) * 5**k / math.factorial(k) * power for k, power in enumerate(powers[:60]))
    for rule, spread in ((GDC(top=14), ppr), (GDC("heat", top=14), heat)):
        assert np.allclose(rule.spread(weights), spread)
        new, ours = rule(graph), np.zeros((14, 14))
        np.add.at(ours, tuple(new.adj.edge_index.numpy()), new.edge_weight.double().numpy())
        assert np.allclose(ours, spread / spread.sum(0), atol=1e-6)
        stays = [tuple(ends) for ends in graph.adj.edge_index.T.tolist()]
        for k, ends in enumerate(new.adj.edge_index.T.tolist()):
            old = graph.edge_attr[stays.index(tuple(ends))] if tuple(ends) in stays else torch.zeros(2)
            assert torch.equal(new.edge_attr[k], old)
    with pytest.raises(InputError, match="weights that are not negative"):
        GDC()(Graph([[0], [1]], edge_weight=torch.tensor([-1.0])))
    with pytest.raises(InputError, match="too much memory"):
        GDC()(Graph([[0], [1]], num_nodes=20_001))
