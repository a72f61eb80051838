"""Lays the embeddings out flat: PCA, or t-SNE (van der Maaten & Hinton 2008) of a sample that PCA has narrowed."""

import numpy as np
from matplotlib.axes import Axes
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from grapevine.report.blocks import Figure, figure_of, shortened
from grapevine.report.data import Embeddings
from grapevine.report.figures import sampled
from grapevine.report.svg import INK, MUTED, SCALE, SERIES, dots, drawn, variable

_AT_MOST = {"pca": 3000, "tsne": 1500}  # t-SNE of 1,500 takes some seconds
_FEWEST = 50  # below, t-SNE has no neighbourhoods to keep


def flat(points: np.ndarray, method: str) -> np.ndarray:
    """[k, 2] the same for the same points.

    >>> flat(np.array([[0.0, 0, 0], [3, 0, 0], [0, 1, 0]]), "pca").shape
    (3, 2)
    """
    points = points.astype(np.float64)
    if len(points) < 2 or np.ptp(points, axis=0).max(initial=0) == 0:
        return np.zeros((len(points), 2))
    width = min(30, *points.shape)
    narrow = PCA(width, svd_solver="full").fit_transform(points)
    narrow = np.pad(narrow, [(0, 0), (0, max(2 - width, 0))])
    if method == "pca" or len(points) < _FEWEST:
        return narrow[:, :2]
    start = narrow[:, :2] / max(narrow[:, 0].std(), 1e-12) * 1e-4
    return TSNE(init=start, perplexity=min(30, len(points) // 4), max_iter=500, random_state=0).fit_transform(narrow)


def projection(embeddings: Embeddings) -> Figure:
    """The items where the model puts them, coloured by what is so, its mistakes marked."""
    finite = np.flatnonzero(np.isfinite(embeddings.points).all(1))
    is_tsne = embeddings.method == "tsne" and len(finite) >= _FEWEST
    rows = finite[sampled(len(finite), _AT_MOST["tsne" if is_tsne else "pca"])]
    places = flat(embeddings.points[rows], embeddings.method)
    groups, of_what = _groups(embeddings, rows)
    wrong = np.zeros(len(rows), bool) if embeddings.is_wrong is None else embeddings.is_wrong[rows]

    def draw(axes: Axes) -> None:
        for _, color, here in groups:
            dots(axes, places[here, 0], places[here, 1], color, size=4.2, alpha=0.75)
        if wrong.any():
            axes.plot(places[wrong, 0], places[wrong, 1], "x", color=INK, markersize=4, markeredgewidth=0.8)
        axes.set(xticks=[], yticks=[])
        axes.margins(0.03)
        for side in axes.spines.values():
            side.set_visible(False)

    legend = [(label, variable(color), "dot") for label, color, here in groups if here.any()]
    if wrong.any():
        legend.append((f"wrong ({wrong.sum()})", variable(INK), "cross"))
    kind = (
        "t-SNE: what is near was near, distances between groups mean little" if is_tsne else "PCA: the two widest axes"
    )
    count = (
        f"{len(rows):,} of {len(embeddings.points):,} items"
        if len(rows) < len(embeddings.points)
        else f"{len(rows):,} items"
    )
    caption = f"{of_what} that form islands are easy to tell apart; {count}, before the last layer ({kind})."
    svg = drawn("projection", draw, width=6.4, height=4.6)
    return Figure(
        "Where the model puts the items", svg, f"The embeddings of {count} in two dimensions.", caption, tuple(legend)
    )


def _groups(embeddings: Embeddings, rows: np.ndarray) -> tuple[list[tuple[str, str, np.ndarray]], str]:
    """Label, colour and members of each group, the largest first so that it hides none."""
    value = embeddings.value[rows]
    if not np.issubdtype(value.dtype, np.integer):
        return _ranges(value), "Colours"
    count = np.bincount(value[value >= 0])
    order = [int(c) for c in np.argsort(-count, kind="stable") if count[c]]
    names = embeddings.class_names or tuple(str(c) for c in range(len(count)))
    groups = [(shortened(names[c], 24), SERIES[k], value == c) for k, c in enumerate(order[: len(SERIES)])]
    rest = ~np.isin(value, order[: len(SERIES)])
    label = "unknown" if len(order) <= len(SERIES) else f"{len(order) - len(SERIES)} other classes or unknown"
    return ([(label, MUTED, rest)] if rest.any() else []) + groups, "Classes"


def _ranges(value: np.ndarray) -> list[tuple[str, str, np.ndarray]]:
    known = np.isfinite(value)
    ends = np.quantile(value[known], np.linspace(0, 1, len(SCALE) + 1)) if known.any() else np.zeros(len(SCALE) + 1)
    place = np.clip(np.searchsorted(ends[1:-1], value, side="right"), 0, len(SCALE) - 1)
    groups = [
        (f"{figure_of(ends[k], 3)} to {figure_of(ends[k + 1], 3)}", SCALE[k], known & (place == k)) for k in range(7)
    ]
    return ([("unknown", MUTED, ~known)] if not known.all() else []) + groups
