"""The notation of irreps, their sizes and order, their products, and the messages for what is no irrep."""

import copy
import pickle

import pytest

from grapevine.errors import InputError
from grapevine.nn.equivariant.irreps import Block, Irrep, Irreps


def test_the_notation():
    irreps = Irreps("128x0e + 64x1o+2e")
    assert str(irreps) == "128x0e + 64x1o + 1x2e"
    assert list(irreps) == [(128, Irrep(0, 1)), (64, Irrep(1, -1)), (1, Irrep(2, 1))]
    assert irreps[1] == Block(64, Irrep(1, -1))
    assert irreps[1].dim == 192
    assert (irreps.dim, irreps.num, irreps.max_degree, len(irreps)) == (128 + 192 + 5, 193, 2, 3)
    assert irreps.slices == (slice(0, 128), slice(128, 320), slice(320, 325))
    for same in (str(irreps), irreps, [(128, "0e"), (64, Irrep(1, -1)), (1, "2e")]):
        assert Irreps(same) == irreps
        assert hash(Irreps(same)) == hash(irreps)
    assert Irreps(Irrep.parse("3o")) == Irreps("3o")
    assert Irreps("").dim == 0
    assert Irreps() == Irreps("")
    assert Irreps("").max_degree == -1
    assert Irreps("2x1o") != Irreps("1o + 1o")
    assert "0e" in irreps
    assert Irrep(1, 1) not in irreps
    assert irreps.count("1o") == 64


def test_products_have_the_dimension_of_both():
    vectors = Irreps("2x1o")
    assert vectors * "3x1o" == Irreps("6x0e + 6x1e + 6x2e")
    for other in ("1x0o", "4x0e + 2x3o", "2x1e + 1x2o"):
        assert (vectors * other).dim == vectors.dim * Irreps(other).dim
    assert Irrep(2, -1) * Irrep(1, -1) == (Irrep(1, 1), Irrep(2, 1), Irrep(3, 1))
    assert [irrep.is_scalar for irrep in (Irrep(0, 1), Irrep(0, -1), Irrep(1, 1))] == [True, False, False]


def test_order_and_neighbours():
    mixed = Irreps("2x2e + 1x1e + 3x0o + 1x1o + 4x0e + 2x1e")
    assert str(mixed.sort()) == "3x0o + 4x0e + 1x1o + 1x1e + 2x1e + 2x2e"
    assert mixed.order() == (2, 4, 3, 1, 5, 0)
    assert str(mixed.regroup()) == "3x0o + 4x0e + 1x1o + 3x1e + 2x2e"
    assert Irreps("0x1o + 2x0e + 0x0e").simplify() == Irreps("2x0e")
    assert Irreps("1o") + "2x0e" == Irreps("1o + 2x0e")
    assert Irreps.spherical_harmonics(0) == Irreps("0e")


def test_immutable_and_saved():
    irreps = Irreps("2x0e + 1o")
    for name in ("dim", "_blocks", "other"):
        with pytest.raises(AttributeError):
            setattr(irreps, name, 3)
    assert pickle.loads(pickle.dumps(irreps)) == copy.deepcopy(irreps) == irreps


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("12x", "'12x' is no block"),
        ("0e + 1", "'1' is no block"),
        ("0e, 1o", "is no block"),
        ("-1x0e", "is no block"),
        (3, "pairs"),
        ([(1, "x")], "such as"),
        ([(-1, "0e")], "whole number"),
        ([(True, "0e")], "whole number"),
        ([("0e", 1)], "whole number"),
        (["0e"], "pair"),
        ([(1, 3)], "such as"),
    ],
)
def test_wrong_input_is_named(given, message):
    with pytest.raises(InputError, match=message):
        Irreps(given)


def test_wrong_irreps_are_named():
    for arguments in ((-1, 1), (1.0, 1), (1, 0)):
        with pytest.raises(InputError, match="degree from 0"):
            Irrep(*arguments)
    with pytest.raises(InputError, match="max_degree"):
        Irreps.spherical_harmonics(-1)


def test_same_order_as_e3nn():
    o3 = pytest.importorskip("e3nn.o3", reason="e3nn is in the extra peers")
    text = "2x2e + 1x1e + 3x2o + 3x0o + 1x1o + 4x0e + 2x3e + 2x3o"
    assert str(Irreps(text).regroup()).replace(" ", "") == str(o3.Irreps(text).regroup())
