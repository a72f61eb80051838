"""Sparse times dense, forward, 128 columns, against PyTorch's own forms and torch-sparse's."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch_geometric.typing import WITH_TORCH_SPARSE, torch_sparse

from benchmarks import graphs, peers
from benchmarks.graphs import CHANNELS, Case
from benchmarks.report import Claim, Result, Table, side_by_side
from benchmarks.timing import Scale, Seconds, both_ways, copy_bandwidth
from benchmarks.training import check_equal
from grapevine.graph import Adjacency
from grapevine.ops.spmm import spmm

OURS, NAIVE = "Grapevine", "index_select, index_add_"
_FASTER, _FASTER_THAN_NAIVE = 3.5, 30.0


def run(scale: Scale) -> Result:
    """The plain sum and the weighted one, on both graphs."""
    makers: list[Callable[[], Case]] = [partial(graphs.arxiv_shaped, scale.share)]
    tables, claims = [], []
    if not scale.is_full:
        tables.append(Table("spmm, cnr-2000", ["skipped"], [["a quick run leaves it out"]]))
    elif not graphs.CNR_2000.is_file():
        tables.append(Table("spmm, cnr-2000", ["skipped"], [["shared/data/web beside the project has no such file"]]))
    else:
        makers.append(graphs.cnr_2000)
    for make in makers:
        for is_weighted in (False, True):
            title, times, speed = scale.fresh(compare, make, is_weighted, scale)
            tables.append(side_by_side(title, times, notes=[speed]))
            claims += _claims(title, times)
    return Result(tables, claims)


def compare(make: Callable[[], Case], is_weighted: bool, scale: Scale) -> tuple[str, dict[str, Seconds], str]:
    """A title, the times of all sides, and a line on bytes moved."""
    case = make()
    x = torch.randn(case.num_nodes, CHANNELS)
    weight = torch.rand(case.num_edges) if is_weighted else None
    calls = {OURS: _ours(case, x, weight), **_theirs(case, x, weight)}
    expected = calls[OURS]()
    for name, call in calls.items():
        check_equal(f"spmm and {name}", expected, call())
    times = both_ways(calls, scale.short_rounds)
    rows = 4 * CHANNELS * (case.num_edges + case.num_nodes)  # each entry reads a row, each row is written
    indices = 4 * (case.num_edges * (2 if is_weighted else 1) + case.num_nodes)
    share = (rows + indices) / times[OURS].kept / copy_bandwidth()
    speed = f"{OURS} moves {(rows + indices) / 1e9:.2f} GB, at {share:.0%} of the speed of a copy."
    return f"spmm, {'weighted ' if is_weighted else ''}sum, {case}", times, speed


def _ours(case: Case, x: Tensor, weight: Tensor | None) -> Callable[[], Tensor]:
    adjacency = Adjacency(case.edge_index, case.num_nodes)
    ordered = None if weight is None else weight[adjacency.edge_id]
    return lambda: spmm(adjacency.pattern, x, ordered)


def _theirs(case: Case, x: Tensor, weight: Tensor | None) -> dict[str, Callable[[], Tensor]]:
    matrix = peers.csr(case, weight)
    narrow = peers.narrowed(matrix)
    calls = {
        "torch.sparse.mm(CSR, x, 'sum')": lambda: torch.sparse.mm(matrix, x, "sum"),
        "CSR @ x": lambda: matrix @ x,
        "CSR of 32 bits @ x": lambda: narrow @ x,
    }
    if WITH_TORCH_SPARSE:
        sparse = peers.sparse_tensor(case, weight)
        calls["torch_sparse.matmul"] = lambda: torch_sparse.matmul(sparse, x)
    return {**calls, NAIVE: partial(_gather_add, case, x, weight)}


def _gather_add(case: Case, x: Tensor, weight: Tensor | None) -> Tensor:
    src, dst = case.edge_index
    messages = x.index_select(0, src)
    return torch.zeros_like(x).index_add_(0, dst, messages if weight is None else messages * weight.unsqueeze(1))


def _claims(title: str, times: dict[str, Seconds]) -> list[Claim]:
    others = [name for name in times if name not in (OURS, NAIVE)]
    best, ours = min(others, key=lambda name: times[name].best), times[OURS].kept
    return [
        Claim(f"{title}: faster than {best}", times[best].best / ours, _FASTER),
        Claim(f"{title}: faster than {NAIVE}", times[NAIVE].best / ours, _FASTER_THAN_NAIVE),
    ]
