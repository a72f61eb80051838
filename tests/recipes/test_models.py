"""Every model is built for every task, learns, comes back from its configuration, and is what its paper says."""

import copy

import pytest
import torch
from pydantic import ValidationError

from grapevine.data.split import Split, link_split
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn import GNN, MLP, GATConv, GCNConv, SAGEConv
from grapevine.nn.head import JumpingReadout
from grapevine.nn.pair import Bilinear, PairMLP
from grapevine.ops.sparse import SparseMatrix
from grapevine.recipes.models import (
    MODELS,
    ModelConfig,
    build_network,
    first_layer,
    model_config,
    obstacle,
    search_space,
    settled,
    training_settings,
    with_values,
)
from grapevine.recipes.models.config import NEEDS_BOTH_WAYS, NEEDS_EDGES
from grapevine.task import EdgeTask, GraphTask, LinkTask, NodeTask, Regression, SingleLabel
from grapevine.train.loop import fit
from grapevine.train.settings import Settings
from grapevine.train.tune import Choice, Range
from tests.train.cases import two_classes

LEVELS = ("node", "graph", "link", "edge")
OBJECTIVE = SingleLabel(num_classes=3)
DEAF = (  # to what edges hold
    "mlp", "sage", "gin", "h2gcn", "fagcn", "gat-sep", "sage-sep", "linkx", "dirgnn", "grand-diffusion",
)  # fmt: skip


def graph_of(*, is_sparse: bool = False, has_edges: bool = True, num_nodes: int = 12) -> Graph:
    """A ring with features of nodes and edges."""
    generator = torch.Generator().manual_seed(2)
    nodes = torch.arange(num_nodes)
    ends = torch.stack([nodes, nodes.roll(1)])
    x = torch.rand(num_nodes, 5, generator=generator)
    edge = torch.rand(num_nodes, 3, generator=generator)
    told = {"edge_attr": torch.cat([edge, edge]), "edge_weight": torch.cat([edge, edge])[:, 0]} if has_edges else {}
    graph = Graph(torch.cat([ends, ends.flip(0)], 1), x=x, edge=told)
    return graph.replace(x=SparseMatrix.from_torch(x.to_sparse())) if is_sparse else graph


def task_of(level: str, graph: Graph):
    """A task of three classes, or of links, that each item of the graph is asked in."""
    if level == "link":
        return LinkTask(link_split(graph, val=0.1, test=0.1))
    if level == "graph":
        batch = Graph.batch([graph] * 6)
        return GraphTask(batch.replace(graph={"y": torch.arange(6) % 3}), thirds(6), OBJECTIVE, batch_size=4)
    if level == "edge":
        y = graph.adj.edge_index.sum(0) % 3
        return EdgeTask(graph.replace(edge={"y": y}), by_pair(graph), OBJECTIVE)
    y = torch.arange(graph.num_nodes) % 3
    return NodeTask(graph.replace(node={"y": y}), thirds(graph.num_nodes), OBJECTIVE)


def thirds(count: int) -> Split:
    part = torch.arange(count) // 3 % 3
    return Split(part == 0, part == 1, part == 2) if count > 6 else Split(part < 1, part == 1, part == 2)


def by_pair(graph: Graph) -> Split:
    part = graph.adj.edge_index.sum(0) * 7 % 3
    return Split(part == 0, part == 1, part == 2)


def outputs(network, graph: Graph, level: str) -> torch.Tensor:
    items = torch.tensor([[0, 3], [1, 7]]) if level == "link" else None
    with torch.no_grad():
        return network.eval()(graph, items)


LEARNT = [
    pytest.param(level, is_sparse, marks=[pytest.mark.slow] if is_sparse and level != "node" else [])
    for level in LEVELS
    for is_sparse in (False, True)
]


