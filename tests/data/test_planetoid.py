"""The Planetoid data sets, from real files, from small ones and over a network that fails."""

import http.server
import pickle
import threading
from functools import partial

import numpy as np
import pytest

from grapevine.data.datasets import load_dataset, planetoid
from grapevine.data.readers.planetoid import file_names, read_planetoid
from grapevine.errors import InputError
from tests.data.cases import CORA, GRAPH, NUM_KNOWN, NUM_TRAIN, TEST, needs_cora, write_planetoid


@needs_cora
def test_cora_is_as_published():
    graph = load_dataset("cora", CORA)
    assert (graph.num_nodes, graph.num_edges, graph.x.shape) == (2708, 2 * 5278, (2708, 1433))
    assert graph.adj.is_symmetric()
    assert not (graph.adj.src == graph.adj.dst).any()
    assert len(graph.adj.edge_index.unique(dim=1).T) == graph.num_edges
    assert [int(mask.sum()) for mask in (graph.train_mask, graph.val_mask, graph.test_mask)] == [140, 500, 1000]
    assert graph.y[graph.train_mask].bincount().tolist() == [20] * 7
    assert graph.x.pattern.num_entries == 49216
    np.testing.assert_allclose(graph.x.to_scipy().sum(1), 1, rtol=1e-6)


@needs_cora
def test_the_checksums_are_those_of_the_files(tmp_path, monkeypatch):
    monkeypatch.setattr(planetoid, "ADDRESS", CORA.as_uri())
    assert load_dataset("cora", tmp_path).num_edges == 2 * 5278
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(file_names("cora"))


@pytest.mark.parametrize("protocol", [2, 4])
def test_test_nodes_and_nodes_left_out_stand_where_they_should(tmp_path, protocol):
    parts = write_planetoid(tmp_path, protocol=protocol)
    graph = read_planetoid(tmp_path, "citeseer")
    expected, classes = np.zeros((13, 6), np.float32), np.full(13, -1)
    expected[:NUM_KNOWN], classes[:NUM_KNOWN] = parts["allx"].toarray(), parts["ally"].argmax(1)
    for k, node in enumerate(TEST):
        expected[node], classes[node] = parts["tx"].toarray()[k], parts["ty"][k].argmax()
    expected /= np.maximum(expected.sum(1, keepdims=True), 1)
    np.testing.assert_allclose(graph.x.to_dense(), expected, rtol=1e-6)
    assert graph.y.tolist() == classes.tolist()
    assert graph.train_mask.nonzero().flatten().tolist() == list(range(NUM_TRAIN))
    assert graph.val_mask.nonzero().flatten().tolist() == list(range(NUM_TRAIN, NUM_KNOWN))
    assert graph.test_mask.nonzero().flatten().tolist() == sorted(TEST)


def test_edges_run_both_ways_once_and_never_to_oneself(tmp_path):
    write_planetoid(tmp_path)
    edges = read_planetoid(tmp_path, "citeseer").adj.edge_index
    expected = {(i, j) for i, nodes in GRAPH.items() for j in nodes if i != j}
    assert sorted(map(tuple, edges.T.tolist())) == sorted(expected | {(j, i) for i, j in expected})


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("y", np.eye(3)),
        ("tx", np.eye(3)),
        ("ty", np.eye(3)),
        ("allx", {}),
        ("graph", {0: [99]}),
        ("graph", {0: ["one"]}),
        ("graph", {-1: [0]}),
        ("graph", np.eye(3)),
    ],
)
def test_parts_that_do_not_fit_are_refused(tmp_path, part, content):
    write_planetoid(tmp_path)
    (tmp_path / f"ind.citeseer.{part}").write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(InputError, match=rf"ind\.citeseer\.{part} "):
        read_planetoid(tmp_path, "citeseer")


@pytest.mark.parametrize("text", ["10\n8\n", "10\n8\n8\n", "10\n8\n3\n", "ten\n", "", "10\n8\n12.5\n"])
def test_a_wrong_test_index_is_refused(tmp_path, text):
    write_planetoid(tmp_path)
    (tmp_path / "ind.citeseer.test.index").write_text(text)
    with pytest.raises(InputError, match=r"ind\.citeseer\.test\.index"):
        read_planetoid(tmp_path, "citeseer")


def test_files_that_are_there_are_read_and_nothing_is_written(tmp_path, monkeypatch):
    write_planetoid(tmp_path, "pubmed")
    monkeypatch.setattr(planetoid, "download", None)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert load_dataset("pubmed", tmp_path).num_nodes == 13
    assert before == {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}


def test_only_missing_files_are_downloaded(tmp_path, monkeypatch):
    there, here = tmp_path / "there", tmp_path / "cache" / "grapevine" / "planetoid"
    there.mkdir()
    here.mkdir(parents=True)
    write_planetoid(there, "pubmed")
    write_planetoid(here, "pubmed")
    (here / "ind.pubmed.tx").unlink()
    monkeypatch.setattr(planetoid, "ADDRESS", there.as_uri())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    told = []
    assert load_dataset("pubmed", on_progress=lambda *what: told.append(what)).num_nodes == 13
    size = (here / "ind.pubmed.tx").stat().st_size
    assert told == [("downloading ind.pubmed.tx", size, size)]


def test_a_wrong_download_is_refused_and_leaves_nothing(tmp_path, monkeypatch):
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    write_planetoid(there, "cora")
    monkeypatch.setattr(planetoid, "ADDRESS", there.as_uri())
    with pytest.raises(InputError, match="not the file that was published"):
        load_dataset("cora", here)
    assert list(here.iterdir()) == []


def test_without_a_network_the_files_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(planetoid, "ADDRESS", "http://127.0.0.1:9/data")
    with pytest.raises(InputError, match="put them there") as caught:
        load_dataset("cora", tmp_path / "absent")
    assert all(name in str(caught.value) for name in file_names("cora"))
    assert not (tmp_path / "absent").exists()


class _ShortAnswer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"short")

    def log_message(self, *arguments):
        """Quietly."""


def test_a_download_cut_short_is_refused(tmp_path, monkeypatch):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _ShortAnswer)
    threading.Thread(target=partial(server.serve_forever, 0.01), daemon=True).start()
    monkeypatch.setattr(planetoid, "ADDRESS", f"http://127.0.0.1:{server.server_port}")
    try:
        with pytest.raises(InputError, match=r"ended after 5 of 1000 bytes|IncompleteRead"):
            load_dataset("pubmed", tmp_path)
    finally:
        server.shutdown()
        server.server_close()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_set_and_a_needless_root_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"no data set 'core'; there are digits, cora, citeseer, pubmed"):
        load_dataset("core")
    with pytest.raises(InputError, match="digits comes with scikit-learn"):
        load_dataset("digits", tmp_path)
