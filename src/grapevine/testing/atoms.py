"""The laws of networks of atoms in space, each a function that raises an AssertionError where a network breaks it.

network(z, adj, vectors of Q x + t) = network(z, adj, vectors of x) for every rotation or reflection Q, and so on

A network is a module called as network(z, adj, vector), with the attributes `elements` and `cutoff`, that gives every
atom invariant numbers. Each law tries a copy of it in float64 and in evaluation mode, on small structures of its
elements. Numbers are compared to 10 digits.
"""

import copy
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.testing.structures import cluster, crystal, molecule, thin_crystal, vectors, without_pair

AtomModule: TypeAlias = Any  # an nn.Module as described above: an nn.Module's attributes have no types
AtomLaw: TypeAlias = Callable[[AtomModule], None]

_DIGITS = 1e-10
_STEP = 1e-4  # angstrom, of finite differences
_ENOUGH_ATOMS = 2_000  # that the operations share their rows out among threads


def check_rotation(network: AtomModule) -> None:
    """Rotations and reflections change nothing.

    >>> from torch import nn
    >>> class Eastward(nn.Module):
    ...     elements, cutoff = (1, 8), 4.0
    ...     def forward(self, z, adj, vector):
    ...         return vector.new_zeros(len(z), 1).index_add(0, adj.dst, vector[:, :1] ** 2)
    >>> check_rotation(Eastward())
    Traceback (most recent call last):
    AssertionError: turning the structure changes the output...
    """
    network = _copied(network)
    for graph in _both(network):
        wanted = _out(network, graph)
        for seed in range(3):
            turn = _orthogonal(seed)
            turned = graph.replace(pos=graph.pos @ turn, graph=_cell(graph, turn))
            _check_equal(_out(network, turned), wanted, "turning the structure changes the output")
            mirrored = graph.replace(pos=-graph.pos @ turn, graph=_cell(graph, -turn))
            _check_equal(_out(network, mirrored), wanted, "reflecting the structure changes the output")


def check_translation(network: AtomModule) -> None:
    """Where the structure stands changes nothing."""
    network = _copied(network)
    for graph in _both(network):
        moved = graph.replace(pos=graph.pos + torch.tensor([1.5, -2.0, 0.7], dtype=torch.float64))
        _check_equal(_out(network, moved), _out(network, graph), "moving the structure changes the output")


def check_order(network: AtomModule) -> None:
    """The order of the atoms and of the edges changes nothing but the order of the output."""
    network = _copied(network)
    for graph in _both(network):
        generator = torch.Generator().manual_seed(1)
        atoms = torch.randperm(graph.num_nodes, generator=generator)
        edges = torch.randperm(graph.num_edges, generator=generator)
        renumbered = atoms.argsort()[graph.adj.edge_index][:, edges]
        edge = {"shift": graph.shift[edges]} if "shift" in graph.edge else None
        other = Graph(renumbered, z=graph.z[atoms], pos=graph.pos[atoms], edge=edge, graph=_cell(graph))
        _check_equal(_out(network, other), _out(network, graph)[atoms], "renumbering changes more than the order")


def check_direction(network: AtomModule) -> None:
    """Where one atom hears another, and not the other way, its own output depends on that and the other's does not."""
    network = _copied(network)
    z = torch.tensor([network.elements[0], network.elements[-1]])
    pos = torch.tensor([[0.0, 0.0, 0.0], [0.1, 0.2, 0.3]], dtype=torch.float64) * network.cutoff
    deaf = _out(network, Graph([[], []], z=z, pos=pos))
    out = _out(network, Graph([[1], [0]], z=z, pos=pos))
    _check(not torch.allclose(out[0], deaf[0]), "an atom does not hear its neighbour: is an edge from 1 to 0 taken so?")
    _check_equal(out[1], deaf[1], "an atom hears through an edge that goes the other way")


def check_batch(network: AtomModule) -> None:
    """A batch gives every structure the output it has alone, and so does empty space between two molecules."""
    network = _copied(network)
    elements, cutoff = network.elements, network.cutoff
    parts = [cluster(elements, cutoff, seed=seed, num_atoms=n) for seed, n in ((1, 5), (2, 1), (3, 4), (4, 2))]
    single = torch.cat([_out(network, part) for part in parts])
    _check_equal(_out(network, Graph.batch(parts)), single, "a batch changes the output of its structures")
    z, far = torch.cat([part.z for part in parts]), 50 * cutoff * torch.eye(3, dtype=torch.float64)
    pos = torch.cat([part.pos + k * far[k % 3] for k, part in enumerate(parts)])
    _check_equal(_out(network, molecule(z, pos, cutoff)), single, "molecules far apart change each other's output")


