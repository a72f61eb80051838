"""1-WL on graphs in which nodes are marked in turn, and the multiset of what comes out.

node marking         c_v = {{ 1-WL colours of the graph with v marked }}
root and neighbour   c_v = (that, {{ {{ 1-WL colours of the graph with v and, differently, u marked }} : u in N(v) }})

The first is what networks with one marked node reach (You et al. 2021, ID-GNN; Bevilacqua et al. 2022; Papp &
Wattenhofer 2022), the second those with pairs: I2-GNN (Huang et al. 2023), with the whole graph as each subgraph.
"""

import numpy as np
import torch
from jaxtyping import Int

from grapevine.diagnose.labelled import Coloring, Labelled, check_size, multiset_classes, ranges, together
from grapevine.ops.color_refinement import color_refinement
from grapevine.ops.pattern import Pattern


def node_marking(graph: Labelled) -> Coloring:
    """Each node marked in turn; the copies of all graphs are refined together."""
    roots = np.arange(len(graph.node))
    colors = _marked("node-marking", graph, roots, np.full_like(roots, -1))
    return Coloring(colors, colors, graph.ptr)


def root_and_neighbour_marking(graph: Labelled) -> Coloring:
    """Each node marked in turn, alone and with each of those it hears of, which have another mark."""
    roots = np.arange(len(graph.node))
    src, dst = graph.adj.edge_index.numpy()
    root, other = np.unique(np.stack([dst, src])[:, src != dst], axis=1)
    both = np.concatenate([roots, root]), np.concatenate([np.full_like(roots, -1), other])
    found = _marked("root-and-neighbour-marking", graph, *both)
    alone, pairs = found[: len(roots)], found[len(roots) :]
    of_pairs = multiset_classes(pairs, np.searchsorted(root, np.arange(len(roots) + 1)))
    colors = together([alone, of_pairs], len(roots))
    return Coloring(colors, colors, graph.ptr)


def _marked(
    test: str, graph: Labelled, root: Int[np.ndarray, " k"], other: Int[np.ndarray, " k"]
) -> Int[np.ndarray, " k"]:
    """The class of each copy of a root's graph, the root marked and the other node too, unless it is -1."""
    owner = np.repeat(np.arange(len(graph.sizes)), graph.sizes)[root]
    begin, edge_begin = graph.ptr[owner], graph.edge_ptr[owner]
    num_nodes, num_edges = graph.ptr[owner + 1] - begin, graph.edge_ptr[owner + 1] - edge_begin
    check_size(test, int(num_nodes.sum() + num_edges.sum()), "copies of nodes and edges")
    nodes, edges = ranges(begin, num_nodes), ranges(edge_begin, num_edges)
    ptr = np.concatenate([[0], np.cumsum(num_nodes)])
    shift = ptr[:-1] - begin
    degree = graph.adj.in_degree.numpy()[nodes]
    indptr = np.concatenate([[0], np.cumsum(degree)])
    indices = graph.adj.src.numpy()[edges] + np.repeat(shift, num_edges)
    label = 3 * graph.node[nodes]
    label[root + shift] += 1
    has_other = other >= 0
    label[other[has_other] + shift[has_other]] += 2
    pattern = Pattern(torch.from_numpy(indptr), torch.from_numpy(indices), len(nodes))
    colors = color_refinement(pattern, torch.from_numpy(label), torch.from_numpy(graph.edge[edges])).colors
    return multiset_classes(colors.numpy(), ptr)
