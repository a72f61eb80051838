"""What a run was computed with: the versions of what decides its numbers, and the machine's kind."""

import platform
from importlib.metadata import PackageNotFoundError, version

import torch

_PACKAGES = (
    "grapevine-gnn",
    "torch",
    "numba",
    "numpy",
    "scipy",
    "scikit-learn",
    "polars",
    "torchmetrics",
    "lightning-fabric",
)


def environment() -> dict[str, str]:
    """Names and versions, for the end of a report; it names no person, host or folder.

    >>> environment()["Python"].startswith("3.")
    True
    """
    found = {"Python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    found["system"] = f"{platform.system()} {platform.machine()}"
    found["threads"] = str(torch.get_num_threads())
    if torch.cuda.is_available():
        found["GPU"] = torch.cuda.get_device_name()
    return found
