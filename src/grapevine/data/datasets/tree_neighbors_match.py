"""Tree-NeighborsMatch: a question at the root of a binary tree, whose answer stands at one of 2^depth leaves.

Leaf k holds the key k and a value, another one in each tree; the root holds a key and must say the value of the leaf of
that key. All 2^depth pairs have to pass the root's two children, so a network that hears along the edges alone must
squeeze them into two states: over-squashing and nothing else.
Alon & Yahav 2021, "On the bottleneck of graph neural networks and its practical implications".
"""

from itertools import permutations
from math import factorial

import numpy as np
import torch
from jaxtyping import Int

from grapevine.data.collection import collection
from grapevine.data.dataset import Dataset
from grapevine.data.datasets.info import DatasetInfo
from grapevine.data.split import Split, mask_of, stratified_split
from grapevine.errors import check
from grapevine.ops.pattern import Pattern
from grapevine.ops.sparse import SparseMatrix

PREFIX = "trees:"
DEPTHS = range(2, 9)
_ORDERS, _TREES = 1000, 32_000  # at most so many orders of the values, and so many trees in all
_LISTED = 3  # the depth up to which all orders are listed, so that none is drawn twice
_TAUGHT = 0.8


def _info(depth: int) -> DatasetInfo:
    leaves, orders = 2**depth, _num_orders(depth)
    return DatasetInfo(
        f"{PREFIX}{depth}",
        f"Tree-NeighborsMatch: the root of a tree of depth {depth} must say what stands at one of its {leaves} leaves",
        level="node",
        task="classification",
        metric="accuracy",
        split="80 % of the roots teach, as many of each value, 10 % choose, 10 % judge; the paper judges the 80 %",
        num_nodes=(2 * leaves - 1) * orders * leaves,
        num_edges=(2 * leaves - 2) * orders * leaves,
        num_graphs=orders * leaves,
        num_features=2 * leaves,
        num_classes=leaves,
        licence="made anew from the paper's rule",
        citation='Alon & Yahav 2021, "On the bottleneck of graph neural networks and its practical implications", ICLR',
    )


def load(depth: int) -> Dataset:
    """Trees whose edges lead from child to parent; `y` is known of the roots alone, the first node of each tree.

    There is a tree for each order of the values and each key at the root: 1,000 orders, and fewer where that were more
    than 32,000 trees. Node i has the children 2 i + 1 and 2 i + 2, the last 2^depth nodes are the leaves. The features
    are sparse: the key one-hot, then the value one-hot, and zeros at the nodes between.

    Raises:
        InputError: for another depth than 2 to 8.

    >>> trees = load(2)
    >>> trees.graph, trees.splits[0]
    (Graph(96 graphs, 672 nodes, 576 edges; node: x sparse [672, 8], y [672]), Split(76 train, 12 val, 8 test))
    """
    values = leaf_values(depth)
    orders, leaves = values.shape
    trees, nodes = orders * leaves, 2 * leaves - 1
    child = np.arange(1, nodes)
    edges = np.stack([child, (child - 1) // 2])[:, None] + nodes * np.arange(trees)[None, :, None]
    y = np.full((trees, nodes), -1)
    y[:, 0] = values.ravel()
    node = {"x": _features(values), "y": torch.from_numpy(y.ravel())}
    graph = collection(edges.reshape(2, -1), np.full(trees, nodes), node=node)  # pyright: ignore[reportArgumentType]
    drawn, roots = split_of_trees(depth), graph.ptr[:-1]
    split = Split(*(mask_of(roots[mask], graph.num_nodes) for mask in (drawn.train, drawn.val, drawn.test)))
    return Dataset(f"{PREFIX}{depth}", graph, "node", (split,))


def leaf_values(depth: int) -> Int[np.ndarray, "orders leaves"]:
    """Which value stands at each leaf, for every order of them; tree number `order * leaves + key` asks for the key.

    >>> leaf_values(4).shape, sorted(leaf_values(4)[7].tolist()) == list(range(16))
    ((1000, 16), True)
    """
    check(depth in DEPTHS, f"the trees have depth {DEPTHS[0]} to {DEPTHS[-1]}, got {depth!r}")
    generator, leaves, count = np.random.default_rng(depth), 2**depth, _num_orders(depth)
    if depth <= _LISTED:
        listed = np.array(list(permutations(range(leaves))))
        return listed[generator.choice(len(listed), count, replace=False)]
    return np.stack([generator.permutation(leaves) for _ in range(count)])


def split_of_trees(depth: int) -> Split:
    """Which trees teach: the split of `load` over trees instead of nodes.

    >>> split_of_trees(2)
    Split(76 train, 12 val, 8 test)
    """
    answers = torch.from_numpy(leaf_values(depth).ravel())
    return stratified_split(answers, train=_TAUGHT, val=(1 - _TAUGHT) / 2)


def _num_orders(depth: int) -> int:
    return min(_ORDERS, factorial(2**depth), _TREES // 2**depth)


def _features(values: np.ndarray) -> SparseMatrix:
    """[trees * nodes, 2 * leaves] a row holds one entry at a root, two at a leaf and none between."""
    orders, leaves = values.shape
    trees, nodes = orders * leaves, 2 * leaves - 1
    counts = np.zeros((trees, nodes), np.int64)
    counts[:, 0], counts[:, leaves - 1 :] = 1, 2
    columns = np.empty((orders, leaves, 1 + 2 * leaves), np.int64)  # by order and key: the root's, then the leaves'
    columns[:, :, 0], columns[:, :, 1::2] = np.arange(leaves), np.arange(leaves)
    columns[:, :, 2::2] = leaves + values[:, None]
    starts = np.concatenate([np.zeros(1, np.int64), counts.cumsum()])
    pattern = Pattern(torch.from_numpy(starts), torch.from_numpy(columns.ravel()), 2 * leaves)
    return SparseMatrix(pattern, torch.ones(columns.size))


INFOS = tuple(_info(depth) for depth in DEPTHS)
