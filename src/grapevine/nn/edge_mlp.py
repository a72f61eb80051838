"""A network of an edge's two ends and its own features, whose first layer sees each node once, not once an edge.

m_e = network(W_src h_j + W_dst h_i + W_edge e_ij + b)
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.nn.linear import Linear, check_channels
from grapevine.nn.mlp import MLP
from grapevine.ops.epilogue import epilogue
from grapevine.ops.gather import gather
from grapevine.ops.pattern import Pattern
from grapevine.typing import ActivationName

Messages: TypeAlias = Callable[[Tensor | None, Tensor | None], Tensor]


class EdgeMLP(nn.Module):
    """The MLP of [h_j, h_i, e_ij] for every edge j -> i; the first layer's weights are kept apart by what they see.

    Args:
        src_channels, dst_channels, edge_channels: widths of what it sees of an edge; 0 for what it does not see.
        channels: widths of its layers, the output's last.
        activation: after every layer but the last.

    >>> network = EdgeMLP(2, 2, 1, [8, 3])
    >>> pattern = Pattern(torch.tensor([0, 1, 2]), torch.tensor([1, 0]), num_cols=2)
    >>> network(pattern, torch.ones(2, 2), torch.ones(2, 2), torch.ones(2, 1)).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        src_channels: int,
        dst_channels: int,
        edge_channels: int,
        channels: Sequence[int],
        *,
        activation: ActivationName = "relu",
    ):
        super().__init__()
        widths = src_channels, dst_channels, edge_channels
        check(sum(widths) > 0, "an EdgeMLP must see something of an edge: all widths are 0")
        check(len(channels) > 0, "an EdgeMLP needs the widths of its layers, the output's last")
        first, *rest = channels
        check_channels("channels", first)
        # Glorot's rule for the one map that the three are.
        whole = Linear(sum(widths), first, bias=False).weight.detach()
        parts = whole.split(widths, dim=1)
        self.lin_src, self.lin_dst, self.lin_edge = (_part(part) if part.shape[1] else None for part in parts)
        self.bias = nn.Parameter(torch.zeros(first))
        self.rest = MLP([first, *rest], activation=activation) if rest else None
        self.activation: ActivationName = activation

    def forward(
        self,
        pattern: Pattern,
        x_src: Float[Tensor, "m c"] | None = None,
        x_dst: Float[Tensor, "n c"] | None = None,
        edge: Float[Tensor, "e d"] | None = None,
    ) -> Float[Tensor, "e k"]:
        """What each entry of the pattern says; what it does not see is not looked at."""
        return self.output(self.on(pattern, edge)(x_src, x_dst))

    def on(self, pattern: Pattern, edge: Float[Tensor, "e d"] | None) -> Messages:
        """The first layer with its activation, as a function of the states: the edges' part of it is made once."""
        check(edge is not None or self.lin_edge is None, "this network sees features of the edges, and there are none")
        own = self.bias if edge is None or self.lin_edge is None else self.lin_edge(edge) + self.bias

        def of(x_src: Tensor | None, x_dst: Tensor | None) -> Tensor:
            is_seen = (x_src is not None or self.lin_src is None) and (x_dst is not None or self.lin_dst is None)
            check(is_seen, "this network sees states of both ends of an edge, or of one, and they are not given")
            out = own
            if self.lin_src is not None and x_src is not None:
                out = out + gather(pattern, self.lin_src(x_src), side="cols")
            if self.lin_dst is not None and x_dst is not None:
                out = out + gather(pattern, self.lin_dst(x_dst), side="rows")
            out = out if out.ndim == 2 else out.expand(pattern.num_entries, -1)
            return out if self.rest is None else epilogue(out.contiguous(), activation=self.activation)

        return of

    def output(self, hidden: Float[Tensor, "e k"]) -> Float[Tensor, "e d"]:
        """The layers behind the first."""
        return hidden if self.rest is None else self.rest(hidden)


def _part(weight: Tensor) -> Linear:
    layer = Linear(weight.shape[1], weight.shape[0], bias=False)
    layer.weight = nn.Parameter(weight.clone())
    return layer
