"""Data sets by name."""

from pathlib import Path

from grapevine.data.download import Progress
from grapevine.errors import check
from grapevine.graph import Graph

PLANETOID = ("cora", "citeseer", "pubmed")
DATASETS = ("digits", *PLANETOID)


def load_dataset(name: str, root: Path | None = None, *, on_progress: Progress | None = None) -> Graph:
    """A data set by its name; `root` is the folder where its files are, or are put.

    Raises:
        InputError: if there is no such data set, or its files can not be had.

    >>> load_dataset("digits")
    Graph(1797 nodes, 12618 edges; node: x [1797, 64], train_mask [1797], val_mask [1797], test_mask [1797], y [1797])
    """
    check(name in DATASETS, f"there is no data set {name!r}; there are {', '.join(DATASETS)}")
    if name in PLANETOID:
        from grapevine.data.datasets import planetoid

        return planetoid.load(name, root, on_progress=on_progress)
    check(root is None, f"{name} comes with scikit-learn and is read from no folder, got {root}")
    from grapevine.data.datasets import digits  # imports scikit-learn, for which the others do not wait

    return digits.load()
