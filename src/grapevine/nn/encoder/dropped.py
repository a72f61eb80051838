"""An encoder that is given less in training: fewer edges, fewer features."""

from collections.abc import Iterator, Sequence

from torch import Tensor, nn

from grapevine.errors import check
from grapevine.nn.conv.inputs import Edges
from grapevine.nn.dropout import Drop
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.linear import Features


class Dropped(Encoder):
    """An encoder that in training is given less, by each of the drops one after another.

    Args:
        encoder: called as encoder(x, adj, edge), or encoder(x, adj) where there is no edge input.

    >>> import torch
    >>> from grapevine.nn import GNN, DropEdge, DropNode, GCNConv
    >>> network = Dropped(GNN([GCNConv(3, 8), GCNConv(8, 2)]), [DropEdge(0.2), DropNode(0.1)])
    >>> network(torch.ones(4, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([4, 2])
    """

    def __init__(self, encoder: nn.Module, drops: Sequence[Drop]):
        super().__init__()
        for drop in drops:
            check(isinstance(drop, Drop), f"drops must be Drops, such as DropEdge, got {type(drop).__name__}")
        self.encoder, self.drops = encoder, nn.ModuleList(drops)

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        for drop in self.drops:
            x, adj, edge = drop(x, adj, edge)
        if isinstance(self.encoder, Encoder):
            yield from self.encoder.steps(x, adj, edge)
            return
        yield x
        yield self.encoder(x, adj) if edge is None else self.encoder(x, adj, edge)
