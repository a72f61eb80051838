"""mace-torch's side of the accuracy of potentials: a script that mace-torch's own Python runs, without Grapevine.

    MACE_PYTHON benchmarks/mace_train_side.py JOB.json

A job is a JSON file: the arguments of mace_run_train, the model file that it leaves, the structures it is then asked
about, and where its answers go. Each epoch is a line of JSON on the standard output.
"""

# pyright: reportMissingImports=false

import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import torch

_ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what the libraries print is no answer
warnings.filterwarnings("ignore")
torch.serialization.add_safe_globals([slice])  # e3nn 0.4.4 keeps one in a file of constants

from ase.io import read  # noqa: E402
from mace import data  # noqa: E402
from mace.cli import run_train  # noqa: E402
from mace.tools import AtomicNumberTable, torch_geometric  # noqa: E402

loop: Any = sys.modules["mace.tools.train"]  # mace.tools.train is a function of it


def train(job: dict[str, Any]) -> None:
    """Run its own command, and tell of each epoch as it tells of it itself."""
    shown, begin = loop.valid_err_log, time.perf_counter()

    def show(loss: float, metrics: dict[str, Any], logger: Any, errors: str, epoch: int | None, name: str) -> None:
        seconds = time.perf_counter() - begin
        if epoch is not None:
            taken = {"epoch": epoch, "seconds": seconds, "processor": time.process_time()}
            _tell(**taken, forces_mae=1e3 * float(metrics["mae_f"]))
        else:
            _tell(epoch=-1, seconds=seconds, processor=time.process_time())
        shown(loss, metrics, logger, errors, epoch, name)

    loop.valid_err_log = show
    run_train.run(run_train.tools.build_default_arg_parser().parse_args(job["arguments"]))


def answer(job: dict[str, Any]) -> None:
    """Energies and forces of the structures that judge."""
    model = torch.load(job["model"], weights_only=False).eval()
    table = AtomicNumberTable([int(z) for z in model.atomic_numbers])
    cutoff = float(model.r_max)
    found = [
        data.AtomicData.from_config(data.config_from_atoms(frame), z_table=table, cutoff=cutoff)
        for frame in read(job["judged"], index=":", format="extxyz")
    ]
    energies, forces = [], []
    for batch in torch_geometric.dataloader.DataLoader(found, batch_size=50, shuffle=False):
        said = model(batch.to_dict(), compute_force=True)
        energies.append(said["energy"].detach().double())
        forces.append(said["forces"].detach().double())
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    torch.save({"energy": torch.cat(energies), "forces": torch.cat(forces), "parameters": parameters}, job["out"])


def _tell(**values: Any) -> None:
    print(json.dumps(values), file=_ANSWERS, flush=True)


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    torch.set_num_threads(job["threads"])
    train(job)
    if "judged" in job:
        answer(job)


if __name__ == "__main__":
    main()
