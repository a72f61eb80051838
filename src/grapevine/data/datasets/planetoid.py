"""Cora, CiteSeer and PubMed: papers, who cites whom, words as features, the topic as the class.

Sen, Namata, Bilgic, Getoor, Gallagher & Eliassi-Rad 2008, "Collective classification in network data"; the files and
the split are those of Yang, Cohen & Salakhutdinov 2016.
"""

from collections.abc import Mapping
from pathlib import Path

from grapevine.data.dataset import Dataset
from grapevine.data.datasets.info import DatasetInfo, RawFile
from grapevine.data.readers.planetoid import file_names, read_planetoid
from grapevine.data.split import Split

ADDRESS = "https://github.com/kimiyoung/planetoid/raw/master/data"
_SHA256 = {
    "ind.cora.x": "23cfa55d91c6f624233f5eb7b6e3f141f1bd2b2ae39608a63cf5d084bb27baab",
    "ind.cora.tx": "b9afbaa4a400df991f6f02ef677e1e44da55ffc04801fd02f9e673987829226a",
    "ind.cora.allx": "9419ba2f26f5c35243db64aba110e0f35a04851609e0dc5433450676ca6b8543",
    "ind.cora.y": "94465c14eb53e04ca262198dcbb2521ee8af60fb3f3d546cd6ca24a511b0e7d1",
    "ind.cora.ty": "41f5ac76596a1699cc33f53084a2419e92961c42bb75f36fc38e616d348532ad",
    "ind.cora.ally": "2b998f5cc7fedc86e7f97ca2498f47a1ffc1462c29e2d578b23bf3f62b6e7d71",
    "ind.cora.graph": "58f13302f39dde8852dad6fe6d15b89b077b6d7f837626bce671ef80344b383d",
    "ind.cora.test.index": "297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875",
}


def _info(name: str, title: str, *sizes: int) -> DatasetInfo:
    return DatasetInfo(
        name,
        title,
        level="node",
        task="classification",
        metric="accuracy",
        split="public: 20 nodes of each class teach, 500 choose, 1,000 judge",
        num_nodes=sizes[0],
        num_edges=sizes[1],
        num_graphs=1,
        num_features=sizes[2],
        num_classes=sizes[3],
        licence="MIT",
        citation='Yang, Cohen & Salakhutdinov 2016, "Revisiting semi-supervised learning with graph embeddings", ICML',
        files=tuple(RawFile(file, f"{ADDRESS}/{file}", _SHA256.get(file)) for file in file_names(name)),
        folder="planetoid",
    )


INFOS = (
    _info("cora", "papers on machine learning and their citations", 2708, 5278, 1433, 7),
    _info("citeseer", "papers on computer science and their citations", 3327, 4552, 3703, 6),
    _info("pubmed", "papers on diabetes and their citations", 19717, 44324, 500, 3),
)


def read(info: DatasetInfo, files: Mapping[str, Path]) -> Dataset:
    """The data set from its eight files; the public split is in the graph's masks and in `splits`."""
    graph = read_planetoid(next(iter(files.values())).parent, info.name)
    return Dataset(info.name, graph, "node", (Split(graph.train_mask, graph.val_mask, graph.test_mask),))
