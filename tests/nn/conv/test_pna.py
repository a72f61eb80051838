"""PNAConv against PyTorch Geometric, its weights copied, and against the paper's formula edge by edge."""

import math

import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn.aggregation import Aggregation
from grapevine.nn.aggregation.std import Std, Var
from grapevine.nn.conv.pna import PNAConv, average_log_degree
from grapevine.ops.pattern import Pattern
from tests.nn.compare import NUM_DST, NUM_SRC, assert_same, bipartite, leaf, random_edges

EDGES = random_edges(NUM_SRC, NUM_SRC)
AGGREGATIONS = ["mean", "min", "max", "std"]
SCALERS = ["identity", "amplification", "attenuation"]


class TheirStd(Aggregation):
    """Theirs adds nothing to a variance, and takes one up to 1e-5 for 0."""

    def forward(self, pattern: Pattern, message: torch.Tensor) -> torch.Tensor:
        variance = Var()(pattern, message)
        return variance.clamp(min=1e-5).sqrt().where(variance > 1e-5, 0)


def copied(theirs: torch.nn.Module, ours: PNAConv) -> None:
    """Tower by tower; their map of the edge features is followed by another linear one, which ours joins with it."""
    inner, count = theirs.F_in, len(ours.scalers)
    with torch.no_grad():
        for t, (pre, post) in enumerate(zip(theirs.pre_nns, theirs.post_nns, strict=True)):
            ours.pre_dst.weight[t], ours.pre_src.weight[t] = pre[0].weight[:, : 2 * inner].split(inner, 1)
            ours.pre_dst.bias[t] = pre[0].bias
            if ours.pre_edge is not None:
                of_edge = pre[0].weight[:, 2 * inner :]
                ours.pre_edge.weight[t] = of_edge @ theirs.edge_encoder.weight
                ours.pre_dst.bias[t] += of_edge @ theirs.edge_encoder.bias
            ours.post_own.weight[t], ours.post_own.bias[t] = post[0].weight[:, :inner], post[0].bias
            by_scaler = post[0].weight[:, inner:].chunk(count, 1)
            ours.post_heard.weight[t] = torch.cat(by_scaler, 0)
            for more, layers in ((ours.pre_more, pre), (ours.post_more, post)):
                for k, layer in enumerate(more):
                    layer.weight[t], layer.bias[t] = layers[2 * k + 2].weight, layers[2 * k + 2].bias
        ours.lin.weight.copy_(theirs.lin.weight)
        ours.bias.copy_(theirs.lin.bias)
    for k, aggregation in enumerate(ours.aggregations):
        if isinstance(aggregation, Std):
            ours.aggregations[k] = TheirStd()


@pytest.mark.parametrize(
    ("aggregations", "scalers", "options"),
    [
        (AGGREGATIONS, SCALERS, {}),
        (AGGREGATIONS, SCALERS, {"towers": 2}),
        (AGGREGATIONS, SCALERS, {"towers": 2, "divide_input": True, "pre_layers": 3, "post_layers": 2}),
        (["max"], ["attenuation"], {"pre_layers": 2}),
        (["std", "mean"], ["identity", "amplification"], {"post_layers": 3}),
    ],
)
@pytest.mark.parametrize("edge_channels", [None, 5])
def test_pyg(aggregations, scalers, options, edge_channels):
    pyg = pytest.importorskip("torch_geometric.nn")
    torch.manual_seed(0)
    graph = Graph(EDGES, num_nodes=NUM_SRC)
    histogram = torch.bincount(graph.adj.in_degree)
    theirs = pyg.PNAConv(4, 6, aggregations, scalers, histogram, edge_dim=edge_channels, **options).double()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.uniform_(-1, 1)
    theirs.aggr_module.avg_deg_log.fill_(average_log_degree([graph]))  # it was rounded to float32
    ours = PNAConv(
        4,
        6,
        avg_log_degree=1.0,
        aggregations=aggregations,
        scalers=scalers,
        edge_channels=edge_channels,
        **options,
    ).double()
    ours.avg_log_degree.fill_(average_log_degree([graph]))
    copied(theirs, ours)
    x = leaf(NUM_SRC, 4)
    edge = () if edge_channels is None else (leaf(EDGES.shape[1], edge_channels, seed=3),)
    assert_same(lambda: ours(x, EDGES, *edge), lambda: theirs(x, EDGES, *edge), [x, *edge], tolerance=1e-8)


