"""Says whether a molecule is worth a geometry: its valences hold, and a chemist would not expect it to fall apart."""

from rdkit import Chem, rdBase

_NONSENSE = {
    "fluorine on nitrogen": "F[#7]",
    "oxygen or fluorine bound to the same": "[#8,F]~[#8,F]",
    "nitroso": "[NX2]=O",
    "nitrogen alone": "N#N",
    "hydrogen on an azo group": "[NX2H]=N",
    "acid hydrogen beside a second heteroatom": "[CX4]([$([OX2H]),$([NX3;!H0])])[O,N,F]",
    "three heteroatoms on one carbon": "[CX4]([O,N])([O,N])[O,N,F]",
    "fluorine beside an amine": "[CX4](N)F",
    "enol or enamine": "[CX3;!a]=[CX3;!a][$([OX2H]),$([NX3H2])]",
    "imidic acid": "N=[CX3;!a][OX2H]",
    "ynol or ynamine": "[CX2]#C[O,N,F]",
    "cyanate": "N#C[O,F]",
    "carbonic or carbamic acid": "[OX2H]C(=O)[N,O,F]",
    "fluoroformate": "FC(=O)[N,O,F]",
    "charge outside a nitro group": "[+,-;!$([N+](=O)[O-]);!$([O-][N+]=O)]",
    "long cumulene": "*=*=*=*",
    "heteroatom on a cumulene": "[#7,#8,F]-*=*=*",
    "hydrogen on a cumulene's nitrogen": "[NX2H]=*=*",
    "linear atom in a ring": "[R;$(*(=*)=*),$(*#*)]",
    "antiaromatic ring of four": "*1=**=*1",
    "aromatic atom in a ring of three, or ring of four": "[a;r3,$(a1aaa1)]",
    "double bond out of a ring of three": "*=!@[r3]",
    "double bond and heteroatom in a ring of three": "[#6]1=[#6][#7,#8]1",
    "two heteroatoms in a ring of three": "[#7,#8]1~[#7,#8]~*1",
    "double bond where rings meet": "[x3;!a]=@*",
}
_PATTERNS = tuple(Chem.MolFromSmarts(smarts) for smarts in _NONSENSE.values())
_HETEROATOMS = Chem.MolFromSmarts("[#7,#8,F]~[#7,#8,F]~[#7,#8,F]")
_NITRO = Chem.MolFromSmarts("C[N+](=O)[O-]")
_SMALL_RING, _LARGEST_RING = 4, 7  # two small ones share no bond, and no bridge spans an aromatic ring


def parsed(smiles: str) -> Chem.Mol | None:
    """The molecule of a SMILES, or None where RDKit refuses it."""
    with rdBase.BlockLogs():
        return Chem.MolFromSmiles(smiles)


def sanitized(mol: Chem.Mol) -> Chem.Mol | None:
    """The molecule with its valences and aromaticity worked out anew, or None where a valence does not hold."""
    new = Chem.Mol(mol)
    with rdBase.BlockLogs():
        return None if Chem.SanitizeMol(new, catchErrors=True) else new


def is_sensible(mol: Chem.Mol) -> bool:
    """Whether nothing in it falls apart, its heteroatoms are not too many, and its rings not too strained."""
    carbons = sum(atom.GetAtomicNum() == 6 for atom in mol.GetAtoms())
    radicals = any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms())
    if radicals or mol.GetNumAtoms() - carbons > carbons + 2:
        return False
    if any(mol.HasSubstructMatch(pattern) for pattern in _PATTERNS):
        return False
    return _has_sensible_chains(mol) and _has_sensible_rings(mol)


def _has_sensible_chains(mol: Chem.Mol) -> bool:
    """Three heteroatoms in a row are only in aromatic rings and in a nitro group on carbon."""
    nitro = {index for match in mol.GetSubstructMatches(_NITRO) for index in match[1:]}
    for match in mol.GetSubstructMatches(_HETEROATOMS):
        if not set(match) <= nitro and not all(mol.GetAtomWithIdx(i).GetIsAromatic() for i in match):
            return False
    return True


def _has_sensible_rings(mol: Chem.Mol) -> bool:
    info = mol.GetRingInfo()
    if info.NumRings() > 3 or any(len(ring) > _LARGEST_RING for ring in info.AtomRings()):
        return False
    bonds = [(len(ring), set(ring)) for ring in info.BondRings()]
    for k, (size, ring) in enumerate(bonds):
        for other_size, other in bonds[:k]:
            shared = ring & other
            if shared and max(size, other_size) <= _SMALL_RING:
                return False
            if len(shared) > 1 and any(mol.GetBondWithIdx(i).GetIsAromatic() for i in ring | other):
                return False
    return True
