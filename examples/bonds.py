"""What the two ends of a bond say about it: how long it is, and so which one of a molecule breaks first.

    python examples/bonds.py [--epochs 80]

The network sees atoms and bonds, no geometry; the truth is the geometry of the embedded molecules, by GFN2-xTB. A bond
that is longer than others of its kind is a weaker one: among the single bonds of two carbons the longest is the
likeliest to break. A length is the same from both ends, so a symmetric decoder tells it; which end lies further out in
the molecule is not, and takes a directed one. Lengths in angstrom.
"""

import argparse
from dataclasses import dataclass

import torch
from torch import Tensor

import grapevine as gv
from grapevine.data.datasets.molecules import load
from grapevine.data.split import Split
from grapevine.nn.head import EdgeHead
from grapevine.nn.network import Network
from grapevine.nn.pair import PairMLP
from grapevine.task import EdgeTask, Regression
from grapevine.train.loop import fit
from grapevine.train.settings import Settings

WIDTH, LAYERS, CARBON, SINGLE = 32, 3, 6, 0


@dataclass(frozen=True)
class Bonds:
    """All bonds of all molecules but those to hydrogen, each in both directions, as the edges of one graph.

    Args:
        graph: with the nodes' `z`, `pos`, which `molecule` they are of and how `far` from its middle.
        split: over the bonds; those of a molecule are in one part.
        kind: [e] a number for each two elements and order.
        is_carbon: [e] single, and between two carbons.
    """

    graph: gv.Graph
    split: Split
    kind: Tensor
    is_carbon: Tensor


def bonds() -> Bonds:
    """Those of the embedded molecules; the features of an atom say how many hydrogens it has."""
    data = load()
    whole, parts = data.graph, data.splits[0]
    middle = gv.nn.Readout(gv.nn.Mean())(whole.pos, whole)
    far = (whole.pos - middle[whole.graph_id]).norm(dim=1)
    atoms = whole.z > 1
    place, ends = atoms.cumsum(0) - 1, whole.adj.edge_index
    kept = atoms[ends[0]] & atoms[ends[1]]
    graph = gv.Graph(
        place[ends[:, kept]],
        x=whole.x[atoms],
        edge_attr=whole.edge_attr[kept],
        node={"z": whole.z[atoms], "pos": whole.pos[atoms], "molecule": whole.graph_id[atoms], "far": far[atoms]},
    )
    src, dst = graph.adj.edge_index
    low, high = torch.minimum(graph.z[src], graph.z[dst]), torch.maximum(graph.z[src], graph.z[dst])
    order, molecule = graph.edge_attr.argmax(1), graph.molecule[src]
    kind = torch.stack([low, high, order], 1).unique(dim=0, return_inverse=True)[1]
    split = Split(parts.train[molecule], parts.val[molecule], parts.test[molecule])
    return Bonds(graph, split, kind, (low == CARBON) & (high == CARBON) & (order == SINGLE))


def mean_of_kind(bonds: Bonds, length: Tensor) -> Tensor:
    """[e] the mean length of the bonds of the same kind among those that teach; of a kind that is new, of all."""
    kind, lengths = bonds.kind[bonds.split.train], length[bonds.split.train]
    count = torch.bincount(kind, minlength=int(bonds.kind.max()) + 1)
    total = torch.zeros(len(count)).index_add(0, kind, lengths)
    return torch.where(count > 0, total / count.clamp(min=1), lengths.mean())[bonds.kind]


