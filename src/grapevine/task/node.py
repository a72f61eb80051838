"""Node classification: each node is of one of k classes, and some are known.

loss = mean over the nodes i that teach of  -log softmax(z_i)[y_i]
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from grapevine.errors import check, check_tensor
from grapevine.graph import Graph

_NEEDED = ("x", "y", "train_mask", "val_mask", "test_mask")


@dataclass(frozen=True)
class NodeClassification:
    """The task with that many classes; a model for it gives `num_classes` numbers a node.

    >>> import torch
    >>> task, nodes = NodeClassification(2), torch.tensor([0, 1])
    >>> logits, y = torch.tensor([[2.0, 0.0], [3.0, 1.0], [0.0, 0.0]]), torch.tensor([0, 1, -1])
    >>> task.accuracy(logits, y, nodes).item()
    0.5
    """

    num_classes: int

    @classmethod
    def of(cls, graph: Graph) -> "NodeClassification":
        """The task a graph sets by its features x, its classes y (-1: unknown) and its three masks.

        Raises:
            InputError: if one of them is missing or unfit, or a mask has no node or one of unknown class.
        """
        missing = [name for name in _NEEDED if name not in graph.node]
        check(not missing, f"to classify nodes the graph must hold {', '.join(missing)} for each node")
        check_tensor("y", graph.y, ndim=1, dtypes=(torch.int64,))
        for name in _NEEDED[2:]:
            mask = getattr(graph, name)
            check(bool(mask.any()), f"{name} must hold a node")
            check(int(graph.y[mask].min()) >= 0, f"{name} must hold no node of unknown class (-1)")
        return cls(int(graph.y.max()) + 1)

    def loss(self, logits: Float[Tensor, "n k"], y: Int[Tensor, " n"], nodes: Int[Tensor, " m"]) -> Float[Tensor, ""]:
        """The mean cross entropy over those nodes."""
        return F.cross_entropy(logits.index_select(0, nodes), y.index_select(0, nodes))

    def accuracy(
        self, logits: Float[Tensor, "n k"], y: Int[Tensor, " n"], nodes: Int[Tensor, " m"]
    ) -> Float[Tensor, ""]:
        """The share of those nodes whose largest number is that of their class."""
        return (logits.index_select(0, nodes).argmax(1) == y.index_select(0, nodes)).to(logits.dtype).mean()
