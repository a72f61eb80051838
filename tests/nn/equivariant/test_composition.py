"""Counts of elements, and the energies fitted to them."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn.equivariant.composition import composition, fit_shift
from tests.nn.equivariant.structures import named

ELEMENTS = (1, 6, 8)
PARTS = [named(name) for name in ("ethanol", "water", "carbon dioxide", "hydrogen", "lone atom")]


def test_counts():
    wanted = [[6, 2, 1], [2, 0, 1], [0, 1, 2], [2, 0, 0], [0, 0, 1]]
    assert composition(Graph.batch(PARTS), ELEMENTS).tolist() == wanted
    with pytest.raises(InputError, match="knows the elements 1, 6"):
        composition(PARTS[0], (1, 6))


def test_what_was_put_in_comes_out():
    shift = torch.tensor([-13.6, -1029.2, -2041.3], dtype=torch.float64)
    counts = composition(Graph.batch(PARTS), ELEMENTS)
    torch.testing.assert_close(fit_shift(counts, counts @ shift), shift)


def test_structures_of_one_formula():
    counts, energy = torch.tensor([[6.0, 2.0, 1.0]]).repeat(4, 1), torch.tensor([-4210.0, -4211.0, -4212.0, -4211.0])
    shift = fit_shift(counts, energy)
    assert (counts[0].double() @ shift).item() == pytest.approx(-4211)
    assert shift.norm().item() == pytest.approx(4211 / counts[0].norm().item())


def test_wrong_input():
    with pytest.raises(InputError, match="a row for each of the 2 structures"):
        fit_shift(torch.ones(2, 1), torch.ones(3))
    with pytest.raises(InputError, match="finite"):
        fit_shift(torch.ones(1, 1), torch.tensor([float("nan")]))