def learnt(bonds: Bonds, answer: Tensor, epochs: int, *, is_directed: bool) -> Tensor:
    """[e] what a network says of each edge, in both directions, that has learnt the answers of those that teach.

    Args:
        is_directed: the answer is another one in the other direction: the decoder hears first the end that speaks, then
            the one that listens, and both directions teach. If not, it hears them in no order, and one teaches.
    """
    torch.manual_seed(0)
    graph = bonds.graph.replace(edge={"y": answer})
    objective = Regression.of(answer[bonds.split.train])
    task = EdgeTask(graph, bonds.split, objective, is_directed=is_directed)
    network = made(graph.x.shape[1], graph.edge_attr.shape[1], symmetric=not is_directed)
    fit(network, task, Settings(max_epochs=epochs, schedule="cosine", weight_decay=0.0))
    with torch.no_grad():
        return objective.columns(network(graph))["prediction"]


def made(atom: int, bond: int, *, symmetric: bool) -> Network:
    """Atoms hear their neighbours along the bonds; then an MLP hears the states of a bond's two ends, and the bond."""
    widths = [atom, *[WIDTH] * LAYERS]
    layers = [
        gv.nn.GINEConv(gv.nn.MLP([width, WIDTH, WIDTH]), in_channels=width, edge_channels=bond) for width in widths[:-1]
    ]
    decoder = PairMLP([WIDTH, WIDTH, 1], symmetric=symmetric, edge_channels=bond)
    return Network(gv.nn.GNN(layers), EdgeHead(decoder, edge="edge_attr"), edge="edge_attr")


def from_the_other_end(graph: gv.Graph, said: Tensor) -> Tensor:
    """[e] what is said of the other direction of each edge."""
    src, dst = graph.adj.edge_index
    there, back = src * graph.num_nodes + dst, dst * graph.num_nodes + src
    return said[there.argsort()][back.argsort().argsort()]


def longest(bonds: Bonds, length: Tensor) -> Tensor:
    """[m] which edge is the longest bond of two carbons, in each molecule to judge that has several."""
    src, dst = bonds.graph.adj.edge_index
    asked = (bonds.split.test & bonds.is_carbon & (src < dst)).nonzero().flatten()
    molecule = bonds.graph.molecule[src[asked]]
    groups = [asked[molecule == which] for which in molecule.unique()]
    return torch.stack([group[length[group].argmax()] for group in groups if len(group) > 1])


def main(epochs: int) -> None:
    data = bonds()
    graph, (src, dst) = data.graph, data.graph.adj.edge_index
    judged = data.split.test

    def off(said: Tensor, truth: Tensor) -> float:
        return (said - truth)[judged].abs().mean().item()

    length = (graph.pos[src] - graph.pos[dst]).norm(dim=1)
    usual = mean_of_kind(data, length)
    said = usual + learnt(data, length - usual, epochs, is_directed=False)  # by how much it is not the usual one
    print(f"{graph.num_edges // 2:,} bonds, {int(judged.sum()) // 2:,} of molecules that the network has not seen")
    print(f"How long is it? Off by {off(said, length):.4f} angstrom; the mean of its kind by {off(usual, length):.4f}")
    gap = (said - from_the_other_end(graph, said)).abs().max()
    print(f"Asked from the other end, the symmetric decoder says the same, to {gap:.0e} angstrom")

    chance = torch.rand(len(length), generator=torch.Generator().manual_seed(0))
    truth, *tried = (longest(data, numbers) for numbers in (length, said, chance))
    right, guessed = ((found == truth).double().mean() for found in tried)
    print(f"Which carbon bond breaks first, in {len(truth)} molecules? {right:.0%} right; {guessed:.0%} by guessing")

    out = graph.far[dst] - graph.far[src]
    answer = learnt(data, out, epochs, is_directed=True)
    print(
        f"How much further out does the second end lie? A directed decoder is off by {off(answer, out):.2f} angstrom; "
        f"one that can not tell the ends apart can only say 0, off by {off(torch.zeros(()), out):.2f}"
    )
    sides = (answer.sign() == -from_the_other_end(graph, answer).sign())[judged].double().mean()
    print(f"Asked from the other end it turns its answer round, for {sides:.0%} of the bonds: nobody told it to")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=80)
    main(parser.parse_args().epochs)
