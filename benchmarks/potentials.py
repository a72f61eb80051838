"""How fast potentials are on a processor, beside mace-torch: python -m benchmarks.potentials [names] [--rounds 7]

mace        9 benzenes, 108 atoms: energies and forces, a training step, and memory, for L = 0, 1 and 2
molecules   the same for a batch of 32 frames of ethanol, 288 atoms
pyg         SchNet and DimeNet++ on that batch, beside PyTorch Geometric's

128 channels, harmonics to degree 3, two layers, cut-off 5 angstrom, float32. mace-torch's weights are loaded into ours,
and energies and forces must be the same before anything is timed; then both run in turn. A training step is a forward
pass, a loss of energies and forces and its gradient, without the optimizer. mace-torch has an environment of its own,
since it asks for an e3nn of 2022:

    python -m venv mace-venv && mace-venv/bin/pip install torch==2.13.0 mace-torch==0.3.16
    export MACE_PYTHON=$PWD/mace-venv/bin/python
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Literal

import torch
from ase.build import molecule
from ase.io import iread

from benchmarks import potentials_pyg
from benchmarks.graphs import DATA
from benchmarks.machine import environment, slug
from benchmarks.report import Claim, Result, Table, keep, skipped, to_markdown
from benchmarks.timing import CAN_MEASURE_MEMORY, Scale, peak_growth
from grapevine.data.atoms import neighbor_list
from grapevine.graph import Graph
from grapevine.nn.equivariant.load_mace import load_mace
from grapevine.nn.equivariant.mace import MACE, MACEShape
from grapevine.nn.equivariant.potential import Potential
from grapevine.ops.runtime.allocator import keep_memory

RESULTS = Path(__file__).with_name("results")
THEIRS = "mace-torch 0.3.16"
CUTOFF, CHANNELS, ENERGIES = 5.0, 128, {1: -13.6, 6: -1029.0, 8: -2042.0}
_SIDE = Path(__file__).with_name("mace_side.py")
_FASTER = {"forces": 4.0, "step": 3.0}
_WORDS = {"forces": "energies and forces", "step": "a training step"}
_LEANER, _SAME = 2.0, 1e-5
Call = Literal["forces", "step"]
Structure = tuple[list[int], list[list[float]]]


@dataclass(frozen=True)
class Case:
    """What both sides compute: structures, and the highest degree of the state between the layers."""

    structures: tuple[Structure, ...]
    degree: int
    threads: int

    @property
    def elements(self) -> list[int]:
        return sorted({number for z, _ in self.structures for number in z})

    def graphs(self, dtype: torch.dtype = torch.float32) -> list[Graph]:
        parts = []
        for z, pos in self.structures:
            place = torch.tensor(pos, dtype=dtype)
            edge_index, _ = neighbor_list(place, CUTOFF)
            parts.append(Graph(edge_index, num_nodes=len(z), z=torch.tensor(z), pos=place))
        return parts

    def graph(self, dtype: torch.dtype = torch.float32) -> Graph:
        return Graph.batch(self.graphs(dtype))

    def job(self, **more: Any) -> dict[str, Any]:
        graph = self.graph()
        return {
            "structures": self.structures, "degree": self.degree, "threads": self.threads, "elements": self.elements,
            "energies": [ENERGIES[number] for number in self.elements], "cutoff": CUTOFF, "channels": CHANNELS,
            "neighbors": graph.adj.num_edges / graph.num_nodes, **more,
        }  # fmt: skip

    def potential(self, state: dict[str, torch.Tensor] | None, dtype: torch.dtype = torch.float32) -> Potential:
        graph = self.graph()
        neighbors, shape = graph.adj.num_edges / graph.num_nodes, MACEShape(CHANNELS, self.degree)
        network = MACE(elements=self.elements, cutoff=CUTOFF, avg_num_neighbors=neighbors, shape=shape).to(dtype)
        if state is not None:
            load_mace(network, state)
        return Potential(network, shift={number: ENERGIES[number] for number in self.elements})


def benzenes() -> tuple[Structure, ...]:
    """Nine benzene molecules, three by three, 6 angstrom apart, a little out of shape."""
    generator = torch.Generator().manual_seed(0)
    one = molecule("C6H6")
    places = [torch.tensor(one.positions) + torch.tensor([6.0 * a, 6.0 * b, 0.0]) for a in range(3) for b in range(3)]
    pos = torch.cat(places)
    pos = pos + 0.05 * torch.randn(pos.shape, generator=generator, dtype=pos.dtype)
    return ((one.numbers.tolist() * 9, pos.tolist()),)


def ethanols(count: int) -> tuple[Structure, ...]:
    """The first frames of ethanol's trajectory."""
    frames = iread(DATA / "atoms" / "md17_ethanol_2000.xyz", index=f":{count}", format="extxyz")
    return tuple((frame.numbers.tolist(), frame.positions.tolist()) for frame in frames)


