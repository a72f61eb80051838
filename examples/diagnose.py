"""Two graphs that no network which passes messages tells apart, what tells them apart, and what that does to a GIN.

C6 and two triangles: every node has two neighbours that have two neighbours that ... Told how probable it is that a
random walk returns, a network sees the triangles.
"""

import torch

from grapevine.data.dataset import Dataset
from grapevine.data.split import Split
from grapevine.diagnose import WL_TESTS, separates
from grapevine.graph import Graph
from grapevine.recipes.config import TaskConfig
from grapevine.recipes.diagnose import diagnose
from grapevine.recipes.source import Loaded, Source


def undirected(pairs: list[tuple[int, int]]) -> Graph:
    """A graph with both directions of each edge."""
    edges = torch.tensor(pairs).T
    return Graph(torch.cat([edges, edges.flip(0)], 1))


def main() -> None:
    ring = undirected([(k, (k + 1) % 6) for k in range(6)])
    triangles = undirected([(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)])
    for test in WL_TESTS:
        print(f"{test:27} {'tells them apart' if separates(ring, triangles, test) else 'does not'}")

    y = torch.arange(24) % 2
    place = torch.arange(24) // 2 % 3
    split = Split(place == 0, place == 1, place == 2)
    batch = Graph.batch([ring, triangles] * 12).replace(graph={"y": y})
    dataset = Dataset("rings", batch, level="graph", splits=(split,), class_names=("a ring", "two triangles"))
    found = diagnose(Source(dataset="rings"), task=TaskConfig(), loaded=Loaded(dataset))
    for remark in found.verdict:
        print(f"- {remark.text}")
    for remedy in found.remedies[:3]:
        print(f"  {remedy.title}: {remedy.why}")


if __name__ == "__main__":
    main()
