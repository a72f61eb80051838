"""Where data comes from: each kind of source is read by its reader, and what is no source is one clear error."""

import sqlite3

import pytest
import torch

from grapevine.data.datasets import load_dataset
from grapevine.data.molecules.spec import MoleculeSpec
from grapevine.data.readers.gin_text import write_gin_text
from grapevine.data.readers.heterophilous_npz import write_heterophilous
from grapevine.data.readers.networkx import write_network
from grapevine.data.readers.tu import write_tu
from grapevine.data.tables import TableSpec, write_tables
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.recipes.source import Source, load, source_of


def collection():
    edges = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    graphs = [Graph(edges, x=torch.eye(3), graph={"y": torch.tensor([k % 2])}) for k in range(6)]
    from grapevine.data.dataset import Dataset

    return Dataset("toys", Graph.batch(graphs), "graph", class_names=("0", "1"))


def test_files_and_folders_of_graphs_are_recognised(tmp_path):
    karate = load_dataset("karate")
    write_network(karate, tmp_path / "club.graphml")
    write_heterophilous(karate, tmp_path / "club.npz")
    write_tu(collection(), tmp_path / "toys")
    (tmp_path / "gin").mkdir()
    write_gin_text(collection(), tmp_path / "gin" / "gin.txt")
    assert load(Source(path=str(tmp_path / "club.npz"))).dataset.graph.num_nodes == 34
    named = load(Source(path=str(tmp_path / "club.graphml"), table=TableSpec(target=("y",)))).dataset
    assert torch.equal(named.graph.y, karate.graph.y)
    for name in ("toys", "gin"):
        dataset = load(Source(path=str(tmp_path / name))).dataset
        assert (dataset.name, dataset.level, dataset.graph.num_graphs) == (name, "graph", 6)


def test_tables_and_queries_give_the_same_graph(tmp_path):
    karate = load_dataset("karate").graph
    write_tables(karate, tmp_path / "n.csv", tmp_path / "e.csv")
    tables = load(Source(nodes=str(tmp_path / "n.csv"), edges=str(tmp_path / "e.csv"), table=TableSpec(target=("y",))))
    assert tables.dataset.graph.num_edges == karate.num_edges
    assert tables.encoders is not None
    database = tmp_path / "club.db"
    with sqlite3.connect(database) as connection:
        connection.execute("create table e (src int, dst int)")
        pairs = karate.adj.edge_index.T.tolist()
        connection.executemany("insert into e values (?, ?)", pairs)
    source = Source(sql=f"sqlite:///{database}", edges_query="select * from e", table=TableSpec(level="link"))
    assert load(source).dataset.graph.num_edges == karate.num_edges


def test_a_name_is_a_path_if_there_is_one(tmp_path):
    assert source_of("cora", "somewhere") == Source(dataset="cora", root="somewhere")
    assert source_of(str(tmp_path)).path == str(tmp_path)
    with pytest.raises(InputError, match="there is no file or folder"):
        source_of(str(tmp_path / "nothing.npz"))
    table = tmp_path / "edges.csv"
    table.write_text("src,dst\n1,2\n")
    with pytest.raises(InputError, match="say --smiles COLUMN for molecules, or --edges"):
        source_of(str(table))
    molecules = tmp_path / "solubility.csv"
    molecules.write_text("name,SMILES\nethanol,CCO\n")
    assert source_of(str(molecules)).molecules == MoleculeSpec()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Source(), "say where the data is"),
        (Source(dataset="cora", path="x"), "say where the data is"),
        (Source(nodes="n.csv"), "say where the data is"),
        (Source(dataset="karate", nodes="n.csv"), "a table of nodes needs a table of edges"),
        (Source(path="/nowhere"), "there is no file or folder"),
        (Source(sql="sqlite:///x.db"), "--sql needs --edges-query"),
        (Source(dataset="coar"), "did you mean cora"),
    ],
)
def test_what_is_no_source_is_refused(source, message):
    with pytest.raises(InputError, match=message):
        load(source)


def test_a_folder_that_holds_nothing_known(tmp_path):
    with pytest.raises(InputError, match="no graphs in a format that is known"):
        load(Source(path=str(tmp_path)))
    (tmp_path / "x.npz").write_bytes(b"not an archive")
    with pytest.raises(InputError, match="no npz archive"):
        load(Source(path=str(tmp_path / "x.npz")))
