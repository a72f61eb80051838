"""From two tables to a graph, against NetworkX; bad rows, new nodes and wrong input."""

import json

import networkx
import numpy as np
import pandas
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grapevine.data.tables import TableEncoders, TableSpec, tables_to_graph
from grapevine.errors import InputError

PEOPLE = pl.DataFrame({
    "id": ["ann", "bob", "eve", "zoe"], "age": [31, 47, 39, 20], "town": ["x", "y", "x", None],
    "label": ["u", "v", None, "u"],
})  # fmt: skip
KNOWS = pl.DataFrame({"source": ["ann", "eve", "zoe"], "target": ["bob", "bob", "zoe"], "since": [2.0, 4.0, 9.0]})


def _names(made):
    names = made.ids.names.to_list()
    return [(names[j], names[i]) for j, i in made.graph.adj.edge_index.T.tolist()]


def _link(**options):
    return TableSpec(level="link", **options)


def test_nodes_and_edges_stand_where_they_should():
    made = tables_to_graph(PEOPLE, KNOWS)
    assert made.level == "node"
    assert made.ids.names.to_list() == PEOPLE["id"].to_list()
    assert made.graph.y.tolist() == [0, 1, -1, 0]
    assert made.encoders.node_names == ["age", "town = x", "town = y", "town is missing"]
    assert sorted(_names(made)) == sorted(
        [("ann", "bob"), ("bob", "ann"), ("eve", "bob"), ("bob", "eve"), ("zoe", "zoe")]
    )
    since = (np.array([2.0, 4.0, 9.0]) - 5) / np.std([2.0, 4.0, 9.0])
    for (j, i), row, value in zip(_names(made), made.edge_rows.tolist(), made.graph.edge_attr, strict=True):
        assert {j, i} == {KNOWS["source"][row], KNOWS["target"][row]}
        np.testing.assert_allclose(value, since[[row]], rtol=1e-6)
    assert made.counts["self-loops"] == 1
    assert made.target is not None
    assert made.target.class_names == ("u", "v")
    assert len(made.rejects) == 0


_ENDS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=25)


@settings(max_examples=60, deadline=None)
@given(_ENDS, st.booleans(), st.booleans())
def test_edges_are_those_of_networkx(pairs, directed, are_strings):
    label = (lambda k: f"n{k}") if are_strings else (lambda k: 10 * k)
    nodes = pl.DataFrame({"id": [label(k) for k in range(7)]})
    edges = pl.DataFrame([(label(j), label(i)) for j, i in pairs], schema=["src", "dst"], orient="row")
    edges = edges.with_columns(pl.Series("weight", np.arange(len(pairs)) + 1.0))
    made = tables_to_graph(nodes, edges, _link(directed=directed))
    network = networkx.DiGraph() if directed else networkx.Graph()
    network.add_nodes_from(nodes["id"].to_list())
    for j, i, weight in edges.rows():
        if not network.has_edge(j, i):
            network.add_edge(j, i, weight=weight)
    expected = networkx.to_numpy_array(network)
    found = np.zeros((7, 7))
    np.add.at(found, (made.graph.adj.src.numpy(), made.graph.adj.dst.numpy()), made.graph.edge_weight.numpy())
    np.testing.assert_array_equal(found, expected)
    assert made.counts["repeated edges"] == len(pairs) - network.number_of_edges()
    assert made.counts["self-loops"] == networkx.number_of_selfloops(network)
    degrees = [network.in_degree(k) for k in network] if directed else [(found[k] > 0).sum() for k in range(7)]
    np.testing.assert_allclose(made.graph.x[:, 0], np.log1p(degrees), rtol=1e-6)


def test_names_match_across_types(tmp_path):
    pandas.DataFrame({"id": [7, 12, 30], "y": ["a", "b", "a"]}).to_csv(tmp_path / "nodes.csv", index=False)
    pandas.DataFrame({"from": [7, 30], "to": [12, 12]}).to_parquet(tmp_path / "edges.parquet")
    made = tables_to_graph(tmp_path / "nodes.csv", tmp_path / "edges.parquet")
    assert sorted(_names(made)) == sorted([("7", "12"), ("12", "7"), ("30", "12"), ("12", "30")])


