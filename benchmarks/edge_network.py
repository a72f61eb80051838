"""Gilmer's edge network: time and peak memory, forward and backward, against a matrix an edge and against NNConv.

A batch of 256 graphs shaped like molecules, states and messages 64 wide, 128 hidden channels in the edge network. Once
every bond has features of its own, a length among them, and once there are few kinds of bonds.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from benchmarks.report import Claim, Result, Table, side_by_side
from benchmarks.timing import CAN_MEASURE_MEMORY, Scale, both_ways, peak_growth
from benchmarks.training import check_alike, check_equal
from grapevine.graph import Graph
from grapevine.nn.conv.edge_network import EdgeNetworkConv
from grapevine.ops.runtime.allocator import keep_memory

OURS, PLAIN, NNCONV = "Grapevine", "a matrix an edge", "NNConv"
Bonds = Literal["own features", "few kinds"]
BONDS: tuple[Bonds, ...] = ("own features", "few kinds")
_GRAPHS, _WIDTH, _HIDDEN, _BOND = 256, 64, 128, 5
_FASTER: dict[Bonds, float] = {"own features": 1.0, "few kinds": 3.0}
_LEANER = 3.0
_NAMES = {  # our parameters', and theirs
    "networks.0.hidden.0.weight": "nn.0.weight",
    "networks.0.hidden.0.bias": "nn.0.bias",
    "networks.0.last.weight": "nn.2.weight",
    "networks.0.last.bias": "nn.2.bias",
    "lin_root.weight": "lin.weight",
    "bias": "bias",
}


class MatrixAnEdge(nn.Module):
    """The same layer written down as the paper has it: e d d numbers are made."""

    def __init__(self, network: nn.Module, root: nn.Module, bias: nn.Parameter):
        super().__init__()
        self.network, self.root, self.bias = network, root, bias

    def forward(self, x: Tensor, edge_index: Tensor, edge: Tensor) -> Tensor:
        matrices = self.network(edge).unflatten(1, (_WIDTH, _WIDTH))
        message = torch.bmm(x[edge_index[0]].unsqueeze(1), matrices).squeeze(1)
        return torch.zeros_like(x).index_add(0, edge_index[1], message) + self.root(x) + self.bias


def run(scale: Scale) -> Result:
    """Both kinds of bonds."""
    tables, claims = [], []
    for bonds in BONDS:
        table, faster = scale.fresh(_times, bonds, scale)
        tables.append(table)
        claims += [Claim(f"{bonds}: faster than {form}", ratio, _FASTER[bonds]) for form, ratio in faster.items()]
        if not CAN_MEASURE_MEMORY:
            continue
        growth = {form: scale.fresh(peak, bonds, form, scale) for form in (OURS, PLAIN, NNCONV)}
        rows = [[form, size / 1e6, size / max(1, growth[OURS])] for form, size in growth.items()]
        title = f"Edge network, {bonds}, peak memory of two steps, beyond states, graph and features"
        tables.append(Table(title, ["", "MB", f"times {OURS}'s"], rows))
        claims += [
            Claim(f"{bonds}: leaner than {form}", growth[form] / max(1, growth[OURS]), _LEANER)
            for form in (PLAIN, NNCONV)
        ]
    return Result(tables, claims)


def peak(bonds: Bonds, form: str, scale: Scale) -> int:
    """Bytes by which memory grows over two steps; a step on a few graphs comes first, to load what is loaded once."""
    if form == OURS:
        keep_memory()
    small, large = (steps(molecules(count, bonds))[form] for count in (2, _count(scale)))
    small()
    return peak_growth(lambda: (large(), large()))


def steps(graph: Graph) -> dict[str, Callable[[], list[Tensor]]]:
    """Forward and backward of each form with the same weights: the output, and gradients by states and weights."""
    from torch_geometric.nn import NNConv

    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(_BOND, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, _WIDTH**2))
    theirs = NNConv(_WIDTH, _WIDTH, network)
    ours = EdgeNetworkConv(_WIDTH, _WIDTH, _BOND, hidden_channels=_HIDDEN)
    their_state, our_weights = dict(theirs.named_parameters()), dict(ours.named_parameters())
    weights, their_weights = [our_weights[name] for name in _NAMES], [their_state[name] for name in _NAMES.values()]
    ours.load_state_dict({name: their_state[other] for name, other in _NAMES.items()})
    plain = MatrixAnEdge(network, theirs.lin, their_state["bias"])
    x, edge_index = graph.x.requires_grad_(), graph.adj.edge_index

    def step(layer: nn.Module, adj: Graph | Tensor, leaves: Sequence[Tensor]) -> list[Tensor]:
        out = layer(x, adj, graph.edge_attr)
        return [out.detach(), *torch.autograd.grad(out.square().mean(), [x, *leaves])]

    return {
        OURS: lambda: step(ours, graph, weights),
        PLAIN: lambda: step(plain, edge_index, their_weights),
        NNCONV: lambda: step(theirs, edge_index, their_weights),
    }


def molecules(count: int, bonds: Bonds) -> Graph:
    """Random trees of 12 to 24 atoms of at most four bonds, closed to rings here and there, as one batch."""
    generator = torch.Generator().manual_seed(0)
    return Graph.batch([_molecule(generator, bonds) for _ in range(count)])


def _molecule(generator: torch.Generator, bonds: Bonds) -> Graph:
    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high, (), generator=generator))

    num_atoms = draw(12, 25)
    degree, ends = [0] * num_atoms, []

    def bind(a: int, b: int) -> None:
        ends.append((a, b))
        degree[a] += 1
        degree[b] += 1

    for atom in range(1, num_atoms):
        free = [other for other in range(max(0, atom - 4), atom) if degree[other] < 3]
        bind(free[draw(0, len(free))] if free else atom - 1, atom)
    for _ in range(draw(0, 4)):
        first = draw(0, num_atoms - 5)
        if degree[first] < 4 and degree[first + 5] < 4 and (first, first + 5) not in ends:
            bind(first, first + 5)
    one_way = torch.tensor(ends).T
    order = torch.randint(4, (len(ends),), generator=generator)
    length = torch.ones(len(ends), 1) if bonds == "few kinds" else torch.rand(len(ends), 1, generator=generator)
    edge = torch.cat([nn.functional.one_hot(order, 4).float(), length], 1)
    x = torch.randn(num_atoms, _WIDTH, generator=generator)
    return Graph(torch.cat([one_way, one_way.flip(0)], 1), x=x, edge_attr=torch.cat([edge, edge]))


def _times(bonds: Bonds, scale: Scale) -> tuple[Table, dict[str, float]]:
    graph = molecules(_count(scale), bonds)
    calls = steps(graph)
    ours, *_ = answers = [call() for call in calls.values()]
    for other in answers[1:]:
        check_equal("outputs", ours[0], other[0])
        for mine, theirs in zip(ours[1:], other[1:], strict=True):
            check_alike("gradients", mine, theirs)
    times = both_ways(calls, scale.long_rounds)
    title = f"Edge network, {bonds}, forward and backward, {graph.num_nodes:,} atoms and {graph.num_edges:,} edges"
    faster = {form: times[form].best / times[OURS].kept for form in (PLAIN, NNCONV)}
    return side_by_side(title, times), faster


def _count(scale: Scale) -> int:
    return max(4, int(scale.share * _GRAPHS))
