"""Convolutions against e3nn's tensor product of every edge, and against rotations."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Adjacency
from grapevine.nn.equivariant import Convolution, Irreps, irreps_matrix, random_rotation, to_e3nn
from grapevine.ops.harmonics import spherical_harmonics

IN, SH, OUT = "5x0e + 3x1o + 2x2e", "1x0e + 1x1o + 1x2e + 1x3o", "1x0e + 1x1o + 1x2e + 1x1e"


def case(generator: torch.Generator) -> tuple[Convolution, Adjacency, torch.Tensor, torch.Tensor, torch.Tensor]:
    convolution = Convolution(IN, SH, OUT)
    adj = Adjacency(torch.randint(6, (2, 20), generator=generator), num_nodes=7)
    x = torch.randn(7, convolution.irreps_in.dim, generator=generator, dtype=torch.float64)
    weight = torch.randn(20, convolution.num_weights, generator=generator, dtype=torch.float64)
    vector = torch.randn(20, 3, generator=generator, dtype=torch.float64)
    return convolution, adj, x, weight, vector


def test_equals_e3nn():
    o3 = pytest.importorskip("e3nn.o3")
    convolution, adj, x, weight, vector = case(torch.Generator().manual_seed(0))
    theirs, signs = _as_e3nn(o3, convolution)
    sh = spherical_harmonics(vector, 3)
    messages = theirs(to_e3nn(x, convolution.irreps_in)[adj.src], sh, weight * signs)
    wanted = messages.new_zeros(7, messages.shape[1]).index_add(0, adj.dst, messages)
    ours = convolution(x, adj, weight, sh)
    # e3nn keeps its couplings in single precision
    torch.testing.assert_close(to_e3nn(ours, convolution.irreps), wanted, rtol=1e-5, atol=1e-5)


def _as_e3nn(o3, convolution: Convolution):
    """e3nn's product with the same paths in the same order, which has no factors but its couplings' own."""
    first, second = o3.Irreps(IN), o3.Irreps(SH)
    paths, outs = [], []
    for irrep in convolution.irreps:
        for a, (mul, of_x) in enumerate(first):
            for s, (_, of_sh) in enumerate(second):
                if any(str(made) == str(irrep.irrep) for made in of_x * of_sh):
                    paths.append((a, s, len(outs), "uvu", True))
                    outs.append((mul, o3.Irrep(str(irrep.irrep))))
    product = o3.TensorProduct(first, second, outs, paths, internal_weights=False, shared_weights=False)
    return product.double(), torch.ones(convolution.num_weights, dtype=torch.float64)


@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_turns_with_what_it_hears(mirror):
    generator = torch.Generator().manual_seed(1)
    convolution, adj, x, weight, vector = case(generator)
    matrix = mirror * random_rotation(generator)
    before, after = irreps_matrix(convolution.irreps_in, matrix), irreps_matrix(convolution.irreps, matrix)
    straight = convolution(x, adj, weight, spherical_harmonics(vector, 3)) @ after.T
    turned = convolution(x @ before.T, adj, weight, spherical_harmonics(vector @ matrix.T, 3))
    torch.testing.assert_close(turned, straight, rtol=1e-10, atol=1e-10)


def test_says_what_leads_nowhere():
    with pytest.raises(InputError, match="no path leads"):
        Convolution("2x0e", "1x0e", "1x1o")
    assert Convolution("2x0e", "1x0e + 1x1o", "4x0e + 4x1o + 4x2e").irreps == Irreps("2x0e + 2x1o")