def test_bad_rows_are_rejected_and_the_run_goes_on(tmp_path):
    nodes = "id,age,label\n" + "".join(f"n{k},{k},{'uv'[k % 2]}\n" for k in range(9))
    nodes += "n1,5,u\n,5,u\nn9,abc,u\nn10,1\n"
    (tmp_path / "nodes.csv").write_text(nodes)
    (tmp_path / "edges.csv").write_text("a,b,weight\nn0,n1,1\nn1,nope,1\nn2,n3,heavy\nn2,,1\nn9,n0,2\nn3,n4,0.5,7\n")
    made = tables_to_graph(tmp_path / "nodes.csv", tmp_path / "edges.csv", TableSpec(weight="weight"))
    assert (made.graph.num_nodes, made.graph.num_edges) == (9, 2)
    rejected = made.rejects.frame.sort("file", "line").select("file", "line", "reason").rows()
    assert rejected == [
        ("edges.csv", 3, "an edge to an unknown node"),
        ("edges.csv", 4, "no weight that can be read"),
        ("edges.csv", 5, "an edge without one of its ends"),
        ("edges.csv", 6, "an edge to an unknown node"),
        ("edges.csv", 7, "wrong number of fields"),
        ("nodes.csv", 11, "a duplicate identifier"),
        ("nodes.csv", 12, "a node without a name"),
        ("nodes.csv", 13, "an unreadable number"),
        ("nodes.csv", 14, "wrong number of fields"),
    ]
    made.rejects.write(tmp_path / "rejected.csv")
    assert len(pandas.read_csv(tmp_path / "rejected.csv")) == 9
    assert "nodes.csv, line 13: an unreadable number (age: abc): n9,abc,u" in made.rejects.first(9)


def test_an_unreadable_target_is_a_bad_row():
    nodes = pl.DataFrame({"id": list("abcd"), "y": ["0.5", "oops", "0.7", "0.9"]})
    made = tables_to_graph(nodes, pl.DataFrame({"u": ["a", "b"], "v": ["c", "c"]}))
    assert made.rejects.counts == {"an unreadable target": 1, "an edge to an unknown node": 1}
    np.testing.assert_allclose(made.graph.y, [0.5, 0.7, 0.9])


def test_without_a_table_of_nodes_the_edges_name_them():
    made = tables_to_graph(None, pl.DataFrame({"a": [7, 3], "b": [3, 100]}), _link())
    assert made.ids.names.sort().to_list() == [3, 7, 100]
    degree = dict(zip(made.ids.names, np.expm1(made.graph.x[:, 0].numpy()), strict=True))
    assert {name: round(float(d)) for name, d in degree.items()} == {7: 1, 3: 2, 100: 1}
    assert "the nodes have no features: x is log degree" in made.notes
    mixed = tables_to_graph(None, pl.DataFrame({"a": [7, 3], "b": ["3", "x"]}), _link())
    assert sorted(mixed.ids.names) == ["3", "7", "x"]


@pytest.mark.parametrize("directed", [True, False])
def test_answers_of_edges_go_with_their_edges(directed):
    edges = pl.DataFrame({
        "source": ["eve", "ann", "bob"], "target": ["ann", "bob", "eve"], "label": [0.25, None, 2.5],
        "split": ["test", "train", "val"],
    })  # fmt: skip
    made = tables_to_graph(PEOPLE.drop("label"), edges, TableSpec(directed=directed))
    assert made.level == "edge"
    row_of = {frozenset(ends[:2]): ends for ends in edges.rows()}
    for k, ends in enumerate(_names(made)):
        _, _, label, part = row_of[frozenset(ends)]
        assert made.graph.y[k].isnan() if label is None else made.graph.y[k] == label
        assert [p for p in ("train", "val", "test") if getattr(made.split, p)[k]] == [part]
    assert made.graph.num_edges == (3 if directed else 6)
    assert made.graph.levels["y"] == "edge"


def test_times_and_splits_of_nodes():
    nodes = PEOPLE.with_columns(
        pl.Series("when", ["1970-01-02", "1970-01-01", None, "1970-01-03"]),
        pl.Series("split", ["train", "Valid", "test", None]),
    )
    made = tables_to_graph(nodes, KNOWS, TableSpec(time="when", use=("age",)))
    np.testing.assert_array_equal(made.graph.time, [86400, 0, np.nan, 2 * 86400])
    assert made.graph.x.shape == (4, 1)
    assert made.split is not None
    masks = [made.split.train, made.split.val, made.split.test]
    assert [mask.tolist() for mask in masks] == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    assert made.dataset("people").splits == (made.split,)
    assert tables_to_graph(PEOPLE, KNOWS, TableSpec(time="since")).graph.levels["time"] == "edge"


def test_new_tables_are_read_as_the_first_ones():
    made = tables_to_graph(PEOPLE, KNOWS)
    encoders = TableEncoders.from_dict(json.loads(json.dumps(made.encoders.to_dict())))
    assert encoders == made.encoders
    again = tables_to_graph(PEOPLE, KNOWS, encoders=encoders)
    for name in ("x", "y", "edge_attr"):
        assert torch.equal(getattr(again.graph, name), getattr(made.graph, name))
    new = PEOPLE.drop("label").with_columns(pl.Series("id", list("pqrs")), pl.Series("town", ["new", "x", "x", "y"]))
    strangers = tables_to_graph(
        new, pl.DataFrame({"source": ["p"], "target": ["q"], "since": ["5"]}), encoders=encoders
    )
    assert strangers.graph.y.tolist() == [-1] * 4
    assert strangers.node_report is not None
    assert strangers.node_report.unknown == {"town": 1}
    assert torch.equal(strangers.graph.x[:, 0], made.graph.x[:, 0])
    assert strangers.graph.edge_attr.tolist() == [[0.0], [0.0]]
    others = tables_to_graph(PEOPLE.with_columns(label=pl.lit("w")), KNOWS, encoders=encoders)
    assert others.counts["unknown answers"] == 4


