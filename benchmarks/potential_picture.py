"""Draws what the training on ethanol came to: python -m benchmarks.potential_picture FOLDER [PICTURE.png]

FOLDER is where benchmarks.potential_accuracy kept its runs. On the left the forces on the frames that judge, told
against known; on the right how far off the forces on the part that chooses were after each epoch.
"""

import sys
from pathlib import Path

import matplotlib
import numpy as np
import torch

from benchmarks.potential_accuracy import PEER, judged_graph, peer_history, processor_minutes
from benchmarks.potentials import THEIRS
from grapevine.data.atoms.elements import symbol_of
from grapevine.recipes.atoms.apply import say
from grapevine.recipes.atoms.trained import load_potential
from grapevine.train.run import load_run

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

_COLORS = {1: "#9aa7b0", 6: "#2b6777", 8: "#d1495b"}
_OURS, _OTHERS = "#2b6777", "#e09f3e"


def draw(folder: Path, picture: Path) -> None:
    """Both halves into one file."""
    torch.set_num_threads(1)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), dpi=150)
    _forces(left, folder / "ethanol-mace")
    _history(right, folder)
    figure.tight_layout()
    figure.savefig(picture)


def _forces(axes: Axes, run: Path) -> None:
    _, graph = judged_graph(run)
    said = say(load_potential(run).potential, graph)
    assert said.forces is not None
    known, told = graph.forces.double().numpy(), said.forces.numpy()
    for number in graph.z.unique().tolist():
        atoms = (graph.z == number).numpy()
        axes.plot(
            known[atoms].ravel(), told[atoms].ravel(), ".", ms=2, alpha=0.4, color=_COLORS.get(number, "k"),
            label=symbol_of(number), rasterized=True,
        )  # fmt: skip
    end = 1.05 * np.abs(known).max()
    axes.plot([-end, end], [-end, end], lw=0.8, color="0.3")
    error = 1e3 * np.abs(known - told).mean()
    axes.set(
        xlabel="force component of the reference, eV/Å", ylabel="told, eV/Å", xlim=(-end, end), ylim=(-end, end),
        title=f"Ethanol, {graph.num_graphs:,} frames that judge: MAE {error:.1f} meV/Å",
    )  # fmt: skip
    axes.set_aspect("equal")
    axes.legend(markerscale=6, frameon=False)


def _history(axes: Axes, folder: Path) -> None:
    path, peer = folder / "ethanol-mace", folder / f"ethanol-{PEER}"
    rows = load_run(path).epochs
    assert rows is not None
    rows = rows.filter(rows["val_metric"].is_not_null())
    sides = [("Grapevine, MACE", _OURS, list(rows.select("epoch", "val_metric").iter_rows()), path)]
    sides.append((THEIRS, _OTHERS, peer_history(peer), peer))
    for name, color, points, place in sides:
        if points:
            epochs, errors = zip(*points, strict=True)
            label = f"{name}: {processor_minutes(place):.0f} minutes of the processor"
            axes.plot(epochs, errors, ".-", ms=4, lw=1, color=color, label=label)
    axes.axhline(20, lw=0.8, ls="--", color="0.5", label="asked for")
    axes.set(
        xlabel="epochs of 950 frames", ylabel="MAE of forces, meV/Å", yscale="log",
        title="The 50 frames that choose, while it trains",
    )  # fmt: skip
    axes.set_yticks([5, 10, 20, 50, 100], ["5", "10", "20", "50", "100"])
    axes.minorticks_off()
    axes.legend(frameon=False)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    draw(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) == 3 else "docs/pictures/ethanol.png"))