@pytest.mark.parametrize(("level", "is_sparse"), LEARNT)
@pytest.mark.parametrize("name", MODELS)
def test_every_model_learns_every_task_and_comes_back(name, level, is_sparse):
    task = task_of(level, graph_of(is_sparse=is_sparse))
    if obstacle(name, task.graph, level) is not None:
        assert (name, level) == ("linkx", "graph")  # it is of one graph
        return
    config = settled(model_config(name, level=level), task.graph)
    torch.manual_seed(0)
    network = build_network(config, task.graph, task.objective, level=level)
    before = copy.deepcopy(network.state_dict())
    settings = training_settings(name, level=level).model_copy(update={"max_epochs": 3})
    assert fit(network, task, settings).epochs == 3
    assert any(not torch.equal(before[key], value) for key, value in network.state_dict().items())
    # Built for a graph of other edges, and loaded: the same answers.
    other = Graph([[0, 1], [1, 0]], x=graph_of(is_sparse=is_sparse, num_nodes=2).x, edge=_two_edges(task.graph))
    again = build_network(ModelConfig.model_validate_json(config.model_dump_json()), other, task.objective, level=level)
    again.load_state_dict(network.state_dict())
    asked = graph_of(is_sparse=is_sparse)
    assert torch.equal(outputs(again, asked, level), outputs(network, asked, level))


def _two_edges(graph: Graph) -> dict[str, torch.Tensor]:
    return {name: tensor[:2] for name, tensor in graph.edge.items() if name != "y"}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_blocks_of_every_model_learn(name, norm):
    config = ModelConfig(name=name, has_blocks=True, norm=norm, hidden_channels=6, heads=2, num_layers=3)
    task = task_of("node", graph_of(is_sparse=norm == "batch"))
    network = build_network(config, task.graph, OBJECTIVE, level="node")
    assert fit(network, task, Settings(max_epochs=2)).epochs == 2
    assert outputs(network, task.graph, "node").shape == (12, 3)


def test_a_network_hears_its_neighbours_and_an_mlp_does_not():
    graph = two_classes(noise=3.0)
    split = Split(graph.train_mask, graph.val_mask, graph.test_mask)
    task = NodeTask(graph, split, SingleLabel(num_classes=2))
    scores = {name: [] for name in ("gcn", "mlp")}
    for name, found in scores.items():
        for seed in range(3):
            torch.manual_seed(seed)
            network = build_network(model_config(name, level="node"), graph, task.objective, level="node")
            settings = training_settings(name, level="node").model_copy(update={"max_epochs": 200, "seed": seed})
            found.append(fit(network, task, settings).scores["test"]["accuracy"])
    assert sum(scores["gcn"]) > sum(scores["mlp"]) + 0.3
    changed = graph.replace(x=torch.cat([graph.x[:1] + 1, graph.x[1:]]))
    neighbours = graph.adj.edge_index[1][graph.adj.src == 0]
    for name in (name for name in MODELS if name not in NEEDS_EDGES):
        torch.manual_seed(0)
        network = build_network(model_config(name, level="node"), graph, task.objective, level="node")
        differs = (outputs(network, graph, "node") != outputs(network, changed, "node")).any(1)
        assert bool(differs[neighbours].all()) == (name not in ("mlp", "linkx"))  # LINKX hears who they are, not what


def test_an_mlp_is_an_mlp():
    graph = graph_of()
    config = ModelConfig(name="mlp", hidden_channels=7, num_layers=3, activation="tanh")
    network = build_network(config, graph, OBJECTIVE, level="node")
    plain = MLP([5, 7, 7, 3], activation="tanh")
    for ours, theirs in zip(network.encoder.layers, plain.layers, strict=True):
        theirs.load_state_dict({"weight": ours.lin.weight, "bias": ours.bias})
    assert torch.allclose(outputs(network, graph, "node"), plain.eval()(graph.x), atol=1e-6)


def test_edges_are_heard_where_the_graph_has_them_and_the_model_takes_them():
    graph = graph_of()
    other = graph.replace(edge={"edge_attr": graph.edge_attr + 1, "edge_weight": graph.edge_weight.square()})
    for name in MODELS:
        config = ModelConfig(name=name, hidden_channels=8)
        network = build_network(config, graph, OBJECTIVE, level="node")
        is_heard = not torch.equal(outputs(network, graph, "node"), outputs(network, other, "node"))
        assert is_heard == (name not in DEAF)
        if name not in NEEDS_EDGES:
            deaf = build_network(config.model_copy(update={"uses_edges": False}), graph, OBJECTIVE, level="node")
            assert torch.equal(outputs(deaf, graph, "node"), outputs(deaf, other, "node"))


def test_edges_of_one_number_are_features_too():
    graph = graph_of(has_edges=False)
    graph = graph.replace(edge={"edge_attr": torch.rand(graph.num_edges)})
    network = build_network(ModelConfig(name="gine"), graph, OBJECTIVE, level="edge")
    assert outputs(network, graph, "edge").shape == (graph.num_edges, 3)


