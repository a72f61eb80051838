"""Which edges an edge hears when it does not turn back."""

import torch

from grapevine.graph import Adjacency
from grapevine.graph.line import line_pattern, num_turns
from grapevine.graph.reverse import reverse_edges


def check_line(adj: Adjacency) -> None:
    pattern, reverse = line_pattern(adj), reverse_edges(adj).tolist()
    edges = list(enumerate(adj.edge_index.T.tolist()))
    wanted = [[q for q, (_, end) in edges if end == start and q != reverse[p]] for p, (start, _) in edges]
    assert [part.tolist() for part in pattern.indices.split(pattern.indptr.diff().tolist())] == wanted
    assert (pattern.num_rows, pattern.num_cols) == (adj.num_edges, adj.num_edges)
    assert pattern.num_entries == num_turns(adj)


def test_it_is_what_a_search_finds():
    edges = [(0, 1), (1, 2), (2, 0), (2, 3), (2, 3), (4, 4)]  # a ring with a tail, tied twice, and a loop
    both = torch.tensor(edges + [(i, j) for j, i in edges[:-1]])
    for order in (torch.arange(11), torch.randperm(11, generator=torch.Generator().manual_seed(0))):
        check_line(Adjacency(both[order].T, num_nodes=6))


def test_a_star_has_turns_at_its_centre_only():
    leaves = torch.arange(1, 6)
    centre = torch.zeros_like(leaves)
    adj = Adjacency(torch.stack([torch.cat([leaves, centre]), torch.cat([centre, leaves])]))
    check_line(adj)
    assert num_turns(adj) == 5 * 4


def test_no_edges():
    adj = Adjacency(torch.empty(2, 0, dtype=torch.int64), num_nodes=3)
    assert line_pattern(adj).num_entries == num_turns(adj) == 0
