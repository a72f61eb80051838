"""The edge matrices' form in plain PyTorch, which makes every entry's matrix. Memory e c d."""

import torch
from torch import Tensor


def total(indptr: Tensor, feature: Tensor, x: Tensor, matrices: Tensor) -> Tensor:
    """[n, d] what each row's entries send, added up."""
    own = torch.einsum("ek,kcd->ecd", feature, matrices)
    message = torch.einsum("ecd,ec->ed", own, x)
    counts = indptr.diff()
    row = torch.arange(len(counts), device=counts.device).repeat_interleave(counts)
    return message.new_zeros(len(counts), matrices.shape[2]).index_add(0, row, message)
