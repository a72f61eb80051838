"""A graph written as tables comes back as it was, whatever kind of file."""

import gzip

import numpy as np
import pandas
import polars as pl
import pytest
import torch

from grapevine import Graph
from grapevine.data.tables import Identifiers, TableSpec, read_table, tables_to_graph, write_table, write_tables
from grapevine.data.tables.write import TableWriter, read_written
from grapevine.errors import InputError

SUFFIXES = [".csv", ".csv.gz", ".tsv", ".jsonl", ".ndjson.gz", ".parquet", ".arrow", ".feather"]


def _graph(*, directed):
    edges = [[0, 1, 3], [1, 2, 3]] if directed else [[0, 1, 1, 2, 3], [1, 0, 2, 1, 3]]
    weights = [0.1, 2.0, 3.5] if directed else [0.1, 0.1, 2.0, 2.0, 3.5]
    x = torch.tensor([[0.1, 7.0], [1 / 3, -2.0], [5.0, 1e-7], [2.5, 3.0]])
    return Graph(edges, x=x, y=torch.tensor([0, 1, -1, 1]), edge_weight=torch.tensor(weights))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("directed", [True, False])
def test_a_graph_comes_back(tmp_path, suffix, directed):
    graph, ids = _graph(directed=directed), Identifiers(["ann", "b,ob", "0x7", "zo\u00eb"])
    nodes, edges = tmp_path / f"nodes{suffix}", tmp_path / f"edges{suffix}"
    write_tables(graph, nodes, edges, ids=ids, names={"x": ["height", "depth"]})
    assert read_table(edges).frame.height == 3
    made = tables_to_graph(nodes, edges, TableSpec(directed=directed))
    assert made.ids.names.to_list() == ids.names.to_list()
    assert torch.equal(made.graph.adj.edge_index, graph.adj.edge_index)
    assert torch.equal(made.graph.edge_weight, graph.edge_weight)
    assert torch.equal(made.graph.y, graph.y)
    frame = read_table(nodes).frame.select(pl.col("height", "depth").cast(pl.Float32))
    np.testing.assert_array_equal(frame.to_numpy(), graph.x.numpy())
    scaled = (graph.x - graph.x.mean(0)) / graph.x.std(0, correction=0)
    torch.testing.assert_close(made.graph.x, scaled)


def test_other_programs_read_what_is_written(tmp_path):
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", "y,z"]})
    for suffix, read in [
        (".csv.gz", pandas.read_csv),
        (".parquet", pandas.read_parquet),
        (".feather", pandas.read_feather),
    ]:
        write_table(frame, tmp_path / f"t{suffix}")
        assert read(tmp_path / f"t{suffix}").to_dict("list") == frame.to_dict(as_series=False)
    write_table(frame, tmp_path / "t.jsonl.gz")
    assert len(gzip.decompress((tmp_path / "t.jsonl.gz").read_bytes()).splitlines()) == 2


def test_wrong_names_and_files_are_refused(tmp_path):
    graph = _graph(directed=True)
    for options, message in [
        ({"ids": Identifiers(["a"])}, "each of the 4 nodes, got 1"),
        ({"names": {"x": ["a"]}}, "2 columns, got 1 names"),
        ({"names": {"x": ["id", "a"]}}, "would be called 'id'"),
    ]:
        with pytest.raises(InputError, match=message):
            write_tables(graph, tmp_path / "n.csv", tmp_path / "e.csv", **options)
    with pytest.raises(InputError, match="must end in one of"):
        write_tables(graph, tmp_path / "n.xls", tmp_path / "e.csv")
    with pytest.raises(InputError, match="can not write"):
        write_table(pl.DataFrame({"a": [1]}), tmp_path / "absent" / "n.csv")


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.csv.gz", "a.jsonl", "a.jsonl.gz", "a.parquet", "a.arrow"])
def test_parts_make_the_file_that_the_whole_makes(tmp_path, name):
    frame = pl.DataFrame({"id": ["a", "b, c", None, "d"], "value": [0.5, None, 1.5, -2.0]})
    with TableWriter(tmp_path / name) as writer:
        for part in (frame[:1], frame[1:3], frame[3:]):
            writer.append(part)
    assert writer.num_rows == 4
    assert read_written(tmp_path / name).equals(frame)
    write_table(frame, tmp_path / f"whole-{name}")
    assert read_written(tmp_path / f"whole-{name}").equals(frame)


def test_a_part_of_a_file_that_can_not_be_written_is_refused(tmp_path):
    with pytest.raises(InputError, match="can not write"), TableWriter(tmp_path / "absent" / "a.csv"):
        pass
    with pytest.raises(InputError, match="xlsx"):
        TableWriter(tmp_path / "a.xlsx")
