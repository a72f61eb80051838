"""Draws small organic molecules of C, N, O and F from a grammar: atoms, rings and fragments put together at random.

Up to four heavy atoms every molecule is made; the larger ones are recombined from these and from rings of five and six.
"""

import random
from collections.abc import Callable, Iterator
from functools import cache

from molecules.sense import is_sensible, parsed, sanitized
from rdkit import Chem

_ELEMENTS = {"C": 0.6, "N": 0.16, "O": 0.17, "F": 0.07}
_ALL_UP_TO = 4  # heavy atoms
_RING_SHARE = 0.35  # of the larger molecules, that start from a ring of five or six
_RING_SIZES = {3: 1, 4: 1, 5: 4, 6: 4, 7: 1}  # how often a ring of that size is closed
_FRAGMENTS = ("[NH+](=O)[O-]", "C#N", "C(=O)O", "C(=O)N", "C(F)(F)F", "C=O", "OC")  # bound by their first atom
_ORDERS = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE)


def draw(quotas: dict[int, int], seed: int) -> list[str]:
    """Canonical SMILES without stereo, no two alike: of each number of heavy atoms at most its quota.

    The small ones come first, all there are; the larger ones are drawn until the quota is full, and shuffled.
    """
    rng = random.Random(seed)
    small = everything(_ALL_UP_TO)
    parts = [smiles for level in small.values() for smiles in level]
    larger = [smiles for size, quota in quotas.items() for smiles in _of_size(size, quota, parts, rng)]
    rng.shuffle(larger)
    return parts + larger


def everything(num_heavy: int) -> dict[int, list[str]]:
    """By their number of heavy atoms, all sensible molecules that single steps lead to, sorted."""
    level = {"C", "N", "O", "F"}
    found = {}
    for size in range(1, num_heavy + 1):
        if size > 1:
            level = {new for smiles in level for new in _grown(Chem.MolFromSmiles(smiles))}
        level |= {new for smiles in level for new in _closed(Chem.MolFromSmiles(smiles))}
        level |= {new for smiles in level for new in _closed(Chem.MolFromSmiles(smiles))}  # a second ring
        found[size] = sorted(smiles for smiles in level if is_sensible(Chem.MolFromSmiles(smiles)))
    return found


@cache
def rings() -> list[str]:
    """The single rings of five and six atoms, aromatic or saturated, with at most three heteroatoms, sorted."""
    found = set()
    for size, kinds in ((6, ("c", "n")), (5, ("c", "n", "o", "[nH]")), (5, ("C", "N", "O")), (6, ("C", "N", "O"))):
        for word in _words(size, kinds):
            mol = parsed(word[0] + "1" + "".join(word[1:]) + "1")
            if mol is not None and is_sensible(mol):
                found.add(Chem.MolToSmiles(mol))
    return sorted(found)


def _words(size: int, kinds: tuple[str, ...]) -> Iterator[list[str]]:
    if size == 0:
        yield []
        return
    for rest in _words(size - 1, kinds):
        for kind in kinds:
            if sum(part.upper() != "C" for part in (kind, *rest)) <= 3:
                yield [kind, *rest]


def _of_size(size: int, quota: int, parts: list[str], rng: random.Random) -> list[str]:
    found: dict[str, None] = {}  # keeps the order
    for _ in range(400 * quota):
        smiles = _assembled(size, parts, rng)
        if smiles is not None:
            found.setdefault(smiles)
        if len(found) == quota:
            break
    return list(found)


def _assembled(size: int, parts: list[str], rng: random.Random) -> str | None:
    """A sensible molecule of that many heavy atoms, or None where this trial led to none."""
    mol = Chem.MolFromSmiles(rng.choice(rings() if rng.random() < _RING_SHARE else parts))
    steps: tuple[Callable[[Chem.Mol, int, random.Random, list[str]], str | None], ...] = (_atom, _joined, _ring)
    while mol.GetNumAtoms() < size or (mol.GetNumAtoms() == size and rng.random() < 0.15):
        step = rng.choices(steps, (5, 3, 2) if mol.GetNumAtoms() < size else (0, 0, 1))[0]
        smiles = step(mol, size - mol.GetNumAtoms(), rng, parts)
        if smiles is None:
            return None
        mol = Chem.MolFromSmiles(smiles)
    return Chem.MolToSmiles(mol) if mol.GetNumAtoms() == size and is_sensible(mol) else None


def _atom(mol: Chem.Mol, room: int, rng: random.Random, parts: list[str]) -> str | None:
    place = rng.randrange(mol.GetNumAtoms())
    element = rng.choices(list(_ELEMENTS), list(_ELEMENTS.values()))[0]
    return _with_atom(mol, place, element, rng.choices((1, 2, 3), (8, 3, 1))[0])


def _joined(mol: Chem.Mol, room: int, rng: random.Random, parts: list[str]) -> str | None:
    """Bound to a fragment by a single bond in place of two hydrogens."""
    is_group = rng.random() < 0.5
    part = Chem.MolFromSmiles(rng.choice(_FRAGMENTS if is_group else parts + rings()))
    if part.GetNumAtoms() > room:
        return None
    start = mol.GetNumAtoms()
    there = start if is_group else start + rng.randrange(part.GetNumAtoms())
    return _bound(_kekulized(Chem.CombineMols(mol, part)), rng.randrange(start), there, 1)


def _ring(mol: Chem.Mol, room: int, rng: random.Random, parts: list[str]) -> str | None:
    distance = Chem.GetDistanceMatrix(mol)
    pairs = [(i, j) for i in range(len(distance)) for j in range(i) if distance[i, j] + 1 in _RING_SIZES]
    if not pairs:
        return None
    i, j = rng.choices(pairs, [_RING_SIZES[int(distance[pair] + 1)] for pair in pairs])[0]
    return _bound(_kekulized(mol), i, j, rng.choices((1, 2), (3, 1))[0])


def _grown(mol: Chem.Mol) -> Iterator[str]:
    for place in range(mol.GetNumAtoms()):
        for element in _ELEMENTS:
            for order in (1, 2, 3):
                smiles = _with_atom(mol, place, element, order)
                if smiles is not None:
                    yield smiles


def _closed(mol: Chem.Mol) -> Iterator[str]:
    for i in range(mol.GetNumAtoms()):
        for j in range(i):
            for order in (1, 2):
                smiles = _bound(_kekulized(mol), i, j, order)
                if smiles is not None:
                    yield smiles


def _with_atom(mol: Chem.Mol, place: int, element: str, order: int) -> str | None:
    new = _kekulized(mol)
    return _bound(new, place, new.AddAtom(Chem.Atom(element)), order)


def _bound(mol: Chem.RWMol, i: int, j: int, order: int) -> str | None:
    """With a bond of that order between two atoms, in place of hydrogens; None where they have too few."""
    if i == j or mol.GetBondBetweenAtoms(i, j) is not None:
        return None
    for k in (i, j):
        atom = mol.GetAtomWithIdx(k)
        if atom.GetNumExplicitHs():
            atom.SetNumExplicitHs(0)  # as of [nH], counted anew
            atom.SetNoImplicit(False)
    mol.AddBond(i, j, _ORDERS[order - 1])
    new = sanitized(mol.GetMol())
    return None if new is None else Chem.MolToSmiles(new)


def _kekulized(mol: Chem.Mol) -> Chem.RWMol:
    new = Chem.RWMol(mol)
    Chem.Kekulize(new, clearAromaticFlags=True)
    return new
