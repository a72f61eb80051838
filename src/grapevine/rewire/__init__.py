"""Changes of a graph's edges, so that news travels better; each with the spectral gap before and after."""
