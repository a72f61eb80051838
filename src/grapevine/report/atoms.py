"""Pictures of potentials: forces against forces, element by element, and energy and temperature of a run in time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.figure import Figure as Canvas

from grapevine.report.blocks import Figure
from grapevine.report.data import NumberAnswers
from grapevine.report.figures import parity


def element_parities(forces: Sequence[NumberAnswers]) -> list[Figure]:
    """Predicted components of forces against what is so, a picture for each element."""
    found = []
    for number, answers in enumerate(forces):
        known = np.isfinite(answers.target) & np.isfinite(answers.prediction)
        if known.any():
            picture, _ = parity(answers, f"element-{number}")
            found.append(Figure(answers.name, picture.svg, picture.alt, picture.caption, picture.legend))
    return found


def write_md_picture(table: pl.DataFrame, num_atoms: int, path: Path) -> None:
    """Energies per atom from where they began, and the temperature, against time, as a PNG."""
    canvas = Canvas(figsize=(7, 5), layout="constrained")
    above, below = canvas.subplots(2, 1, sharex=True)
    time = table["time"].to_numpy()
    for name in ("total", "potential"):
        energy = table[name].to_numpy()
        above.plot(time, 1000 * (energy - energy[0]) / num_atoms, label=name, linewidth=1)
    above.set_ylabel("energy, meV per atom")
    above.legend(frameon=False)
    below.plot(time, table["temperature"].to_numpy(), color="tab:red", linewidth=1)
    below.set(xlabel="time, ps", ylabel="temperature, K")
    for axes in (above, below):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    canvas.savefig(path, dpi=150)
