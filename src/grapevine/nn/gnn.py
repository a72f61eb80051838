"""A stack of convolutions with what stands between them.

h_0 = x,  h_(k+1) = residual(dropout(activation(norm(conv_k(h_k)))), h_k, first),  last layer: conv
Without residuals the first argument alone stays. With `activate_last` the last layer is as the others.
Densely connected, conv_k hears [h_1, ..., h_k] side by side (Huang et al. 2017; on graphs Li et al. 2019).

Huang, Liu, van der Maaten & Weinberger, "Densely connected convolutional networks", 2017. Li, Mueller, Thabet & Ghanem,
"DeepGCNs: can GCNs go as deep as CNNs?", 2019.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, cast

import torch
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph, as_adjacency
from grapevine.nn.conv import Conv
from grapevine.nn.conv.inputs import Edges, in_order
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.linear import Features, check_features, dropout_features
from grapevine.nn.residual import AddResidual, Residual
from grapevine.ops.epilogue import epilogue
from grapevine.ops.pattern import Pattern
from grapevine.typing import ActivationName


class GNN(Encoder):
    """Convolutions one after another; the last one's output is the network's.

    Without norms, bias, activation and dropout are one pass over memory.

    Args:
        layers: the convolutions, of any kinds.
        activation: after each layer but the last.
        dropout: after each activation, in training.
        input_dropout: on the input, in training.
        norms: a normalisation for each layer but the last (`BatchNorm`, `LayerNorm`, `GraphNorm`), if any.
        residual: what is kept of a layer's input wherever it is as wide as the output: True adds it; otherwise a
            `Residual` for each layer but the last. "dense": every layer but the first hears the states of all layers
            before it side by side, so that its in_channels is the sum of their widths.
        activate_last: the last layer has a norm, an activation, dropout and a residual too, as where its states are
            not the answer but are read out (the graph networks of Xu et al. 2019).

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
        residual: bool | Literal["dense"] | Sequence[Residual] = False,
        activate_last: bool = False,
    ):
        super().__init__()
        check(len(layers) > 0, "a GNN needs at least one layer")
        for layer in layers:
            if not isinstance(layer, Conv):
                raise InputError(f"layers must be convolutions, got {type(layer).__name__}")
        self.num_activated = len(layers) if activate_last else len(layers) - 1
        if norms is not None and len(norms) != self.num_activated:
            why = "" if activate_last else ", none behind the last"
            raise InputError(f"{len(layers)} layers take {self.num_activated} norms{why}; got {len(norms)}")
        self.layers, self.norms = nn.ModuleList(layers), None if norms is None else nn.ModuleList(norms)
        self.activation: ActivationName = activation
        self.dropout, self.input_dropout = dropout, input_dropout
        self.is_dense = residual == "dense"
        if isinstance(residual, str):
            check(self.is_dense, f'residual must be True, False, "dense" or Residuals, got {residual!r}')
            residual = []
        elif isinstance(residual, bool):
            residual = [AddResidual() for _ in range(self.num_activated)] if residual else []
        elif len(residual) != self.num_activated:
            raise InputError(f"{len(layers)} layers take {self.num_activated} residuals; got {len(residual)}")
        self.residuals = nn.ModuleList(residual) if residual else None

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        h, adjacency, edge, members = self._enter(x, adj, edge)
        yield x
        first = h  # the earliest states as wide as the latest
        told: list[Tensor] = []
        for k in range(len(self.layers)):
            if self.is_dense and k > 0:
                h = torch.cat(told, 1)
            out = self._pass(k, h, adjacency, edge, members)
            if self.residuals is not None and k < self.num_activated and isinstance(h, Tensor) and h.shape == out.shape:
                out = self.residuals[k](out, h, first)
            h, first = out, first if isinstance(first, Tensor) and first.shape == out.shape else out
            told += [out] if self.is_dense else []
            yield out

    def _enter(self, x: Features, adj: Edges, edge: Tensor | None):
        """What the first layer is given, and who the members of each graph are."""
        members = adj.members if isinstance(adj, Graph) else None
        check_features("x", x)
        adjacency = as_adjacency(adj, num_src=x.shape[0], num_dst=x.shape[0])
        if edge is not None:
            edge = in_order("edge", edge, adj, adjacency)
        return dropout_features(x, self.input_dropout, self.training), adjacency, edge, members

    def _pass(self, k: int, h: Features, adjacency: Adjacency, edge: Tensor | None, members: Pattern | None) -> Tensor:
        """Layer k and what stands behind it."""
        layer = cast(Conv, self.layers[k])
        if k >= self.num_activated:
            return layer(h, adjacency, edge)
        norm = None if self.norms is None else self.norms[k]
        if norm is None and not layer.normalize:
            out, bias = layer.combine(h, adjacency, edge), layer.bias
        else:
            out, bias = layer(h, adjacency, edge), None
            out = out if norm is None else norm(out, members)
        return epilogue(out, bias, activation=self.activation, dropout=self.dropout if self.training else 0.0)
