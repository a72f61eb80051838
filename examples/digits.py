"""What the graph adds: the same 200 labels of handwritten digits, with and without the neighbours.

    python examples/digits.py [picture.png]

Draws each of the 1,797 images as a dot beside those it resembles, and marks the mistakes of a multilayer perceptron,
which sees one image at a time, and of a GCN, which hears the nearest neighbours too.
"""

import sys
from pathlib import Path

import matplotlib
import torch
from matplotlib.collections import LineCollection
from sklearn.manifold import TSNE

import grapevine as gv
from grapevine.data.datasets import load_dataset
from grapevine.recipes.plan import plan
from grapevine.recipes.train import train

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def mistakes(graph: gv.Graph, model: str) -> tuple[float, torch.Tensor]:
    """The accuracy on the test images, and which of them the model takes for another digit."""
    result = train(plan("digits", model))
    predicted = torch.from_numpy(result.predictions["prediction"].to_numpy().astype(int))
    return result.scores["test"]["accuracy"], (predicted != graph.y) & graph.test_mask


def draw(graph: gv.Graph, path: Path) -> None:
    """Three panels: the labels, and the mistakes of either model."""
    place = TSNE(random_state=0, init="pca", perplexity=20).fit_transform(graph.x.numpy())
    lines = place[graph.adj.edge_index.T.numpy()]
    figure, panels = plt.subplots(1, 3, figsize=(13.5, 4.6), constrained_layout=True)
    for panel in panels:
        panel.add_collection(LineCollection(lines, colors="0.85", linewidths=0.25, zorder=0))
        panel.scatter(*place.T, s=5, c=graph.y, cmap="tab10", alpha=0.55, linewidths=0)
        panel.set_axis_off()
    known = graph.train_mask.numpy()
    panels[0].scatter(*place[known].T, s=22, c=graph.y[known], cmap="tab10", edgecolors="black", linewidths=0.6)
    panels[0].set_title(f"1,797 images, {known.sum()} labels (ringed)")
    for panel, model, title in ((panels[1], "mlp", "alone: MLP"), (panels[2], "gcn", "with neighbours: GCN")):
        accuracy, wrong = mistakes(graph, model)
        panel.scatter(*place[wrong.numpy()].T, s=26, c="crimson", marker="x", linewidths=1.1)
        panel.set_title(f"{title}, {100 * accuracy:.1f}% right, {int(wrong.sum())} wrong (crosses)")
        print(f"{model}: {100 * accuracy:.1f}% of {int(graph.test_mask.sum())} test images")
    figure.savefig(path, dpi=110)
    print(f"drawn to {path}")


if __name__ == "__main__":
    draw(load_dataset("digits").graph, Path(sys.argv[1] if len(sys.argv) > 1 else "digits.png"))
