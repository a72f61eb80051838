"""How fast molecules are learnt and predicted, beside chemprop: python -m benchmarks.molecule_speed [names]

epoch    a training epoch of the D-MPNN on Tox21: batches of 64, 300 wide, 3 deep, 12 tasks, the validation part judged
predict  from a file of SMILES to a file of predictions, each side as its own command in a process of its own
memory   of our command, all its processes together, on the file and on the file ten times over

Both sides have the same weights, and must say the same before anything is timed; then they run in turn. chemprop keeps
its features, and each number of workers that it can use is tried: the fastest one counts. For its Python see
benchmarks/molecules.py.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

import polars as pl
import torch
from torch import Tensor, nn

from benchmarks.graphs import DATA
from benchmarks.machine import environment, slug
from benchmarks.molecules import CASES, CHEMPROP, Peer, Shared, chemprop_python, shared, why_no_chemprop
from benchmarks.report import Claim, Result, Table, keep, skipped, to_markdown
from benchmarks.timing import in_turn
from grapevine.nn.network import Network
from grapevine.recipes.config import TaskConfig
from grapevine.recipes.models import ModelConfig, build_network
from grapevine.recipes.plan import plan
from grapevine.recipes.source import Source
from grapevine.recipes.train import train
from grapevine.task import GraphTask, MultiLabel, Regression
from grapevine.train.loop import fit
from grapevine.train.record import Epoch
from grapevine.train.settings import Settings

RESULTS = Path(__file__).with_name("results")
OURS = "Grapevine"
_ZINC = DATA / "molecules" / "zinc_24k_smiles.txt"
SAME = ModelConfig(name="dmpnn", hidden_channels=300, num_layers=3, dropout=0.0, mode="chemprop", readout="sum")
_BATCH = 64
_FASTER_EPOCH, _FASTER_FILE, _FLAT = 3.0, 5.0, 1.1
_TIMES = 10  # over which the file is repeated
_CLOSE = 1e-3  # of the spread of the predictions
_PAUSE = 0.05  # seconds between two looks at the memory


@dataclass(frozen=True)
class Scale:
    """How large a run is: `share` of the molecules, `rounds` that are counted, and the threads of either side."""

    share: float = 1.0
    rounds: int = 3
    threads: int = 2

    def some(self, count: int) -> int:
        return max(4 * _BATCH, int(self.share * count))


def epoch(scale: Scale) -> Result:
    """Ours and theirs, an epoch of each in turn."""
    case = CASES["tox21"]
    title = "An epoch of the D-MPNN on Tox21"
    if not case.file.is_file():
        return skipped(title, f"there is no file {case.file}")
    torch.set_num_threads(scale.threads)
    with tempfile.TemporaryDirectory() as temporary:
        data = _first_rows(shared(case, 1, Path(temporary)), scale)
        found = {workers: _epochs(data, scale, workers) for workers in _workers(scale)}
        split = data.splits()[0]
    rows: list[list] = [
        [f"{CHEMPROP}, {workers} workers", other, other / mine, mine] for workers, (mine, other) in found.items()
    ]
    if not rows:
        rows = [[f"{CHEMPROP}: skipped, {why_no_chemprop()}", None, None, None]]
    title = f"{title}, {int(split.train.sum()):,} molecules, {int(split.val.sum()):,} judged, {scale.threads} threads"
    columns = ["", "seconds", f"times {OURS}'s", f"{OURS} in turn with it, seconds"]
    ratios = [other / mine for mine, other in found.values()]
    claims = (
        [Claim("an epoch of the D-MPNN on Tox21: faster than chemprop", min(ratios), _FASTER_EPOCH)] if found else []
    )
    return Result([Table(title, columns, rows)], claims)


def predict(scale: Scale) -> Result:
    """The two commands from file to file."""
    title = "Prediction from file to file"
    if not _ZINC.is_file():
        return skipped(title, f"there is no file {_ZINC}")
    with tempfile.TemporaryDirectory() as temporary:
        folder, smiles = Path(temporary), _smiles(scale)
        own, other = folder / "molecules.txt", folder / "molecules.csv"
        own.write_text("\n".join(smiles) + "\n")
        other.write_text("\n".join(["smiles", *smiles]) + "\n")
        trained = _trained(folder)
        said = {OURS: folder / "ours.csv"}
        calls = {OURS: _our_command(trained.folder, own, said[OURS])}
        model = _their_model(trained, folder) if _workers(scale) else folder
        for workers in _workers(scale):
            name = f"{CHEMPROP}, {workers} workers"
            said[name] = folder / f"theirs-{workers}.csv"
            calls[name] = _their_command(model, other, said[name], workers)
        for command in calls.values():
            _run(command)
        for name in list(calls)[1:]:
            _check_files(said[OURS], said[name])
        found = in_turn({name: partial(_run, command) for name, command in calls.items()}, scale.rounds, are_warm=True)
    rows: list[list] = [[name, value, value / found[OURS], len(smiles) / value] for name, value in found.items()]
    claims = []
    if len(found) > 1:
        ratio = min(value for name, value in found.items() if name != OURS) / found[OURS]
        claims.append(Claim("prediction from file to file: faster than chemprop", ratio, _FASTER_FILE))
    else:
        rows.append([f"{CHEMPROP}: skipped, {why_no_chemprop()}", None, None, None])
    columns = ["", "seconds", f"times {OURS}'s", "molecules a second"]
    return Result([Table(f"{title}, {len(smiles):,} molecules, {os.cpu_count()} cores", columns, rows)], claims)


def memory(scale: Scale) -> Result:
    """Of our command on the file, and on the file ten times over."""
    title = "Peak memory of grapevine predict, all its processes together"
    if not _ZINC.is_file() or not Path("/proc/self/smaps_rollup").is_file():
        return skipped(title, f"it needs {_ZINC}, and a system that says what memory a process has")
    peaks: dict[int, int] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder, smiles = Path(temporary), _smiles(scale)
        trained = _trained(folder)
        for times in (1, _TIMES):
            own = folder / f"molecules-{times}.txt"
            own.write_text("\n".join(smiles * times) + "\n")
            peaks[times] = _peak_of(_our_command(trained.folder, own, folder / "said.csv"))
    rows = [[f"{len(smiles) * times:,} molecules", peak / 1e6, peak / peaks[1]] for times, peak in peaks.items()]
    claim = Claim("memory on ten times the molecules, over that on the file", rows[1][2], _FLAT, is_limit=True)
    return Result([Table(title, ["", "MB", "times the first"], rows)], [claim])


def _epochs(data: Shared, scale: Scale, workers: int) -> tuple[float, float]:
    """The median seconds of our epochs and of theirs, which run between ours; the first of each does not count."""
    network, task = _tox21(data)
    weights, mine, other = _saved(network, data.file.with_name("weights.pt")), [], []
    job = {
        "what": "epochs", "problem": str(data.file), "weights": str(weights), "workers": workers,
        "threads": scale.threads, "epochs": scale.rounds + 1,
    }  # fmt: skip
    settings = Settings(
        learning_rate=1e-4, weight_decay=0.0, max_epochs=scale.rounds + 1, patience=scale.rounds + 1, monitor_every=1000
    )
    with Peer(job, data.file.parent) as peer:
        said = torch.tensor(peer.answer()["said"])
        _check_alike(task.answers(network, ["test"])["test"].output.sigmoid(), said)

        def after(row: Epoch) -> None:
            mine.append(row.seconds)
            peer.go()
            other.append(peer.answer()["seconds"])

        fit(network, task, settings, on_epoch=after)
    return median(mine[1:]), median(other[1:])


def _tox21(data: Shared) -> tuple[Network, GraphTask]:
    graph, count = data.loaded.dataset.graph, len(data.case.targets)
    task = GraphTask(graph, data.splits()[0], MultiLabel(num_labels=count), batch_size=_BATCH)
    torch.manual_seed(0)
    return build_network(SAME, graph, task.objective, level="graph"), task


def _first_rows(data: Shared, scale: Scale) -> Shared:
    """The problem with as many of each part as the scale asks for."""
    told = json.loads(data.file.read_text())
    share = scale.some(len(told["smiles"])) / len(told["smiles"])
    told["splits"] = [
        {part: rows[: max(2, int(share * len(rows)))] for part, rows in s.items()} for s in told["splits"]
    ]
    data.file.write_text(json.dumps(told))
    return data


def _workers(scale: Scale) -> Sequence[int]:
    """The numbers of workers that chemprop is tried with; none where it is not there."""
    return () if why_no_chemprop() else (0, 1, 2) if scale.share == 1 else (0, 1)


def _smiles(scale: Scale) -> list[str]:
    smiles = _ZINC.read_text().split()
    return smiles[: scale.some(len(smiles))]


def _saved(network: nn.Module, path: Path) -> Path:
    """The weights in a file of PyTorch's."""
    torch.save(dict(network.state_dict()), path)
    return path