def test_the_average_is_theirs():
    graphs = [Graph(EDGES, num_nodes=NUM_SRC), Graph([[0, 1], [1, 1]], num_nodes=4)]
    degrees = [0] * 4
    for graph in graphs:
        degrees.extend(graph.adj.in_degree.tolist())
    wanted = sum(math.log(degree + 1) for degree in degrees[4:]) / (NUM_SRC + 4)
    assert average_log_degree(graphs) == pytest.approx(wanted)
    with pytest.raises(InputError, match="nodes and edges"):
        average_log_degree([Graph(EDGES[:, :0], num_nodes=3)])


def test_the_formula_between_two_sets_of_nodes():
    """h_i' = W (W_0 h_i + sum over scalers of s(d_i) W_s [mean, max, min, std] of the messages) node by node."""
    adj = bipartite()
    layer = PNAConv(3, 2, avg_log_degree=0.9, edge_channels=2).double()
    x_src, x_dst, edge = leaf(NUM_SRC, 3), leaf(NUM_DST, 3, seed=1), leaf(adj.num_edges, 2, seed=2)

    def by_node() -> torch.Tensor:
        rows = []
        for i in range(NUM_DST):
            places = [(p, j) for p, (j, k) in enumerate(adj.edge_index.T.tolist()) if k == i]
            heard = torch.zeros(12, dtype=torch.float64)
            heard[9:] = 1e-5**0.5
            if places:
                messages = torch.stack(
                    [
                        layer.pre_dst.weight[0] @ x_dst[i]
                        + layer.pre_src.weight[0] @ x_src[j]
                        + layer.pre_edge.weight[0] @ edge[p]
                        for p, j in places
                    ]
                )
                std = (messages.var(0, correction=0) + 1e-5).sqrt()
                heard = torch.cat([messages.mean(0), messages.max(0).values, messages.min(0).values, std])
            log = math.log(len(places) + 1)
            scales = [
                1,
                log / layer.avg_log_degree.item(),
                layer.avg_log_degree.item() / math.log(max(len(places), 1) + 1),
            ]
            scaled = torch.stack(
                [s * (w @ heard) for s, w in zip(scales, layer.post_heard.weight[0].chunk(3), strict=True)]
            )
            rows.append(layer.lin.weight @ (layer.post_own.weight[0] @ x_dst[i] + scaled.sum(0)))
        return torch.stack(rows)

    assert_same(lambda: layer((x_src, x_dst), adj, edge), by_node, [x_src, x_dst, edge])


def test_wrong_input_is_named():
    x, edges = torch.ones(3, 4), torch.tensor([[0], [1]])

    def pna(**options: object) -> PNAConv:
        return PNAConv(4, 4, **{"avg_log_degree": 1.0, **options})

    for options, message in (
        ({"towers": 3}, "out_channels must be a multiple of the 3 towers"),
        ({"avg_log_degree": 0}, "see average_log_degree"),
        ({"aggregations": ["sum"]}, "aggregations must be some of mean, max, min, std"),
        ({"scalers": []}, "scalers must be some of"),
        ({"scalers": ["identity", "identity"]}, "must not repeat"),
    ):
        with pytest.raises(InputError, match=message):
            pna(**options)
    with pytest.raises(InputError, match="takes no edge features"):
        pna()(x, edges, torch.ones(1, 2))
    with pytest.raises(InputError, match=r"needs \[e, 2\] edge features"):
        pna(edge_channels=2)(x, edges)
    with pytest.raises(InputError, match="edge must have 2 columns"):
        pna(edge_channels=2)(x, edges, torch.ones(1, 3))
    with pytest.raises(InputError, match="x must have 4 columns"):
        pna()(torch.ones(3, 5), edges)