def check_supercell(network: AtomModule) -> None:
    """A crystal described by twice its cell is the same crystal, and so is one with atoms moved by cell vectors."""
    network = _copied(network)
    graph = thin_crystal(network.elements, network.cutoff)
    wanted, cell = _out(network, graph), graph.cell[0]
    for axis in range(3):
        twice, other = cell.clone(), graph.pos + cell[axis]
        twice[axis] *= 2
        doubled = crystal(graph.z.repeat(2), torch.cat([graph.pos, other]), twice, network.cutoff)
        _check_equal(_out(network, doubled), wanted.repeat(2, 1), "a doubled cell changes the output")
    wrapped = crystal(graph.z, torch.cat([graph.pos[:1] + cell.sum(0), graph.pos[1:]]), cell, network.cutoff)
    _check_equal(_out(network, wrapped), wanted, "another image of an atom changes the output")


def check_lone_atoms(network: AtomModule) -> None:
    """Atoms without a neighbour have a finite output, which is their element's; no atoms at all make a structure."""
    network = _copied(network)
    alone = [_out(network, Graph([[], []], z=torch.tensor([z]), pos=_zeros(1, 3))) for z in network.elements]
    _check_finite(torch.cat(alone), "a lone atom has an output")
    graph = cluster(network.elements, network.cutoff)
    pos = torch.cat([graph.pos, graph.pos[:1] + 10 * network.cutoff])
    wider = molecule(torch.cat([graph.z, graph.z[:1]]), pos, network.cutoff)
    out, index = _out(network, wider), network.elements.index(int(graph.z[0]))
    _check_equal(out[-1:], alone[index], "an atom without a neighbour has another output than a lone one")
    _check_equal(out[:-1], _out(network, graph), "an atom without a neighbour changes the output of others")
    nothing = _out(network, Graph([[], []], z=graph.z[:0], pos=_zeros(0, 3)))
    _check(nothing.shape == (0, out.shape[1]), f"a structure without atoms has an output of shape {nothing.shape}")


def check_hard_places(network: AtomModule) -> None:
    """Atoms on a line, and two at or nearly at one place, have finite outputs and gradients, in float32 and float64."""
    line = torch.tensor([[0.0, 0.0, -0.3], [0.0, 0.0, 0.0], [0.0, 0.0, 0.3]]) * network.cutoff
    for dtype in (torch.float32, torch.float64):
        tried = _copied(network).to(dtype)
        z = torch.tensor([network.elements[k % len(network.elements)] for k in (0, 1, 0)])
        for what, pos in (
            ("a linear molecule", line),
            ("two atoms at one place", line * torch.tensor([[0.0], [0.0], [1.0]])),
            ("two atoms a millionth of an angstrom apart", line * torch.tensor([[1e-6], [0.0], [1.0]])),
            ("two atoms a hundredth of an angstrom apart", line * torch.tensor([[1e-2], [0.0], [1.0]])),
        ):
            out, gradient = _with_gradient(tried, molecule(z, pos.to(dtype), network.cutoff))
            _check_finite(out, f"{what} has an output in {dtype}")
            _check_finite(gradient, f"{what} has a gradient in {dtype}")


def check_forces(network: AtomModule) -> None:
    """The gradient by every place is the one that finite differences give, to 6 digits."""
    network = _copied(network)
    for graph in _both(network):
        _, gradient = _with_gradient(network, graph)
        for place in range(graph.pos.numel()):
            step = torch.zeros(graph.pos.numel(), dtype=torch.float64)
            step[place] = _STEP
            step = step.view_as(graph.pos)
            up, down = (_weighted(network, graph, graph.pos + by).item() for by in (step, -step))
            wanted, got = (up - down) / (2 * _STEP), gradient.flatten()[place].item()
            close = abs(got - wanted) <= 1e-6 * max(1, gradient.abs().max().item())
            _check(close, f"the gradient by coordinate {place} is {got:.9g}, finite differences give {wanted:.9g}")


