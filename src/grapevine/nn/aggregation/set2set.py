"""Set2Set: an LSTM asks a set several questions and is told the answers (Vinyals et al. 2016).

q_t = LSTM([q_(t-1), r_(t-1)]),  a_t = softmax over the set of <m_e, q_t>,  r_t = sum over e of a_t,e m_e,
and the answer is [q_T, r_T]

O. Vinyals, S. Bengio and M. Kudlur, "Order matters: sequence to sequence for sets", ICLR 2016.
"""

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.nn.aggregation.basic import Aggregation
from grapevine.nn.gates import lstm_step
from grapevine.nn.linear import check_channels, check_features
from grapevine.ops.attention import dot_attention
from grapevine.ops.pattern import Pattern


class Set2Set(Aggregation):
    """An LSTM's last question and the answer to it, [rows, 2 in_channels] (Vinyals et al. 2016).

    The question is that of the LSTM's top layer and the scores are dot products, not scaled. Where nothing arrives the
    answers are 0 and the questions what the LSTM makes of them. Memory grows with the messages, not with the steps
    times the messages.

    Args:
        in_channels: width of a message; the result is twice as wide.
        num_steps: how many questions; 12 in Gilmer et al. 2017.
        num_layers: of the LSTM.

    >>> pattern = Pattern(torch.tensor([0, 2, 2]), torch.tensor([0, 1]), num_cols=2)
    >>> Set2Set(4)(pattern, torch.ones(2, 4)).shape
    torch.Size([2, 8])
    """

    def __init__(self, in_channels: int, num_steps: int = 12, num_layers: int = 1):
        super().__init__()
        for name, value in (("in_channels", in_channels), ("num_steps", num_steps), ("num_layers", num_layers)):
            check_channels(name, value)
        self.in_channels, self.out_channels, self.num_steps = in_channels, 2 * in_channels, num_steps
        widths = [self.out_channels, *[in_channels] * (num_layers - 1)]
        self.cells = nn.ModuleList(nn.LSTMCell(width, in_channels) for width in widths)

    def forward(self, pattern: Pattern, message: Float[Tensor, "e c"]) -> Float[Tensor, "n 2c"]:
        check_features("message", message)
        width = message.shape[1]
        check(width == self.in_channels, f"messages must have {self.in_channels} channels, got {width}")
        # The messages stand alone as the columns, whatever the pattern's own ones are.
        places = torch.arange(pattern.num_entries, dtype=pattern.indptr.dtype, device=pattern.device)
        entries = places if pattern.entry is None else pattern.entry
        own = Pattern.trusted(pattern.indptr, entries, pattern.num_entries)
        heard, told = message.unsqueeze(1), message.new_zeros(pattern.num_rows, self.out_channels)
        start = message.new_zeros(pattern.num_rows, width)
        states = [(start, start)] * len(self.cells)
        for _ in range(self.num_steps):
            query = told
            for k, cell in enumerate(self.cells):
                states[k] = lstm_step(cast(nn.LSTMCell, cell), query, states[k])
                query = states[k][0]
            answer = dot_attention(own, query.unsqueeze(1), heard, heard, scale=1.0).squeeze(1)
            told = torch.cat([query, answer], 1)
        return told
