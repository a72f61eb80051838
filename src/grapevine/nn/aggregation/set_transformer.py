"""Set transformer: members of a set attend to each other, and seeds attend to them (Lee et al. 2019).

MAB(X, Y) = LN(H + relu(W H + b)),  H = LN(X + Multihead(X, Y, Y))
SAB(X) = MAB(X, X)      ISAB(X) = MAB(X, MAB(I, X))      PMA(X) = MAB(S, relu(W X + b))
encoder: SAB or ISAB, decoder: PMA and then SAB

with learnt I and S; LN, layer norm, is an option. J. Lee, Y. Lee, J. Kim, A. Kosiorek, S. Choi and Y. W. Teh, "Set
transformer: a framework for attention-based permutation-invariant neural networks", ICML 2019. The dot products are
scaled by the width of a head, as by Vaswani et al. 2017.
"""

from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.nn.aggregation.basic import Aggregation
from grapevine.nn.aggregation.sort import by_row
from grapevine.nn.linear import Linear, check_channels, check_features
from grapevine.ops.attention import dot_attention
from grapevine.ops.group import index_dtype
from grapevine.ops.pattern import Pattern


class SetTransformer(Aggregation):
    """Attention within each row, and then of learnt seeds to it, [rows, num_seeds * in_channels] (Lee et al. 2019).

    No padding: the work of a row of n messages is n^2 with SAB and n * num_inducing with ISAB, that of PMA is
    n * num_seeds. Where nothing arrives, the result is what the decoder makes of the seeds alone. With one seed the
    decoder's blocks have nobody but it to attend to, so that their queries and keys learn nothing.

    Args:
        in_channels: width of a message.
        heads: of each attention; they share the width.
        num_seeds: how many vectors a row is brought down to, side by side in the result.
        num_encoder_layers, num_decoder_layers: attention blocks before and after the seeds'.
        num_inducing: let each encoder block attend by way of so many learnt points (ISAB); None: directly (SAB).
        layer_norm: normalise in each block, as in the paper's equations; its authors found it of no use at times.

    >>> pattern = Pattern(torch.tensor([0, 2, 2]), torch.tensor([0, 1]), num_cols=2)
    >>> SetTransformer(4, heads=2, num_seeds=3)(pattern, torch.ones(2, 4)).shape
    torch.Size([2, 12])
    """

    def __init__(
        self,
        in_channels: int,
        *,
        heads: int = 1,
        num_seeds: int = 1,
        num_encoder_layers: int = 1,
        num_decoder_layers: int = 1,
        num_inducing: int | None = None,
        layer_norm: bool = False,
    ):
        super().__init__()
        check_channels("in_channels", in_channels)
        check_channels("heads", heads)
        check(in_channels % heads == 0, f"in_channels must be a multiple of heads, got {in_channels} and {heads}")
        layers = (num_encoder_layers, num_decoder_layers)
        check(min(layers) >= 0, f"the numbers of layers must not be negative, got {layers}")
        self.in_channels, self.out_channels = in_channels, num_seeds * in_channels
        self.num_encoder_layers = num_encoder_layers

        def blocks(count: int) -> nn.ModuleList:
            return nn.ModuleList(_Block(in_channels, heads, layer_norm) for _ in range(count))

        self.encoder, self.decoder, self.pool = blocks(num_encoder_layers), blocks(num_decoder_layers), blocks(1)
        is_induced = num_inducing is not None
        self.inward = blocks(num_encoder_layers if is_induced else 0)
        self.points = nn.ParameterList(_drawn(num_inducing, in_channels) for _ in self.inward) if is_induced else None
        self.lin, self.seeds = Linear(in_channels, in_channels), _drawn(num_seeds, in_channels)

    def forward(self, pattern: Pattern, message: Float[Tensor, "e c"]) -> Float[Tensor, "n k*c"]:
        check_features("message", message)
        width = message.shape[1]
        check(width == self.in_channels, f"messages must have {self.in_channels} channels, got {width}")
        x, rows, num_seeds = by_row(pattern, message), pattern.num_rows, len(self.seeds)
        start, count, row = pattern.indptr[:-1].long(), pattern.indptr.diff().long(), pattern.row_of.long()
        x = self._encode(x, start, count, row)

        def in_each(values: Tensor) -> Tensor:
            return values.repeat_interleave(num_seeds)

        to_members = ranges(in_each(start), in_each(count), len(x))
        x = self.pool[0](self.seeds.repeat(rows, 1), self.lin(x).relu(), to_members)
        firsts = torch.arange(rows, device=x.device) * num_seeds
        among_seeds = ranges(in_each(firsts), in_each(torch.full_like(firsts, num_seeds)), len(x))
        for block in self.decoder:
            x = block(x, x, among_seeds)
        return x.reshape(rows, self.out_channels)

    def _encode(self, x: Tensor, start: Tensor, count: Tensor, row: Tensor) -> Tensor:
        """The members after they have attended to each other, directly or by way of the inducing points."""
        if self.points is None:
            among = ranges(start[row], count[row], len(x)) if self.num_encoder_layers else None
            for block in self.encoder:
                x = block(x, x, among)
            return x
        for block, inward, points in zip(self.encoder, self.inward, self.points, strict=True):
            k, rows = len(points), len(start)
            to_members = ranges(start.repeat_interleave(k), count.repeat_interleave(k), len(x))
            h = inward(cast(Tensor, points).repeat(rows, 1), x, to_members)
            x = block(x, h, ranges(row * k, torch.full_like(row, k), rows * k))
        return x