def mace(rounds: int, threads: int) -> Result:
    """The three degrees on the nine benzenes."""
    return _raced("9 benzenes, 108 atoms", benzenes(), (0, 1, 2), rounds, threads)


def molecules(rounds: int, threads: int) -> Result:
    """A batch of ethanols."""
    if not (DATA / "atoms" / "md17_ethanol_2000.xyz").is_file():
        return skipped("32 frames of ethanol", "there is no md17_ethanol_2000.xyz")
    return _raced("32 frames of ethanol, 288 atoms", ethanols(32), (0, 1), rounds, threads)


def pyg(rounds: int, threads: int) -> Result:
    """The same batch for two networks that PyTorch Geometric has."""
    if not (DATA / "atoms" / "md17_ethanol_2000.xyz").is_file():
        return skipped("32 frames of ethanol", "there is no md17_ethanol_2000.xyz")
    graphs = Case(ethanols(32), 0, threads).graphs()
    return potentials_pyg.race("32 frames of ethanol", graphs, CUTOFF, rounds, threads)


def _raced(
    title: str, structures: tuple[Structure, ...], degrees: tuple[int, ...], rounds: int, threads: int
) -> Result:
    if mace_python() is None:
        return skipped(title, "MACE_PYTHON names no Python with mace-torch")
    rows, sizes, claims = [], [], []
    for degree in degrees:
        case = Case(structures, degree, threads)
        atoms = sum(len(z) for z, _ in structures)
        for call, (ours, theirs) in _times(case, rounds).items():
            rows.append([f"L = {degree}, {_WORDS[call]}", 1e3 * ours, 1e3 * theirs, theirs / ours, atoms / ours])
            claims.append(Claim(f"{title}, L = {degree}, {_WORDS[call]}: faster", theirs / ours, _FASTER[call]))
        if CAN_MEASURE_MEMORY:
            for call in ("forces", "step"):
                ours, theirs = _our_memory(case, call), _their_memory(case, call)
                sizes.append([f"L = {degree}, {_WORDS[call]}", ours / 1e6, theirs / 1e6, theirs / ours])
                claims.append(Claim(f"{title}, L = {degree}, {_WORDS[call]}: leaner", theirs / ours, _LEANER))
    columns = ["", "Grapevine, ms", f"{THEIRS}, ms", "times faster", "our atoms a second"]
    tables = [Table(f"{title}, {threads} threads", columns, rows)]
    if sizes:
        tables.append(Table(f"{title}, peak memory", ["", "Grapevine, MB", f"{THEIRS}, MB", "times less"], sizes))
    return Result(tables, claims)


def _times(case: Case, rounds: int) -> dict[Call, tuple[float, float]]:
    """The median seconds of our calls and of theirs, in turn, after both said the same in float64 and float32."""
    torch.set_num_threads(case.threads)
    keep_memory()  # as the training loop and the calculator do
    with tempfile.TemporaryDirectory() as folder:
        _check_same(case, Path(folder))
        side = _Side(case.job(kind="speed", dtype="float32", out=f"{folder}/single.pt"), Path(folder))
        side.told()
        potential, graph = case.potential(torch.load(f"{folder}/single.pt")["state"]), case.graph()
        found: dict[Call, tuple[float, float]] = {}
        for call in ("forces", "step"):
            ours, theirs, run = [], [], _call(potential, graph, call)
            for _ in range(rounds + 2):
                theirs.append(side.ask(call))
                begin = perf_counter()
                run()
                ours.append(perf_counter() - begin)
            found[call] = median(ours[2:]), median(theirs[2:])  # two rounds to compile and to fill caches
        side.close()
    return found


