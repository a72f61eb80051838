"""A report with everything in it, from small made-up data, and names that a page must not take for its own words."""

from dataclasses import fields, replace

import numpy as np
import polars as pl
import torch

from grapevine.graph import Graph
from grapevine.report import (
    ClassAnswers,
    Comparison,
    Embeddings,
    Finding,
    Headline,
    ModelRow,
    NumberAnswers,
    Problems,
    Reason,
    ReportData,
    Score,
    TrainingLogs,
    graph_statistics,
)

EVIL = '<script>alert("$x^$")</script>\'"><img src=http://example.org/x onerror=a>'


def random_graph(num_nodes: int = 40, num_edges: int = 90, seed: int = 0) -> Graph:
    """Undirected, without loops or repeated edges, with isolated nodes."""
    generator = np.random.default_rng(seed)
    ends = generator.integers(0, num_nodes - 3, (2, num_edges))
    ends = np.unique(np.sort(ends[:, ends[0] != ends[1]], 0), axis=1)
    return Graph(torch.from_numpy(np.concatenate([ends, ends[::-1]], 1)), num_nodes=num_nodes)


def log(seed: int = 0, length: int = 30) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    epoch = np.arange(1, length + 1)
    return pl.DataFrame(
        {
            "epoch": epoch, "loss": 1 / epoch, "val_loss": 2 / epoch, "val_metric": 1 - 1 / epoch,
            "learning_rate": 0.01 / epoch, "grad_norm": generator.lognormal(size=length),
            "similarity.layers.0": [0.5 if k % 5 == 0 else None for k in epoch],
            "dead_units": [0.1 if k % 5 == 0 else None for k in epoch],
        }
    )  # fmt: skip


def class_answers(num_classes: int = 3, num_items: int = 60, name: str = "field") -> ClassAnswers:
    generator = np.random.default_rng(1)
    target = generator.integers(0, num_classes, num_items)
    before = generator.dirichlet(np.ones(num_classes), num_items)
    sharper = before**2 / (before**2).sum(1, keepdims=True)
    target[0] = -1
    names = (EVIL, *(f"class {k}" for k in range(1, num_classes)))
    ids = np.array([f"item-{k}" for k in range(num_items)])
    return ClassAnswers(name, "test", names, target, sharper, before, ids)


def number_answers(num_items: int = 50) -> NumberAnswers:
    generator = np.random.default_rng(2)
    target = generator.normal(size=num_items)
    target[0] = np.nan
    return NumberAnswers("energy", "test", target, target + 0.1, np.full(num_items, 0.2), unit=EVIL)


def full(graph: Graph | None = None) -> ReportData:
    """Every section."""
    graph = random_graph() if graph is None else graph
    y = torch.arange(graph.num_nodes) % 3
    points = np.random.default_rng(3).normal(size=(graph.num_nodes, 5))
    rows = (
        ModelRow(EVIL, Score(0.8, 0.02), 1000, 1.5),
        ModelRow("MLP", Score(0.79, 0.01), 500, 0.5, "sees no edges"),
        ModelRow("trees", Score(0.5, 0.01)),
        ModelRow("failed", Score(float("nan"))),
    )
    return ReportData(
        title=f"title {EVIL}",
        question=f"question {EVIL}",
        headline=Headline("accuracy", "test", Score(0.8, 0.02), "5 seeds", baselines={EVIL: Score(0.79, 0.01)}),
        scores={"val": {"accuracy": 0.75}, "test": {"accuracy": 0.8, "auc": float("nan")}},
        comparison=Comparison("accuracy", "test", rows, EVIL),
        training=TrainingLogs((log(0), log(1)), (20, None), EVIL, ("epoch 3: it " + EVIL,)),
        answers=(class_answers(), class_answers(2, name="link"), number_answers()),
        embeddings=Embeddings(points, y.numpy(), (EVIL, "b", "c"), y.numpy() == 1, "pca"),
        graph=graph_statistics(graph, y),
        class_names=(EVIL, "b", "c"),
        problems=Problems(
            (Reason(f"reason {EVIL}", 7, (f"line 3: {EVIL}",)),), {EVIL: 2}, {EVIL: 3},
            (Finding("error", f"leak {EVIL}", (EVIL,)),),
        ),
        configuration={"model": {"name": EVIL}},
        environment={"torch": EVIL},
    )  # fmt: skip


def only(name: str) -> ReportData:
    """One of its parts, beside the title."""
    kept = {field.name: getattr(ReportData("x"), field.name) for field in fields(ReportData)}
    return replace(full(), **{**kept, "title": "x", name: getattr(full(), name)})
