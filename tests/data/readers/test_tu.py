"""The TU text files: the real ones as PyTorch Geometric reads them, and small ones that are wrong."""

import numpy as np
import pytest
import torch

from grapevine.data.readers.tu import read_tu, write_tu
from grapevine.errors import InputError
from tests.data.files import SHARED, needs

FILES = {
    "A": "1, 2\n2, 1\n4, 3\n3, 4\n5, 5\n",
    "graph_indicator": "1\n1\n2\n2\n3\n",
    "graph_labels": "5\n-1\n5\n",
    "node_labels": "7\n3\n3\n9\n7\n",
    "node_attributes": "0.5, 1\n1.5, 2\n2.5, 3\n3.5, 4\n4.5, 5\n",
    "edge_labels": "0\n0\n4\n4\n0\n",
    "edge_attributes": "1\n2\n3\n4\n5\n",
}


def write(folder, **changed):
    folder.mkdir(exist_ok=True)
    for part, text in (FILES | changed).items():
        if text is not None:
            (folder / f"{folder.name}_{part}.txt").write_text(text)
    return folder


@needs("tu_raw/ENZYMES")
def test_enzymes_is_as_another_library_reads_it():
    read_tu_data = pytest.importorskip("torch_geometric.io").read_tu_data
    dataset = read_tu(SHARED / "tu_raw" / "ENZYMES")
    other, slices, _ = read_tu_data(str(SHARED / "tu_raw" / "ENZYMES"), "ENZYMES")
    graphs = dataset.graph.unbatch()
    assert len(graphs) == 600
    assert torch.equal(dataset.graph.x, other.x)
    assert torch.equal(dataset.graph.y, other.y)
    assert dataset.graph.x.shape == (19580, 21)
    assert dataset.class_names == tuple("123456")
    assert (dataset.level, dataset.metric) == ("graph", "accuracy")
    starts = slices["edge_index"].tolist()
    for k in (0, 17, 599):
        theirs = other.edge_index[:, starts[k] : starts[k + 1]].T.tolist()
        assert sorted(theirs) == sorted(graphs[k].adj.edge_index.T.tolist())


def test_attributes_come_before_labels_and_classes_are_in_order(tmp_path):
    dataset = read_tu(write(tmp_path / "SMALL"))
    graph = dataset.graph
    assert graph.num_graphs == 3
    assert graph.x.tolist() == [
        [0.5, 1, 0, 1, 0], [1.5, 2, 1, 0, 0], [2.5, 3, 1, 0, 0], [3.5, 4, 0, 0, 1], [4.5, 5, 0, 1, 0]
    ]  # fmt: skip
    assert graph.y.tolist() == [1, 0, 1]
    assert dataset.class_names == ("-1", "5")
    arcs = dict(zip(map(tuple, graph.adj.edge_index.T.tolist()), graph.edge_attr.tolist(), strict=True))
    expected = {(0, 1): [1, 1, 0], (1, 0): [2, 1, 0], (3, 2): [3, 0, 1], (2, 3): [4, 0, 1], (4, 4): [5, 1, 0]}
    assert arcs == expected
    assert [part.num_nodes for part in graph.unbatch()] == [2, 2, 1]


def test_nodes_in_any_order_are_put_by_graph(tmp_path):
    plain = read_tu(write(tmp_path / "SMALL"))
    turned = read_tu(
        write(
            tmp_path / "TURNED",
            A="5, 3\n3, 5\n4, 2\n2, 4\n1, 1\n",
            graph_indicator="3\n2\n1\n2\n1\n",
            node_labels="7\n3\n7\n9\n3\n",
            node_attributes="4.5, 5\n2.5, 3\n0.5, 1\n3.5, 4\n1.5, 2\n",
            edge_labels="0\n0\n4\n4\n0\n",
            edge_attributes="2\n1\n3\n4\n5\n",
        )
    )
    assert torch.equal(plain.graph.x, turned.graph.x)
    assert torch.equal(plain.graph.adj.edge_index, turned.graph.adj.edge_index)
    assert torch.equal(plain.graph.edge_attr, turned.graph.edge_attr)


