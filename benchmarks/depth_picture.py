"""Draws what depth does on Cora: the accuracies, and how far apart neighbours are before training and after it."""

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any

import matplotlib

from benchmarks.depth import DEPTHS, HOLDS, METHODS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colours that the colour-blind tell apart (Okabe & Ito 2008), and a mark and a dash of its own for each line.
_COLORS = ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7f7f7f")
_MARKS = "osD^vP*Xhd<>p8"
_DASHES = ("-", "--", "-.", ":")


def draw(done: Mapping[Any, Mapping[str, Any]], start: Mapping[Any, Mapping[str, Any]], picture: Path) -> None:
    """All three into one file: the mean of the seeds, and a band of one deviation on the left."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(16, 4.8), dpi=130)
    for number, name in enumerate(METHODS):
        style = {
            "color": _COLORS[number % len(_COLORS)], "marker": _MARKS[number % len(_MARKS)],
            "ls": _DASHES[number // len(_COLORS)], "lw": 2.6 if name == "gcn" else 1.4, "ms": 5,
        }  # fmt: skip
        _line(left, done, name, "test", style, has_band=True)
        _line(middle, start, name, "relative_energy", style, has_band=False)
        _line(right, done, name, "relative_energy", style, has_band=False)
    left.axhline(HOLDS, color="0.6", lw=0.8)
    left.set(ylabel="test accuracy, percent", title="Cora, public split: accuracy by depth")
    middle.set(yscale="log", ylabel="relative Dirichlet energy", title="Last states before training")
    right.set(yscale="log", ylabel="relative Dirichlet energy", title="Last states after training")
    for axes in (left, middle, right):
        axes.set(xscale="log", xlabel="layers, or steps of propagation")
        axes.set_xticks(DEPTHS, [str(depth) for depth in DEPTHS])
        axes.minorticks_off()
        axes.spines[["top", "right"]].set_visible(False)
    right.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9)
    figure.tight_layout()
    figure.savefig(picture)
    plt.close(figure)


def _line(
    axes: "Axes", done: Mapping[Any, Mapping[str, Any]], name: str, what: str, style: dict, *, has_band: bool
) -> None:
    values = {d: [row[what] for key, row in done.items() if tuple(key[:2]) == (name, d)] for d in DEPTHS}
    known = [depth for depth in DEPTHS if values[depth]]
    if not known:
        return
    middle = [fmean(values[depth]) for depth in known]
    axes.plot(known, middle, label=METHODS[name].title, **style)
    if has_band:
        spread = [pstdev(values[depth]) for depth in known]
        low, high = ([m + sign * s for m, s in zip(middle, spread, strict=True)] for sign in (-1, 1))
        axes.fill_between(known, low, high, color=style["color"], alpha=0.12, lw=0)