def _check_alike(mine: Tensor, other: Tensor) -> None:
    """Raise a RuntimeError unless both sides say the same."""
    apart, spread = (mine - other).abs().max().item(), other.std(0).max().item()
    if not apart <= _CLOSE * spread:
        raise RuntimeError(f"predictions differ by up to {apart:.3g}, where their standard deviation is {spread:.3g}")


def _check_files(mine: Path, other: Path) -> None:
    own, their = pl.read_csv(mine), pl.read_csv(other)
    _check_alike(own.get_column("prediction").to_torch(), their.get_column(their.columns[-1]).to_torch())


class _Trained(NamedTuple):
    """A run folder, its network, and the scale of its predictions."""

    folder: Path
    network: nn.Module
    objective: Regression


def _trained(folder: Path) -> _Trained:
    """The model, trained an epoch on FreeSolv, as a user has it."""
    case = CASES["freesolv"]
    data = shared(case, 1, folder)
    source = Source(path=str(case.file), molecules=data.spec)
    config = plan(source, "dmpnn", level="graph", task=TaskConfig(kind=case.kind), max_epochs=1)
    result = train(config.model_copy(update={"model": SAME}), out=folder, loaded=data.loaded, has_report=False)
    assert result.folder is not None
    assert isinstance(result.trained.objective, Regression)
    return _Trained(result.folder, result.trained.networks.models[0], result.trained.objective)


