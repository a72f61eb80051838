"""What an architecture is in the words of the one equation; the table of docs/one-equation.md is made of these."""

from dataclasses import dataclass
from typing import Literal

Power = Literal["none", "below 1-WL", "1-WL", "above 1-WL", "crosses 1-WL", "depends on the basis"]


@dataclass(frozen=True)
class Equation:
    """The message, aggregation and update of an architecture, and what is known of it.

    Formulas are plain text: h_i and h_j are the states of a node and of a neighbour, e_ij the features of the edge
    from j to i, m_i what has arrived at i, W a learnt matrix, c the width of a state, n nodes, e edges.

    Args:
        name: what the field calls it.
        message: what goes along each edge.
        aggregation: how messages come together.
        update: the new state.
        edges: what is made of the edges' features: "none", "weights", "features", or "features, updated".
        readout: what the paper reads a graph out with; "" where it is of nodes only.
        cost: of a layer, in n, e and c.
        power: what it can tell apart, of graphs with features, against colour refinement (1-WL); "none" hears nobody,
            "crosses 1-WL" tells some graphs apart that it does not, and the other way round.
        year, paper: of the source: "Kipf & Welling, Semi-supervised classification with graph convolutional networks".
    """

    name: str
    message: str
    aggregation: str
    update: str
    edges: Literal["none", "weights", "features", "features, updated"]
    readout: str
    cost: str
    power: Power
    year: int
    paper: str
