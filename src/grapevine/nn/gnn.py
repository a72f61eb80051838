"""A stack of convolutions with what stands between them.

h_0 = x,  h_(k+1) = h_k + dropout(activation(norm(conv_k(h_k))))  (the first h_k only with residuals),  last layer: conv
"""

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.graph import Graph, as_adjacency
from grapevine.nn.conv import Conv
from grapevine.nn.conv.inputs import Edges, in_order
from grapevine.nn.linear import Features, check_features, dropout_features
from grapevine.ops.epilogue import epilogue
from grapevine.typing import ActivationName


class GNN(nn.Module):
    """Convolutions one after another; the last one's output is the network's.

    Without norms, bias, activation and dropout are one pass over memory.

    Args:
        layers: the convolutions, of any kinds.
        activation: after each layer but the last.
        dropout: after each activation, in training.
        input_dropout: on the input, in training.
        norms: a normalisation for each layer but the last (`BatchNorm`, `LayerNorm`, `GraphNorm`), if any.
        residual: add a layer's input to its output wherever they are equally wide.

    >>> import torch
    >>> from grapevine.nn import GCNConv
    >>> network = GNN([GCNConv(3, 16), GCNConv(16, 2)], dropout=0.5)
    >>> network(torch.ones(4, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([4, 2])
    """

    def __init__(
        self,
        layers: Sequence[Conv],
        *,
        activation: ActivationName = "relu",
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        norms: Sequence[nn.Module] | None = None,
        residual: bool = False,
    ):
        super().__init__()
        check(len(layers) > 0, "a GNN needs at least one layer")
        for layer in layers:
            if not isinstance(layer, Conv):
                raise InputError(f"layers must be convolutions, got {type(layer).__name__}")
        if norms is not None and len(norms) != len(layers) - 1:
            raise InputError(
                f"{len(layers)} layers take {len(layers) - 1} norms, none behind the last; got {len(norms)}"
            )
        self.layers, self.norms = nn.ModuleList(layers), None if norms is None else nn.ModuleList(norms)
        self.activation: ActivationName = activation
        self.dropout, self.input_dropout = dropout, input_dropout
        self.residual = residual

    def forward(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Tensor:
        """The output of the last layer.

        Args:
            x: [n, c] node features, dense or sparse.
            adj: an Adjacency, a Graph or an edge_index tensor. A batch of graphs lets GraphNorm tell them apart.
            edge: what every layer is given as its edge input, in the order of `adj`.

        Returns:
            [n, out_channels]
        """
        members = adj.members if isinstance(adj, Graph) else None
        check_features("x", x)
        adjacency = as_adjacency(adj, num_src=x.shape[0], num_dst=x.shape[0])
        if edge is not None:
            edge = in_order("edge", edge, adj, adjacency)
        dropout = self.dropout if self.training else 0.0
        h = dropout_features(x, self.input_dropout, self.training)
        *hidden, last = cast(Sequence[Conv], self.layers)
        norms = [None] * len(hidden) if self.norms is None else list(self.norms)
        for layer, norm in zip(hidden, norms, strict=True):
            if norm is None and not layer.normalize:
                out, bias = layer.combine(h, adjacency, edge), layer.bias
            else:
                out, bias = layer(h, adjacency, edge), None
                out = out if norm is None else norm(out, members)
            out = epilogue(out, bias, activation=self.activation, dropout=dropout)
            h = h + out if self.residual and isinstance(h, Tensor) and h.shape == out.shape else out
        return last(h, adjacency, edge)
