"""Amazon Photo and Computers, goods that are bought together, and Coauthor CS and Physics, authors who write together.

Shchur, Mumme, Bojchevski & Günnemann 2018, "Pitfalls of graph neural network evaluation".
"""

from collections.abc import Mapping
from pathlib import Path

from grapevine.data.dataset import Dataset
from grapevine.data.datasets.info import DatasetInfo, RawFile
from grapevine.data.readers.gnn_benchmark_npz import read_gnn_benchmark

ADDRESS = "https://github.com/shchur/gnn-benchmark/raw/master/data/npz"


def _info(name: str, file: str, title: str, sizes: tuple[int, int, int, int], *also: str) -> DatasetInfo:
    return DatasetInfo(
        name,
        title,
        level="node",
        task="classification",
        metric="accuracy",
        split="none published: one is drawn at random",
        num_nodes=sizes[0],
        num_edges=sizes[1],
        num_graphs=1,
        num_features=sizes[2],
        num_classes=sizes[3],
        licence="MIT",
        citation='Shchur, Mumme, Bojchevski & Günnemann 2018, "Pitfalls of graph neural network evaluation"',
        files=(RawFile(file, f"{ADDRESS}/{file}", also=also),),
        folder="npz",
    )


INFOS = (
    _info(
        "amazon-photo",
        "amazon_electronics_photo.npz",
        "photographic goods that are bought together, with the words of their reviews",
        (7650, 119081, 745, 8),
        "amazon_photo.npz",
    ),
    _info(
        "amazon-computers",
        "amazon_electronics_computers.npz",
        "computer goods that are bought together, with the words of their reviews",
        (13752, 245861, 767, 10),
        "amazon_computers.npz",
    ),
    _info(
        "coauthor-cs",
        "ms_academic_cs.npz",
        "authors of computer science who wrote together, with the keywords of their papers",
        (18333, 81894, 6805, 15),
        "coauthor_cs.npz",
    ),
    _info(
        "coauthor-physics",
        "ms_academic_phy.npz",
        "authors of physics who wrote together, with the keywords of their papers",
        (34493, 247962, 8415, 5),
        "coauthor_physics.npz",
    ),
)


def read(info: DatasetInfo, files: Mapping[str, Path]) -> Dataset:
    """The data set from its one file."""
    (path,) = files.values()
    return read_gnn_benchmark(path)
