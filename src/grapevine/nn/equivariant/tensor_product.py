"""The fully connected tensor product: every pair of copies makes every irrep, each with a weight of its own.

z[k, w] = root((2 l3 + 1) / fan) times the sum over paths, u, v, i, j of C[i, j, k] x[i, u] y[j, v] W[u, v, w]

A path is a triple of irreps that couple; fan is the sum over the paths to an irrep of z of the copies of x times those
of y. (M. Geiger, T. Smidt, "e3nn: Euclidean neural networks", 2022, for that normalisation, with weights of variance
one.) With scalars alone for y it is a linear map of x for each of them: the self-connection of NequIP.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.checks import check_rows, check_tensor, check_together
from grapevine.errors import InputError, check
from grapevine.nn.equivariant.coupling import clebsch_gordan
from grapevine.nn.equivariant.irreps import Irrep, Irreps, IrrepsLike
from grapevine.nn.equivariant.layout import by_irrep, check_features, from_irreps, places
from grapevine.nn.equivariant.linear import copy_flat

_Path = tuple[Irrep, Irrep, Irrep]


class FullyConnectedTensorProduct(nn.Module):
    """All paths between two features, fully connected; an irrep that they can not make comes out as zeros.

    `weights` holds one [copies of x, copies of y, copies out] a path, named like "1o_2e_3o", with all blocks of an
    irrep together. Where y is one-hot, `of_kinds` takes the place of its ones and does that share of the work alone.

    Args:
        irreps_in1: of x.
        irreps_in2: of y.
        irreps_out: of what comes out.

    >>> product = FullyConnectedTensorProduct("4x0e + 2x1o", "3x0e", "5x0e + 2x1o")
    >>> out = product(torch.ones(2, 10), torch.eye(3)[:2])
    >>> bool(torch.allclose(out, product.of_kinds(torch.ones(2, 10), torch.tensor([0, 1]))))
    True
    """

    def __init__(self, irreps_in1: IrrepsLike, irreps_in2: IrrepsLike, irreps_out: IrrepsLike):
        super().__init__()
        self.irreps_in1, self.irreps_in2 = Irreps(irreps_in1), Irreps(irreps_in2)
        self.irreps_out = Irreps(irreps_out)
        self.paths = _paths(self.irreps_in1, self.irreps_in2, self.irreps_out)
        self.weights = nn.ParameterDict(
            {_name(path): nn.Parameter(torch.empty(self._shape(path))) for path in self.paths}
        )
        # no buffers, so that a model made single and then double again keeps them exact
        self._couplings = {path: _coupling(path) for path in self.paths if not path[1].is_scalar}
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        for weight in self.weights.values():
            nn.init.normal_(weight)

    def forward(self, x: Float[Tensor, "n dim"], y: Float[Tensor, "n other"]) -> Float[Tensor, "n out"]:
        """The product of [n, dim1] and [n, dim2] features, row by row."""
        check_features("x", x, self.irreps_in1)
        check_features("y", y, self.irreps_in2)
        check_rows("y", y, x.shape[0], "rows of x")
        check_together(x=x, y=y)
        first, second = by_irrep(x, self.irreps_in1), by_irrep(y, self.irreps_in2)
        made = {}
        for irrep in dict.fromkeys(path[2] for path in self.paths):
            to_it = [path for path in self.paths if path[2] == irrep]
            pairs = [self._pairs(path, first[path[0]], second[path[1]]) for path in to_it]
            weights = [self.weights[_name(path)].flatten(0, 1) for path in to_it]
            weight = weights[0] if len(weights) == 1 else torch.cat(weights)
            rows = pairs[0] if len(pairs) == 1 else torch.cat(pairs, dim=2)
            made[irrep] = rows @ (weight * weight.shape[0] ** -0.5)
        return from_irreps(made, self.irreps_out, like=x)

    def of_kinds(self, x: Float[Tensor, "n dim"], kind: Int[Tensor, " n"]) -> Float[Tensor, "n out"]:
        """The product where row i of y is one at kind[i] and zero elsewhere; y must be of even scalars, 0e, alone.

        Rows of one kind go through one matrix product an irrep, and the work does not grow with the number of kinds.
        """
        check_features("x", x, self.irreps_in1)
        num_kinds = self.irreps_in2.count("0e")
        only = "of_kinds needs even scalars, 0e, alone as irreps_in2"
        check(num_kinds == self.irreps_in2.dim > 0, f"{only}, got {self.irreps_in2}")
        check_tensor("kind", kind, ndim=1, dtypes=(torch.int64,))
        check_rows("kind", kind, x.shape[0], "rows of x")
        if torch.compiler.is_compiling():  # the number of rows of each kind is not known before
            return self(x, torch.nn.functional.one_hot(kind, num_kinds).to(x.dtype))
        counts = _counts(kind, num_kinds)
        order = kind.argsort(stable=True)
        parts, made = by_irrep(x.index_select(0, order), self.irreps_in1), {}
        for path in self.paths:
            weight = self.weights[_name(path)]
            scaled = weight * (weight.shape[0] * num_kinds) ** -0.5
            of_kind = zip(parts[path[0]].split(counts), scaled.unbind(1), strict=True)
            made[path[2]] = torch.cat([rows @ matrix for rows, matrix in of_kind])
        back = torch.empty_like(order).index_copy(0, order, torch.arange(len(order), device=order.device))
        return from_irreps(made, self.irreps_out, like=x).index_select(0, back)

    @torch.no_grad()
    def load_e3nn(self, weight: Float[Tensor, " w"]) -> None:
        """Take over the flat weight of e3nn's class of that name and of the same irreps.

        There the triples of blocks that couple follow one another, by block of x, of y and of the output, and each is
        [mul of x, mul of y, mul of the output] by rows.
        """
        check_tensor("weight", weight, ndim=1)
        views = [
            self.weights[_name((a, b, c))][at : at + mul_a, by : by + mul_b, to : to + mul_c]
            for a, mul_a, at in places(self.irreps_in1)
            for b, mul_b, by in places(self.irreps_in2)
            for c, mul_c, to in places(self.irreps_out)
            if (a, b, c) in self.paths
        ]
        copy_flat(weight, views)

    def extra_repr(self) -> str:
        return f"{self.irreps_in1} x {self.irreps_in2} -> {self.irreps_out}"

    def _shape(self, path: _Path) -> tuple[int, int, int]:
        first, second, made = path
        return self.irreps_in1.count(first), self.irreps_in2.count(second), self.irreps_out.count(made)

    def _pairs(self, path: _Path, x: Tensor, y: Tensor) -> Tensor:
        """[n, 2 l3 + 1, u v] what the copies u of x and v of y make together, of [n, 2l + 1, copies] each."""
        if path[1].is_scalar:
            return (x.unsqueeze(3) * y.unsqueeze(2)).flatten(2)
        coupling = self._couplings[path].to(x)
        turned = torch.einsum("ijk,njv->nikv", coupling, y).flatten(2)
        pairs = x.transpose(1, 2) @ turned
        return pairs.unflatten(2, (path[2].dim, y.shape[2])).transpose(1, 2).flatten(2)


def _paths(first: Irreps, second: Irreps, out: Irreps) -> tuple[_Path, ...]:
    """The triples that couple, each once, in the order of the blocks."""
    wanted = [block.irrep for block in out if block.mul]
    found = [
        (a.irrep, b.irrep, irrep)
        for a in first
        for b in second
        for irrep in wanted
        if a.mul and b.mul and irrep in a.irrep * b.irrep
    ]
    return tuple(dict.fromkeys(found))


def _coupling(path: _Path) -> Tensor:
    """C times the root of 2 l3 + 1, in float64."""
    first, second, made = path
    return clebsch_gordan(first.degree, second.degree, made.degree) * made.dim**0.5


def _name(path: _Path) -> str:
    return "_".join(str(irrep) for irrep in path)


def _counts(kind: Tensor, num_kinds: int) -> list[int]:
    """How many rows each kind has."""
    if kind.numel() and not 0 <= int(kind.min()) <= int(kind.max()) < num_kinds:
        raise InputError(f"a kind must be from 0 to {num_kinds - 1}, got {int(kind.min())} to {int(kind.max())}")
    return torch.bincount(kind, minlength=num_kinds).tolist()
