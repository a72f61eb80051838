"""A training epoch of four networks, against PyTorch Geometric in every form of its graph.

Full batch: zero_grad, forward, cross entropy, backward, Adam.
"""

from collections.abc import Callable

import torch

from benchmarks import models, peers
from benchmarks.graphs import CHANNELS, CLASSES, Case, arxiv_shaped
from benchmarks.models import Kind
from benchmarks.race import OURS, Race, race
from benchmarks.report import Claim, Result, Table
from benchmarks.timing import Scale, in_turn
from benchmarks.training import Trainer
from grapevine.graph import Adjacency

_FASTER, _FASTER_THAN_DEFAULT = {"GCN": 3.5, "SAGE": 5.0, "GIN": 5.0, "GAT": 10.0}, {"GCN": 12.0}
_SET_UP = [
    ["all", "128 -> 128 -> 128 -> 40; ReLU and dropout 0.5 between; fused Adam; all nodes teach"],
    ["GCN", "normalisation computed once, before the clock runs"],
    ["SAGE", "mean of the neighbours, and the node itself"],
    ["GIN", "a network of two linear layers, 128 wide"],
    ["GAT", "4 heads of 32, in the last layer one of 40; self-loops added once, before the clock runs"],
    ["edge_index", "PyTorch Geometric's default: what to_undirected gives"],
    ["EdgeIndex", "sorted by target, all caches filled"],
    ["torch CSR, SparseTensor", "the transposed adjacency, GCN's with its weights"],
]


def run(scale: Scale) -> Result:
    """All four networks."""
    tables, claims = [Table("How the networks are set up", ["", "both sides"], _SET_UP)], []
    for kind in models.KINDS:
        title, measured, alone = scale.fresh(compare, kind, scale)
        best = measured.times[measured.best].best
        tables.append(measured.table(title, _bound(alone, best)))
        claims += _claims(kind, measured)
    return Result(tables, claims)


def compare(kind: Kind, scale: Scale) -> tuple[str, Race, float]:
    """A title, the times of an epoch, and the seconds of its matrix products alone, which both sides share."""
    case = arxiv_shaped(scale.share)
    theirs = {form: _their_trainer(kind, form, case) for form in models.their_forms(kind)}
    measured = race(_our_trainer(kind, case), theirs, epochs=1, rounds=scale.long_rounds)
    alone = in_turn({"products": _products(kind, case.num_nodes)}, scale.long_rounds)["products"]
    return f"{kind}, one epoch, {case}", measured, alone


def _products(kind: Kind, num_nodes: int) -> Callable[[], None]:
    """Does the matrix products of an epoch: of each map the forward one, its weights' and, but for x, its input's."""
    operands = [
        (torch.ones(num_nodes, before), torch.ones(num_nodes, after), torch.ones(after, before), is_first)
        for before, after, is_first in models.products(kind)
    ]

    def multiply() -> None:
        for x, grad, weight, is_first in operands:
            torch.mm(x, weight.T)
            torch.mm(grad.T, x)
            if not is_first:
                torch.mm(grad, weight)

    return multiply


def _bound(alone: float, best: float) -> str:
    return (
        f"The matrix products alone take {alone * 1e3:,.0f} ms: no kernel beats their best by {best / alone:.1f} times."
    )


def trainer(kind: Kind, form: str, case: Case) -> Trainer:
    return _our_trainer(kind, case) if form == OURS else _their_trainer(kind, form, case)


def _our_trainer(kind: Kind, case: Case) -> Trainer:
    x, y = _nodes(case)
    return Trainer(models.ours(kind), (x, Adjacency(case.edge_index, case.num_nodes)), y)


def _their_trainer(kind: Kind, form: str, case: Case) -> Trainer:
    x, y = _nodes(case)
    torch.manual_seed(0)  # the same weights whatever the form
    return Trainer(models.theirs(kind), (x, *models.their_edges(kind, form, case)), y)


def _nodes(case: Case) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(case.num_nodes, CHANNELS, generator=generator)
    return x, torch.randint(CLASSES, (case.num_nodes,), generator=generator)


def _claims(kind: Kind, measured: Race) -> list[Claim]:
    best = measured.best
    claims = [Claim(f"{kind} epoch: faster than {best}", measured.ratio(best), _FASTER[kind])]
    if kind in _FASTER_THAN_DEFAULT:
        default = measured.ratio(peers.DEFAULT)
        claims.append(Claim(f"{kind} epoch: faster than {peers.DEFAULT}", default, _FASTER_THAN_DEFAULT[kind]))
    return claims
