"""Data sets over a network: only what is missing, checked, resumed; archives unpacked safely; clear words offline."""

import io
import zipfile
from dataclasses import replace

import pytest

from grapevine.data import datasets
from grapevine.data.datasets import dataset_info, load_dataset, tu
from grapevine.data.datasets.fetch import cache_folder
from grapevine.data.readers.planetoid import file_names
from grapevine.errors import InputError
from tests.data.cases import CORA, needs_cora, write_planetoid
from tests.data.files import serving
from tests.data.readers.test_tu import FILES

NOWHERE = "http://127.0.0.1:9"


def _move(monkeypatch, name: str, address: str) -> None:
    """Let the files of a set be somewhere else."""
    info = dataset_info(name)
    files = tuple(replace(file, address=f"{address}/{file.name}") for file in info.files)
    monkeypatch.setattr(datasets, "DATASETS", {**datasets.DATASETS, name: replace(info, files=files)})


def _zip(**members: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return packed.getvalue()


SMALL = _zip(**{f"SMALL/SMALL_{part}.txt": text for part, text in FILES.items()}, **{"SMALL/README.txt": "hello"})


@needs_cora
def test_the_checksums_are_those_of_the_files(tmp_path, monkeypatch):
    _move(monkeypatch, "cora", CORA.as_uri())
    assert load_dataset("cora", tmp_path).graph.num_edges == 2 * 5278
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(file_names("cora"))


def test_only_missing_files_are_downloaded_into_the_cache(tmp_path, monkeypatch):
    here = cache_folder() / "planetoid"
    here.mkdir(parents=True)
    write_planetoid(tmp_path, "pubmed")
    write_planetoid(here, "pubmed")
    (here / "ind.pubmed.tx").unlink()
    told = []
    with serving({f"/{path.name}": path.read_bytes() for path in tmp_path.iterdir()}) as server:
        _move(monkeypatch, "pubmed", server.address)
        assert load_dataset("pubmed", on_progress=lambda *what: told.append(what)).graph.num_nodes == 13
        assert [path for path, _ in server.asked] == ["/ind.pubmed.tx"]
    size = (here / "ind.pubmed.tx").stat().st_size
    assert told == [("downloading ind.pubmed.tx", size, size)]


def test_a_cut_download_is_named_and_goes_on(tmp_path, monkeypatch):
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    write_planetoid(there, "pubmed")
    contents = {f"/{path.name}": path.read_bytes() for path in there.iterdir()}
    with serving(contents, short=10) as server:
        _move(monkeypatch, "pubmed", server.address)
        with pytest.raises(InputError, match=r"ended after 10 of|IncompleteRead"):
            load_dataset("pubmed", here)
    assert [path.name for path in here.iterdir()] == ["ind.pubmed.x.part"]
    with serving(contents) as server:
        _move(monkeypatch, "pubmed", server.address)
        assert load_dataset("pubmed", here).graph.num_nodes == 13
        assert server.asked[0] == ("/ind.pubmed.x", "bytes=10-")


def test_a_wrong_download_is_refused_and_leaves_nothing(tmp_path, monkeypatch):
    with serving({f"/{name}": b"wrong" for name in file_names("cora")}) as server:
        _move(monkeypatch, "cora", server.address)
        with pytest.raises(InputError, match="not the file that was published"):
            load_dataset("cora", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["cora", "coauthor-cs", "roman-empire", "tu:MUTAG"])
def test_without_a_network_the_files_their_address_and_the_folder_are_named(tmp_path, monkeypatch, name):
    _move(monkeypatch, name, NOWHERE)
    with pytest.raises(InputError, match="put there:") as caught:
        load_dataset(name, tmp_path)
    for word in (str(tmp_path), NOWHERE, *(file.name for file in dataset_info(name).files)):
        assert word in str(caught.value)


def test_a_collection_is_unpacked_and_the_archive_goes(monkeypatch):
    with serving({"/SMALL.zip": SMALL}) as server:
        _move(monkeypatch, "tu:SMALL", server.address)
        dataset = load_dataset("tu:SMALL")
        assert len(server.asked) == 1
    assert dataset.graph.num_graphs == 3
    assert dataset.name == "tu:SMALL"
    folder = cache_folder() / "tu"
    assert [path.name for path in folder.iterdir()] == ["SMALL"]
    assert {path.name for path in (folder / "SMALL").iterdir()} == {f"SMALL_{part}.txt" for part in FILES}
    _move(monkeypatch, "tu:SMALL", NOWHERE)
    assert load_dataset("tu:SMALL").graph.num_graphs == 3


def test_an_archive_that_is_there_is_unpacked_and_kept(tmp_path):
    (tmp_path / "SMALL.zip").write_bytes(SMALL)
    assert load_dataset("tu:SMALL", tmp_path).graph.num_graphs == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SMALL", "SMALL.zip"]


def test_an_archive_writes_nowhere_else(tmp_path):
    inside = tmp_path / "in"
    inside.mkdir()
    evil = {"../SMALL_A.txt": "1, 1\n", "/tmp/SMALL_graph_indicator.txt": "1\n", "../../outside.txt": "x"}
    (inside / "SMALL.zip").write_bytes(_zip(**evil, **{"SMALL_graph_labels.txt": "1\n"}))
    tu.unpack(inside / "SMALL.zip", inside / "SMALL")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
    assert sorted(path.name for path in inside.iterdir()) == ["SMALL", "SMALL.zip"]
    names = {"SMALL_A.txt", "SMALL_graph_indicator.txt", "SMALL_graph_labels.txt"}
    assert {path.name for path in (inside / "SMALL").iterdir()} == names


@pytest.mark.parametrize("content", [b"", b"no archive", SMALL[:200], _zip(other="x")])
def test_a_broken_archive_is_refused(tmp_path, content):
    (tmp_path / "SMALL.zip").write_bytes(content)
    with pytest.raises(InputError, match=r"SMALL\.zip"):
        load_dataset("tu:SMALL", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["SMALL.zip"]
