"""How much neighbours have in common, in six numbers and a matrix.

    edge                 h = |{ {u, v} in E : y_u = y_v }| / |E|                                    (Zhu et al. 2020)
    node                 mean over u of the share of N(u) in u's class                              (Pei et al. 2020)
    class-insensitive    1 / (C - 1) sum over k of max(0, h_k - n_k / n),
                         h_k the share of the edge ends at class k that lead to class k              (Lim et al. 2021)
    adjusted             (h - sum of q_k^2) / (1 - sum of q_k^2),  q_k = degrees in class k / 2 |E|
    label informativeness    I(y_u, y_v) / H(y_u) over the ends of a random edge            (both: Platonov et al. 2023)
    compatibility        H[k, l]: the share of the edge ends at class k that lead to class l         (Zhu et al. 2020)

All are of the simple undirected graph (no direction, no loops, each pair of neighbours once), over the edges of which
both ends are known. 0 is what unrelated edges give for the adjusted one and the informativeness, whatever the classes'
sizes; edge and node homophily are large wherever one class is.

Zhu et al., "Beyond homophily in graph neural networks"; Pei et al., "Geom-GCN"; Lim et al., "Large scale learning on
non-homophilous graphs"; Platonov et al., "Characterizing graph datasets for node classification".
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from grapevine.checks import check_rows, check_tensor
from grapevine.graph import Adjacency, Graph
from grapevine.graph.measures.undirected import Undirected, undirected

_INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


@dataclass(frozen=True, eq=False)
class Homophily:
    """What a node's class says of its neighbours'. NaN where no edge, or no second class, is known.

    Args:
        compatibility: [k, k] rows sum to one; NaN in the row of a class without edges.
        num_pairs: the pairs of neighbours of which both classes are known.
        num_classes: the classes that some node has.
    """

    edge: float
    node: float
    class_insensitive: float
    adjusted: float
    label_informativeness: float
    compatibility: np.ndarray
    num_pairs: int
    num_classes: int


def homophily(edges: Adjacency | Graph | Tensor, y: Int[Tensor, " n"]) -> Homophily:
    """Measure the classes y of the nodes; -1 (or any negative number): unknown, and left out with its edges.

    >>> square = Adjacency([[0, 1, 2, 3], [1, 2, 3, 0]])
    >>> found = homophily(square, torch.tensor([0, 1, 0, 1]))
    >>> found.edge, found.adjusted, found.label_informativeness
    (0.0, -1.0, 1.0)
    >>> found.compatibility.tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    pairs, classes = _known(edges, y)
    counts = np.bincount(classes[classes >= 0])
    joint = np.zeros((len(counts), len(counts)))
    np.add.at(joint, (classes[pairs[0]], classes[pairs[1]]), 1.0)
    joint += joint.T  # every pair from both of its ends
    ends, total = joint.sum(1), joint.sum()
    shares, num_classes = ends / max(total, 1), int((counts > 0).sum())
    edge = float(np.trace(joint) / total) if total else np.nan
    expected = float((shares**2).sum())
    compatibility = np.divide(joint, ends[:, None], out=np.full_like(joint, np.nan), where=ends[:, None] > 0)
    has_two = total > 0 and (ends > 0).sum() > 1
    return Homophily(
        edge=edge,
        node=_mean(_node_shares(pairs, classes)),
        class_insensitive=_class_insensitive(compatibility, counts) if total and num_classes > 1 else np.nan,
        adjusted=(edge - expected) / (1 - expected) if has_two else np.nan,
        label_informativeness=2 - _entropy(joint / total) / _entropy(shares) if has_two else np.nan,
        compatibility=compatibility,
        num_pairs=pairs.shape[1],
        num_classes=num_classes,
    )


def node_homophily(edges: Adjacency | Graph | Tensor, y: Int[Tensor, " n"]) -> np.ndarray:
    """[n] the share of each node's neighbours that are of its class; NaN where none of them, or itself, is known.

    >>> node_homophily(Adjacency([[0, 1], [1, 2]], num_nodes=4), torch.tensor([0, 0, 1, 1])).tolist()
    [1.0, 0.5, 0.0, nan]
    """
    return _node_shares(*_known(edges, y))


def _known(edges: Adjacency | Graph | Tensor, y: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The pairs [2, m] of neighbours whose classes are known, and the classes."""
    check_tensor("y", y, ndim=1, dtypes=_INTEGERS)
    graph: Undirected = undirected(edges, None if not isinstance(edges, Tensor) else y.shape[0])
    check_rows("y", y, graph.num_nodes, "nodes")
    classes, pairs = y.cpu().numpy().astype(np.int64), np.stack([graph.low, graph.high])
    return pairs[:, (classes[pairs] >= 0).all(0)], classes


def _node_shares(pairs: np.ndarray, classes: np.ndarray) -> np.ndarray:
    same, ends = (classes[pairs[0]] == classes[pairs[1]]).astype(float), pairs.ravel()
    degree = np.bincount(ends, minlength=len(classes))
    alike = np.bincount(ends, np.concatenate([same, same]), minlength=len(classes))
    return np.divide(alike, degree, out=np.full(len(classes), np.nan), where=degree > 0)


def _class_insensitive(compatibility: np.ndarray, counts: np.ndarray) -> float:
    inside = np.nan_to_num(np.diagonal(compatibility))  # a class without edges adds nothing
    return float(np.maximum(inside - counts / counts.sum(), 0).sum() / ((counts > 0).sum() - 1))


def _entropy(shares: np.ndarray) -> float:
    shares = shares[shares > 0]
    return -float((shares * np.log(shares)).sum())


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan
