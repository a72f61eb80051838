"""How the parts of a feature, the parts of a harmonic and the parts of an output are coupled: a table of paths.

A path takes a block of x ([in_dim, mul], channels last) and a block of sh ([sh_dim]) to a block of the output
([out_dim, mul]) by a small constant tensor C[a, s, o], each channel for itself and with a weight of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.errors import check

_COLUMNS = 9  # of the table: where x, out, sh and weight start; in_dim, out_dim, mul; in_stride, out_stride


@dataclass(frozen=True)
class Path:
    """One block of x, one of sh and one of the output, and what couples them.

    Args:
        in_start, sh_start, out_start: the first column of each block.
        mul: channels of the x block and of the output block.
        coupling: [in_dim, sh_dim, out_dim] C.
        in_stride, out_stride: columns from one component of a block to the next; 0: its channels, with no gap. Paths to
            the same irrep can so lie side by side, as one block of all their channels.
    """

    in_start: int
    sh_start: int
    out_start: int
    mul: int
    coupling: Float[Tensor, "a s o"]
    in_stride: int = 0
    out_stride: int = 0

    @property
    def in_dim(self) -> int:
        return self.coupling.shape[0]

    @property
    def out_dim(self) -> int:
        return self.coupling.shape[2]


class Paths:
    """The paths of a tensor product as the flat tables that kernels read. Immutable.

    Weights lie in the order of the paths, `mul` for each.

    Args:
        paths: what is coupled; blocks may be read, and added to, by several paths.
        in_width, sh_width, out_width: columns of x, of sh and of the output.

    Raises:
        InputError: if a block runs over the width it belongs to.

    >>> dot = Path(in_start=0, sh_start=0, out_start=0, mul=2, coupling=torch.eye(3).unsqueeze(2))
    >>> Paths([dot], in_width=6, sh_width=3, out_width=2)
    Paths(1 path, x 6, sh 3, out 2, weights 2)
    """

    def __init__(self, paths: Sequence[Path], *, in_width: int, sh_width: int, out_width: int):
        self.in_width, self.sh_width, self.out_width = in_width, sh_width, out_width
        self._paths = tuple(paths)
        self.weight_width = sum(path.mul for path in self._paths)
        for path in self._paths:
            ends = (
                path.in_start + (path.in_dim - 1) * (path.in_stride or path.mul) + path.mul,
                path.sh_start + path.coupling.shape[1],
                path.out_start + (path.out_dim - 1) * (path.out_stride or path.mul) + path.mul,
            )
            check(
                all(end <= width for end, width in zip(ends, (in_width, sh_width, out_width), strict=True)),
                f"a path ends at columns {ends} of x, sh and output, which have {in_width}, {sh_width}, {out_width}",
            )
        self._view = _tables(self._paths)
        self._turned: Paths | None = None
        self._cast: dict[torch.dtype, list[Tensor]] = {}

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self):
        return iter(self._paths)

    @property
    def turned(self) -> "Paths":
        """The same paths from the output back to x; made on first use."""
        if self._turned is None:
            back = [_turn(path) for path in self._paths]
            self._turned = Paths(back, in_width=self.out_width, sh_width=self.sh_width, out_width=self.in_width)
            self._turned._turned = self
        return self._turned

    def view(self, dtype: torch.dtype) -> list[Tensor]:
        """What a kernel takes: the table, where each path's entries start, their places (o, s, a) and values."""
        if dtype not in self._cast:
            with torch.inference_mode(False):  # what evaluation makes first, training uses later
                self._cast[dtype] = [*self._view[:3], self._view[3].to(dtype)]
        return self._cast[dtype]

    def __repr__(self) -> str:
        paths = f"{len(self)} path{'' if len(self) == 1 else 's'}"
        return (
            f"Paths({paths}, x {self.in_width}, sh {self.sh_width}, out {self.out_width}, weights {self.weight_width})"
        )


def _turn(path: Path) -> Path:
    return Path(
        path.out_start,
        path.sh_start,
        path.in_start,
        path.mul,
        path.coupling.permute(2, 1, 0),
        in_stride=path.out_stride,
        out_stride=path.in_stride,
    )


def _tables(paths: Sequence[Path]) -> list[Tensor]:
    table = torch.zeros(len(paths), _COLUMNS, dtype=torch.int64)
    places, values, bounds, weight_start = [torch.zeros(0, 3, dtype=torch.int64)], [torch.zeros(0)], [0], 0
    for row, path in zip(table, paths, strict=True):
        starts = path.in_start, path.out_start, path.sh_start, weight_start
        strides = path.in_stride or path.mul, path.out_stride or path.mul
        row.copy_(torch.tensor((*starts, path.in_dim, path.out_dim, path.mul, *strides)))
        coupling = path.coupling.permute(2, 1, 0)
        where = coupling.nonzero()
        places.append(where)
        values.append(coupling[tuple(where.T)].double())
        bounds.append(bounds[-1] + len(where))
        weight_start += path.mul
    return [table, torch.tensor(bounds), torch.cat(places).to(torch.int32), torch.cat(values).double()]