def test_what_is_undirected_is_said_in_both_directions():
    graph = graph_of(has_edges=False)
    back = graph.adj.edge_index.flip(0)
    by_ends = {(u, v): k for k, (u, v) in enumerate(graph.adj.edge_index.T.tolist())}
    place = torch.tensor([by_ends[u, v] for u, v in back.T.tolist()])
    for symmetric in (None, False):
        config = ModelConfig(name="sage", symmetric=symmetric)
        said = outputs(build_network(config, graph, OBJECTIVE, level="edge"), graph, "edge")
        assert torch.allclose(said, said[place], atol=1e-6) == (symmetric is None)
    one_way = Graph([[0, 1], [1, 2]], x=torch.rand(3, 5))
    assert settled(ModelConfig(name="gcn"), one_way).symmetric is False


def test_the_decoders_and_readouts_are_those_that_were_asked_for():
    graph, link = graph_of(), LinkTask(link_split(graph_of(), val=0.1, test=0.1)).objective
    for decoder, kind in (("bilinear", Bilinear), ("mlp", PairMLP)):
        config = ModelConfig(name="gcn", decoder=decoder, state_channels=4)
        network = build_network(config, graph, link, level="link")
        assert isinstance(network.head.decoder, kind)
        assert network.states(graph).shape == (12, 4)
    for readout, expected in (("sum", 2.0), ("mean", 1.0), ("max", 1.0)):
        config = ModelConfig(name="gcn", readout=readout)
        head = build_network(config, graph, OBJECTIVE, level="graph").head
        two = head.read(torch.ones(2, 1), Graph([[0], [1]], num_nodes=2))
        assert two.tolist() == [[expected]]


def test_the_settings_are_those_of_the_papers():
    gcn, training = (made("gcn", level="node", dataset="cora") for made in (model_config, training_settings))
    assert (gcn.hidden_channels, gcn.input_dropout, gcn.dropout, gcn.decays_first_layer_only) == (16, 0.5, 0.5, True)
    assert (training.learning_rate, training.weight_decay, training.max_epochs, training.patience) == (
        0.01, 5e-4, 200, 10,
    )  # fmt: skip
    gat = model_config("gat", level="node", dataset="cora")
    assert (gat.hidden_channels, gat.heads, gat.last_heads, gat.dropout, gat.activation) == (8, 8, 1, 0.6, "elu")
    assert model_config("gat", level="node", dataset="pubmed").last_heads == 8
    graph = Graph([[0], [1]], x=torch.rand(2, 1433))
    networks = [build_network(config, graph, SingleLabel(num_classes=7), level="node") for config in (gcn, gat)]
    assert isinstance(networks[0].encoder, GNN)
    assert sum(p.numel() for p in first_layer(networks[0])) == 1433 * 16 + 16
    assert sum(p.numel() for p in networks[1].parameters()) == (1433 + 3) * 64 + (64 + 2) * 7 + 7
    gin, training = (made("gin", level="graph", dataset="tu:MUTAG") for made in (model_config, training_settings))
    assert (gin.num_layers, gin.norm, gin.jumping, gin.hidden_channels, gin.train_eps) == (
        4,
        "batch",
        "readout",
        32,
        False,
    )
    assert (training.learning_rate, training.step_epochs, training.step_factor, training.max_epochs) == (
        0.01, 50, 0.5, 350,
    )  # fmt: skip
    network = build_network(gin, Graph([[0], [1]], x=torch.rand(2, 7)), SingleLabel(num_classes=2), level="graph")
    assert isinstance(network.head, JumpingReadout)
    mapped = [(7, 32), (32, 32), (32, 32), (32, 32)]
    of_layers = sum(a * 32 + 32 + 2 * 32 + 32 * b + b + 2 * b for a, b in mapped)  # two maps, a norm in and behind
    assert sum(p.numel() for p in network.parameters()) == of_layers + sum(c * 2 + 2 for c in (7, 32, 32, 32, 32))


