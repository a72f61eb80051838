"""Ten graphs whose neighbours are often of different classes, each with its ten splits.

Five were made by Platonov, Kuznedelev, Diskin, Babenko & Prokhorenkova 2023, "A critical look at the evaluation of GNNs
under heterophily: are we really making progress?". Five are older ones in their files: Texas, Cornell and Wisconsin,
and Chameleon and Squirrel without the nodes that stood there repeatedly, which let the test nodes leak.
"""

from collections.abc import Mapping
from pathlib import Path

from grapevine.data.dataset import Dataset
from grapevine.data.datasets.info import DatasetInfo, RawFile
from grapevine.data.readers.heterophilous_npz import read_heterophilous

ADDRESS = "https://github.com/yandex-research/heterophilous-graphs/raw/main/data"
_SHA256 = {
    "minesweeper.npz": "e664c8dacf1e8ac466c2c09ed4b237bd2c5541f47a6eae9c6092cb87f16412b3",
    "texas.npz": "b164b99e6c3d43e4ab07488ec59bd8c815f90cbc1bd4cf425ce587d2b534d844",
}
_PLATONOV = (
    "Platonov, Kuznedelev, Diskin, Babenko & Prokhorenkova 2023, "
    '"A critical look at the evaluation of GNNs under heterophily: are we really making progress?", ICLR'
)
_PEI = 'Pei, Wei, Chang, Lei & Yang 2020, "Geom-GCN: geometric graph convolutional networks", ICLR'
_ROZEMBERCZKI = 'Rozemberczki, Allen & Sarkar 2021, "Multi-scale attributed node embedding"; filtered by ' + _PLATONOV


def _info(name: str, title: str, citation: str, *sizes: int) -> DatasetInfo:
    file = {"chameleon": "chameleon_filtered.npz", "squirrel": "squirrel_filtered.npz"}.get(
        name, f"{name.replace('-', '_')}.npz"
    )
    is_new = citation == _PLATONOV
    return DatasetInfo(
        name,
        title,
        level="node",
        task="classification",
        metric="roc_auc" if sizes[3] == 2 else "accuracy",
        split=f"ten published ones: {'50/25/25' if is_new else '48/32/20'} percent teach, choose, judge",
        num_nodes=sizes[0],
        num_edges=sizes[1],
        num_graphs=1,
        num_features=sizes[2],
        num_classes=sizes[3],
        licence="MIT",
        citation=citation,
        files=(RawFile(file, f"{ADDRESS}/{file}", _SHA256.get(file)),),
        folder="heterophilous",
    )


INFOS = (
    _info("roman-empire", "words of an article, joined by order and syntax", _PLATONOV, 22662, 32927, 300, 18),
    _info("amazon-ratings", "goods that are bought together, and their ratings", _PLATONOV, 24492, 93050, 300, 5),
    _info("minesweeper", "a grid of squares, a fifth of them mines", _PLATONOV, 10000, 39402, 7, 2),
    _info("tolokers", "workers who shared tasks; who was banned?", _PLATONOV, 11758, 519000, 10, 2),
    _info("questions", "users who answered one another; who stayed?", _PLATONOV, 48921, 153540, 301, 2),
    _info("texas", "web pages of a university and their links", _PEI, 183, 279, 1703, 5),
    _info("cornell", "web pages of a university and their links", _PEI, 183, 277, 1703, 5),
    _info("wisconsin", "web pages of a university and their links", _PEI, 251, 450, 1703, 5),
    _info("chameleon", "articles on chameleons and their links, filtered", _ROZEMBERCZKI, 890, 8854, 2325, 5),
    _info("squirrel", "articles on squirrels and their links, filtered", _ROZEMBERCZKI, 2223, 46998, 2089, 5),
)


def read(info: DatasetInfo, files: Mapping[str, Path]) -> Dataset:
    """The data set from its one file."""
    (path,) = files.values()
    return read_heterophilous(path)