def test_the_order_of_the_rows_changes_nothing():
    made, turned = tables_to_graph(PEOPLE, KNOWS), tables_to_graph(PEOPLE.reverse(), KNOWS.reverse())
    order = turned.ids.lookup(made.ids.names)
    torch.testing.assert_close(turned.graph.x[order], made.graph.x)
    assert sorted(_names(turned)) == sorted(_names(made))


def test_columns_of_usual_names_that_hold_something_else_are_features():
    edges = KNOWS.with_columns(weight=pl.Series(["heavy", "light", "heavy"]))
    nodes = PEOPLE.with_columns(split=pl.Series(["x", "x", "y", "y"]))
    made = tables_to_graph(nodes, edges)
    assert (made.encoders.spec.weight, made.encoders.spec.split, made.split) == (None, None, None)
    assert "weight = heavy" in made.encoders.edge_names
    assert "split = x" in made.encoders.node_names
    assert tables_to_graph(PEOPLE.select("label", "id", "age"), KNOWS).encoders.spec.id == "id"
    assert tables_to_graph(PEOPLE.select("label", pl.col("id").alias("who")), KNOWS).encoders.spec.id == "who"


def test_progress_is_told():
    told = []
    tables_to_graph(PEOPLE, KNOWS, on_progress=lambda *what: told.append(what))
    assert [done for _, done, _ in told] == [0, 1, 2, 3]
    assert {total for _, _, total in told} == {3}


@pytest.mark.parametrize(
    ("nodes", "edges", "spec", "message"),
    [
        (PEOPLE, KNOWS.clear(), {}, "has no rows"),
        (PEOPLE.clear(), KNOWS, {"level": "link"}, "the graph has no nodes"),
        (PEOPLE, KNOWS.with_columns(source=pl.lit("x")), {}, "no edge between two known nodes"),
        (PEOPLE, KNOWS.select("source"), {}, "a column for each end"),
        (PEOPLE, KNOWS, {"id": "name"}, "no column 'name' for the nodes' names, it has id, age"),
        (PEOPLE, KNOWS, {"src": "a", "dst": "b"}, "no column 'a' for the edges' sources"),
        (PEOPLE, KNOWS, {"src": "source"}, "both ends"),
        (PEOPLE, KNOWS, {"src": "source", "dst": "source"}, "two columns"),
        (PEOPLE, KNOWS, {"target": ("income",)}, "no table has the target income"),
        (PEOPLE.drop("label"), KNOWS, {}, "no column has a usual name of a target"),
        (PEOPLE, KNOWS, {"level": "link", "target": ("label",)}, "without a target"),
        (PEOPLE, KNOWS, {"weight": "kg"}, "no column 'kg' for the weight"),
        (PEOPLE, KNOWS, {"split": "town"}, "must say train, val or test, got 'x'"),
        (PEOPLE, KNOWS, {"time": "town"}, "must hold numbers or dates"),
        (PEOPLE, KNOWS, {"drop": ("height",)}, "drop names a column 'height'"),
        (PEOPLE, KNOWS, {"use": ("height",)}, "use names a column 'height'"),
        (PEOPLE, KNOWS, {"kinds": {"height": "numeric"}}, "kinds names a column 'height'"),
        (None, KNOWS, {"target": ("label",)}, "no table has the target"),
    ],
)
def test_wrong_input_is_one_clear_error(nodes, edges, spec, message):
    with pytest.raises(InputError, match=message):
        tables_to_graph(nodes, edges, TableSpec(**spec))


def test_tables_that_do_not_fit_the_encoders_are_refused():
    encoders = tables_to_graph(PEOPLE, KNOWS).encoders
    for nodes, edges, message in [
        (PEOPLE.drop("age"), KNOWS, "the nodes must have the columns that the encoder was fitted on: 'age'"),
        (PEOPLE, KNOWS.drop("since"), "the edges must have .* 'since'"),
        (PEOPLE.drop("id"), KNOWS, "no column 'id'"),
        (None, KNOWS, "if and only if"),
    ]:
        with pytest.raises(InputError, match=message):
            tables_to_graph(nodes, edges, encoders=encoders)
    with pytest.raises(InputError, match="not both"):
        tables_to_graph(PEOPLE, KNOWS, TableSpec(), encoders=encoders)
    with pytest.raises(InputError, match="no saved encoders"):
        TableEncoders.from_dict({"spec": 7})
