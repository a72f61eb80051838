"""A small table of molecules for the tests of the recipes and the commands: names, SMILES, answers and more."""

from pathlib import Path

import numpy as np

_TEXT = """CCO CCCO c1ccccc1 CC(=O)O CCN CCCN c1ccccc1O c1ccncc1 CC(C)O CCOC C1CCCCC1 C1CCNCC1 CC#N CCCl CC(=O)N
    c1ccc2ccccc2c1 c1ccsc1 C1CCOC1 CC(C)(C)O CCS CCCC CCCCC c1ccccc1C c1ccccc1N OCCO CC=C C#CC COC(C)=O
    c1cc[nH]c1 O=C1CCCCC1 C1CC1 C1CCCC1 C[C@H](N)C(=O)O CC(=O)[O-].[Na+] NCCN CNC=O CBr FC(F)F CCCCCC CCOC(C)=O"""
_SMILES = _TEXT.split()
NUM_MOLECULES = len(_SMILES)
BAD = {3: "C1CC", 7: ""}  # rows of the file that are no molecules


def write_molecules(folder: Path, *, name: str = "drugs.csv", column: str = "smiles", has_answers: bool = True) -> Path:
    """Rows id, SMILES, logP, mass (some missing), ring and halogen (0 and 1, some missing), dose and batch.

    The rows of BAD can not be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    rows = []
    for k, smiles in enumerate(_SMILES):
        ring, carbons = int("1" in smiles), smiles.upper().count("C")
        answers = [
            "" if k % 6 == 5 else f"{carbons - 2 * smiles.count('O') + 0.1 * rng.normal():.3f}",
            "" if k % 7 == 6 else f"{12 * len(smiles) + rng.normal():.2f}",
            "" if k % 8 == 7 else str(ring),
            str(int(any(x in smiles for x in ("Cl", "Br", "F")))),
        ]
        rows.append([f"m{k}", smiles, *answers * has_answers, f"{rng.random():.2f}", "xy"[k % 2]])
    for place, smiles in BAD.items():
        rows.insert(place, [f"bad{place}", smiles, *["1", "1", "1", "0"] * has_answers, "0.5", "x"])
    head = ["id", column, *["logP", "mass", "ring", "halogen"] * has_answers, "dose", "batch"]
    path = folder / name
    path.write_text("\n".join(",".join(row) for row in [head, *rows]) + "\n")
    return path
