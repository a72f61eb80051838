"""Splits by component: items that a path joins are in one part, so nothing of the test is seen in training."""

import numpy as np
import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from grapevine.checks import check_rows
from grapevine.data.split.split import Split, check_shares, is_known
from grapevine.errors import check
from grapevine.graph import Adjacency, Graph, as_adjacency, to_scipy


def component_split(
    graph: Graph | Adjacency,
    *,
    train: float = 0.6,
    val: float = 0.2,
    seed: int = 0,
    y: Shaped[Tensor, "n *t"] | None = None,
) -> Split:
    """Whole connected components of the nodes teach, choose or judge, so many that the shares are nearly met.

    The largest components are placed first, each where most is missing, so the giant one of many graphs teaches.
    The direction of edges does not count; components of one size come in random order.

    Args:
        y: the answers; a node without one (-1, NaN) is in no part and does not count for the shares.

    Raises:
        InputError: if a share is wrong, or there are fewer components than parts.

    >>> component_split(Graph([[0, 1, 3, 5], [1, 2, 4, 6]]))  # components of 3, 2 and 2 nodes
    Split(3 train, 2 val, 2 test)
    """
    component = component_of(graph)
    if y is not None:
        check_rows("y", y, len(component), "nodes")
    known = torch.ones(len(component), dtype=torch.bool) if y is None else is_known(y)
    return split_by_group(component, known, train=train, val=val, seed=seed)


def component_of(graph: Graph | Adjacency) -> Int[Tensor, " n"]:
    """The number of the component that each node is in; edges join whatever their direction.

    >>> component_of(Graph([[0, 3], [1, 2]])).tolist()
    [0, 0, 1, 1]
    """
    adj = as_adjacency(graph)
    check(adj.is_square, f"components are those of one set of nodes, got {adj}")
    from scipy.sparse.csgraph import connected_components  # slow to import, and this split alone needs it

    _, component = connected_components(to_scipy(adj), directed=False)
    return torch.from_numpy(component.astype(np.int64))


def split_by_group(
    group: Int[Tensor, " n"], known: Bool[Tensor, " n"], *, train: float, val: float, seed: int
) -> Split:
    """Whole groups of items in one part; the known ones count, the others are in no part."""
    check_shares(train, val)
    check(bool(known.any()), "there is no item to split: the answers of all are unknown")
    _, group_of, sizes = group[known].unique(return_inverse=True, return_counts=True)
    shares = {0: train, 1: val, 2: 1 - train - val}
    missing = {part: share * int(known.sum()) for part, share in shares.items() if share > 1e-9}
    check(len(sizes) >= len(missing), f"{len(sizes)} components are too few for {len(missing)} parts")
    shuffled = torch.randperm(len(sizes), generator=torch.Generator().manual_seed(seed))
    order = shuffled[sizes[shuffled].argsort(descending=True, stable=True)]
    part_of_group, empty = torch.zeros(len(sizes), dtype=torch.int64), set(missing)
    for done, (place, size) in enumerate(zip(order.tolist(), sizes[order].tolist(), strict=True)):
        open_to = empty if len(sizes) - done <= len(empty) else missing  # the last groups go to parts without any
        part = max(open_to, key=lambda name: missing[name])
        part_of_group[place] = part
        missing[part] -= size
        empty.discard(part)
    part_of = torch.full((len(group),), -1)
    part_of[known] = part_of_group[group_of]
    return Split(part_of == 0, part_of == 1, part_of == 2)