def check_smooth_cutoff(network: AtomModule) -> None:
    """Output and forces do not jump as a neighbour passes the cut-off, and half-way there the neighbour is heard."""
    network = _copied(network)
    graph = cluster(network.elements, network.cutoff, num_atoms=5)
    away = torch.tensor([0.6, 0.0, 0.8], dtype=torch.float64)
    for share, is_heard in ((1 - 1e-6, False), (0.5, True)):
        # an atom on the far side of the outermost one, so that it hears that one best
        outer = int((graph.pos @ away).argmax())
        probe = graph.pos[outer] + share * network.cutoff * away
        joined = molecule(torch.cat([graph.z, graph.z[:1]]), torch.cat([graph.pos, probe.unsqueeze(0)]), network.cutoff)
        parted = without_pair(joined, outer, graph.num_nodes)
        (out, gradient), (out_parted, gradient_parted) = (_with_gradient(network, one) for one in (joined, parted))
        jumps = (out - out_parted).abs().max().item(), (gradient - gradient_parted).abs().max().item()
        if is_heard:
            _check(max(jumps) > 1e-9, "a neighbour at half the cut-off is not heard")
            continue
        _check(jumps[0] < 1e-7, f"the output jumps by {jumps[0]:.2g} as a neighbour passes the cut-off")
        _check(jumps[1] < 1e-4, f"the gradient jumps by {jumps[1]:.2g} as a neighbour passes the cut-off")


def check_skin(network: AtomModule) -> None:
    """Neighbours behind the cut-off, which a list that is kept for some steps holds too, change nothing."""
    network = _copied(network)
    for graph in _both(network):
        reach = 1.4 * network.cutoff
        wider = molecule(graph.z, graph.pos, reach)
        if "cell" in graph.graph:
            wider = crystal(graph.z, graph.pos, graph.cell[0], reach)
        _check_equal(_out(network, wider), _out(network, graph), "neighbours behind the cut-off change the output")


def check_parameters(network: AtomModule) -> None:
    """Every parameter has a finite gradient, not zero."""
    network = _copied(network)
    graph = cluster(network.elements, network.cutoff, num_atoms=5)
    parameters = dict(network.named_parameters())
    total = _weighted(network, graph, graph.pos)
    gradients = torch.autograd.grad(total, [*parameters.values()], allow_unused=True) if parameters else ()
    for name, gradient in zip(parameters, gradients, strict=True):
        if gradient is None or not bool(gradient.any()):
            raise AssertionError(f"{name} has no gradient, or it is zero")
        _check_finite(gradient, f"{name} has a gradient")


def check_second_derivatives(network: AtomModule) -> None:
    """The derivatives of forces by places and parameters are those of finite differences: they can be trained."""
    network = _copied(network)
    graph = cluster(network.elements, network.cutoff, num_atoms=5)
    pos = graph.pos.clone().requires_grad_()

    def gradient_by_place(*_: Tensor) -> Tensor:
        (gradient,) = torch.autograd.grad(_weighted(network, graph, pos), pos, create_graph=True)
        return gradient

    # The leaves are what the function reads: finite differences move them in place.
    try:
        torch.autograd.gradcheck(gradient_by_place, (pos, *network.parameters()), fast_mode=True, atol=1e-4)
    except RuntimeError as error:
        raise AssertionError(f"the second derivatives are not those of finite differences: {error}") from error


def check_unknown_element(network: AtomModule) -> None:
    """An element the network does not know is an InputError that says its atomic number."""
    graph = cluster(network.elements, network.cutoff, num_atoms=3)
    unknown = next(z for z in range(1, 119) if z not in network.elements)
    z = torch.tensor([int(graph.z[0]), unknown, int(graph.z[0])])
    try:
        _out(_copied(network), graph.replace(z=z))
    except InputError as error:
        _check(str(unknown) in str(error), f"the error does not say which element it is about: {error}")
    else:
        raise AssertionError(f"an element that is not among {network.elements} is taken")


def check_precision(network: AtomModule) -> None:
    """In float32 the output is that of float64, to 4 digits, and of float32."""
    network = _copied(network)
    for graph in _both(network):
        wanted = _out(network, graph)
        cell = {"cell": graph.cell.float()} if "cell" in graph.graph else None
        edge = {"shift": graph.shift.float()} if "shift" in graph.edge else None
        got = _out(copy.deepcopy(network).float(), graph.replace(pos=graph.pos.float(), graph=cell, edge=edge))
        _check(got.dtype == torch.float32, f"in float32 the output is {got.dtype}")
        scale = max(1.0, wanted.abs().max().item())
        _check_equal(got.double() / scale, wanted / scale, "in float32 the output is another one", digits=1e-4)


