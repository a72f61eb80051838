"""A sparse matrix of features: a pattern and its values. Cora's bag of words is 1.3% dense; it is never densified."""

from typing import Any, Self

import numpy as np
import scipy.sparse
import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import InputError, check
from grapevine.ops.pattern import Pattern
from grapevine.ops.trilinear import spmm_op


class SparseMatrix:
    """Sparse node features that layers take in place of a dense tensor. Immutable.

    Args:
        pattern: where the entries stand.
        values: [num_entries] what stands there; gradients flow to them if they want any.

    >>> x = SparseMatrix.from_torch(torch.tensor([[0.0, 2.0], [0.0, 0.0], [3.0, 0.0]]).to_sparse())
    >>> x
    SparseMatrix(3 x 2, 2 entries, float32)
    >>> (x @ torch.tensor([[1.0], [10.0]])).tolist()
    [[20.0], [0.0], [3.0]]
    """

    __slots__ = ("pattern", "values")

    def __init__(self, pattern: Pattern, values: Float[Tensor, " e"]):
        check(isinstance(pattern, Pattern), f"pattern must be a Pattern, got {type(pattern).__name__}")
        check_tensor("values", values, ndim=1)
        check_rows("values", values, pattern.num_entries, "entries")
        check(values.device == pattern.device, f"values are on {values.device}, the pattern on {pattern.device}")
        self.pattern, self.values = pattern, values

    @classmethod
    def from_torch(cls, matrix: Tensor) -> Self:
        """From a torch sparse tensor (COO or CSR) of two dimensions."""
        if not isinstance(matrix, Tensor) or matrix.layout not in (torch.sparse_coo, torch.sparse_csr):
            raise InputError("a sparse COO or CSR tensor is expected; a dense one needs no SparseMatrix")
        check(matrix.ndim == 2, f"sparse features must have 2 dimensions, got shape {tuple(matrix.shape)}")
        csr = matrix.to_sparse_csr()
        return cls(Pattern(csr.crow_indices(), csr.col_indices(), matrix.shape[1]), csr.values())

    @classmethod
    def from_scipy(cls, matrix: "scipy.sparse.sparray | scipy.sparse.spmatrix") -> Self:
        """From a SciPy sparse matrix; float64 and float32 keep their dtype, others become float32."""
        if not scipy.sparse.issparse(matrix):
            raise InputError(f"a SciPy sparse matrix is expected, got {type(matrix).__name__}")
        csr: Any = scipy.sparse.csr_array(matrix)  # SciPy's types do not know their shape
        values = csr.data if csr.data.dtype == np.float64 else csr.data.astype(np.float32)
        indptr, indices = (torch.from_numpy(index.astype(np.int64)) for index in (csr.indptr, csr.indices))
        return cls(Pattern(indptr, indices, csr.shape[1]), torch.from_numpy(values.copy()))

    def to_scipy(self) -> scipy.sparse.csr_array:
        """As a SciPy matrix of compressed rows."""
        arrays = (t.detach().cpu().numpy() for t in (self._by_row(), self.pattern.indices, self.pattern.indptr))
        return scipy.sparse.csr_array(tuple(arrays), shape=self.shape, copy=True)

    def to_dense(self) -> Float[Tensor, "n c"]:
        """As a dense tensor: its memory is rows times columns."""
        dense = self.values.new_zeros(self.shape)
        places = self.pattern.row_of.long(), self.pattern.indices.long()
        return dense.index_put(places, self._by_row(), accumulate=True)

    def _by_row(self) -> Tensor:
        return self.values if self.pattern.entry is None else self.values[self.pattern.entry]

    @property
    def shape(self) -> tuple[int, int]:
        return self.pattern.num_rows, self.pattern.num_cols

    @property
    def dtype(self) -> torch.dtype:
        return self.values.dtype

    @property
    def device(self) -> torch.device:
        return self.values.device

    @property
    def requires_grad(self) -> bool:
        return self.values.requires_grad

    def with_values(self, values: Float[Tensor, " e"]) -> Self:
        """Other values at the same places."""
        return type(self)(self.pattern, values)

    def to(self, target: torch.device | torch.dtype | str) -> Self:
        """On another device or in another dtype."""
        pattern = self.pattern if isinstance(target, torch.dtype) else self.pattern.to(target)
        return type(self)(pattern, self.values.to(target))

    def __matmul__(self, dense: Float[Tensor, "c d"]) -> Float[Tensor, "n d"]:
        check_tensor("the right factor", dense, ndim=2)
        check_rows("the right factor", dense, self.shape[1], "sparse columns")
        check(dense.dtype == self.dtype, f"the sparse factor is {self.dtype}, the dense one {dense.dtype}")
        is_traced = torch.is_grad_enabled() and (dense.requires_grad or self.requires_grad)
        cols = self.pattern.transposed.view if is_traced else []
        return spmm_op(self.pattern.view, cols, dense, self.values.unsqueeze(1), None, None, None)

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        rows, columns = self.shape
        dtype = str(self.dtype).removeprefix("torch.")
        return f"SparseMatrix({rows} x {columns}, {self.pattern.num_entries} entries, {dtype})"


def beside(sparse: SparseMatrix, dense: Float[Tensor, "n d"]) -> SparseMatrix:
    """The sparse matrix with the dense one's columns behind its own: every number of theirs is stored, zeros too.

    >>> x = SparseMatrix.from_torch(torch.tensor([[0.0, 2.0], [0.0, 0.0]]).to_sparse())
    >>> beside(x, torch.tensor([[5.0], [0.0]])).to_dense().tolist()
    [[0.0, 2.0, 5.0], [0.0, 0.0, 0.0]]
    """
    check_tensor("the dense matrix", dense, ndim=2)
    check_rows("the dense matrix", dense, sparse.shape[0], "rows")
    check(dense.dtype == sparse.dtype, f"the sparse matrix is {sparse.dtype}, the dense one {dense.dtype}")
    rows, width = dense.shape
    indptr, (old, new) = sparse.pattern.indptr.long(), (sparse.shape[1], sparse.shape[1] + width)
    row_of, device = sparse.pattern.row_of.long(), dense.device
    own = torch.arange(sparse.pattern.num_entries, device=device) + width * row_of
    added = indptr[1:, None] + width * torch.arange(rows, device=device)[:, None] + torch.arange(width, device=device)
    indices = torch.empty(len(own) + added.numel(), dtype=torch.int64, device=device)
    values = dense.new_empty(len(indices))
    indices[own], indices[added] = sparse.pattern.indices.long(), torch.arange(old, new, device=device).expand_as(added)
    values = values.index_put((own,), sparse._by_row()).index_put((added,), dense)
    starts = indptr + width * torch.arange(rows + 1, device=device)
    return SparseMatrix(Pattern(starts, indices, new), values)
