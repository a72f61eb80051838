"""Data sets by name: what is known of them, and loading them."""

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from types import MappingProxyType

from grapevine.data.dataset import Dataset
from grapevine.data.datasets import (
    csl,
    digits,
    exp,
    gnn_benchmark,
    heterophilous,
    karate,
    molecules,
    planetoid,
    tree_neighbors_match,
    tu,
)
from grapevine.data.datasets.fetch import fetch
from grapevine.data.datasets.info import DatasetInfo, RawFile
from grapevine.data.datasets.processed import load_processed
from grapevine.data.download import Progress
from grapevine.errors import InputError, check

__all__ = ["DATASETS", "DatasetInfo", "RawFile", "dataset_info", "dataset_names", "load_dataset"]

_EMBEDDED = {"digits": digits.load, "karate": karate.load, "csl": csl.load} | {
    info.name: partial(molecules.load, info.name) for info in molecules.INFOS
}
_EMBEDDED |= {
    f"{tree_neighbors_match.PREFIX}{d}": partial(tree_neighbors_match.load, d) for d in tree_neighbors_match.DEPTHS
}
_FAMILIES = (planetoid, gnn_benchmark, heterophilous)
_FAMILY_OF = {info.name: family for family in _FAMILIES for info in family.INFOS}

DATASETS: Mapping[str, DatasetInfo] = MappingProxyType(
    {info.name: info for info in (digits.INFO, karate.INFO, *molecules.INFOS)}
    | {info.name: info for family in _FAMILIES for info in family.INFOS}
    | {info.name: info for info in tu.INFOS}
    | {info.name: info for info in (csl.INFO, exp.INFO)}
    | {info.name: info for info in tree_neighbors_match.INFOS}
)


def dataset_names() -> tuple[str, ...]:
    """The names of the data sets; of the TU collection only the best known: any `tu:NAME` is one too.

    >>> dataset_names()[:4]
    ('digits', 'karate', 'molecules', 'molecules:energy')
    """
    return tuple(DATASETS)


def dataset_info(name: str) -> DatasetInfo:
    """What is known of a data set.

    Raises:
        InputError: if there is none of this name.

    >>> info = dataset_info("amazon-photo")
    >>> info.num_nodes, info.num_edges, info.num_features, info.num_classes
    (7650, 119081, 745, 8)
    """
    if name in DATASETS:
        return DATASETS[name]
    if name.startswith(tu.PREFIX):
        return tu.info_of(name)
    near = get_close_matches(name.lower(), DATASETS, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise InputError(f"there is no data set {name!r}; {hint}there are {', '.join(DATASETS)}, and {tu.PREFIX}NAME")


def load_dataset(name: str, root: Path | None = None, *, on_progress: Progress | None = None) -> Dataset:
    """A data set by its name; `root` is the folder where its files are, or are put (default: the cache folder).

    The files may be in `root` itself or in its sub-folder of the usual name; those that are missing are downloaded.
    Of sets with files, what was made of them is kept in the cache folder for the next time.

    Raises:
        InputError: if there is no such data set, or its files can not be had or are not what they should be.

    >>> dataset = load_dataset("digits")
    >>> dataset.graph
    Graph(1797 nodes, 12618 edges; node: x [1797, 64], train_mask [1797], val_mask [1797], test_mask [1797], y [1797])
    >>> dataset.splits[0]
    Split(200 train, 500 val, 1097 test)
    """
    info = dataset_info(name)
    if name in _EMBEDDED:
        check(root is None, f"{name} comes with the program and is read from no folder, got {root}")
        dataset = _EMBEDDED[name]()
    elif name == exp.INFO.name:
        dataset = exp.load(root)
    elif name in _FAMILY_OF:
        files = fetch(info, root, on_progress=on_progress)
        dataset = load_processed(name, files.values(), lambda: _FAMILY_OF[name].read(info, files))
    else:
        dataset = tu.load(info, root, on_progress=on_progress)
    about = {**dataset.about, **info.about()}
    return replace(dataset, name=name, metric=info.metric or dataset.metric, about=about)
