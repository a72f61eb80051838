"""mace-torch's side of the benchmarks of potentials: a script that mace-torch's own Python runs, without Grapevine.

    MACE_PYTHON benchmarks/mace_side.py JOB.json

A job is a JSON file, each answer a line of JSON. The models are as its own command makes them by default, and called as
its calculator (weights that need no gradient) and its training loop do.
"""

# pyright: reportMissingImports=false

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

_ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what the libraries print is no answer
warnings.filterwarnings("ignore")
torch.serialization.add_safe_globals([slice])  # e3nn 0.4.4 keeps one in a file of constants

from e3nn import o3  # noqa: E402
from mace import data, modules  # noqa: E402
from mace.tools import AtomicNumberTable, torch_geometric  # noqa: E402

Tell = Callable[..., None]


def speed(job: dict[str, Any], tell: Tell) -> None:
    """Say the model's energies and forces, then do what each line asks for and say how long it took."""
    model, batch = _model(job), _batch(job)
    answers = model(batch.to_dict(), compute_force=True)
    kept = {"energy": answers["energy"].detach(), "forces": answers["forces"].detach(), "state": model.state_dict()}
    torch.save(kept, job["out"])
    tell(edges=int(batch.edge_index.shape[1]))
    for line in sys.stdin:
        call = {"forces": _forces, "step": _step}[line.strip()]
        ready = _ready(model, line.strip())
        begin = time.perf_counter()
        call(ready, batch)
        tell(seconds=time.perf_counter() - begin)


def memory(job: dict[str, Any], tell: Tell) -> None:
    """By how much the process grows at most over two calls."""
    model, batch = _model(job), _batch(job)
    small = _batch({**job, "structures": job["small"]})
    call = {"forces": _forces, "step": _step}[job["call"]]
    ready = _ready(model, job["call"])
    for _ in range(2):
        call(ready, small)  # what is loaded and compiled on first use is no matter of the structures
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    for _ in range(2):
        call(ready, batch)
    tell(bytes=_status("VmHWM") - before)


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])


def _ready(model: torch.nn.Module, call: str) -> torch.nn.Module:
    model.train(call == "step")
    return model.requires_grad_(call == "step")


def _forces(model: torch.nn.Module, batch: Any) -> None:
    model(batch.to_dict(), compute_force=True)


def _step(model: torch.nn.Module, batch: Any) -> None:
    model.zero_grad()
    answers = model(batch.to_dict(), training=True, compute_force=True)
    loss = (answers["energy"] - 1).square().mean() + 100 * (answers["forces"] - 0.1).square().mean()
    loss.backward()


def _model(job: dict[str, Any]) -> torch.nn.Module:
    channels, degree = job["channels"], job["degree"]
    irreps = "+".join(f"{channels}x{level}{'oe'[level % 2 == 0]}" for level in range(degree + 1))
    block = modules.interaction_classes["RealAgnosticResidualInteractionBlock"]
    torch.manual_seed(0)
    return modules.ScaleShiftMACE(
        r_max=job["cutoff"], num_bessel=8, num_polynomial_cutoff=5, max_ell=3, interaction_cls=block,
        interaction_cls_first=block, num_interactions=2, num_elements=len(job["elements"]),
        hidden_irreps=o3.Irreps(irreps), MLP_irreps=o3.Irreps("16x0e"), correlation=3,
        atomic_energies=np.array(job["energies"]), avg_num_neighbors=job["neighbors"],
        atomic_numbers=job["elements"], gate=torch.nn.functional.silu, atomic_inter_scale=1.0, atomic_inter_shift=0.0,
    )  # fmt: skip


def _batch(job: dict[str, Any]) -> Any:
    from ase import Atoms

    table = AtomicNumberTable(job["elements"])
    found = [
        data.AtomicData.from_config(data.config_from_atoms(Atoms(z, pos)), z_table=table, cutoff=job["cutoff"])
        for z, pos in job["structures"]
    ]
    return next(iter(torch_geometric.dataloader.DataLoader(found, batch_size=len(found), shuffle=False)))


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())

    def tell(**values: Any) -> None:
        print(json.dumps(values), file=_ANSWERS, flush=True)

    torch.set_num_threads(job["threads"])
    torch.set_default_dtype(getattr(torch, job["dtype"]))
    {"speed": speed, "memory": memory}[job["kind"]](job, tell)


if __name__ == "__main__":
    main()
