"""The laws every layer obeys, for Grapevine's layers and for yours; an AssertionError says which one is broken."""

from grapevine.testing.case import Case, check_case, laws_of
from grapevine.testing.laws import (
    Law,
    check_batched_equals_single,
    check_bipartite,
    check_edge_order,
    check_empty_graph,
    check_gradients,
    check_isolated_nodes,
    check_permutation_equivariance,
    check_permutation_invariance,
    check_same_bits,
    check_save_and_load,
)

__all__ = [
    "Case",
    "Law",
    "check_batched_equals_single",
    "check_bipartite",
    "check_case",
    "check_edge_order",
    "check_empty_graph",
    "check_gradients",
    "check_isolated_nodes",
    "check_permutation_equivariance",
    "check_permutation_invariance",
    "check_same_bits",
    "check_save_and_load",
    "laws_of",
]
