"""Reads the bytes that RDKit keeps molecules in, version 16.4.0 of its form.

After the numbers of atoms and bonds (32 bits each) and two marks, each atom is its number, a byte of flags, 32 bits
that say which of its values differ from the usual ones, and those values. Each bond is its two ends (a byte each, 32
bits where there are more than 255 atoms), a byte of flags, and what these announce. Then come the smallest rings.
"""

import numpy as np

from grapevine.data.molecules.codes import LARGEST_RING, SMALLEST_RING
from grapevine.data.molecules.packed import AtomCode, BondCode
from grapevine.ops.runtime.kernel import kernel, lean

_BODY = 30  # bytes before the first atom: header, counts and two marks
_Z, _CHARGE, _HYDROGENS, _HYBRIDISATION, _AROMATIC, _CHIRALITY, _RADICALS, _RINGS = (
    int(code)
    for code in (
        AtomCode.Z, AtomCode.CHARGE, AtomCode.HYDROGENS, AtomCode.HYBRIDISATION, AtomCode.AROMATIC,
        AtomCode.CHIRALITY, AtomCode.RADICALS, AtomCode.RINGS,
    )
)  # fmt: skip
_TYPE, _CONJUGATED, _IN_RING, _STEREO = (
    int(code) for code in (BondCode.TYPE, BondCode.CONJUGATED, BondCode.IN_RING, BondCode.STEREO)
)
_SP3, _SINGLE = 4, 1  # what stands for itself
# Of an atom: flags that are read, and values, by bit.
_IS_AROMATIC, _NO_IMPLICIT = 0x40, 0x20
_HAS_CHARGE, _HAS_TAG, _HAS_HYBRIDISATION, _HAS_HYDROGENS = 0x02, 0x04, 0x08, 0x10
_HAS_VALENCE, _HAS_IMPLICIT, _HAS_RADICALS = 0x20, 0x40, 0x80
_KNOWN_VALUES = 0xFE
# Of a bond.
_IS_AROMATIC_BOND, _IS_CONJUGATED, _HAS_TYPE, _HAS_DIRECTION, _HAS_STEREO = 0x40, 0x20, 0x08, 0x04, 0x02
_KNOWN_BOND = 0x6E
_BONDS_BEGIN, _RINGS_BEGIN, _MANY = 0x0B, 0x42, 255


@lean
def _whole(held, at):
    """32 bits, the lowest byte first."""
    return (
        np.int64(held[at]) | np.int64(held[at + 1]) << 8 | np.int64(held[at + 2]) << 16 | np.int64(held[at + 3]) << 24
    )


@lean
def _index(held, at, width):
    return np.int64(held[at]) if width == 1 else _whole(held, at)


@kernel
def read_molecules(held, starts, ptr, bond_ptr, atom, ends, bond, is_read):
    """Fill the rows of atoms and bonds of each molecule k with is_read[k]; False then if its bytes say something else.

    held: uint8 [bytes]; starts [m + 1]; ptr, bond_ptr [m + 1]; atom int8 [n, 10], ends int32 [b, 2], bond int8 [b, 4],
    all zeros; the degrees, masses and roles of atoms are left out.
    """
    for k in range(len(starts) - 1):
        if is_read[k]:
            is_read[k] = _read(held, starts[k], starts[k + 1], ptr[k], ptr[k + 1], bond_ptr[k], bond_ptr[k + 1],
                               atom, ends, bond)  # fmt: skip
        if not is_read[k]:
            atom[ptr[k] : ptr[k + 1]] = 0
            ends[bond_ptr[k] : bond_ptr[k + 1]] = 0
            bond[bond_ptr[k] : bond_ptr[k + 1]] = 0


@kernel
def _read(held, at, end, first, last, first_bond, last_bond, atom, ends, bond):
    """One molecule."""
    at += _BODY
    for i in range(first, last):
        atom[i, _Z] = held[at]
        flags, values = held[at + 1], _whole(held, at + 2)
        at += 6
        if flags & ~(_IS_AROMATIC | _NO_IMPLICIT) or values & ~_KNOWN_VALUES:
            return False
        atom[i, _AROMATIC] = 1 if flags & _IS_AROMATIC else 0
        atom[i, _HYBRIDISATION] = _SP3
        if values & _HAS_CHARGE:
            atom[i, _CHARGE] = held[at]
            at += 1
        if values & _HAS_TAG:
            atom[i, _CHIRALITY] = held[at]
            at += 1
        if values & _HAS_HYBRIDISATION:
            atom[i, _HYBRIDISATION] = held[at]
            at += 1
        if values & _HAS_HYDROGENS:
            atom[i, _HYDROGENS] = held[at]
            at += 1
        if values & _HAS_VALENCE:
            at += 1
        if values & _HAS_IMPLICIT:
            atom[i, _HYDROGENS] += np.int8(held[at])
            at += 1
        if values & _HAS_RADICALS:
            atom[i, _RADICALS] = held[at]
            at += 1
    if at >= end or held[at] != _BONDS_BEGIN:
        return False
    at += 1
    width = 1 if last - first <= _MANY else 4
    for j in range(first_bond, last_bond):
        for side in range(2):
            ends[j, side] = _index(held, at, width)
            at += width
        flags = held[at]
        at += 1
        if flags & ~_KNOWN_BOND:
            return False
        bond[j, _CONJUGATED] = 1 if flags & _IS_CONJUGATED else 0
        bond[j, _TYPE] = _SINGLE
        if flags & _HAS_TYPE:
            bond[j, _TYPE] = held[at]
            at += 1
        if flags & _HAS_DIRECTION:
            at += 1
        if flags & _HAS_STEREO:
            bond[j, _STEREO] = held[at]
            at += 2 + width * held[at + 1]
    if at + 5 > end or held[at] != _RINGS_BEGIN:
        return False
    rings = _whole(held, at + 1)
    at += 5
    for _ in range(rings):
        size = _index(held, at, width)
        at += width
        if at + size * width > end:
            return False
        bit = np.int8(1 << min(size - SMALLEST_RING, LARGEST_RING - SMALLEST_RING + 1))
        for c in range(size):
            here, there = _index(held, at + c * width, width), _index(held, at + (c + 1) % size * width, width)
            atom[first + here, _RINGS] |= bit
            for j in range(first_bond, last_bond):
                if (ends[j, 0] == here and ends[j, 1] == there) or (ends[j, 0] == there and ends[j, 1] == here):
                    bond[j, _IN_RING] = 1
        at += size * width
    return True
