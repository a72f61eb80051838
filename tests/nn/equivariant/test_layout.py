"""Features taken apart, put together and permuted, without a number lost."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.nn.equivariant import Irreps, by_irrep, from_e3nn, from_irreps, join, regroup, split, to_e3nn, transform
from tests.nn.equivariant.turns import features, turns

IRREPS = "2x1o + 3x0e + 1x2e + 4x1o + 0x1e + 2x0e"


def test_blocks_are_views_and_come_back():
    irreps, x = Irreps(IRREPS), features(IRREPS)
    blocks = split(x, irreps)
    assert [tuple(block.shape[1:]) for block in blocks] == [(3, 2), (1, 3), (5, 1), (3, 4), (3, 0), (1, 2)]
    assert blocks[1].data_ptr() == x[:, 6:].data_ptr()
    assert torch.equal(blocks[0][:, 1, 0], x[:, 2])
    assert torch.equal(join(blocks), x)
    assert torch.equal(from_irreps(by_irrep(x, irreps), irreps, like=x), x)


def test_e3nn_has_components_last():
    irreps, x = Irreps(IRREPS), features(IRREPS)
    theirs = to_e3nn(x, irreps)
    assert torch.equal(theirs[:, :6].reshape(-1, 2, 3), split(x, irreps)[0].transpose(1, 2))
    assert torch.equal(from_e3nn(theirs, irreps), x)
    o3 = pytest.importorskip("e3nn.o3", reason="e3nn is in the extra peers")
    for matrix in turns():
        known = theirs @ o3.Irreps(IRREPS).D_from_matrix(matrix).T
        torch.testing.assert_close(
            to_e3nn(transform(x, irreps, matrix), irreps), known, rtol=0, atol=1e-6
        )  # theirs, by angles


def test_regroup_is_the_same_feature():
    irreps, x = Irreps(IRREPS), features(IRREPS)
    grouped = regroup(x, irreps)
    assert irreps.regroup() == Irreps("5x0e + 6x1o + 1x2e")
    assert torch.equal(regroup(grouped, irreps.regroup()), grouped)
    for matrix in turns():
        one, other = regroup(transform(x, irreps, matrix), irreps), transform(grouped, irreps.regroup(), matrix)
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_a_part_that_is_not_there_is_zero():
    x = torch.ones(2, 3)
    out = from_irreps(by_irrep(x, Irreps("3x0e")), Irreps("1x1o + 3x0e"), like=x)
    assert out.tolist() == [[0, 0, 0, 1, 1, 1]] * 2
    assert from_irreps({}, Irreps(""), like=x).shape == (2, 0)


@pytest.mark.parametrize("function", [split, to_e3nn, from_e3nn, regroup, by_irrep])
def test_wrong_widths_are_named(function):
    with pytest.raises(InputError, match="13 columns of 2x2e \\+ 1x1o, got shape \\(2, 4\\)"):
        function(torch.ones(2, 4), Irreps("2x2e + 1o"))
    with pytest.raises(InputError, match="dimensions"):
        function(torch.ones(13), Irreps("2x2e + 1o"))


def test_no_block_can_not_be_joined():
    with pytest.raises(InputError, match="one block"):
        join([])