class _Block(nn.Module):
    """MAB(X, Y), where row i of X attends to the rows of Y that the pattern names."""

    def __init__(self, channels: int, heads: int, layer_norm: bool):
        super().__init__()
        self.heads = heads
        self.lin_query, self.lin_value = Linear(channels, channels), Linear(channels, channels)
        self.lin_key = Linear(channels, channels, bias=False)  # a softmax would not notice its bias
        self.lin_out, self.lin_forward = Linear(channels, channels), Linear(channels, channels)
        self.norms = nn.ModuleList(nn.LayerNorm(channels) if layer_norm else nn.Identity() for _ in range(2))

    def forward(self, x: Float[Tensor, "n c"], y: Float[Tensor, "m c"], pattern: Pattern) -> Float[Tensor, "n c"]:
        query, key, value = (
            lin(side).unflatten(1, (self.heads, -1))
            for lin, side in ((self.lin_query, x), (self.lin_key, y), (self.lin_value, y))
        )
        heard = dot_attention(pattern, query, key, value).flatten(1)
        h = self.norms[0](x + self.lin_out(heard))
        return self.norms[1](h + self.lin_forward(h).relu())


def ranges(start: Int[Tensor, " n"], count: Int[Tensor, " n"], num_cols: int) -> Pattern:
    """The pattern whose row i holds the columns start[i], ..., start[i] + count[i] - 1.

    >>> ranges(torch.tensor([0, 2]), torch.tensor([2, 1]), 3).indices.tolist()
    [0, 1, 2]
    """
    indptr = nn.functional.pad(count.cumsum(0), (1, 0))
    total = int(indptr[-1])
    shift = (start - indptr[:-1]).repeat_interleave(count, output_size=total)
    indices = torch.arange(total, device=start.device) + shift
    dtype = index_dtype(len(indptr), total, num_cols)
    return Pattern.trusted(indptr.to(dtype), indices.to(dtype), num_cols)


def _drawn(count: int | None, channels: int) -> nn.Parameter:
    """So many learnt vectors, drawn as Glorot's."""
    if count is None or count < 1:
        raise InputError(f"the numbers of seeds and of inducing points must be positive, got {count}")
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(count, channels)))