def check_saved(network: AtomModule) -> None:
    """The saved state in another network of the kind makes its output this one's, bit for bit."""
    network = _copied(network)
    graph, other = cluster(network.elements, network.cutoff), copy.deepcopy(network)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1)
    saved = io.BytesIO()
    torch.save(network.state_dict(), saved)
    saved.seek(0)
    other.load_state_dict(torch.load(saved, weights_only=True))
    is_same = torch.equal(_out(other, graph), _out(network, graph))
    _check(is_same, "a network that loads the state of another has another output")


def check_bits(network: AtomModule) -> None:
    """Two runs by several threads give the same bits: outputs and gradients."""
    network = _copied(network).float()
    part = cluster(network.elements, network.cutoff)
    batch = Graph.batch([part.replace(pos=part.pos.float())] * (_ENOUGH_ATOMS // part.num_nodes))
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        one, other = (_with_gradient(network, batch) for _ in range(2))
    finally:
        torch.set_num_threads(threads)
    is_same = all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    _check(is_same, "two runs differ in their bits")


ATOM_LAWS: tuple[AtomLaw, ...] = (
    check_rotation,
    check_translation,
    check_order,
    check_direction,
    check_batch,
    check_supercell,
    check_lone_atoms,
    check_hard_places,
    check_forces,
    check_smooth_cutoff,
    check_skin,
    check_parameters,
    check_second_derivatives,
    check_unknown_element,
    check_precision,
    check_saved,
    check_bits,
)


@dataclass(frozen=True)
class AtomCase:
    """A network of atoms to be tested: one row of a table of tests.

    Args:
        name: what a test calls it.
        make: makes the network; of several elements, so that the laws can tell them apart.
        exempt: the laws that do not hold for it, such as `check_smooth_cutoff` where nothing is taken to zero.
    """

    name: str
    make: Callable[[], AtomModule]
    exempt: tuple[AtomLaw, ...] = ()

    @property
    def laws(self) -> list[AtomLaw]:
        return [law for law in ATOM_LAWS if law not in self.exempt]


def check_atom_case(case: AtomCase) -> None:
    """Hold a network to all its laws.

    Raises:
        AssertionError: by the first one that is broken.
    """
    for law in case.laws:
        torch.manual_seed(0)
        law(case.make())


def _copied(network: AtomModule) -> AtomModule:
    return copy.deepcopy(network).double().eval()


def _both(network: AtomModule) -> tuple[Graph, Graph]:
    """A molecule and a crystal of the network's elements."""
    return cluster(network.elements, network.cutoff), thin_crystal(network.elements, network.cutoff)


def _out(network: AtomModule, graph: Graph) -> Tensor:
    with torch.no_grad():
        return network(graph.z, graph.adj, vectors(graph))


def _weighted(network: AtomModule, graph: Graph, pos: Tensor) -> Tensor:
    """All outputs in one number, each atom with a weight of its own."""
    out = network(graph.z, graph.adj, vectors(graph, pos))
    weights = torch.linspace(0.5, 1.5, out.numel(), dtype=out.dtype).view_as(out)
    return (out * weights).sum()


def _with_gradient(network: AtomModule, graph: Graph) -> tuple[Tensor, Tensor]:
    pos = graph.pos.detach().clone().requires_grad_()
    total = _weighted(network, graph, pos)
    return _out(network, graph), torch.autograd.grad(total, pos)[0]


def _orthogonal(seed: int) -> Tensor:
    """A random rotation."""
    turn, _ = torch.linalg.qr(_noise(3, 3, seed=seed))
    return turn * torch.linalg.det(turn)


def _cell(graph: Graph, turn: Tensor | None = None) -> dict[str, Tensor] | None:
    if "cell" not in graph.graph:
        return None
    return {"cell": graph.cell if turn is None else graph.cell @ turn}


def _noise(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _zeros(*shape: int) -> Tensor:
    return torch.zeros(shape, dtype=torch.float64)


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _check_finite(tensor: Tensor, what: str) -> None:
    _check(bool(tensor.isfinite().all()), f"{what} that is not finite: {tensor.flatten().tolist()[:8]}")


def _check_equal(got: Tensor, wanted: Tensor, what: str, *, digits: float = _DIGITS) -> None:
    _check(got.shape == wanted.shape, f"{what}: its shape is {tuple(got.shape)}, not {tuple(wanted.shape)}")
    if not torch.allclose(got, wanted, rtol=digits, atol=digits):
        raise AssertionError(f"{what}: the largest difference is {(got - wanted).abs().max().item():.2g}")
