"""The laws of layers on graphs, each a function that raises an AssertionError where the layer breaks it.

layer(P x, P A P^T) = P layer(x, A) for every renumbering P of the nodes, and so on: each docstring has its law.

A layer is a module called as layer(x, graph), or layer(x, graph, edge) where there is an edge input: x is [n, c],
edge has a row for each edge in the order of the graph, and the output has a row for each node, or one for the graph.
Each law tries a copy of the layer, in evaluation mode, and draws what it needs without touching PyTorch's generator.
In float64 numbers are compared to 8 digits, in float32 to 3.
"""

import copy
import io
from collections.abc import Callable, Collection
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.graph import Adjacency, Graph

Law: TypeAlias = Callable[[nn.Module, Tensor, Adjacency, Tensor | None], None]

_ENOUGH_EDGES = 50_000  # that the operations share their rows out among threads


def check_permutation_equivariance(
    layer: nn.Module, x: Float[Tensor, "n c"], adj: Adjacency, edge: Float[Tensor, "e *d"] | None = None
) -> None:
    """Renumbering the nodes renumbers the rows of the output.

    >>> ring = Adjacency([[0, 1, 2], [1, 2, 0]])
    >>> class Numbered(nn.Module):
    ...     def forward(self, x, graph):
    ...         return x * torch.arange(len(x)).unsqueeze(1)
    >>> check_permutation_equivariance(Numbered(), torch.ones(3, 2), ring)
    Traceback (most recent call last):
    AssertionError: renumbering the nodes changes more than the order of the output...
    """
    layer = _copied(layer)
    order = _shuffled(x.shape[0])
    renumbered = _call(layer, x[order], *_renumbered(adj, order, edge))
    wanted = _call(layer, x, adj, edge)[order]
    _check_equal(renumbered, wanted, "renumbering the nodes changes more than the order of the output")


def check_permutation_invariance(
    layer: nn.Module, x: Float[Tensor, "n c"], adj: Adjacency, edge: Float[Tensor, "e *d"] | None = None
) -> None:
    """Renumbering the nodes changes nothing: the law of a readout."""
    layer = _copied(layer)
    order = _shuffled(x.shape[0])
    renumbered = _call(layer, x[order], *_renumbered(adj, order, edge))
    _check_equal(renumbered, _call(layer, x, adj, edge), "renumbering the nodes changes the output")


def check_edge_order(
    layer: nn.Module, x: Float[Tensor, "n c"], adj: Adjacency, edge: Float[Tensor, "e *d"] | None = None
) -> None:
    """The order in which the edges are given changes nothing."""
    layer = _copied(layer)
    wanted = _call(layer, x, adj, edge)
    for order in (torch.arange(adj.num_edges).flip(0), _shuffled(adj.num_edges)):
        other = Adjacency(adj.edge_index[:, order], adj.num_nodes)
        got = _call(layer, x, other, None if edge is None else edge[order][other.edge_id])
        _check_equal(got, wanted, "the order of the edges changes the output")


def check_batched_equals_single(
    layer: nn.Module, x: Float[Tensor, "n c"], adj: Adjacency, edge: Float[Tensor, "e *d"] | None = None
) -> None:
    """A batch gives every graph the output it has alone: this one, one with half of its edges, one with none."""
    layer = _copied(layer)
    half = adj.num_edges // 2
    thinned = Adjacency(adj.edge_index[:, :half], adj.num_nodes)
    none = Adjacency(adj.edge_index[:, :0], num_nodes=min(2, len(x)))
    parts = [
        _graph(x, adj, edge),
        _graph(x.flip(0), thinned, None if edge is None else edge[:half]),
        _graph(x[: none.num_nodes], none, None if edge is None else edge[:0]),
    ]
    single = torch.cat([_call(layer, part.x, part, _edge_of(part)) for part in parts])
    batch = Graph.batch(parts)
    batched = _call(layer, batch.x, batch, _edge_of(batch))
    _check_equal(batched, single, "a batch gives its graphs other outputs than they have alone")


