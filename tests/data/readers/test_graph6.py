"""graph6: against NetworkX's writer, the pairs of BREC, and codes that are none."""

import networkx
import pytest

from grapevine.data.readers.graph6 import read_graph6
from grapevine.errors import InputError
from grapevine.graph import to_networkx
from tests.data.files import SHARED, needs


def test_what_networkx_writes_is_read(tmp_path):
    network = networkx.gnp_random_graph(70, 0.1, seed=0)
    path = tmp_path / "graph.g6"
    networkx.write_graph6(network, path)
    ((graph,),) = read_graph6(path)
    assert networkx.utils.graphs_equal(networkx.Graph(to_networkx(graph).edges), networkx.Graph(network.edges))
    assert graph.num_nodes == 70


@needs("expressiveness")
@pytest.mark.parametrize(("kind", "count"), [("basic", 60), ("regular", 50), ("strongly_regular", 50)])
def test_the_pairs_of_brec(kind, count):
    pairs = read_graph6(SHARED / "expressiveness" / f"brec_{kind}_pairs.txt")
    assert len(pairs) == count
    for first, second in pairs:
        assert (first.num_nodes, first.num_edges) == (second.num_nodes, second.num_edges)
        assert first.adj.is_symmetric()


def test_codes_that_are_none_are_named(tmp_path):
    path = tmp_path / "bad.txt"
    path.write_text("Bw\n\nB\x1f\n")
    with pytest.raises(InputError, match=r"line 3: .* is no graph6 code"):
        read_graph6(path)
    path.write_text("Zw")
    with pytest.raises(InputError, match="line 1"):
        read_graph6(path)
    with pytest.raises(InputError, match="no file"):
        read_graph6(tmp_path / "nothing")
