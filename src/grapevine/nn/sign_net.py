"""SignNet: reads eigenvectors in a way that no flip of their signs changes (Lim et al. 2022).

f(v_1, ..., v_k) = rho([phi(v_1) + phi(-v_1), ..., phi(v_k) + phi(-v_k)])
phi: h_i' = network((1 + eps) h_i + sum over j of h_j)  num_layers times, h = v,   rho: an MLP for each node
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.checks import check_tensor
from grapevine.errors import check
from grapevine.graph import as_adjacency
from grapevine.nn.conv.inputs import Edges
from grapevine.nn.linear import check_channels
from grapevine.nn.mlp import MLP
from grapevine.ops.spmm import spmm


class SignNet(nn.Module):
    """SignNet with a GIN for phi, which all eigenvectors share (Lim et al. 2022).

    Args:
        num_vectors: k, how many eigenvectors.
        out_channels: width of what rho puts out; by default k.
        hidden_channels: width inside phi and rho.
        phi_channels: of what phi makes of one eigenvector.
        num_layers: of phi.

    >>> network, vectors = SignNet(2), torch.tensor([[0.5, 0.1], [-0.5, 0.3]])
    >>> there, flipped = (network(v, torch.tensor([[0, 1], [1, 0]])) for v in (vectors, -vectors))
    >>> bool(torch.equal(there, flipped)), there.shape
    (True, torch.Size([2, 2]))
    """

    def __init__(
        self,
        num_vectors: int,
        out_channels: int | None = None,
        *,
        hidden_channels: int = 32,
        phi_channels: int = 4,
        num_layers: int = 3,
    ):
        super().__init__()
        for name, number in (("num_vectors", num_vectors), ("hidden_channels", hidden_channels)):
            check_channels(name, number)
        check_channels("phi_channels", phi_channels)
        check(num_layers > 0, f"num_layers must be positive, got {num_layers}")
        self.num_vectors, self.out_channels = num_vectors, num_vectors if out_channels is None else out_channels
        inner = [hidden_channels] * (num_layers - 1)
        ends = zip([1, *inner], [*inner, phi_channels], strict=True)
        self.phi = nn.ModuleList(MLP([width, hidden_channels, out]) for width, out in ends)
        self.eps = nn.Parameter(torch.zeros(num_layers))
        self.rho = MLP([num_vectors * phi_channels, hidden_channels, self.out_channels])

    def forward(self, vectors: Float[Tensor, "n k"], adj: Edges) -> Float[Tensor, "n c"]:
        """[n, out_channels] of eigenvectors in columns; `adj` is an Adjacency, a Graph or an edge_index."""
        check_tensor("vectors", vectors, ndim=2)
        n, k = vectors.shape
        check(k == self.num_vectors, f"vectors must have {self.num_vectors} columns, got {k}")
        pattern = as_adjacency(adj, n, n).pattern
        h = torch.cat([vectors, -vectors], 1)  # [n, 2 k] and then [n, 2 k c]: each vector is a channel of its own
        for layer, eps in zip(self.phi, self.eps, strict=True):
            heard = spmm(pattern, h, own_scale=(1 + eps).to(h.dtype))
            h = layer(heard.reshape(n * 2 * k, heard.shape[1] // (2 * k)))
            h = h.reshape(n, 2 * k * h.shape[1])
        both = h.reshape(n, 2, h.shape[1] // 2)
        return self.rho(both[:, 0] + both[:, 1])
