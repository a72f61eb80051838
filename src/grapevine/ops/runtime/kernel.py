"""How a kernel is compiled: without the GIL, cached on disk, NaN and infinity kept."""

from collections.abc import Callable
from typing import Any

import llvmlite.binding
import numba
import torch

_KEEPS_NAN = {"contract", "nsz"}  # of the fast-math flags, those that change no NaN and no infinity
_OPTIONS = {"nogil": True, "boundscheck": False, "fastmath": _KEEPS_NAN, "error_model": "numpy"}

# Lanes a kernel takes at once: 128 floats are 8 of AVX-512's 32 registers, and all of AVX2's 16.
WIDE = 128 if llvmlite.binding.get_host_cpu_features().get("avx512f", False) else 64
AHEAD = 6  # entries between a prefetch and its use


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` with Numba on first use; where no folder can be written, without the disk cache."""
    compile_: Any = numba.njit
    try:
        return compile_(function, cache=True, **_OPTIONS)
    except RuntimeError:  # Numba found no place for its cache
        return compile_(function, **_OPTIONS)


def lean(function: Callable[..., Any]) -> Callable[..., Any]:
    """A part of kernels that allocates nothing, put in where it is called: nothing counts references to its arrays."""
    compile_: Any = numba.njit
    return compile_(function, _nrt=False, forceinline=True, **_OPTIONS)


def cpu_kernel(name: str) -> Callable[[Callable[..., object]], None]:
    """Make a function what the operation grapevine::NAME does on the processor.

    `register_kernel` of the operation would do, but wraps it so that the first call imports PyTorch's compiler,
    a second of every command.
    """
    return torch.library.impl(f"grapevine::{name}", "CPU")
