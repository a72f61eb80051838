"""Lets the C library keep the memory of large tensors between operations.

glibc maps every block beyond 32 MB anew and unmaps it when it is freed, so that an operation on a large graph pays
a page fault for every 4 KB of its result. `keep_memory` turns mapping and trimming off for the whole process: freed
blocks wait for the next operation, and after a few rounds of a training loop the faults are gone. The price is that
the process never gives memory back, and holds more than it uses, since gaps stay between freed blocks.
"""

import ctypes
import os
import platform

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # as in glibc's malloc.h
_NEVER = -1


def keep_memory() -> bool:
    """Keep freed memory for the next operation; returns whether that was done.

    Only glibc can. Elsewhere, and where the environment says GRAPEVINE_ALLOCATOR=system, nothing changes. It is for
    programs that train: no import calls it, and nothing undoes it.

    >>> os.environ["GRAPEVINE_ALLOCATOR"] = "system"
    >>> keep_memory()
    False
    >>> del os.environ["GRAPEVINE_ALLOCATOR"]
    """
    if os.environ.get("GRAPEVINE_ALLOCATOR") == "system" or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    # not M_MMAP_THRESHOLD, which is documented up to 32 MB only: larger blocks would still be mapped
    return mallopt(_M_MMAP_MAX, 0) == 1 and mallopt(_M_TRIM_THRESHOLD, _NEVER) == 1
