"""Zachary's karate club: who meets whom outside the club, and with which of its two leaders each member goes.

Zachary 1977, "An information flow model for conflict and fission in small groups"; the network comes with NetworkX.
"""

import torch

from grapevine.data.dataset import Dataset
from grapevine.data.datasets.info import DatasetInfo
from grapevine.data.split import Split, mask_of
from grapevine.graph import Graph
from grapevine.graph.convert import from_networkx

_LEADERS = (0, 33)  # the instructor and the president, who fell out
_NUM_VAL = 8

INFO = DatasetInfo(
    "karate",
    "members of a karate club that split in two, joined where they met outside the club",
    level="node",
    task="classification",
    metric="accuracy",
    split="the two leaders teach, one for each side, as in Kipf & Welling 2017; 8 of the others choose, 24 judge",
    num_nodes=34,
    num_edges=78,
    num_graphs=1,
    num_features=34,
    num_classes=2,
    licence="not stated",
    citation='Zachary 1977, "An information flow model for conflict and fission in small groups", '
    "Journal of Anthropological Research 33",
)


def load() -> Dataset:
    """34 nodes, each with its own number one-hot as its features, as nothing is known of the members.

    >>> load().splits[0]
    Split(2 train, 8 val, 24 test)
    """
    import networkx  # for which the other sets do not wait

    club = networkx.karate_club_graph()
    names = ("Mr. Hi", "Officer")
    graph = from_networkx(club)
    n = graph.num_nodes
    train = mask_of(torch.tensor(_LEADERS), n)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(0))
    val = mask_of(order[~train[order]][:_NUM_VAL], n)
    split = Split(train, val, ~train & ~val)
    y = torch.tensor([names.index(side) for _, side in club.nodes(data="club")])
    masks = {"train_mask": split.train, "val_mask": split.val, "test_mask": split.test}
    graph = Graph(graph.adj, x=torch.eye(n), node={"y": y, **masks})
    return Dataset("karate", graph, "node", (split,), class_names=names)