def check_empty_graph(
    layer: nn.Module, x: Float[Tensor, "n c"], adj: Adjacency, edge: Float[Tensor, "e *d"] | None = None
) -> None:
    """A graph without edges, and one without nodes, has a finite output of the usual shape and gradients."""
    layer = _copied(layer)
    usual = _call(layer, x, adj, edge).shape
    for num_nodes in (x.shape[0], 0):
        what = f"a graph of {num_nodes} nodes and no edges"
        x_there = x[:num_nodes].detach().requires_grad_()
        graph = Graph(adj.edge_index[:, :0], num_nodes=num_nodes)
        out = _call(layer, x_there, graph, None if edge is None else edge[:0])
        rows = num_nodes if usual[0] == x.shape[0] else usual[0]
        _check(out.shape == (rows, *usual[1:]), f"{what} has an output of shape {tuple(out.shape)}")
        _check_finite(out, f"{what} has an output")
        if out.requires_grad:
            out.sum().backward()


def check_isolated_nodes(
    layer: nn.Module, x: Float[Tensor, "n c"], adj: Adjacency, edge: Float[Tensor, "e *d"] | None = None
) -> None:
    """Nodes without edges have a finite output, which is theirs alone, and leave the others' as it was."""
    layer = _copied(layer)
    num_nodes = x.shape[0]
    wider = Adjacency(adj.edge_index, num_nodes + 2)
    out = _call(layer, torch.cat([x, x[:2]]), wider, edge)
    _check_finite(out[num_nodes:], "an isolated node has an output")
    _check_equal(out[:num_nodes], _call(layer, x, adj, edge), "isolated nodes change the output of others")
    again = _call(layer, torch.cat([x + 1, x[:2]]), wider, edge)
    _check_equal(again[num_nodes:], out[num_nodes:], "an isolated node hears of others")


def check_bipartite(
    layer: nn.Module, x: Float[Tensor, "n c"], adj: Adjacency, edge: Float[Tensor, "e *d"] | None = None
) -> None:
    """Between sources and targets: sources are renumbered freely, and one nobody hears changes nothing.

    The layer is called as layer((x_src, x_dst), adj): the nodes speak to half of them, and to as many others.
    """
    layer = _copied(layer)
    num_src = x.shape[0]
    for num_dst in (num_src // 2, num_src):
        stays = adj.dst < num_dst
        (src, dst), size = adj.edge_index[:, stays], (num_src, num_dst)
        edge_there = None if edge is None else edge[stays]
        x_dst = x[:num_dst].cos()
        out = _call(layer, (x, x_dst), Adjacency(torch.stack([src, dst]), size=size), edge_there)
        _check(out.shape[0] == num_dst, f"{num_dst} targets have an output of shape {tuple(out.shape)}")

        order = _shuffled(num_src)
        turned = Adjacency(torch.stack([order.argsort()[src], dst]), size=size)
        renumbered = _call(layer, (x[order], x_dst), turned, edge_there)
        _check_equal(renumbered, out, "renumbering the sources changes the output")

        wider = Adjacency(torch.stack([src, dst]), size=(num_src + 1, num_dst))
        unheard = _call(layer, (torch.cat([x, x[:1]]), x_dst), wider, edge_there)
        _check_equal(unheard, out, "a source that nobody hears changes the output")


def check_gradients(
    layer: nn.Module,
    x: Float[Tensor, "n c"],
    adj: Adjacency,
    edge: Float[Tensor, "e *d"] | None = None,
    *,
    unused: Collection[str] = (),
) -> None:
    """Every input and parameter has a finite gradient, the one that finite differences give, and some of it not zero.

    Args:
        layer, x, adj, edge: what to call; the check is made in float64.
        unused: names of parameters without influence on this output, whose gradient may be zero or missing.
    """
    layer = _copied(layer).double()
    inputs = {"x": x.detach().double().requires_grad_()}
    if edge is not None:
        inputs["edge"] = edge.detach().double().requires_grad_()

    def out(*_: Tensor) -> Tensor:
        return _call(layer, inputs["x"], adj, inputs.get("edge"))

    probe = out()
    leaves = inputs | {name: p for name, p in layer.named_parameters() if name not in unused}
    weights = torch.randn(probe.shape, generator=_generator(), dtype=probe.dtype)
    gradients = torch.autograd.grad((probe * weights).sum(), list(leaves.values()), allow_unused=True)
    for name, gradient in zip(leaves, gradients, strict=True):
        if gradient is None:
            raise AssertionError(f"{name} has no gradient")
        _check_finite(gradient, f"{name} has a gradient")
        _check(bool(gradient.any()), f"the gradient of {name} is zero")
    # The leaves are what `out` reads: finite differences move them in place.
    try:
        torch.autograd.gradcheck(out, tuple(leaves.values()), fast_mode=True)
    except RuntimeError as error:
        raise AssertionError(f"the gradients are not those of finite differences: {error}") from error


def check_save_and_load(
    layer: nn.Module, x: Float[Tensor, "n c"], adj: Adjacency, edge: Float[Tensor, "e *d"] | None = None
) -> None:
    """The saved state in another layer of the kind makes its output this one's, bit for bit."""
    layer = _copied(layer)
    wanted = _call(layer, x, adj, edge)
    other = copy.deepcopy(layer)
    with torch.no_grad():
        for state in [*other.parameters(), *other.buffers()]:
            state.copy_(state + 1)
    saved = io.BytesIO()
    torch.save(layer.state_dict(), saved)
    saved.seek(0)
    other.load_state_dict(torch.load(saved, weights_only=True))
    got = _call(other, x, adj, edge)
    _check(torch.equal(got, wanted), "a layer that loads the state of another has another output")


def check_same_bits(
    layer: nn.Module, x: Float[Tensor, "n c"], adj: Adjacency, edge: Float[Tensor, "e *d"] | None = None
) -> None:
    """Two runs, of one thread and of two, give the same bits: outputs and input gradients, dropout and all.

    The graph is laid side by side with itself until it is large enough for threads to share it.
    """
    parts = [_graph(x, adj, edge)] * (_ENOUGH_EDGES // max(adj.num_edges, 1) + 1)
    batch = Graph.batch(parts)
    threads = torch.get_num_threads()
    for training in (False, True):
        results = []
        try:
            for count in (1, 2, 2):
                torch.set_num_threads(count)
                results.append(_outcome(layer, batch, training))
        finally:
            torch.set_num_threads(threads)
        for other in results[1:]:
            same = all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))
            _check(same, f"two runs {'in training' if training else 'in evaluation'} differ in their bits")


