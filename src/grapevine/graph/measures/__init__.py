"""Measures of a graph's structure alone: how its edges bend, how well they conduct, where it is narrow."""

from grapevine.graph.measures.curvature import balanced_forman, ollivier_ricci
from grapevine.graph.measures.resistance import effective_resistance, estimated_resistance, resistance_matrix
from grapevine.graph.measures.spectral_gap import SpectralGap, spectral_gap
from grapevine.graph.measures.undirected import Undirected, undirected

__all__ = [
    "SpectralGap",
    "Undirected",
    "balanced_forman",
    "effective_resistance",
    "estimated_resistance",
    "ollivier_ricci",
    "resistance_matrix",
    "spectral_gap",
    "undirected",
]
