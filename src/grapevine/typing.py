"""The shape letters, once, and the small closed sets of words.

n nodes, m source nodes of a bipartite graph, e edges, g graphs, c channels, d other channels, h heads, s space.
Operations say rows and cols for targets and sources. A star stands for any number of dimensions.
"""

from typing import Literal

ActivationName = Literal["none", "relu", "elu", "leaky_relu", "gelu", "silu", "tanh", "shifted_softplus"]
Reduce = Literal["sum", "mean", "max", "min"]
