"""Writes docs/one-equation.md: every architecture as a message, an aggregation, an update and a readout, from the code.

python scripts/one_equation.py            # writes the page
python scripts/one_equation.py --check    # says whether the page is what the code says now, and ends with 1 if not
"""

import inspect
import os.path
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from torch import nn

import grapevine.nn as gnn
from grapevine.nn import equivariant as atoms
from grapevine.nn.equation import Equation
from grapevine.recipes.atoms.config import POTENTIALS
from grapevine.recipes.models import MODELS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "one-equation.md"

# By which name the command trains a class; the layers that are left out are parts of others, or know one graph only.
NAMES: dict[type[nn.Module], str] = {
    gnn.GCNConv: "gcn",
    gnn.SAGEConv: "sage",
    gnn.GATConv: "gat",
    gnn.GATv2Conv: "gatv2",
    gnn.GINConv: "gin",
    gnn.GINEConv: "gine",
    gnn.ChebConv: "cheb",
    gnn.ARMAConv: "arma",
    gnn.SGConv: "sgc",
    gnn.PNAConv: "pna",
    gnn.GatedGCNConv: "gatedgcn",
    gnn.MLPMessageConv: "mlp-message",
    gnn.InteractionConv: "interaction",
    gnn.GraphNetwork: "graphnet",
    gnn.GGNN: "ggnn",
    gnn.MPNN: "mpnn",
    gnn.DMPNN: "dmpnn",
    gnn.AttentiveFP: "attentivefp",
    gnn.Weave: "weave",
    gnn.MolecularGraphConv: "molgraph",
    gnn.NeuralFingerprintConv: "fingerprint",
    gnn.H2GCN: "h2gcn",
    gnn.GPRGNN: "gprgnn",
    gnn.FAGCN: "fagcn",
    gnn.GATSepConv: "gat-sep",
    gnn.ResidualBlock: "sage-sep",
    gnn.LINKX: "linkx",
    gnn.DirGNNConv: "dirgnn",
    gnn.GCNII: "gcnii",
    gnn.APPNP: "appnp",
    gnn.GraphRandomNetwork: "grand",
    gnn.GraphDiffusion: "grand-diffusion",
    atoms.SchNet: "schnet",
    atoms.DTNN: "dtnn",
    atoms.PaiNN: "painn",
    atoms.EGNN: "egnn",
    atoms.DimeNetPlusPlus: "dimenet",
    atoms.NequIP: "nequip",
    atoms.MACE: "mace",
}
ALONE = "mlp"  # of MODELS the one that hears nobody
COLUMNS = (
    "Architecture", "Message", "Aggregation", "Update", "Edge features", "Readout", "Cost a layer", "Power", "Year",
    "Paper", "`--model`",
)  # fmt: skip


class Architecture(NamedTuple):
    """What is said of one equation, and the classes that have it."""

    equation: Equation
    classes: tuple[type[nn.Module], ...]

    @property
    def model(self) -> str:
        """The command's name for it, or nothing."""
        return next((NAMES[kind] for kind in self.classes if kind in NAMES), "")


def architectures(room: ModuleType = gnn) -> list[Architecture]:
    """Every public class of a room with an equation of its own, those of one equation together, by year."""
    public = [getattr(room, name) for name in room.__all__]
    found: dict[int, Architecture] = {}
    for kind in public:
        if isinstance(kind, type) and "equation" in vars(kind):
            before = found.get(id(kind.equation))
            classes = (kind,) if before is None else (*before.classes, kind)
            found[id(kind.equation)] = Architecture(kind.equation, classes)
    return sorted(found.values(), key=lambda one: (one.equation.year, one.equation.name.lower()))


def table(rows: Sequence[Architecture]) -> str:
    """The rows as a table of GitHub's Markdown."""
    lines = [_line(COLUMNS), _line(["---"] * len(COLUMNS))]
    return "\n".join(lines + [_line(_cells(row)) for row in rows])


def page() -> str:
    """The whole page, as the code says now."""
    unknown = set(NAMES.values()) ^ (set(MODELS) | set(POTENTIALS)) - {ALONE}
    assert not unknown, f"the command and NAMES do not have the same models: {', '.join(sorted(unknown))}"
    return _PAGE.replace("TABLE OF ATOMS", table(architectures(atoms))).replace("TABLE", table(architectures()))


def is_current(path: Path = PAGE) -> bool:
    """Whether the page is there and is what the code says now."""
    return path.is_file() and path.read_text(encoding="utf-8") == page()


def _cells(row: Architecture) -> list[str]:
    one = row.equation
    first, *others = row.classes
    linked = [f"[{_plain(one.name)}]({_source(first)}) `{first.__name__}`"]
    linked += [f"[`{kind.__name__}`]({_source(kind)})" for kind in others]
    words = (one.message, one.aggregation, one.update, one.edges, one.readout or "of nodes only", one.cost, one.power)
    model = f"`{row.model}`" if row.model else ""
    return [", ".join(linked), *map(_plain, words), str(one.year), _plain(one.paper), model]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    for mark in "\\|*~<":  # the backslash first
        text = text.replace(mark, "\\" + mark)
    return text.replace("](", "]\\(")