def _check_same(case: Case, folder: Path) -> None:
    """Energies less those of lone atoms, and forces, against theirs in float64."""
    side = _Side(case.job(kind="speed", dtype="float64", out=f"{folder}/double.pt"), folder)
    edges = side.told()["edges"]
    side.close()
    kept = torch.load(f"{folder}/double.pt")
    for dtype, digits in ((torch.float64, 1e-8), (torch.float32, _SAME)):
        graph = case.graph(dtype)
        assert graph.adj.num_edges == edges, "both sides must have the same edges"
        said = case.potential(kept["state"], dtype).eval()(graph)
        assert said.forces is not None
        for ours, theirs in ((said.energy, kept["energy"]), (said.forces, kept["forces"])):
            apart = ((ours.double() - theirs).norm() / theirs.norm()).item()
            assert apart < digits, f"{dtype}: {apart} from {THEIRS}"


def _call(potential: Potential, graph: Graph, call: Call) -> Callable[[], object]:
    potential.train(call == "step").requires_grad_(call == "step")
    return partial(potential, graph) if call == "forces" else partial(_step, potential, graph)


def _step(potential: Potential, graph: Graph) -> None:
    potential.zero_grad()
    said = potential(graph)
    assert said.forces is not None
    loss = (said.interaction - 1).square().mean() + 100 * (said.forces - 0.1).square().mean()
    loss.backward()


def _our_memory(case: Case, call: Call) -> int:
    return Scale(1.0, 1, 1, case.threads).fresh(_peak, case, call)


def _peak(case: Case, call: Call) -> int:
    """Bytes by which this process grows at most over two calls, after two on a small structure."""
    keep_memory()
    potential = case.potential(None)
    small = Case(_small(case), case.degree, case.threads)
    for _ in range(2):
        _call(potential, small.graph(), call)()
    run = _call(potential, case.graph(), call)
    return peak_growth(lambda: (run(), run()))


def _small(case: Case) -> tuple[Structure, ...]:
    """A few atoms, of every element."""
    z = [number for number in case.elements for _ in range(2)]
    return ((z, [[1.1 * k, 0.0, 0.3 * (k % 2)] for k in range(len(z))]),)


def _their_memory(case: Case, call: Call) -> int:
    with tempfile.TemporaryDirectory() as folder:
        job = case.job(kind="memory", dtype="float32", call=call, small=_small(case))
        side = _Side(job, Path(folder))
        told = side.told()["bytes"]
        side.close()
    return told


class _Side:
    """mace-torch in a process of its own, which answers a line with a line."""

    def __init__(self, job: dict[str, Any], folder: Path):
        path = folder / "job.json"
        path.write_text(json.dumps(job))
        python = mace_python()
        assert python is not None
        threads = {"OMP_NUM_THREADS": str(job["threads"]), "MKL_NUM_THREADS": str(job["threads"])}
        self.process = subprocess.Popen(
            [python, str(_SIDE), str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, "PYTHONPATH": "", **threads},
        )  # fmt: skip

    def told(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            raise RuntimeError(f"{THEIRS} gave up: {self.process.stderr.read()[-2000:]}")
        return json.loads(line)

    def ask(self, call: str) -> float:
        assert self.process.stdin is not None
        self.process.stdin.write(call + "\n")
        self.process.stdin.flush()
        return self.told()["seconds"]

    def close(self) -> None:
        self.process.communicate()


def mace_python() -> str | None:
    """The Python that has mace-torch, as MACE_PYTHON names it."""
    return os.environ.get("MACE_PYTHON")


_RUNS = {"mace": mace, "molecules": molecules, "pyg": pyg}


def main() -> None:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="*", help=f"some of {', '.join(_RUNS)}", metavar="name")
    parser.add_argument("--rounds", type=int, default=7, help="that are counted")
    parser.add_argument("--threads", type=int, default=2, help="of either side")
    told = parser.parse_args()
    here = environment(told.threads)
    for name in told.name or list(_RUNS):
        if name not in _RUNS:
            sys.exit(f"there is no {name}: choose among {', '.join(_RUNS)}")
        result = _RUNS[name](told.rounds, told.threads)
        print(f"\n## {name}\n\n{to_markdown(result)}", flush=True)
        keep(RESULTS / f"potentials-{slug()}.json", list(_RUNS), name, result, here)


if __name__ == "__main__":
    main()
