"""Takes over the weights of a MACE that was trained with mace-torch, and so its energies and forces.

Three things differ: mace-torch counts edges from the neighbour to the atom, so that harmonics of odd degree change
their sign; its activations are scaled by an estimate; and its couplings are another basis of the same polynomials,
which the coupling matrices that it saves along with its weights tell.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.nn.equivariant.gate import E3NN_SCALES, second_moment_scale
from grapevine.nn.equivariant.mace import MACE, MACELayer
from grapevine.nn.equivariant.product_basis import ProductBasis
from grapevine.nn.equivariant.scalar_mlp import ScalarMLP

_EXACT = 1e-6  # of what is left when one basis is written in the other
# of a layer in mace-torch: buffers that say nothing of its weights, and empty tensors
_NO_WEIGHTS = ("output_mask", ".bias", "_w3j_", "_zeroed", "r_max", "prefactor", "cutoff_fn", "conv_tp.weight")
_OUTSIDE = ("atomic_numbers", "num_interactions", "atomic_energies_fn", "scale_shift")  # the potential's, not ours


@torch.no_grad()
def load_mace(network: MACE, state_dict: Mapping[str, Tensor]) -> MACE:
    """Give a network of the same shape the weights of mace-torch's `MACE` or `ScaleShiftMACE`.

    Residual interactions in every layer, which are that program's default, are expected, and one head. The energies of
    lone atoms, the scale and the shift are a potential's: `atomic_energies_fn.atomic_energies + scale_shift.shift` and
    `scale_shift.scale`. So is <n>, which mace-torch keeps outside of its weights: `avg_num_neighbors`.

    Args:
        network: made with the same elements in the order of their numbers, cutoff and shape.
        state_dict: of the other model (mace-torch 0.3).

    Returns:
        The network.

    Raises:
        InputError: if a weight is missing, left over, or of another shape.
    """
    source = _Source({name: tensor for name, tensor in state_dict.items() if not _is_other(name)})
    source.fill("node_embedding.linear.weight", network.embedding)
    frequencies = source.take("radial_embedding.bessel_fn.bessel_weights") * network.cutoff / torch.pi
    fits = frequencies.shape == network.bessel.frequency.shape and frequencies.allclose(
        network.bessel.frequency.to(frequencies), rtol=1e-4
    )
    check(fits, f"the network's Bessel frequencies are 1 .. {network.shape.num_basis}, got {frequencies.tolist()}")
    for number, layer in enumerate(network.layers):
        assert isinstance(layer, MACELayer)
        _load_layer(source, number, layer)
    for number, readout in enumerate(network.readouts):
        assert isinstance(readout, ScalarMLP)
        parts = ["linear"] if len(readout.weights) == 1 else ["linear_1", "linear_2"]
        _load_mlp(readout, [source.take(f"readouts.{number}.{part}.weight") for part in parts])
    source.check_empty()
    return network


def _is_other(name: str) -> bool:
    return name.startswith(_OUTSIDE) or any(part in name for part in _NO_WEIGHTS)


class _Source:
    """The tensors that are not taken yet."""

    def __init__(self, tensors: dict[str, Tensor]):
        self.tensors = tensors

    def take(self, name: str) -> Tensor:
        if name not in self.tensors:
            raise InputError(f"these are no weights of a MACE of that shape: there is no {name}")
        return self.tensors.pop(name).detach()

    def fill(self, name: str, weight: Tensor) -> None:
        found = self.take(name)
        fits = found.numel() == weight.numel()
        check(fits, f"{name} has {found.numel()} numbers, the network takes {weight.numel()}: its shape is another")
        weight.copy_(found.reshape(weight.shape))

    def check_empty(self) -> None:
        check(not self.tensors, "these weights have no place in the network: " + ", ".join(sorted(self.tensors)))


def _load_layer(source: _Source, number: int, layer: MACELayer) -> None:
    at, products = f"interactions.{number}", f"products.{number}"
    layer.before.load_e3nn(source.take(f"{at}.linear_up.weight"))
    layer.mix.load_e3nn(source.take(f"{at}.linear.weight"))
    layer.past.load_e3nn(source.take(f"{at}.skip_tp.weight"))
    layer.after.load_e3nn(source.take(f"{products}.linear.weight"))
    count = len(layer.radial.weights)
    _load_mlp(layer.radial, [source.take(f"{at}.conv_tp_weights.layer{k}.weight") for k in range(count)])
    layer.radial.weights[-1].mul_(_turned_signs(layer).to(layer.radial.weights[-1]))
    for k, (_, irrep) in enumerate(layer.products.irreps_out):
        _load_couplings(source, f"{products}.symmetric_contractions.contractions.{k}", layer.products, k, irrep.dim)


def _load_mlp(network: ScalarMLP, weights: list[Tensor]) -> None:
    ratio = E3NN_SCALES["silu"] / second_moment_scale("silu")
    for k, (ours, theirs) in enumerate(zip(network.weights, weights, strict=True)):
        check(theirs.numel() == ours.numel(), f"a layer is {tuple(ours.shape)}, got {tuple(theirs.shape)}")
        ours.copy_(theirs.reshape(ours.shape) * (ratio if k else 1.0))


def _turned_signs(layer: MACELayer) -> Tensor:
    """-1 for the weights of paths with harmonics of odd degree, which change sign with the direction."""
    signs = []
    for path in layer.convolution.paths:
        degree = (path.coupling.shape[1] - 1) // 2
        signs.append(torch.full((path.mul,), (-1.0) ** degree))
    return torch.cat(signs)


def _load_couplings(source: _Source, at: str, ours: ProductBasis, block: int, dim: int) -> None:
    """Write the polynomials of their couplings in ours, an order at a time."""
    names = ["weights_max", *(f"weights.{k}" for k in range(ours.correlation - 1))]  # the highest order first
    for name, order in zip(names, range(ours.correlation, 0, -1), strict=True):
        rows, columns = ours.part(block, order)
        theirs = source.take(f"{at}.U_matrix_{order}").double()
        theirs = theirs.reshape(dim, *theirs.shape[-order - 1 :])  # a scalar's has no component
        wanted = torch.stack([_as_terms(ours, rows, one) for one in theirs.unbind(-1)], dim=1)
        basis = ours.coefficients[rows][:, columns]
        solved = torch.linalg.lstsq(basis, wanted, driver="gelsd").solution
        left = (basis @ solved - wanted).norm().item()
        check(left <= _EXACT * (1 + wanted.norm().item()), f"{at}.U_matrix_{order} is not made of couplings")
        weight = source.take(f"{at}.{name}")
        ours.weight[:, columns] = torch.einsum("ck,zku->zcu", solved, weight.double()).to(ours.weight)


def _as_terms(ours: ProductBasis, rows: list[int], coupling: Tensor) -> Tensor:
    """How much of each of those terms a coupling [2l + 1, components, ...] holds; it must hold no other."""
    place = {tuple(ours.terms.table[row].tolist()): k for k, row in enumerate(rows)}
    first = min(int(ours.terms.table[row, 0]) for row in rows)
    found, where = torch.zeros(len(rows), dtype=torch.float64), coupling.nonzero()
    others: dict[tuple, float] = {}  # which the orders of one product may cancel in
    for (component, *factors), value in zip(where.tolist(), coupling[tuple(where.T)].tolist(), strict=True):
        key = (first + component, *sorted(factors), -1, -1)[:4]
        if key in place:
            found[place[key]] += value
        else:
            others[key] = others.get(key, 0.0) + value
    left = max(map(abs, others.values()), default=0.0)
    check(left < _EXACT, "these couplings hold a product that turns as no coupling does")
    return found
