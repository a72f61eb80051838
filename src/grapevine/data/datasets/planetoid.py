"""Cora, CiteSeer and PubMed: papers, who cites whom, words as features, the topic as the class.

Sen, Namata, Bilgic, Getoor, Gallagher & Eliassi-Rad 2008, "Collective classification in network data"; the files and
the split are those of Yang, Cohen & Salakhutdinov 2016.
"""

import os
from pathlib import Path

from grapevine.data.download import Progress, download
from grapevine.data.readers.planetoid import file_names, read_planetoid
from grapevine.errors import InputError
from grapevine.graph import Graph

ADDRESS = "https://github.com/kimiyoung/planetoid/raw/master/data"
_SHA256 = {
    "ind.cora.x": "23cfa55d91c6f624233f5eb7b6e3f141f1bd2b2ae39608a63cf5d084bb27baab",
    "ind.cora.tx": "b9afbaa4a400df991f6f02ef677e1e44da55ffc04801fd02f9e673987829226a",
    "ind.cora.allx": "9419ba2f26f5c35243db64aba110e0f35a04851609e0dc5433450676ca6b8543",
    "ind.cora.y": "94465c14eb53e04ca262198dcbb2521ee8af60fb3f3d546cd6ca24a511b0e7d1",
    "ind.cora.ty": "41f5ac76596a1699cc33f53084a2419e92961c42bb75f36fc38e616d348532ad",
    "ind.cora.ally": "2b998f5cc7fedc86e7f97ca2498f47a1ffc1462c29e2d578b23bf3f62b6e7d71",
    "ind.cora.graph": "58f13302f39dde8852dad6fe6d15b89b077b6d7f837626bce671ef80344b383d",
    "ind.cora.test.index": "297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875",
}


def load(name: str, root: Path | None = None, *, on_progress: Progress | None = None) -> Graph:
    """The data set from its raw files in `root` (default: a cache folder); those not there are downloaded.

    Raises:
        InputError: if files are missing and can not be downloaded, or are not what they should be.
    """
    folder = cache_folder() if root is None else Path(root).expanduser()
    missing = [file for file in file_names(name) if not (folder / file).is_file()]
    for file in missing:
        try:
            download(f"{ADDRESS}/{file}", folder / file, sha256=_SHA256.get(file), on_progress=on_progress)
        except OSError as error:
            raise InputError(
                f"{name} is not in {folder} and can not be downloaded ({error}); "
                f"get these files from {ADDRESS} and put them there: {', '.join(missing)}"
            ) from error
    return read_planetoid(folder, name)


def cache_folder() -> Path:
    """Where downloads are kept: $XDG_CACHE_HOME/grapevine/planetoid, or ~/.cache/grapevine/planetoid."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "grapevine" / "planetoid"
