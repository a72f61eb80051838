"""What `import grapevine` adds to `import torch`, in a fresh interpreter each time."""

import subprocess
import sys
from functools import partial

from benchmarks.report import Claim, Result, Table
from benchmarks.timing import Scale, in_turn

_MOST = 0.3  # seconds


def run(scale: Scale) -> Result:
    """Seconds of an interpreter that imports and ends."""
    imports = {
        "torch": "torch",
        "torch and grapevine": "torch, grapevine",  # whose parts are imported on first use
        "torch and grapevine.nn": "torch, grapevine.nn",  # all of its graphs, operations and layers
        "torch and PyG": "torch, torch_geometric",
    }
    calls = {name: partial(_interpreter, f"import {modules}") for name, modules in imports.items()}
    seconds = in_turn(calls, scale.short_rounds)
    rows = [[name, taken, taken - seconds["torch"]] for name, taken in seconds.items()]
    added = seconds["torch and grapevine"] - seconds["torch"]
    table = Table("Import", ["", "s", "beyond torch, s"], rows)
    return Result([table], [Claim("seconds that import grapevine adds", added, _MOST, is_limit=True)])


def _interpreter(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)
