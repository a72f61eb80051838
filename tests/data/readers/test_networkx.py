"""GraphML and GEXF: networks that NetworkX wrote, and files that are wrong."""

import networkx
import pytest
import torch

from grapevine.data.readers.networkx import read_network, write_network
from grapevine.errors import InputError

WRITE = {".graphml": networkx.write_graphml, ".gexf": networkx.write_gexf}


def club() -> networkx.Graph:
    network = networkx.karate_club_graph()
    for i in network:
        network.nodes[i].update(age=20 + i, is_new=i % 2 == 0, note=f"member {i}")
    return networkx.relabel_nodes(network, {i: f"m{i}" for i in network})


@pytest.mark.parametrize("suffix", WRITE)
def test_a_network_with_features_weights_and_a_target(tmp_path, suffix):
    network, path = club(), tmp_path / f"club{suffix}"
    WRITE[suffix](network, path)
    dataset = read_network(path, target="club")
    graph = dataset.graph
    assert dataset.ids.tolist() == list(network)
    assert dataset.class_names == ("Mr. Hi", "Officer")
    assert [dataset.class_names[y] for y in graph.y] == [side for _, side in network.nodes(data="club")]
    assert graph.x.tolist() == [[20.0 + i, float(i % 2 == 0)] for i in range(34)]
    assert dataset.about["features"] == ["age", "is_new"]
    assert "note" in dataset.about["left_out"]
    held = {(int(u), int(v)): w for (u, v), w in zip(graph.adj.edge_index.T, graph.edge_weight.tolist(), strict=True)}
    for u, v, weight in network.edges(data="weight"):
        i, j = int(u[1:]), int(v[1:])
        assert held[i, j] == held[j, i] == weight
    assert graph.num_edges == 2 * network.number_of_edges()


@pytest.mark.parametrize("suffix", WRITE)
@pytest.mark.parametrize("is_directed", [True, False])
def test_what_is_written_is_read(tmp_path, suffix, is_directed):
    network = club()
    if is_directed:
        network = networkx.DiGraph([(u, v, data) for u, v, data in network.edges(data=True)])
        network.add_nodes_from(club().nodes(data=True))
        network.add_edge("m33", "m0", weight=2)
    path, copy = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    WRITE[suffix](network, path)
    first = read_network(path, target="club")
    write_network(first, copy, target="club")
    again = read_network(copy, target="club")
    for name in ("x", "y", "edge_weight"):
        assert torch.equal(getattr(first.graph, name), getattr(again.graph, name))
    assert torch.equal(first.graph.adj.edge_index, again.graph.adj.edge_index)
    assert (first.ids.tolist(), first.class_names) == (again.ids.tolist(), again.class_names)
    assert {".graphml": networkx.read_graphml, ".gexf": networkx.read_gexf}[suffix](copy).is_directed() == is_directed


def test_repeated_edges_are_written_apart(tmp_path):
    network = networkx.MultiDiGraph(
        [("a", "b", {"weight": 1.5}), ("a", "b", {"weight": 2.5}), ("b", "a", {"weight": 3})]
    )
    networkx.write_graphml(network, tmp_path / "a.graphml")
    first = read_network(tmp_path / "a.graphml")
    write_network(first, tmp_path / "b.graphml")
    assert (
        read_network(tmp_path / "b.graphml").graph.edge_weight.tolist()
        == first.graph.edge_weight.tolist()
        == [3, 1.5, 2.5]
    )


def test_numbers_as_the_target_and_nodes_without_it(tmp_path):
    network = networkx.path_graph(3)
    networkx.set_node_attributes(network, {0: 1.5, 2: -1.0}, "size")
    networkx.set_node_attributes(network, {0: 7, 1: 3}, "kind")
    networkx.set_edge_attributes(network, {(0, 1): 2, (1, 2): 4}, "length")
    networkx.write_graphml(network, tmp_path / "a.graphml")
    sizes = read_network(tmp_path / "a.graphml", target="size")
    assert torch.equal(sizes.graph.y.isnan(), torch.tensor([False, True, False]))
    assert sizes.class_names is None
    assert sizes.graph.edge_attr.flatten().tolist() == [2, 2, 4, 4]
    kinds = read_network(tmp_path / "a.graphml", target="kind")
    assert (kinds.graph.y.tolist(), kinds.class_names) == ([1, 0, -1], ("3", "7"))
    with pytest.raises(InputError, match=r"a\.graphml: node '2' has no attribute 'kind'"):
        read_network(tmp_path / "a.graphml", node=["kind"])
    with pytest.raises(InputError, match="no node has the attribute 'other'; they have kind, size"):
        read_network(tmp_path / "a.graphml", target="other")


def test_files_that_are_wrong_are_refused(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_network(tmp_path / "a.graphml")
    with pytest.raises(InputError, match=r"must end with \.graphml or \.gexf"):
        read_network(tmp_path / "a.xml")
    networkx.write_graphml(club(), tmp_path / "a.graphml")
    text = (tmp_path / "a.graphml").read_text()
    for wrong, message in (
        (text[: len(text) // 2], r"a\.graphml, line \d+: it is no proper XML, or cut short"),
        ("<html/>", r"a\.graphml"),
        ("", r"a\.graphml, line 1"),
        (text.replace(">20<", ">twenty<"), r"a\.graphml"),
    ):
        (tmp_path / "a.graphml").write_text(wrong)
        with pytest.raises(InputError, match=message):
            read_network(tmp_path / "a.graphml")
    networkx.write_gexf(networkx.Graph(), tmp_path / "b.gexf")
    with pytest.raises(InputError, match="has no nodes"):
        read_network(tmp_path / "b.gexf")
