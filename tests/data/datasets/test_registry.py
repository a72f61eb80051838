"""The registry: what it says is so where the publishers' files are, and sets are found, kept and made anew."""

import os
import shutil
import warnings
from dataclasses import replace

import networkx
import pytest
import torch

from grapevine.data import datasets
from grapevine.data.datasets import DATASETS, dataset_info, dataset_names, load_dataset, processed
from grapevine.data.datasets.fetch import cache_folder
from grapevine.errors import InputError
from tests.data.cases import write_planetoid
from tests.data.files import SHARED, needs
from tests.data.test_store import assert_equal

HERE = {
    "digits": None, "karate": None, "molecules": None, "molecules:gap": None, "cora": "planetoid",
    "amazon-photo": "npz", "csl": None, "exp": "expressiveness",
    "minesweeper": "heterophilous", "texas": "heterophilous", "tu:ENZYMES": "tu_raw",
    "tu:MUTAG": "tu", "tu:PROTEINS": "tu",
}  # fmt: skip


@pytest.mark.parametrize("name", HERE)
@needs("")
def test_a_set_is_as_its_facts_say(name):
    info = dataset_info(name)
    for root in [None] if HERE[name] is None else [SHARED, SHARED / HERE[name]]:
        dataset = load_dataset(name, root)
        graph = dataset.graph
        assert (graph.num_nodes, graph.num_edges, graph.num_graphs) == (
            info.num_nodes,
            2 * info.num_edges,
            info.num_graphs,
        )
        assert info.num_features is None or info.num_features == graph.x.shape[1]
        assert info.num_classes is None or len(graph.y[graph.y >= 0].unique()) == info.num_classes
        assert (dataset.name, dataset.level, dataset.metric) == (name, info.level, info.metric)
        assert dataset.about["citation"] == info.citation
        assert graph.adj.is_symmetric()


def test_the_registry_is_complete():
    assert tuple(DATASETS) == dataset_names()
    wanted = (
        "digits karate cora citeseer pubmed amazon-photo amazon-computers coauthor-cs coauthor-physics roman-empire "
    )
    wanted += "amazon-ratings minesweeper tolokers questions texas cornell wisconsin chameleon squirrel tu:MUTAG"
    assert set(wanted.split()) <= set(DATASETS)
    for name, info in DATASETS.items():
        assert info.name == name
        assert info.citation
        assert info.licence
        assert info.split
        assert all(file.address.startswith("https://") and file.address.endswith(file.name) for file in info.files)
        assert bool(info.files) == bool(info.folder) or name == "exp"
    assert dataset_info("tu:FRANKENSTEIN").files[0].address.endswith("/FRANKENSTEIN.zip")


@pytest.mark.parametrize("name", ["core", "tu:../../etc", "tu:", "tu:a/b", "Cora"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(InputError, match=r"no data set|no name of a set"):
        load_dataset(name)


def test_a_name_that_is_nearly_right_is_guessed():
    with pytest.raises(InputError, match="did you mean amazon-photo"):
        dataset_info("amazon_photo")


def test_an_embedded_set_has_no_folder(tmp_path):
    for name in ("digits", "karate"):
        with pytest.raises(InputError, match=f"{name} comes with the program"):
            load_dataset(name, tmp_path)


def test_the_karate_club_is_that_of_networkx():
    club, dataset = networkx.karate_club_graph(), load_dataset("karate")
    assert set(map(tuple, dataset.graph.adj.edge_index.T.tolist())) == {
        arc for u, v in club.edges for arc in ((u, v), (v, u))
    }
    assert [dataset.class_names[y] for y in dataset.graph.y] == [side for _, side in club.nodes(data="club")]
    (split,) = dataset.splits
    assert split.train.nonzero().flatten().tolist() == [0, 33]
    assert dataset.graph.y[split.train].tolist() == [0, 1]
    assert bool((split.train | split.val | split.test).all())


def _counted(monkeypatch):
    """Every time the files themselves are read."""
    read, calls = datasets.planetoid.read, []
    monkeypatch.setattr(datasets.planetoid, "read", lambda info, files: calls.append(info.name) or read(info, files))
    return calls


def test_the_second_load_reads_what_was_kept_and_is_equal(tmp_path, monkeypatch):
    write_planetoid(tmp_path, "pubmed")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    calls = _counted(monkeypatch)
    first, again = load_dataset("pubmed", tmp_path), load_dataset("pubmed", tmp_path)
    assert calls == ["pubmed"]
    assert_equal(first, again)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before  # nothing is put beside the files
    assert [path.suffix for path in (cache_folder() / "processed").iterdir()] == [".safetensors"]


def test_changed_files_and_a_new_format_are_read_anew(tmp_path, monkeypatch):
    write_planetoid(tmp_path, "pubmed")
    calls = _counted(monkeypatch)
    load_dataset("pubmed", tmp_path)
    os.utime(tmp_path / "ind.pubmed.x", ns=(1, 1))
    load_dataset("pubmed", tmp_path)
    assert len(calls) == 2
    monkeypatch.setattr(processed, "FORMAT", processed.FORMAT + 1)
    load_dataset("pubmed", tmp_path)
    assert len(calls) == 3
    (kept,) = (cache_folder() / "processed").iterdir()
    kept.write_bytes(kept.read_bytes()[:-10])
    load_dataset("pubmed", tmp_path)
    assert len(calls) == 4
    shutil.copytree(tmp_path, tmp_path / "copy")
    load_dataset("pubmed", tmp_path / "copy")
    assert len(calls) == 5


def test_a_cache_that_can_not_be_written_is_a_warning(tmp_path, monkeypatch):
    write_planetoid(tmp_path, "pubmed")
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="can not be kept"):
        assert load_dataset("pubmed", tmp_path).graph.num_nodes == 13
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_dataset("pubmed", tmp_path)


def test_the_files_may_be_in_the_usual_sub_folder(tmp_path):
    (tmp_path / "planetoid").mkdir()
    write_planetoid(tmp_path / "planetoid", "citeseer")
    dataset = load_dataset("citeseer", tmp_path)
    assert torch.equal(dataset.splits[0].train, dataset.graph.train_mask)
    assert replace(dataset, name="x").about["licence"] == "MIT"
