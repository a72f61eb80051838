"""Handwritten digits as a graph: each image is joined to the images nearest to it.

1,797 images of 8 x 8 grey values and their ten classes, from scikit-learn, so that nothing is downloaded.
Alpaydin & Kaynak 1998, "Optical recognition of handwritten digits", UCI Machine Learning Repository.
"""

import numpy as np
import torch

from grapevine.data.dataset import Dataset
from grapevine.data.datasets.info import DatasetInfo
from grapevine.data.split import per_class
from grapevine.graph import Graph

_NEIGHBOURS = 5  # of 5, 10 and 15 the best on the validation nodes
_WHITE = 16.0  # the largest grey value

INFO = DatasetInfo(
    "digits",
    "images of handwritten digits, each joined to those most like it",
    level="node",
    task="classification",
    metric="accuracy",
    split="20 nodes of each class teach, 500 choose, the rest judge, drawn once",
    num_nodes=1797,
    num_edges=6309,
    num_graphs=1,
    num_features=64,
    num_classes=10,
    licence="CC BY 4.0",
    citation='Alpaydin & Kaynak 1998, "Optical recognition of handwritten digits", UCI Machine Learning Repository',
)


def load() -> Dataset:
    """1,797 nodes with 64 grey values in 0 .. 1; 20 of each class teach, 500 choose and the rest judge.

    Images i and j are joined, in both directions, where one is among the 5 nearest of the other.

    >>> load().graph.train_mask.sum()
    tensor(200)
    """
    from sklearn.datasets import load_digits  # for which the other sets do not wait

    images, classes = (np.asarray(part) for part in load_digits(return_X_y=True))
    is_near = _is_near(images, _NEIGHBOURS)
    y = torch.from_numpy(classes).long()
    split = per_class(y, num_train=20, num_val=500)
    graph = Graph(
        torch.from_numpy(np.stack((is_near | is_near.T).nonzero())),
        x=torch.from_numpy(images / _WHITE).float(),
        y=y,
        train_mask=split.train,
        val_mask=split.val,
        test_mask=split.test,
    )
    return Dataset("digits", graph, "node", (split,), class_names=tuple("0123456789"))


def _is_near(images: np.ndarray, count: int) -> np.ndarray:
    """[n, n] which are the `count` nearest of each; of equally near ones, and there are some, those that come first.

    Grey values are whole numbers, so the squared distances are exact and every machine finds the same graph.
    """
    squares = (images**2).sum(1)
    distances = squares[:, None] + squares - 2 * images @ images.T
    np.fill_diagonal(distances, distances.max() + 1)
    ranks = distances * len(images) + np.arange(len(images))  # no two in a row are equal
    return ranks <= np.partition(ranks, count - 1, axis=1)[:, count - 1 : count]
