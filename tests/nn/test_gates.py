"""Gates and cells against PyTorch's, and their bits on several threads."""

import torch
from torch import nn

from grapevine.nn.gates import gru_step, lstm_step, sigmoid
from tests.nn.compare import assert_same, leaf


def test_cells_are_those_of_torch():
    x, h, c = leaf(5, 3), leaf(5, 4, seed=1), leaf(5, 4, seed=2)
    gru, lstm = nn.GRUCell(3, 4).double(), nn.LSTMCell(3, 4).double()
    assert_same(lambda: gru_step(gru, x, h), lambda: gru(x, h), [x, h, *gru.parameters()])
    leaves = [x, h, c, *lstm.parameters()]
    assert_same(lambda: lstm_step(lstm, x, (h, c))[0], lambda: lstm(x, (h, c))[0], leaves)
    assert_same(lambda: lstm_step(lstm, x, (h, c))[1], lambda: lstm(x, (h, c))[1], leaves)


def test_sigmoid_has_the_same_bits_on_any_number_of_threads():
    x, results, threads = 3 * leaf(21_883, 3).detach(), [], torch.get_num_threads()
    torch.testing.assert_close(sigmoid(x), torch.sigmoid(x))
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(sigmoid(x))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*results)
