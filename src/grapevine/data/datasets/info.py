"""What is known of a data set before it is loaded."""

from dataclasses import dataclass

from grapevine.data.dataset import Level


@dataclass(frozen=True)
class RawFile:
    """A file as its publisher gives it.

    Args:
        name: what it is called in a folder.
        address: where it is to be had.
        sha256: its checksum, where it is known.
        also: other names under which it is in use.
    """

    name: str
    address: str
    sha256: str | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class DatasetInfo:
    """The facts of a data set; a number that is None is not known, or differs from file to file.

    Args:
        name: what `load_dataset` calls it.
        title: what it is, in a line.
        level: what is to be predicted: of each node or of each graph.
        task: "classification" or "regression".
        metric: the published metric.
        split: the rule that says which items teach, choose and judge.
        num_nodes, num_edges: of all graphs together; an undirected edge counts once.
        num_graphs, num_features, num_classes: as read, the features after one-hot encoding.
        licence, citation: for people; a licence is that of the files, "not stated" where their publisher states none.
        files: what is downloaded; empty if it comes with the program.
        folder: what its folder is usually called.
    """

    name: str
    title: str
    level: Level
    task: str
    metric: str | None
    split: str
    num_nodes: int | None
    num_edges: int | None
    num_graphs: int | None
    num_features: int | None
    num_classes: int | None
    licence: str
    citation: str
    files: tuple[RawFile, ...] = ()
    folder: str = ""

    def about(self) -> dict[str, str]:
        """What a `Dataset` keeps of it: title, split, licence, citation and address."""
        address = ", ".join(sorted({file.address.rpartition("/")[0] for file in self.files}))
        facts = {"title": self.title, "split": self.split, "licence": self.licence, "citation": self.citation}
        return facts | ({"address": address} if address else {})