def _their_model(trained: _Trained, folder: Path) -> Path:
    """The same weights in a file of chemprop's."""
    weights, out = _saved(trained.network, folder / "weights.pt"), folder / "chemprop.pt"
    job = {
        "what": "save", "weights": str(weights), "targets": ["said"], "threads": 1, "mean": trained.objective.mean,
        "std": trained.objective.std, "out": str(out),
    }  # fmt: skip
    with Peer(job, folder) as peer:
        peer.answer()
    return out


def _our_command(run: Path, file: Path, out: Path) -> list[str]:
    program = Path(sys.executable).with_name("grapevine")
    return [str(program), "predict", str(run), str(file), "--out", str(out)]


def _their_command(model: Path, file: Path, out: Path, workers: int) -> list[str]:
    program = Path(chemprop_python() or "").with_name("chemprop")
    return [
        str(program), "predict", "--test-path", str(file), "--model-paths", str(model), "--preds-path", str(out),
        "--smiles-columns", "smiles", "--accelerator", "cpu", "--num-workers", str(workers),
    ]  # fmt: skip


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} has failed: {done.stderr[-2000:]}")


def _peak_of(command: Sequence[str]) -> int:
    """The most bytes that a command and the processes it started had at one time, shared ones counted once."""
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(_resident, _family(process.pid))))
            time.sleep(_PAUSE)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} has failed")
    return peak


def _family(process: int) -> list[int]:
    """A process and all that came of it."""
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        own = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # it has ended
        return []
    return [process, *(one for child in own for one in _family(child))]


def _resident(process: int) -> int:
    """Bytes, those that are shared by k processes as a k-th."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


BENCHMARKS: dict[str, Callable[[Scale], Result]] = {"epoch": epoch, "predict": predict, "memory": memory}


def main() -> None:
    """Measure those that are named, all by default, and keep their results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.molecule_speed", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"some of {', '.join(BENCHMARKS)}")
    parser.add_argument("--rounds", type=int, default=3, help="that are counted")
    parser.add_argument("--quick", action="store_true", help="few molecules, to see that all works; keeps no results")
    told = parser.parse_args()
    if unknown := set(told.names) - set(BENCHMARKS):
        parser.error(f"there is no {' or '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    scale = Scale(0.01, 1, 1) if told.quick else Scale(rounds=told.rounds)
    here = environment(scale.threads)
    for name in told.names or BENCHMARKS:
        result = BENCHMARKS[name](scale)
        result = replace(result, claims=[]) if told.quick else result
        print(f"\n## {name}\n\n{to_markdown(result)}\n", flush=True)
        if not told.quick:
            keep(RESULTS / f"molecule-speed-{slug()}.json", list(BENCHMARKS), name, result, here)


if __name__ == "__main__":
    main()
