"""The TU collection: many sets of small graphs, by name, as `tu:ENZYMES`.

Morris, Kriege, Bause, Kersting, Mutzel & Neumann 2020, "TUDataset: A collection of benchmark datasets for learning with
graphs". A set may also lie there in the one-file format of the GIN paper, with its ten folds.
"""

import re
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path

from grapevine.data.dataset import Dataset
from grapevine.data.datasets.fetch import folders_of, missing
from grapevine.data.datasets.info import DatasetInfo, RawFile
from grapevine.data.datasets.processed import load_processed
from grapevine.data.download import Progress, download
from grapevine.errors import InputError, check

ADDRESS = "https://www.chrsmrrs.com/graphkerneldatasets"
PREFIX = "tu:"
_LARGEST = 1 << 34  # bytes of unpacked text, more than the largest of the collection has


def _info(name: str, title: str, *sizes: int | None) -> DatasetInfo:
    num_graphs, num_classes, num_nodes, num_edges, num_features = sizes
    is_known = num_classes is not None
    return DatasetInfo(
        PREFIX + name,
        title,
        level="graph",
        task="classification" if is_known else "as its files say",
        metric="accuracy" if is_known else None,
        split="none in its files: one is drawn; the ten folds of the GIN paper where they lie beside its one file",
        num_nodes=num_nodes,
        num_edges=num_edges,
        num_graphs=num_graphs,
        num_features=num_features,
        num_classes=num_classes,
        licence="not stated",
        citation="Morris, Kriege, Bause, Kersting, Mutzel & Neumann 2020, "
        '"TUDataset: A collection of benchmark datasets for learning with graphs"',
        files=(RawFile(f"{name}.zip", f"{ADDRESS}/{name}.zip"),),
        folder="tu",
    )


INFOS = (
    _info("MUTAG", "molecules; which cause mutations?", 188, 2, 3371, 3721, 7),
    _info("PROTEINS", "proteins; which are enzymes?", 1113, 2, 43471, 81044, None),
    _info("ENZYMES", "enzymes; of which of the six classes?", 600, 6, 19580, 37282, 21),
    _info("NCI1", "molecules; which act against lung cancer cells?", 4110, 2, None, None, 37),
    _info("DD", "proteins; which are enzymes?", 1178, 2, None, None, 89),
    _info("IMDB-BINARY", "actors who played together; action or romance?", 1000, 2, None, None, 0),
    _info("IMDB-MULTI", "actors who played together; which of three genres?", 1500, 3, None, None, 0),
    _info("REDDIT-BINARY", "users of a discussion; questions or talk?", 2000, 2, None, None, 0),
    _info("COLLAB", "authors who wrote together; which of three fields?", 5000, 3, None, None, 0),
)


def info_of(name: str) -> DatasetInfo:
    """The facts of a set of the collection, `tu:` before its name; of most of them only where they are.

    Raises:
        InputError: if it can be no name of a set.
    """
    short = name.removeprefix(PREFIX)
    is_plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.\-]*", short) is not None
    check(is_plain, f"{name!r} is no name of a set of the TU collection, as {PREFIX}ENZYMES is")
    known = {info.name: info for info in INFOS}
    return known.get(PREFIX + short) or _info(short, f"graphs of the TU collection, {short}", *[None] * 5)


def load(info: DatasetInfo, root: Path | None = None, *, on_progress: Progress | None = None) -> Dataset:
    """The graphs from NAME/NAME_A.txt and the other text files in `root`, or from NAME.txt of the GIN paper.

    They may lie in `root` itself, or in a folder NAME in it, in root/tu or in root/tu_raw; if none is there, they are
    downloaded and unpacked.

    Raises:
        InputError: if they can not be had, or are not what they should be.
    """
    name = info.name.removeprefix(PREFIX)
    places = folders_of(info, root)
    if root is not None:
        places.append(places[0] / "tu_raw")
    folders = [folder for place in places for folder in (place / name, place)]
    texts = [folder for folder in folders if (folder / f"{name}_A.txt").is_file()]
    one_file = [folder for folder in folders if (folder / f"{name}.txt").is_file()]
    if texts or one_file:
        return _read(info, (texts or one_file)[0], is_one_file=not texts)
    folder = folders[0]
    archive = folder.parent / f"{name}.zip"
    was_there = archive.is_file()
    if not was_there:
        try:
            download(info.files[0].address, archive, on_progress=on_progress)
        except OSError as error:
            raise missing(info, folder.parent, error) from error
    unpack(archive, folder)
    if not was_there:
        archive.unlink()
    return load(info, root)


def unpack(archive: Path, folder: Path) -> None:
    """Put the text files FOLDER_*.txt of the archive into the folder, which appears whole or not at all.

    Only their last names count, so nothing is written anywhere else, whatever the archive says.

    Raises:
        InputError: if the archive is broken, has no such files, or they are too large.
    """
    pattern = re.compile(re.escape(folder.name) + r"_\w+\.txt")
    try:
        with zipfile.ZipFile(archive) as packed, tempfile.TemporaryDirectory(dir=archive.parent) as partial:
            chosen = {Path(entry.filename).name: entry for entry in packed.infolist() if not entry.is_dir()}
            chosen = {name: entry for name, entry in chosen.items() if pattern.fullmatch(name)}
            check(f"{folder.name}_A.txt" in chosen, f"{archive} does not hold {folder.name}_A.txt")
            check(sum(entry.file_size for entry in chosen.values()) < _LARGEST, f"{archive} unpacks to too much")
            for name, entry in chosen.items():
                with packed.open(entry) as source, Path(partial, name).open("wb") as target:
                    shutil.copyfileobj(source, target)
            folder.mkdir(exist_ok=True)
            for name in sorted(chosen, reverse=True):  # NAME_A.txt last, as it says that all are there
                Path(partial, name).replace(folder / name)
    except OSError as error:
        raise InputError(f"{archive} can not be unpacked into {folder}: {error}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise InputError(f"{archive} is broken; delete it, so that it is fetched anew: {error}") from None


def _read(info: DatasetInfo, folder: Path, *, is_one_file: bool) -> Dataset:
    from grapevine.data.readers.gin_text import (
        FOLDS,
        read_gin_text,
    )  # these import Polars, for which others do not wait
    from grapevine.data.readers.tu import read_tu

    name = info.name.removeprefix(PREFIX)
    if is_one_file:
        files = [folder / f"{name}.txt", *(folder / FOLDS).glob("*_idx-*.txt")]
        return load_processed(info.name, files, lambda: read_gin_text(folder / f"{name}.txt"))
    return load_processed(info.name, folder.glob(f"{name}_*.txt"), lambda: read_tu(folder, name))
