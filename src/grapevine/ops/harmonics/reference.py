"""Solid harmonics in plain PyTorch: a polynomial of degree l is what its derivatives make (Euler).

l Y[l] = the sum over i of v[i] dY[l] / dv[i],     and these derivatives are sums of Y[l - 1]
"""

import torch
from torch import Tensor

from grapevine.ops.harmonics.basis import derivative_matrix


def harmonics(vectors: Tensor, max_degree: int) -> Tensor:
    degrees = [vectors.new_ones(vectors.shape[0], 1)]
    for degree in range(1, max_degree + 1):
        matrix = derivative_matrix(degree)[degree**2 :, :, (degree - 1) ** 2 :] / degree
        rows = torch.as_tensor(matrix, dtype=vectors.dtype, device=vectors.device).flatten(1)
        products = vectors.unsqueeze(2) * degrees[-1].unsqueeze(1)
        degrees.append(products.flatten(1) @ rows.T)
    return torch.cat(degrees, 1)
