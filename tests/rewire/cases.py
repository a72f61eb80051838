"""Graphs with a narrow place, and batches with all that edges may hold."""

import networkx as nx
import numpy as np
import torch

from grapevine.graph import Graph


def graph_of(plain: nx.Graph, **tensors) -> Graph:
    """Both directions of every edge of a graph with nodes 0 .. n - 1."""
    plain = nx.convert_node_labels_to_integers(plain)
    pairs = torch.tensor(list(plain.edges), dtype=torch.int64).reshape(-1, 2).T
    return Graph(torch.cat([pairs, pairs.flip(0)], 1), num_nodes=plain.number_of_nodes(), **tensors)


def networkx_of(graph: Graph) -> nx.Graph:
    plain = nx.Graph()
    plain.add_nodes_from(range(graph.num_nodes))
    plain.add_edges_from((i, j) for i, j in graph.adj.edge_index.T.tolist() if i != j)
    return plain


def some_graphs() -> list[Graph]:
    """Barbells, a tree, a ring, pieces, a single node, no edges; each with features of every kind."""
    plain = [
        nx.barbell_graph(5, 0), nx.balanced_tree(2, 3), nx.cycle_graph(9),
        nx.disjoint_union(nx.path_graph(3), nx.path_graph(4)), nx.empty_graph(1), nx.empty_graph(3),
        nx.complete_graph(4), nx.star_graph(6), nx.gnp_random_graph(14, 0.25, seed=3),
    ]  # fmt: skip
    graphs = []
    for each in plain:
        bare, generator = graph_of(each), torch.Generator().manual_seed(len(each))
        graphs.append(
            Graph(
                bare.adj,
                x=torch.randn(bare.num_nodes, 3, generator=generator),
                edge_attr=torch.randn(bare.num_edges, 2, generator=generator),
                edge_weight=1 + torch.rand(bare.num_edges, generator=generator),
                edge={"kind": torch.randint(5, (bare.num_edges,), generator=generator)},
                graph={"y": torch.randn(1, generator=generator)},
            )
        )
    return graphs


def pairs_of(graph: Graph) -> set[tuple[int, int]]:
    """The pairs of neighbours, smaller node first."""
    return {(min(i, j), max(i, j)) for i, j in graph.adj.edge_index.T.tolist() if i != j}


def dense(graph: Graph) -> np.ndarray:
    """[n, n] ones where nodes are neighbours."""
    return nx.to_numpy_array(networkx_of(graph), nodelist=range(graph.num_nodes))
