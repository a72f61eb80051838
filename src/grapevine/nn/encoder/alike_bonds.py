"""Which bonds and atoms of a batch have the same states after each step, as 1-WL says: each needs to be made only once.

c0_vw = [x_v, e_vw],   c_vw' = (c0_vw, the multiset of c_kv, k in N(v) but w),   c_v = (x_v, the multiset of c_wv)

Molecules share most of their small neighbourhoods, so a batch has far fewer kinds of bonds than bonds. Weisfeiler &
Leman 1968; for networks that pass messages between nodes see Bollen et al. 2023, "Learning graph neural networks using
exact compression".
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grapevine.graph import Adjacency
from grapevine.graph.reverse import reverse_edges
from grapevine.ops.alike import Alike, HeardAlike, alike, heard_alike
from grapevine.ops.pattern import Pattern

_MOST = 0.5  # of the bonds: with more kinds than that at the start there is little to share


@dataclass(frozen=True)
class AlikeBonds:
    """What is computed once, and for whom.

    Args:
        first: [k0] a bond of each kind at the start.
        heard: for each step the kinds of bonds before it that each kind after it hears: rows after, columns before.
        start_of: for each step the kind at the start of each kind after it.
        atoms: which kinds of bonds each kind of atom hears in the end.
        first_atom: [k] an atom of each kind.
        atom_of: a row for each atom with one entry, in the column of its kind.
    """

    first: Int[Tensor, " k0"]
    heard: tuple[Pattern, ...]
    start_of: tuple[Pattern, ...]
    atoms: Pattern
    first_atom: Int[Tensor, " k"]
    atom_of: Pattern


@torch.inference_mode(False)
def alike_bonds(
    x: Float[Tensor, "n a"], adj: Adjacency, edge: Float[Tensor, "e b"], *, num_steps: int
) -> AlikeBonds | None:
    """The kinds of bonds through num_steps - 1 steps; None where there are too many.

    Raises:
        InputError: naming an edge that lacks its other direction.
    """
    pattern, reverse = adj.pattern, reverse_edges(adj)
    source, of_atoms = pattern.indices, alike(x)
    bonds = alike(torch.stack([of_atoms.of[source], alike(edge).of], 1))
    if len(bonds.first) > _MOST * adj.num_edges:
        return None
    start, heard, start_of = bonds, [], []
    for _ in range(num_steps - 1):
        made = heard_alike(start.of, pattern.indptr, source, reverse, bonds)
        heard.append(made.pattern)
        start_of.append(_one_each(start.of[made.first], len(start.first)))
        bonds = Alike(made.of, made.first)
    atoms = _atoms(of_atoms, pattern, bonds)
    of_each = _one_each(atoms.of, len(atoms.first))
    return AlikeBonds(start.first, tuple(heard), tuple(start_of), atoms.pattern, atoms.first, of_each)


def _atoms(own: Alike, pattern: Pattern, bonds: Alike) -> HeardAlike:
    everyone = torch.arange(pattern.num_rows, dtype=torch.int32)
    return heard_alike(own.of, pattern.indptr, everyone, everyone.new_full((1,), -1).expand(len(everyone)), bonds)


def _one_each(columns: Tensor, num_cols: int) -> Pattern:
    """A row with one entry for each of these columns."""
    return Pattern.trusted(torch.arange(len(columns) + 1, dtype=columns.dtype), columns, num_cols)
