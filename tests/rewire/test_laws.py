"""What every rewiring keeps to: nodes stay, edges keep what they hold, batches are rewired graph by graph."""

import networkx as nx
import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.rewire import (
    BORF,
    GDC,
    REWIRINGS,
    SDRF,
    Cayley,
    Expander,
    FoSR,
    Shortcuts,
    VirtualNode,
    parse,
    report,
    rewire,
)
from tests.graph.cases import assert_equal
from tests.rewire.cases import graph_of, pairs_of, some_graphs

RULES = [
    FoSR(3, mark=True), SDRF(3, mark=True), SDRF(3, temperature=1.0, bound=0.1, mark=True),
    BORF(2, add=2, remove=1, mark=True), Expander(4, mark=True), Cayley(mark=True), Shortcuts(3, mark=True),
    Shortcuts(2, weighted=True, mark=True),
]  # fmt: skip
OTHERS = [GDC(top=3, mark=True), GDC("heat", top=0, threshold=0.05, mark=True), VirtualNode(mark=True)]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_what_stays_is_as_it_was(rule):
    for graph in some_graphs():
        new = rule(graph)
        assert torch.equal(new.x, graph.x)
        assert torch.equal(new.y, graph.y)
        assert torch.equal(new.ptr, graph.ptr)
        assert set(new.levels) - set(graph.levels) <= {"is_new", "steps"}
        assert new.adj.is_symmetric()
        held = {tuple(ends): k for k, ends in enumerate(graph.adj.edge_index.T.tolist())}
        for k, ends in enumerate(new.adj.edge_index.T.tolist()):
            old = held.get(tuple(ends))
            assert bool(new.is_new[k]) == (old is None)
            if old is None:
                assert ends[0] != ends[1]
                assert not new.edge_attr[k].any()
                assert new.kind[k] == 0
                assert new.edge_weight[k] == (1 / new.steps[k] if isinstance(rule, Shortcuts) and rule.weighted else 1)
            else:
                for name in ("edge_attr", "edge_weight", "kind"):
                    assert torch.equal(new.edge[name][k], graph.edge[name][old])
        assert new.num_edges == 2 * len(pairs_of(new))  # no pair twice


@pytest.mark.parametrize("rule", [*RULES, *OTHERS], ids=str)
def test_the_same_every_time_and_in_words(rule):
    batch = Graph.batch(some_graphs())
    assert_equal(rule(batch), rule(batch))
    (again,) = parse(str(rule))
    assert again == rule


DRAWN = (FoSR, SDRF, Expander)  # the number of a graph in the batch is part of its seed


@pytest.mark.parametrize("rule", [rule for rule in [*RULES, *OTHERS] if not isinstance(rule, DRAWN)], ids=str)
def test_a_batch_is_its_graphs(rule):
    graphs = some_graphs()
    for whole, single in zip(rule(Graph.batch(graphs)).unbatch(), graphs, strict=True):
        alone = rule(single)
        assert pairs_of(whole) == pairs_of(alone)
        assert torch.equal(whole.adj.edge_index, alone.adj.edge_index)
        for name in alone.edge:
            assert torch.equal(whole.edge[name], alone.edge[name]), name


@pytest.mark.parametrize("rule", [rule for rule in RULES if isinstance(rule, DRAWN)], ids=str)
def test_no_edge_joins_two_graphs_of_a_batch(rule):
    for graph, single in zip(rule(Graph.batch(some_graphs())).unbatch(), some_graphs(), strict=True):
        assert torch.equal(graph.x, single.x)
        assert graph.adj.is_symmetric()


def test_one_after_another_and_the_report():
    barbell = graph_of(nx.barbell_graph(6, 0))
    rules = parse("fosr:4, shortcuts:2:mark=True")
    new = rewire(barbell, rules)
    told = report(barbell, new, "both")
    assert told.added == new.num_edges - barbell.num_edges == int(new.is_new.sum()) + 8
    assert told.removed == 0
    assert told.gap_after > told.gap_before > 0
    assert "spectral gap 0.0" in str(told)
    pieces = graph_of(nx.disjoint_union(nx.barbell_graph(4, 0), nx.path_graph(2)))
    told = report(pieces, FoSR(1)(pieces), "fosr:1")
    assert told.gap_before == 0 < told.largest_before
    assert "of the largest piece 0.1" in str(told)
    assert "piece" not in str(report(barbell, barbell, "none"))
    assert "nan" in str(report(Graph([[], []], num_nodes=1), Graph([[], []], num_nodes=1), "none"))


def test_marks_add_up():
    path = Graph([[0, 1, 2, 3], [1, 2, 3, 4]])
    twice = FoSR(1, mark=True)(Shortcuts(2, mark=True)(path))
    assert int(twice.is_new.sum()) == twice.num_edges - path.num_edges


def test_words_that_are_none():
    assert parse("") == ()
    assert set(REWIRINGS) == {"virtual-node", "cayley", "expander", "sdrf", "borf", "fosr", "gdc", "shortcuts"}
    for spec, said in {
        "fosr:many": "num_edges of fosr must be a whole number, got 'many'",
        "forsk": "there is no rewiring 'forsk'; did you mean fosr",
        "fosr:1:2:3:4": "at most 3 values",
        "fosr:1:num_edges=2": "given twice",
        "cayley:steps=2": "cayley has no 'steps'",
        "gdc:ppr:mark=yes": "must be True or False",
        "expander:3": "degree must be even",
        "fully-adjacent": "changes the last layer",
    }.items():
        with pytest.raises(InputError, match=said):
            parse(spec)
    with pytest.raises(InputError, match="called with a Graph"):
        FoSR()(torch.zeros(2, 0))
    with pytest.raises(InputError, match="rewirings must be Rewirings, got str"):
        rewire(Graph([[0], [1]]), ["fosr:1"])


def test_a_virtual_node_is_nobody():
    graph = some_graphs()[2]
    bare = Graph(graph.adj, x=graph.x, edge_weight=graph.edge_weight, graph={"y": graph.y})
    new = VirtualNode()(Graph.batch([bare, bare]))
    assert new.num_nodes == 20
    assert new.is_virtual.nonzero().flatten().tolist() == [9, 19]
    assert not new.x[new.is_virtual].any()
    assert torch.equal(new.x[~new.is_virtual], torch.cat([graph.x, graph.x]))
    assert (new.adj.in_degree[new.is_virtual] == 9).all()
    to_hub = new.is_virtual[new.adj.edge_index].any(0)
    assert (new.edge_weight[to_hub] == 1).all()
    assert torch.equal(new.edge_weight[~to_hub], torch.cat([graph.edge_weight] * 2))
    for name in ("y", "train_mask"):
        values = torch.zeros(9, dtype=torch.bool if name == "train_mask" else torch.int64)
        with pytest.raises(InputError, match=f"counted among the nodes that {name} is of"):
            VirtualNode()(
                Graph(graph.adj, node={"y": values} if name == "y" else {}, **({} if name == "y" else {name: values}))
            )
    with pytest.raises(InputError, match="has a virtual node already"):
        VirtualNode()(new)