def test_the_networks_for_unlike_neighbours_are_those_of_the_papers():
    graph = Graph([[0, 1], [1, 0]], x=torch.rand(2, 1703))
    count = {}
    for name in ("h2gcn", "gprgnn", "fagcn"):
        network = build_network(model_config(name, level="node"), graph, SingleLabel(num_classes=5), level="node")
        count[name] = sum(p.numel() for p in network.parameters())
    assert count["h2gcn"] == 1703 * 64 + 64 + 7 * 64 * 5 + 5  # r_0, r_1 and r_2 are 1, 2 and 4 times 64 wide
    assert count["gprgnn"] == 1703 * 64 + 64 + 64 * 5 + 5 + 11  # K is 10
    assert count["fagcn"] == 1703 * 32 + 32 + 2 * (2 * 32 + 1) + 32 * 5 + 5
    assert model_config("gprgnn", level="node", dataset="texas").alpha == 1
    assert training_settings("gprgnn", level="node", dataset="texas").learning_rate == 0.05
    separated = model_config("gat-sep", level="node", dataset="minesweeper")
    assert (separated.num_layers, separated.heads, separated.has_blocks, separated.norm) == (5, 8, True, "layer")


def test_dir_gnn_is_around_the_layer_that_was_asked_for():
    graph = Graph([[0, 1], [1, 2]], x=torch.rand(3, 5))
    for base, kind in (("gcn", GCNConv), ("sage", SAGEConv), ("gat", GATConv)):
        config = ModelConfig(name="dirgnn", direction_base=base, direction_share=0.2, hidden_channels=4)
        first = build_network(config, graph, OBJECTIVE, level="node").encoder.layers[0]
        assert isinstance(first.conv_in, kind)
        assert isinstance(first.conv_out, kind)
        assert first.alpha == 0.2


def test_published_settings_are_for_the_published_task_alone():
    assert model_config("gcn", level="link", dataset="cora") == model_config("gcn", level="link")
    assert training_settings("gin", level="graph").clip_norm == 1.0
    assert training_settings("gcn", level="node", dataset="mine") == training_settings("gcn", level="node")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", MODELS)
def test_what_a_search_tries_can_be_built(name, level):
    space = search_space(name, level=level)
    config, settings = model_config(name, level=level), training_settings(name, level=level)
    if obstacle(name, graph_of(), level) is not None:
        return
    assert {key.partition(".")[0] for key in space} == {"model", "training"}
    for end in (0, -1):
        values = {key: _end_of(options, end) for key, options in space.items()}
        tried, training = with_values(config, settings, values)
        assert tried.dropout == values["model.dropout"]
        assert training.learning_rate == values["training.learning_rate"]
        build_network(tried, graph_of(), OBJECTIVE, level="node" if level == "link" else level)


def _end_of(options: Range | Choice, end: int):
    if isinstance(options, Choice):
        return options.values[end]
    value = (options.low, options.high)[end]
    return int(value) if options.is_whole else value


def test_what_does_not_fit_is_said():
    graph = graph_of(has_edges=False)
    assert all("edge_attr" in obstacle(name, graph, "node") for name in NEEDS_EDGES)
    assert all(obstacle(name, graph, "node") is None for name in set(MODELS) - set(NEEDS_EDGES))
    one_way = Graph([[0], [1]], x=torch.ones(2, 1), edge={"edge_attr": torch.ones(1, 2)})
    for name in MODELS:
        assert ("one way" in (obstacle(name, one_way, "node") or "")) == (name in NEEDS_BOTH_WAYS)
    assert "floating-point" in obstacle("gcn", Graph([[0], [1]], x=torch.ones(2, 1, dtype=torch.int64)), "node")
    assert "one graph" in obstacle("linkx", graph, "graph")
    assert "no features" in obstacle("mlp", Graph([[0], [1]]), "graph")
    with pytest.raises(InputError, match="gine does not fit"):
        build_network(ModelConfig(name="gine"), graph, OBJECTIVE, level="node")


def test_wrong_input_is_refused():
    with pytest.raises(InputError, match="no model 'gnc'"):
        model_config("gnc", level="node")
    with pytest.raises(InputError, match="no model"):
        search_space("gnc", level="node")
    with pytest.raises(ValidationError, match="graph"):
        ModelConfig(name="gcn", has_blocks=True, norm="graph")
    config, settings = ModelConfig(name="gcn"), Settings()
    for values, message in (
        ({"model.depth": 3}, "depth"), ({"model.num_layers": 0}, "num_layers"), ({"depth": 3}, "model.FIELD"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=message):
            with_values(config, settings, values)


def test_numbers_get_as_many_outputs_as_there_are():
    graph = graph_of()
    network = build_network(ModelConfig(name="gcn"), graph, Regression(num_targets=4), level="node")
    assert outputs(network, graph, "node").shape == (12, 4)
