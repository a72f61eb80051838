"""The one-file text format: the real files read line by line as its description says, and small ones that are wrong."""

import pytest
import torch

from grapevine.data.readers.gin_text import FOLDS, read_gin_text, write_gin_text
from grapevine.errors import InputError
from tests.data.files import SHARED, needs

SMALL = "2\n3 5\n7 2 1 2\n3 1 0\n7 1 0\n2 -1\n9 1 1\n3 1 0\n"
PUBLISHED = {"MUTAG": (188, 2, 7, 17.9), "PROTEINS": (1113, 2, 3, 39.1)}  # graphs, classes, tags, mean size; Xu et al.


@pytest.mark.parametrize("name", PUBLISHED)
@needs("tu")
def test_a_published_collection_with_its_folds(name):
    dataset = read_gin_text(SHARED / "tu" / name)
    graph = dataset.graph
    num_graphs, num_classes, num_tags, mean_size = PUBLISHED[name]
    assert graph.num_graphs == num_graphs
    assert len(dataset.class_names) == num_classes == len(graph.y.unique())
    assert graph.x.shape[1] == num_tags
    assert round(graph.num_nodes / num_graphs, 1) == mean_size
    assert bool((graph.x.sum(1) == 1).all())
    assert graph.adj.is_symmetric()
    assert len(dataset.splits) == 10
    tested = sum(split.test.long() for split in dataset.splits)
    assert int(tested.max()) == 1
    assert int(tested.sum()) == num_graphs // 10 * 10  # the published folds leave the remainder out of every test part
    for split in dataset.splits:
        assert torch.equal(split.train, ~split.test)
        assert not split.val.any()


@needs("tu")
def test_the_lines_say_what_was_read():
    lines = iter((SHARED / "tu" / "MUTAG" / "MUTAG.txt").read_text().splitlines())
    dataset = read_gin_text(SHARED / "tu" / "MUTAG")
    columns = {}
    assert int(next(lines)) == dataset.graph.num_graphs
    for k, graph in enumerate(dataset.graph.unbatch()):
        size, label = next(lines).split()
        assert graph.num_nodes == int(size)
        assert dataset.class_names[int(graph.y)] == label
        pairs = set()
        for i in range(int(size)):
            tag, _, *near = next(lines).split()
            assert int(graph.x[i].argmax()) == columns.setdefault(tag, len(columns)), (k, i)
            pairs |= {(i, int(j)) for j in near}
        assert set(map(tuple, graph.adj.edge_index.T.tolist())) == pairs


def test_tags_take_columns_as_they_appear(tmp_path):
    (tmp_path / "S.txt").write_text(SMALL)
    dataset = read_gin_text(tmp_path / "S.txt")
    assert dataset.graph.x.argmax(1).tolist() == [0, 1, 0, 2, 1]
    assert dataset.graph.y.tolist() == [1, 0]
    assert dataset.class_names == ("-1", "5")
    assert dataset.splits == ()


def test_attributes_come_before_tags_and_edges_run_both_ways(tmp_path):
    (tmp_path / "S.txt").write_text("1\n3 0\n4 2 1 0 0.5 1\n4 0 2.5 2\n6 1 1 3.5 3\n")
    graph = read_gin_text(tmp_path / "S.txt").graph
    assert graph.x.tolist() == [[0.5, 1, 1, 0], [2.5, 2, 1, 0], [3.5, 3, 0, 1]]
    assert sorted(map(tuple, graph.adj.edge_index.T.tolist())) == [(0, 1), (1, 0), (1, 2), (2, 1)]


@needs("tu")
def test_what_is_written_is_read(tmp_path):
    first = read_gin_text(SHARED / "tu" / "MUTAG")
    write_gin_text(first, tmp_path / "MUTAG" / "MUTAG.txt")
    again = read_gin_text(tmp_path / "MUTAG")
    for name in ("x", "y", "ptr"):
        assert torch.equal(getattr(first.graph, name), getattr(again.graph, name))
    assert torch.equal(first.graph.adj.edge_index, again.graph.adj.edge_index)
    assert [split.test.tolist() for split in first.splits] == [split.test.tolist() for split in again.splits]
    assert first.class_names == again.class_names


def test_attributes_are_written_too(tmp_path):
    (tmp_path / "S.txt").write_text("1\n2 0\n0 1 1 0.5\n0 1 0 -3\n")
    first = read_gin_text(tmp_path / "S.txt")
    write_gin_text(first, tmp_path / "T.txt")
    assert read_gin_text(tmp_path / "T.txt").graph.x[:, :2].tolist() == first.graph.x.tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected the number of graphs"),
        ("one\n", "must hold numbers"),
        ("2 3\n", "line 1: expected the number of graphs"),
        (SMALL[:-6], "ends within graph 1 of 2: it is cut short"),
        ("3" + SMALL[1:], "ends before graph 2 of 3"),
        ("1" + SMALL[1:], "line 6: there is more than the 1 graphs"),
        (SMALL.replace("3 5", "3 5 1"), "line 2: expected the number of nodes and the label"),
        (SMALL.replace("3 5", "3.5 5"), r"line 2: 3\.5 is no number of nodes"),
        (SMALL.replace("7 2 1 2", "7 3 1 2"), "line 3: it has fewer neighbours than it says"),
        (SMALL.replace("7 2 1 2", "7 2 1 3"), "line 3: a neighbour is no node of the graph"),
        (SMALL.replace("7 2 1 2", "7 2 1 -1"), "line 3: a neighbour is no node of the graph"),
        (SMALL.replace("7 1 0\n", "7 1 0 5\n"), "line 5: expected .0. attributes"),
        (SMALL.replace("7 1 0\n", "7\n"), "line 5: expected a tag"),
    ],
)
def test_a_wrong_file_is_refused_with_the_line(tmp_path, text, message):
    (tmp_path / "S.txt").write_text(text)
    with pytest.raises(InputError, match=rf"S\.txt.*{message}"):
        read_gin_text(tmp_path / "S.txt")


def test_wrong_folds_are_refused(tmp_path):
    (tmp_path / "S.txt").write_text(SMALL)
    folder = tmp_path / FOLDS
    folder.mkdir()
    (folder / "train_idx-1.txt").write_text("0\n")
    with pytest.raises(InputError, match="have only one of the two files"):
        read_gin_text(tmp_path / "S.txt")
    (folder / "test_idx-1.txt").write_text("2\n")
    with pytest.raises(InputError, match=r"test_idx-1\.txt must name graphs in 0 \.\. 1"):
        read_gin_text(tmp_path / "S.txt")
    (folder / "test_idx-1.txt").write_text("0\n")
    with pytest.raises(InputError, match="1 graphs of fold 1"):
        read_gin_text(tmp_path / "S.txt")
    with pytest.raises(InputError, match="there is no file"):
        read_gin_text(tmp_path / "T.txt")
