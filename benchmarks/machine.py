"""Where and with what it was measured."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

import grapevine

_PACKAGES = ("torch", "numba", "torch_geometric", "torch_sparse", "torch_scatter")


def environment(threads: int) -> dict[str, str]:
    """The processor, cores and memory, and the versions of both sides."""
    packages = {name: _version(name) for name in _PACKAGES}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    vectors = torch.backends.cpu.get_cpu_capability()
    return {
        "processor": f"{processor()}, {os.cpu_count()} cores, {vectors}",
        "threads": str(threads),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, {' '.join(platform.libc_ver())}",
        "python": platform.python_version(),
        "grapevine": grapevine.__version__,
        **packages,
    }


def processor() -> str:
    """The processor's name, or its architecture where the system tells no name."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match[1].strip() if match else platform.processor() or platform.machine()


def slug() -> str:
    """A file name for this machine."""
    name = re.sub(r"\((R|TM)\)", "", processor())
    return re.sub(r"[^a-z0-9]+", "-", f"{name} {os.cpu_count()} cores".lower()).strip("-")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