def test_numbers_to_be_predicted_and_a_set_without_features(tmp_path):
    none = dict.fromkeys(["node_labels", "node_attributes", "edge_labels", "edge_attributes"])
    dataset = read_tu(write(tmp_path / "SMALL", graph_attributes="0.5\n-1\n2e3\n", **none))
    assert dataset.graph.y.tolist() == [0.5, -1, 2000]
    assert dataset.graph.label.tolist() == [1, 0, 1]
    assert dataset.class_names is None
    assert dataset.metric is None
    assert set(dataset.graph.levels) == {"y", "label"}
    several = read_tu(write(tmp_path / "MANY", graph_attributes="1, 2\n3, 4\n5, 6\n", graph_labels=None, **none))
    assert several.graph.y.tolist() == [[1, 2], [3, 4], [5, 6]]


@pytest.mark.parametrize("regression", [False, True])
def test_what_is_written_is_read(tmp_path, regression):
    first = read_tu(write(tmp_path / "SMALL", graph_attributes="0.1\n-1\n2e-3\n" if regression else None))
    write_tu(first, tmp_path / "COPY")
    again = read_tu(tmp_path / "COPY")
    for name in ("x", "y", "edge_attr", "ptr"):
        assert torch.equal(getattr(first.graph, name), getattr(again.graph, name))
    assert torch.equal(first.graph.adj.edge_index, again.graph.adj.edge_index)
    assert first.class_names == again.class_names


@pytest.mark.parametrize(
    ("part", "text", "message"),
    [
        ("A", None, "there is no file"),
        ("graph_indicator", None, "there is no file"),
        ("graph_labels", None, "there is no file"),
        ("A", "1, 2\n2, 6\n", r"line 2: edge \[2, 6\], expected nodes 1 \.\. 5"),
        ("A", "1, 2\n0, 1\n", "line 2: edge"),
        ("A", "1, 2\n2, 3\n", r"line 2: edge \[2, 3\] joins nodes of two graphs"),
        ("A", "1, 2\n2\n", "line 2: 1 fields, expected 2"),
        ("graph_indicator", "1\n1\n2\n2\n4\n", r"line 5: graph 4, expected 1 \.\. 3"),
        ("node_labels", "1\n2\n", "2 lines, expected 5"),
        ("node_attributes", "1\n2\n3\n4\nx\n", "line 5: 'x' is no number"),
        ("edge_labels", "1\n2\n", "2 lines, expected 5"),
        ("graph_labels", "1\n1.5\n2\n", r"line 2: '1\.5' is no whole number"),
    ],
)
def test_files_that_are_wrong_are_named(tmp_path, part, text, message):
    folder = write(tmp_path / "SMALL", **{part: text})
    with pytest.raises(InputError, match=rf"SMALL_{part}\.txt.*{message}|{message}.*SMALL_{part}\.txt"):
        read_tu(folder)


def test_a_million_lines_take_seconds(tmp_path):
    n = 200_000
    generator = np.random.default_rng(0)
    edges = generator.integers(0, 10, (1_000_000, 2)) + 10 * generator.integers(0, n // 10, (1_000_000, 1)) + 1
    none = dict.fromkeys(["node_labels", "node_attributes", "edge_labels", "edge_attributes"])
    text = {
        "graph_indicator": "\n".join(map(str, np.arange(n) // 10 + 1)),
        "graph_labels": "1\n" * (n // 10),
        "A": "\n".join(f"{i}, {j}" for i, j in edges.tolist()),
    }
    text = {
        "graph_indicator": "\n".join(map(str, np.arange(n) // 10 + 1)),
        "graph_labels": "1\n" * (n // 10),
        "A": "\n".join(f"{i}, {j}" for i, j in edges.tolist()),
    }
    folder = write(tmp_path / "BIG", **text, **none)
    graph = read_tu(folder).graph
    assert (graph.num_graphs, graph.num_edges) == (n // 10, 1_000_000)
    assert int(graph.adj.edge_index.sum()) == int((edges - 1).sum())