def _outcome(layer: nn.Module, batch: Graph, training: bool) -> tuple[Tensor, Tensor]:
    """The output and the input's gradient, from a fixed seed."""
    layer, x = _copied(layer).train(training), batch.x.detach().requires_grad_()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        out = _call(layer, x, batch, _edge_of(batch))
        weights = torch.randn(out.shape, generator=_generator(), dtype=out.dtype)
        return out.detach(), torch.autograd.grad(out, x, weights)[0]


def _copied(layer: nn.Module) -> nn.Module:
    return copy.deepcopy(layer).eval()


def _call(layer: nn.Module, x: Tensor | tuple[Tensor, Tensor], adj: Adjacency | Graph, edge: Tensor | None) -> Tensor:
    """The layer's output; it is given a Graph, and an Adjacency where x is a pair."""
    graph = Graph(adj) if isinstance(adj, Adjacency) and isinstance(x, Tensor) else adj
    return layer(x, graph) if edge is None else layer(x, graph, edge)


def _graph(x: Tensor, adj: Adjacency, edge: Tensor | None) -> Graph:
    return Graph(adj, x=x, edge_attr=edge)


def _edge_of(graph: Graph) -> Tensor | None:
    return graph.edge_attr if "edge_attr" in graph.edge else None


def _renumbered(adj: Adjacency, order: Tensor, edge: Tensor | None) -> tuple[Adjacency, Tensor | None]:
    """The adjacency whose node k is node order[k] here, and the edge input in its order."""
    other = Adjacency(order.argsort()[adj.edge_index], adj.num_nodes)
    return other, None if edge is None else edge[other.edge_id]


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _shuffled(count: int) -> Tensor:
    return torch.randperm(count, generator=_generator())


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _check_finite(tensor: Tensor, what: str) -> None:
    _check(bool(tensor.isfinite().all()), f"{what} that is not finite")


def _check_equal(got: Tensor, wanted: Tensor, message: str) -> None:
    digits = torch.finfo(wanted.dtype).eps ** 0.5
    torch.testing.assert_close(got, wanted, rtol=digits, atol=digits, msg=lambda why: f"{message}: {why}")
