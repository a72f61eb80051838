"""Draws what the networks reached on Tree-NeighborsMatch: python -m benchmarks.squashing_picture RESULTS [PICTURE.png]

On the left the training accuracy against the depth, measured and published; on the right how much of what the root
hears comes from the leaves before anything is learnt.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

from benchmarks.squashing import DEPTHS, FULLY_ADJACENT, PUBLISHED, parts_of

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

_COLORS = {"gcn": "#9aa7b0", "gin": "#e09f3e", "gat": "#2b6777", "ggnn": "#d1495b", "gatv2": "#3a7d44"}


def draw(cells: dict[str, Any], picture: Path) -> None:
    """Both halves into one file."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 4.2), dpi=150)
    lines = dict.fromkeys((parts_of(name)[0], parts_of(name)[2]) for name in cells)
    for model, spec in lines:
        _accuracy(left, cells, model, spec)
        _line(right, cells, model, spec, "share")
    left.plot([], [], "--", color="0.5", label="published")
    left.set(ylabel="accuracy on the trees that teach", ylim=(0, 1.03), title="Tree-NeighborsMatch")
    right.set(ylabel="share of the leaves, before training", yscale="log", title="What the root hears")
    for axes in (left, right):
        axes.set(xlabel="depth of the tree", xticks=DEPTHS)
    right.legend(*left.get_legend_handles_labels(), loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    figure.tight_layout()
    figure.savefig(picture)


def _accuracy(axes: Axes, cells: dict[str, Any], model: str, spec: str) -> None:
    _line(axes, cells, model, spec, "accuracy")
    if not spec and model in PUBLISHED:
        axes.plot(DEPTHS, [PUBLISHED[model][depth] for depth in DEPTHS], "--", lw=1, color=_COLORS[model])


def _line(axes: Axes, cells: dict[str, Any], model: str, spec: str, what: str) -> None:
    found = {depth: cells.get(f"{model}-{depth}" + f"+{spec}" * bool(spec)) for depth in DEPTHS}
    points = {depth: cell[what] for depth, cell in found.items() if cell is not None}
    name = model.upper().replace("GATV2", "GATv2")
    title = {"": name, FULLY_ADJACENT: f"{name}, last layer\nfully adjacent"}
    label, marker = title.get(spec, f"{name}, {spec}"), "s-" if spec else "o-"
    axes.plot(
        list(points), list(points.values()), marker, ms=5, lw=2.4 if spec else 1.4, color=_COLORS[model], label=label
    )


def main() -> None:
    """The picture of a results file."""
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    picture = Path(sys.argv[2]) if len(sys.argv) > 2 else Path("docs/pictures/squashing.png")
    draw(json.loads(Path(sys.argv[1]).read_text()), picture)


if __name__ == "__main__":
    main()
