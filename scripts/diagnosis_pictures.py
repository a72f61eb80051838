"""Makes the pairs of graphs in docs/diagnosis.md; run as a module, scripts.diagnosis_pictures."""

from itertools import combinations
from pathlib import Path

import networkx
import numpy as np

from grapevine.diagnose import node_colors
from grapevine.graph import from_networkx
from grapevine.report.diagnosis.data import Drawing
from grapevine.report.diagnosis.graph_drawing import write_drawing

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
_PLACES = [(i, j) for i in range(4) for j in range(4)]


def main() -> None:
    """C6 and two triangles, and the 4 x 4 rook's graph and the Shrikhande graph."""
    ring, triangles = networkx.cycle_graph(6), networkx.disjoint_union(*[networkx.cycle_graph(3)] * 2)
    pair = [drawing("C6", ring), drawing("two triangles", triangles)]
    write_drawing(pair, FOLDER / "ring-and-triangles.png", width=7, height=3)
    on_a_circle = np.array([(np.cos(angle), np.sin(angle)) for angle in 2 * np.pi * np.arange(16) / 16])
    both = [
        drawing("4 x 4 rook's graph", rooks(), on_a_circle), drawing("Shrikhande graph", shrikhande(), on_a_circle),
    ]  # fmt: skip
    write_drawing(both, FOLDER / "rook-and-shrikhande.png", width=9, height=4.4)


def drawing(title: str, network: networkx.Graph, places: np.ndarray | None = None) -> Drawing:
    """In the colours of 1-WL."""
    graph = from_networkx(network)
    pairs = np.array(sorted(network.edges)).T
    return Drawing(title, len(network), pairs, node_colors(graph).numpy(), places=places)


def rooks() -> networkx.Graph:
    """Fields of a 4 x 4 board in one row or column."""
    return _joined(lambda step: 0 in step)


def shrikhande() -> networkx.Graph:
    """Fields of a 4 x 4 board with its sides glued, one step aside, up or along one diagonal."""
    return _joined(lambda step: step in {(0, 1), (0, 3), (1, 0), (3, 0), (1, 1), (3, 3)})


def _joined(is_joined) -> networkx.Graph:
    network = networkx.empty_graph(16)
    for a, b in combinations(range(16), 2):
        step = tuple((p - q) % 4 for p, q in zip(_PLACES[a], _PLACES[b], strict=True))
        if is_joined(step):
            network.add_edge(a, b)
    return network


if __name__ == "__main__":
    main()
