"""Wigner matrices: what a rotation or a mirror does to each irrep.

D[1] = R,     D[l] = (2l + 1) times the sum of C[i, a, k] R[i, j] D[l - 1][a, b] C[j, b, k'],     C of (1, l - 1, l)

(E. Wigner, "Group theory", 1959; the recursion is the coupling of coupling.py.) R is a matrix of O(3) that acts on
(x, y, z); a mirror, of determinant -1, is the rotation -R times the parity.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.checks import FLOATS, check_tensor
from grapevine.errors import check
from grapevine.nn.equivariant.coupling import clebsch_gordan
from grapevine.nn.equivariant.irreps import Irrep, Irreps, IrrepsLike
from grapevine.nn.equivariant.layout import join, split

_ORTHOGONAL = 1e-4  # how far R R^T may be from 1


def wigner_d(irrep: Irrep | str, matrix: Float[Tensor, "3 3"]) -> Float[Tensor, "k k"]:
    """The matrix [2l + 1, 2l + 1] by which a matrix of O(3) acts on one irrep.

    >>> quarter_turn = torch.tensor([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    >>> bool((wigner_d("1o", quarter_turn) == quarter_turn).all())
    True
    >>> wigner_d("0o", -quarter_turn).tolist()
    [[-1.0]]
    """
    irrep = Irrep.parse(irrep)
    _check_orthogonal(matrix)
    is_mirror = bool(torch.linalg.det(matrix) < 0)
    rotation = (-matrix if is_mirror else matrix).double()
    turned = rotation if irrep.degree else torch.ones_like(rotation[:1, :1])
    for degree in range(2, irrep.degree + 1):
        coupling = clebsch_gordan(1, degree - 1, degree).to(matrix.device)
        left = torch.einsum("iak,ij,ab->jbk", coupling, rotation, turned)
        turned = (2 * degree + 1) * torch.einsum("jbk,jbh->kh", left, coupling)
    return (turned * irrep.parity if is_mirror else turned).to(matrix.dtype)


def irreps_matrix(irreps: IrrepsLike, matrix: Float[Tensor, "3 3"]) -> Float[Tensor, "dim dim"]:
    """The matrix by which a matrix of O(3) acts on a flat feature, a column of our layout.

    >>> irreps_matrix("2x0e + 1o", -torch.eye(3)).diagonal().tolist()
    [1.0, 1.0, -1.0, -1.0, -1.0]
    """
    blocks = [torch.kron(wigner_d(irrep, matrix), torch.eye(mul).to(matrix)) for mul, irrep in Irreps(irreps)]
    return torch.block_diag(*blocks) if blocks else matrix.new_zeros(0, 0)


def transform(x: Float[Tensor, "n dim"], irreps: IrrepsLike, matrix: Float[Tensor, "3 3"]) -> Float[Tensor, "n dim"]:
    """Flat features after a matrix of O(3) has acted on the structure they belong to.

    >>> transform(torch.tensor([[7.0, 1.0, 2.0, 3.0]]), "0e + 1o", -torch.eye(3)).tolist()
    [[7.0, -1.0, -2.0, -3.0]]
    """
    irreps = Irreps(irreps)
    parts = zip(irreps, split(x, irreps), strict=True)
    turned = [torch.einsum("kh,nhc->nkc", wigner_d(block.irrep, matrix), part) for block, part in parts]
    return join(turned) if turned else x


def random_rotation(
    generator: torch.Generator | None = None, *, dtype: torch.dtype = torch.float64
) -> Float[Tensor, "3 3"]:
    """A rotation drawn uniformly, by a quaternion of four normal numbers (Shoemake 1992).

    >>> rotation = random_rotation(torch.Generator().manual_seed(0))
    >>> bool((rotation @ rotation.T - torch.eye(3)).abs().max() < 1e-12), round(float(rotation.det()), 6)
    (True, 1.0)
    """
    check(dtype in FLOATS, f"dtype must be one of floats, got {dtype}")
    quaternion = torch.randn(4, generator=generator, dtype=torch.float64)
    w, x, y, z = (quaternion / quaternion.norm()).tolist()
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return torch.tensor(rows, dtype=dtype)


def _check_orthogonal(matrix: Tensor) -> None:
    check_tensor("matrix", matrix, ndim=2, dtypes=(torch.float32, torch.float64))
    is_square = matrix.shape == (3, 3)
    off = (matrix @ matrix.T - torch.eye(3).to(matrix)).abs().max() if is_square else torch.tensor(torch.inf)
    check(bool(off < _ORTHOGONAL), "matrix must be [3, 3] with matrix @ matrix.T = 1: a rotation or a mirror")