def _source(kind: type) -> str:
    """Where a class is written, seen from the page."""
    return Path(os.path.relpath(inspect.getfile(kind), PAGE.parent)).as_posix()


_PAGE = """# One equation

Every architecture of Grapevine is a message, an aggregation and an update, and a readout where graphs are asked about
(Gilmer et al. 2017):

    m_i  = aggregate over the neighbours j of i of message(h_i, h_j, e_ij)
    h_i' = update(h_i, m_i)
    y    = readout of all h_i

A node i hears from each neighbour j along an edge with the features e_ij, brings what it heard together in a way that
does not depend on the order, and makes up its mind. Some networks keep a state for each edge, each pair of nodes or the
whole graph too; the same three words say what becomes of those.

`python scripts/one_equation.py` makes this page from the classes' own `equation`; a test fails when it is out of date.

## How to read the table

- **Letters.** h_i and h_j are the states of a node and of a neighbour, x_i the features it began with, e_ij the
  features of the edge from j to i, w_ij its weight, m_i what arrived at i, d_i how many edges lead to i. Capitals
  are learnt matrices, a and b learnt vectors; [ , ] puts vectors side by side. A dash, as in h_i', marks the new one.
- **Edge features.** What is made of them: *none*, *weights* (a number an edge), *features* (a vector an edge), or
  *features, updated*: edges have states. A layer that can not use what it is given says so, and names one that can.
- **Readout.** What the paper reads graphs out with. Most of the others of `grapevine.nn` go with it too.
- **Cost a layer.** Multiplications, up to a constant, for n nodes, e edges (an undirected one counts twice) and states
  of width c; edge features that are no states are counted as narrow. Other letters are explained where they stand.
- **Power.** Which graphs can be told apart, with states as wide as need be, against colour refinement (1-WL). None
  whose nodes hear nothing but their neighbours goes beyond it. *1-WL*: it gets there, since a sum keeps how often a
  message came (Xu et al. 2019, Morris et al. 2019). *Below 1-WL*: there are neighbourhoods that 1-WL tells apart and
  the layer does not, whatever its weights. Means, normalised sums and attention see shares and not counts; the neural
  fingerprint mixes a node with its neighbours before it looks at them. *Above 1-WL*: Weave is told distances, beyond
  the edges. *Crosses 1-WL*: H2GCN hears who is two steps away, and so tells a ring of six from two triangles, but its
  sums are normalised, and lose what 1-WL counts. *Depends on the basis*: the spectral network is of one graph, by its
  eigenvectors, and LINKX by the numbers of its nodes.
- **`--model`.** By which name `grapevine train` knows it. Beside these there is `mlp`, which hears nobody.

TABLE

## Atoms in space

These see atomic numbers z and, of each neighbour within a cut-off, the vector r_ij to it; r is its length, Y its
spherical harmonics, x the tensor product of two irreps and R(r) a network of the distance. Energies are sums over
atoms; whatever is turned, mirrored or moved, they stay, and forces turn with the structure
([atoms](atoms.md)). As graphs with distances all of them hear more than the edges alone: MACE also multiplies what
several neighbours said.

TABLE OF ATOMS

## The special cases, proven

A fused layer and the same equation in plain words are one function, with the same gradients, to 1e-10:

- GCN, GraphSAGE, GAT and GIN, written as message, aggregation and update, equal `GCNConv`, `SAGEConv`, `GATConv` and
  `GINConv`: [tests/nn/test_one_equation.py](../tests/nn/test_one_equation.py).
- A two-dimensional convolution of an image is message passing on the grid of its pixels, with a matrix for each place
  of the neighbour relative to the listener; self-attention is attention on the complete graph:
  [tests/nn/test_textbook.py](../tests/nn/test_textbook.py).

GIN in ten lines, as anybody could write it; its parameters are those of the layer it is compared with.

```python
>>> import torch
>>> from grapevine.nn import MLP, GINConv, MessagePassing
>>> class GIN(MessagePassing):  # the sum is the aggregation unless another is given
...     def __init__(self, network, eps):
...         super().__init__()
...         self.network, self.eps = network, eps
...
...     def message(self, x_src, x_dst, edge_attr):
...         return x_src
...
...     def update(self, x_dst, message):
...         return self.network((1 + self.eps) * x_dst + message)
>>> _ = torch.manual_seed(0)
>>> fused = GINConv(MLP([4, 16, 8]), eps=0.5)
>>> x, edge_index = torch.randn(5, 4), torch.tensor([[0, 1, 2, 3, 0], [1, 2, 0, 0, 4]])
>>> torch.allclose(GIN(fused.network, 0.5)(x, edge_index), fused(x, edge_index), atol=1e-6)
True

```

What the fused form saves is memory: written plainly, every edge holds a copy of its neighbour's state, e c numbers; the
fused layer adds them up from where they are, n c.
"""


def main(arguments: Sequence[str]) -> int:
    if list(arguments) == ["--check"]:
        there = is_current()
        print(f"{PAGE.name} is {'what the code says' if there else 'out of date: run scripts/one_equation.py'}")
        return 0 if there else 1
    if arguments:
        print(__doc__)
        return 2
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.name}: {len(architectures())} architectures")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
