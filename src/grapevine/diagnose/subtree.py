"""The Weisfeiler-Leman subtree kernel: how many subtree patterns two graphs share.

k(G, H) = sum over rounds t = 0 .. h of  sum over colours c of  #{ i in G : c_i^t = c } #{ j in H : c_j^t = c }

Shervashidze et al. 2011, "Weisfeiler-Lehman graph kernels". The hash of a graph by the same colours, which compares
between graphs that were never seen together, is `graph_hash`.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse
import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.diagnose.labelled import Labelled, labelled
from grapevine.errors import InputError, check
from grapevine.graph import Graph
from grapevine.ops.color_refinement import color_refinement


def subtree_kernel(
    graph: Graph,
    *,
    rounds: int = 3,
    node: Sequence[str] | None = None,
    edge: Sequence[str] = (),
    normalize: bool = False,
) -> Float[Tensor, "g g"]:
    """[g, g] the kernel between all graphs of a batch, in float64.

    Args:
        rounds: h, how far a pattern reaches.
        node: the node tensors that are known from the start; by default those of x and z that there are.
        edge: the edge tensors that are; by default none.
        normalize: k(G, H) / sqrt(k(G, G) k(H, H)), so that a graph has 1 with itself; 0 for a graph without nodes.

    Raises:
        InputError: for rounds below 0 or a tensor that the graph does not hold.

    >>> path, star = Graph([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]]), Graph([[0, 1, 0, 2, 0, 3], [1, 0, 2, 0, 3, 0]])
    >>> subtree_kernel(Graph.batch([path, star]), rounds=1).tolist()
    [[24.0, 22.0], [22.0, 26.0]]
    """
    features = subtree_features(graph, rounds=rounds, node=node, edge=edge)
    kernel = (features @ features.T).toarray()
    if normalize:
        own = np.sqrt(np.diagonal(kernel))
        kernel = kernel / np.maximum(own[:, None] * own[None, :], 1)
    return torch.from_numpy(kernel)


def subtree_features(
    graph: Graph, *, rounds: int = 3, node: Sequence[str] | None = None, edge: Sequence[str] = ()
) -> scipy.sparse.csr_array:
    """[g, f] how often each colour of each round occurs in each graph: the kernel is the product of two rows.

    Arguments and errors as of `subtree_kernel`.

    >>> subtree_features(Graph([[0, 1, 1, 2], [1, 0, 2, 1]]), rounds=1).toarray().tolist()
    [[3.0, 2.0, 1.0]]
    """
    if not isinstance(rounds, int) or rounds < 0:
        raise InputError(f"rounds must be a whole number from 0 on, got {rounds!r}")
    given = labelled(graph, node, edge)
    check(len(given.ptr) > 1, "there is no graph to count in")
    colors, counts = given.node, []
    for t in range(rounds + 1):
        if t > 0:
            colors = _next(given, colors)
        counts.append(_counts(given, colors))
    return scipy.sparse.csr_array(scipy.sparse.hstack(counts))


def _next(graph: Labelled, colors: np.ndarray) -> np.ndarray:
    start, edge = torch.from_numpy(colors), torch.from_numpy(graph.edge)
    return color_refinement(graph.adj.pattern, start, edge, max_rounds=1).colors.numpy()


def _counts(graph: Labelled, colors: np.ndarray) -> scipy.sparse.csr_array:
    owner = np.repeat(np.arange(len(graph.sizes)), graph.sizes)
    width = int(colors.max(initial=-1)) + 1
    return scipy.sparse.csr_array((np.ones(len(colors)), (owner, colors)), shape=(len(graph.sizes), width))
