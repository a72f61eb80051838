"""Molecules that try every code: charges, isotopes, radicals, chirality, stereo, dummies, large rings, salts."""

SMILES = [
    "CCO", "c1ccccc1", "C", "[H][H]", "[Na+].[Cl-]", "[13CH3][N+](C)(C)[C@H](F)Cl", "*CC", "[CH3]", "[O][O]", "F/C=C/F",
    r"F/C=C\F", "C1CC1", "C1CCCCCCCCC1", "C12CC1CC2", "OS(F)(F)(F)(F)F", "N#Cc1ccc2[nH]ccc2c1", "C[C@@H](N)C(=O)O",
    "O=[N+]([O-])c1ccco1", "[2H]C([2H])O", "B(O)O", "CC(=O)NC1CCOC1", "[NH3]->[Pt](Cl)Cl", "C1=CC=CC=CC=C1", "I[Br]",
    "C1CC2(C1)CCC2", "[Fe+2]", "CSC(=S)N", "FC(F)(F)c1ncccc1O", "[U]", "P(Cl)(Cl)(Cl)(Cl)Cl",
]  # fmt: skip
