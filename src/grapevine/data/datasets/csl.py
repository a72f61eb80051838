"""Circular skip links: rings of 41 nodes with chords, in ten kinds that no network of messages tells apart.

Each node of kind s is joined to those 1 and s places on and back, so every node of every kind sees the same. Murphy,
Srinivasan, Rao & Ribeiro 2019, "Relational pooling for graph representations"; the five folds, three parts to teach,
one to choose and one to judge, as in Dwivedi et al. 2023, "Benchmarking graph neural networks".
"""

import numpy as np
import torch

from grapevine.data.collection import collection
from grapevine.data.dataset import Dataset
from grapevine.data.datasets.info import DatasetInfo
from grapevine.data.split import k_fold

SKIPS = (2, 3, 4, 5, 6, 9, 11, 12, 13, 16)
_NODES, _COPIES, _FOLDS = 41, 15, 5

INFO = DatasetInfo(
    "csl",
    "rings with chords, in ten kinds; no network that passes messages tells them apart by itself",
    level="graph",
    task="classification",
    metric="accuracy",
    split="five folds: 60 % teach, 20 % choose, 20 % judge, drawn from each class",
    num_nodes=_NODES * _COPIES * len(SKIPS),
    num_edges=2 * _NODES * _COPIES * len(SKIPS),
    num_graphs=_COPIES * len(SKIPS),
    num_features=None,
    num_classes=len(SKIPS),
    licence="MIT",
    citation='Murphy, Srinivasan, Rao & Ribeiro 2019, "Relational pooling for graph representations", ICML',
)


def load() -> Dataset:
    """15 graphs of each kind with their nodes in an order drawn at random; nodes have no features.

    >>> load().graph, load().splits[0]
    (Graph(150 graphs, 6150 nodes, 24600 edges; graph: y [150]), Split(90 train, 30 val, 30 test))
    """
    random, nodes, edges = np.random.default_rng(0), np.arange(_NODES), []
    for graph in range(INFO.num_graphs or 0):
        steps = (1, SKIPS[graph // _COPIES])
        pairs = np.concatenate([np.stack([nodes, (nodes + step) % _NODES]) for step in steps], axis=1)
        pairs = random.permutation(_NODES)[pairs] + graph * _NODES
        edges += [pairs, pairs[::-1]]
    y = torch.arange(len(SKIPS)).repeat_interleave(_COPIES)
    graph = collection(np.concatenate(edges, axis=1), np.full(len(y), _NODES), graph={"y": y})
    splits = tuple(k_fold(y, folds=_FOLDS, val=1 / (_FOLDS - 1)))
    return Dataset("csl", graph, "graph", splits, class_names=tuple(f"skip {skip}" for skip in SKIPS))
