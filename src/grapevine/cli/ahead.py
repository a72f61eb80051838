"""What a command begins before it imports PyTorch, which takes more than a second."""

from pathlib import Path

from grapevine.cli.given import Place
from grapevine.data.molecules.parts import ParsedParts, saved_spec, start_parsing


def start_molecules(run: Path, place: Place) -> ParsedParts | None:
    """The parts of a file of molecules, with workers at them; None if the model or the file is no such.

    Raises:
        InputError: if the file can not be read.
    """
    if place.data is None or place != Place(data=place.data) or not Path(place.data).is_file():
        return None
    spec = saved_spec(run)
    return None if spec is None else start_parsing(Path(place.data), spec)
