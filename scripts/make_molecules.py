"""Makes the embedded data set `molecules`: draws small molecules, relaxes them with GFN2-xTB, and packs them in a file.

    python scripts/make_molecules.py relax FOLDER   # ten minutes on one core; can be stopped and started again
    python scripts/make_molecules.py pack FOLDER    # writes the file that comes with the package
    python scripts/make_molecules.py recode         # writes it again with new codes, if those have changed

It needs RDKit, ASE and tblite. The seed is fixed.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from molecules.grammar import draw
from molecules.packing import pack_rows, unpacked_rows
from molecules.relax import relaxed

SEED = 0
NUM_MOLECULES = 2000
CANDIDATES = {5: 270, 6: 480, 7: 650, 8: 330, 9: 170}  # by heavy atoms; beside all smaller ones
PACKED = Path(__file__).parents[1] / "src/grapevine/data/datasets/files/molecules.safetensors"


def relax(folder: Path) -> None:
    """Relax the candidates in turn until there are enough molecules; each is written to the folder when it is ready."""
    folder.mkdir(parents=True, exist_ok=True)
    known, count = _known(folder), 0
    with (folder / "relaxed.jsonl").open("a") as file:
        for smiles in draw(CANDIDATES, SEED):
            if smiles not in known:
                known[smiles] = {"candidate": smiles, **_tried(smiles)}
                file.write(json.dumps(known[smiles]) + "\n")
                file.flush()
            count += "error" not in known[smiles]
            if count == NUM_MOLECULES:
                break


def _tried(smiles: str) -> dict:
    try:
        return asdict(relaxed(smiles, SEED))
    except ValueError as error:
        return {"error": str(error)}


def pack(folder: Path) -> None:
    """Write the first of the candidates that could be relaxed into the package."""
    known = _known(folder)
    good = [
        known[smiles] for smiles in draw(CANDIDATES, SEED) if "error" not in known.get(smiles, {"error": "none yet"})
    ]
    pack_rows(good[:NUM_MOLECULES], PACKED, SEED)
    print(f"{len(good[:NUM_MOLECULES])} molecules, {PACKED.stat().st_size / 1e6:.2f} MB")


def recode() -> None:
    """Work out the codes of the file's molecules anew."""
    pack_rows(unpacked_rows(PACKED), PACKED, SEED)


def _known(folder: Path) -> dict[str, dict]:
    """What has been relaxed, or has failed, by candidate."""
    path = folder / "relaxed.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {row["candidate"]: row for row in rows}


def main(arguments: list[str]) -> None:
    match arguments:
        case ["relax", folder]:
            relax(Path(folder))
        case ["pack", folder]:
            pack(Path(folder))
        case ["recode"]:
            recode()
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
