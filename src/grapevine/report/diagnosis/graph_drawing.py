"""Draws small graphs: each piece laid out by itself and the pieces put side by side.

Distances in the picture follow distances in the graph: Kamada & Kawai 1989, "An algorithm for drawing general
undirected graphs"; of larger pieces by springs: Fruchterman & Reingold 1991.
"""

from collections.abc import Sequence

import networkx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure as Canvas

from grapevine.report.diagnosis.data import Drawing
from grapevine.report.svg import INK, MUTED, SERIES, dots, drawn

_BY_DISTANCE = 80  # nodes of a piece up to which it is laid out by distances
_STRONG = SERIES[1]


def draw_graphs(name: str, drawings: Sequence[Drawing], *, width: float = 6.0, height: float = 3.2) -> str:
    """The graphs side by side, as SVG for a page."""

    def draw(axes: Axes) -> None:
        left = 0.0
        for k, drawing in enumerate(drawings):
            places = _in_box(layout(drawing)) + np.array([left, 0.0])
            draw_graph(axes, drawing, places)
            axes.annotate(drawing.title, (left, -1.22), ha="center", va="top", color=INK, annotation_clip=False)
            left += 2.7
            if k < len(drawings) - 1:
                axes.plot([left - 1.35] * 2, [-1, 1], color=MUTED, linewidth=0.6, linestyle=":")
        axes.set(xlim=(-1.2, left - 1.5), ylim=(-1.4 if any(d.title for d in drawings) else -1.15, 1.15))
        bare(axes)

    return drawn(name, draw, width=width, height=height)


def draw_graph(axes: Axes, drawing: Drawing, places: np.ndarray) -> None:
    """Edges, the marked ones strongly, then nodes in the colours of their groups; a ring around the root."""
    size = 13.0 if drawing.num_nodes <= 20 else 9.0 if drawing.num_nodes <= 45 else 6.5
    axes.add_collection(LineCollection(list(_ends(places, drawing.pairs)), colors=MUTED, linewidths=0.9, alpha=0.7))
    if drawing.marked is not None and drawing.marked.shape[1]:
        marked = list(_ends(places, drawing.marked))
        axes.add_collection(LineCollection(marked, colors=_STRONG, linewidths=3.0))
    if drawing.root is not None:
        dots(axes, places[[drawing.root], 0], places[[drawing.root], 1], INK, size=size + 5, alpha=1.0)
    for group in np.unique(drawing.group):
        color = SERIES[group] if 0 <= group < len(SERIES) else MUTED
        here = places[drawing.group == group]
        dots(axes, here[:, 0], here[:, 1], color, size=size, alpha=1.0)


def bare(axes: Axes) -> None:
    """No axes, equal scales."""
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.grid(False)
    for side in axes.spines.values():
        side.set_visible(False)


def layout(drawing: Drawing) -> np.ndarray:
    """[n, 2] the same for the same graph.

    >>> square = Drawing("", 4, np.array([[0, 1, 2, 0], [1, 2, 3, 3]]), np.zeros(4, int))
    >>> layout(square).shape
    (4, 2)
    """
    if drawing.places is not None:
        return drawing.places
    network = networkx.Graph()
    network.add_nodes_from(range(drawing.num_nodes))
    network.add_edges_from(drawing.pairs.T.tolist())
    places, right = np.zeros((drawing.num_nodes, 2)), 0.0
    pieces = sorted(networkx.connected_components(network), key=lambda piece: (-len(piece), min(piece)))
    for piece in pieces:
        nodes = sorted(piece)
        own = _laid_out(network.subgraph(nodes), nodes) * np.sqrt(len(nodes))
        own -= own.min(0)
        width, tall = np.ptp(own, axis=0) if len(nodes) > 1 else (0.0, 0.0)
        places[nodes] = own + np.array([right, -tall / 2])
        right += width + 1.0
    return places


def write_drawing(drawings: Sequence[Drawing], path, *, width: float = 8.0, height: float = 3.6) -> None:
    """The graphs side by side as a PNG or SVG file, in colours of its own."""
    colors = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#6b6b6b")
    canvas = Canvas(figsize=(width, height), layout="constrained")
    for axes, drawing in zip(np.atleast_1d(canvas.subplots(1, len(drawings))), drawings, strict=True):
        places = _in_box(layout(drawing))
        axes.add_collection(LineCollection(list(_ends(places, drawing.pairs)), colors="#8a8a8a", linewidths=1.2))
        shades = [colors[group % len(colors)] if group >= 0 else "#8a8a8a" for group in drawing.group]
        axes.scatter(places[:, 0], places[:, 1], s=160, c=shades, zorder=2, edgecolors="white")
        axes.set(title=drawing.title, xlim=(-1.2, 1.2), ylim=(-1.2, 1.2))
        bare(axes)
    canvas.savefig(path, dpi=110)


def _laid_out(network: networkx.Graph, nodes: list[int]) -> np.ndarray:
    if len(nodes) == 1:
        return np.zeros((1, 2))
    if len(nodes) == 2:
        return np.array([[0.0, 0.0], [0.0, 1.0]])
    places = networkx.circular_layout(network)
    if len(nodes) <= _BY_DISTANCE:
        places = networkx.kamada_kawai_layout(network, pos=places)
    else:
        places = networkx.spring_layout(network, pos=places, seed=0, iterations=100)
    return np.array([places[node] for node in nodes])


def _in_box(places: np.ndarray) -> np.ndarray:
    """Moved and scaled to within one of the middle."""
    if len(places) == 0:
        return places
    places = places - (places.max(0) + places.min(0)) / 2
    return places / max(float(np.abs(places).max()), 1e-9)


def _ends(places: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """[m, 2, 2] the two ends of each line."""
    return np.stack([places[pairs[0]], places[pairs[1]]], 1)
