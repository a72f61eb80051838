"""SchNet and DimeNet++ beside PyTorch Geometric's, with its weights: energies and forces, and a training step."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from benchmarks.report import Claim, Result, Table, skipped
from benchmarks.timing import in_turn
from grapevine.graph import Graph
from grapevine.nn.equivariant.atom_network import AtomNetwork
from grapevine.nn.equivariant.dimenet import DimeNetPlusPlus
from grapevine.nn.equivariant.load_pyg import load_pyg
from grapevine.nn.equivariant.potential import Potential
from grapevine.nn.equivariant.schnet import SchNet
from grapevine.ops.runtime.allocator import keep_memory

Name = Literal["SchNet", "DimeNet++"]
NAMES: tuple[Name, ...] = ("SchNet", "DimeNet++")
_FASTER, _SAME = 3.0, 1e-3  # float32, and their DimeNet++ keeps its constants in single precision


class _Peer(NamedTuple):
    """Theirs, called as ours are: energies of a batch."""

    model: nn.Module
    energies: Callable[[Tensor], Tensor]


def race(structures: str, graphs: list[Graph], cutoff: float, rounds: int, threads: int) -> Result:
    """Both networks in the sizes of PyTorch Geometric's defaults on one batch, its edges known to both sides.

    Ours sees a new Graph each time, as from a loader: nothing that it keeps of an adjacency helps.
    """
    title = f"{structures}, beside PyTorch Geometric"
    try:
        from torch_geometric import __version__
    except ImportError:
        return skipped(title, "torch_geometric is not installed")
    torch.set_num_threads(threads)
    keep_memory()
    rows, claims, graph = [], [], Graph.batch(graphs)
    for name in NAMES:
        peer, network = _pair(name, graph, cutoff)
        potential = Potential(network)
        calls = {
            "energies and forces": (_forces(potential, _batches(graphs, rounds)), _their_forces(peer, graph)),
            "a training step": (_step(potential, _batches(graphs, rounds)), _their_step(peer, graph)),
        }
        _check_same(potential, peer, graph)
        for what, (ours, theirs) in calls.items():
            is_step = what == "a training step"
            potential.train(is_step).requires_grad_(is_step)
            peer.model.train(is_step).requires_grad_(is_step)
            found = in_turn({"ours": ours, "theirs": theirs}, rounds)
            ratio = found["theirs"] / found["ours"]
            atoms = graph.num_nodes / found["ours"]
            rows.append([f"{name}, {what}", 1e3 * found["ours"], 1e3 * found["theirs"], ratio, atoms])
            claims.append(Claim(f"{structures}, {name}, {what}: faster", ratio, _FASTER))
    columns = ["", "Grapevine, ms", f"PyTorch Geometric {__version__}, ms", "times faster", "our atoms a second"]
    return Result([Table(f"{title}, {graph.num_nodes} atoms, {graph.adj.num_edges} edges", columns, rows)], claims)


def _pair(name: Name, graph: Graph, cutoff: float) -> tuple[_Peer, AtomNetwork]:
    torch.manual_seed(0)
    return _schnets(graph, cutoff) if name == "SchNet" else _dimenets(graph, cutoff)


def _schnets(graph: Graph, cutoff: float) -> tuple[_Peer, AtomNetwork]:
    from torch_geometric.nn import models

    src, dst = graph.adj.edge_index

    def edges(pos: Tensor, batch: Tensor) -> tuple[Tensor, Tensor]:
        return graph.adj.edge_index, (pos[src] - pos[dst]).norm(dim=1)

    theirs = models.SchNet(cutoff=cutoff, interaction_graph=edges)
    ours = SchNet(
        elements=_elements(graph), cutoff=cutoff, hidden_channels=128, num_layers=6, num_basis=50,
        cutoff_function="cosine",
    )  # fmt: skip
    load_pyg(ours, theirs.state_dict())
    return _Peer(theirs, lambda pos: theirs(graph.z, pos, graph.graph_id).squeeze(1)), ours


def _dimenets(graph: Graph, cutoff: float) -> tuple[_Peer, AtomNetwork]:
    from torch_geometric.nn.models import dimenet

    module: Any = dimenet
    module.radius_graph = lambda *_, **__: graph.adj.edge_index  # the edges are known
    theirs = module.DimeNetPlusPlus(
        hidden_channels=128, out_channels=1, num_blocks=4, int_emb_size=64, basis_emb_size=8, out_emb_channels=256,
        num_spherical=7, num_radial=6, cutoff=cutoff, output_initializer="glorot_orthogonal",
    )  # fmt: skip
    ours = DimeNetPlusPlus(elements=_elements(graph), cutoff=cutoff, mode="reference")
    load_pyg(ours, theirs.state_dict())
    return _Peer(theirs, lambda pos: theirs(graph.z, pos, graph.graph_id).squeeze(1)), ours


def _elements(graph: Graph) -> tuple[int, ...]:
    return tuple(sorted(set(graph.z.tolist())))


def _check_same(potential: Potential, peer: _Peer, graph: Graph) -> None:
    said = potential.eval()(graph)
    energy, forces = _theirs(peer, graph, keep=False)
    assert said.forces is not None
    for ours, theirs in ((said.energy, energy), (said.forces, forces)):
        apart = ((ours.double() - theirs.double()).norm() / theirs.double().norm()).item()
        assert apart < _SAME, f"{apart} from PyTorch Geometric's"


def _batches(graphs: list[Graph], rounds: int) -> Iterator[Graph]:
    """As many equal batches as there are calls, made before the clock runs."""
    return iter([Graph.batch(graphs) for _ in range(rounds + 1)])


def _forces(potential: Potential, batches: Iterator[Graph]) -> Callable[[], object]:
    return lambda: potential(next(batches))


def _step(potential: Potential, batches: Iterator[Graph]) -> Callable[[], object]:
    def step() -> None:
        potential.zero_grad()
        said = potential(next(batches))
        assert said.forces is not None
        (said.interaction.square().mean() + 100 * said.forces.square().mean()).backward()

    return step


def _their_forces(peer: _Peer, graph: Graph) -> Callable[[], object]:
    return lambda: _theirs(peer, graph, keep=False)


def _their_step(peer: _Peer, graph: Graph) -> Callable[[], object]:
    def step() -> None:
        peer.model.zero_grad()
        energy, forces = _theirs(peer, graph, keep=True)
        (energy.square().mean() + 100 * forces.square().mean()).backward()

    return step


def _theirs(peer: _Peer, graph: Graph, *, keep: bool) -> tuple[Tensor, Tensor]:
    pos = graph.pos.clone().requires_grad_()
    energy = peer.energies(pos)
    (gradient,) = torch.autograd.grad(energy.sum(), pos, create_graph=keep)
    return energy, -gradient
