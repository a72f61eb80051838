"""Predictions: the model's own output, under the users' names, in their order, for data that it never saw."""

import numpy as np
import polars as pl
import pytest
import torch

from grapevine.data.dataset import Dataset
from grapevine.data.tables import TableSpec
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.recipes.apply import outputs
from grapevine.recipes.config import TaskConfig
from grapevine.recipes.plan import plan
from grapevine.recipes.predict import predict
from grapevine.recipes.source import Loaded, Source
from grapevine.recipes.train import train
from grapevine.recipes.trained import from_pretrained
from tests.recipes.people import source_of, trained_on, write_people


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    people, friends = write_people(folder)
    result = trained_on(source_of(people, friends, drop=("height",)), folder / "runs")
    return folder, people, friends, result


def test_the_output_is_computed_by_hand(town, tmp_path):
    """GCN of two layers by dense matrices, from the table as it is written: Kipf & Welling 2017, equation 9."""
    _, people, _, result = town
    new_people, new_friends = write_people(tmp_path, seed=5, count=12, has_target=False)
    said = predict(result.folder, source_of(new_people, new_friends)).frame

    fitted, table = pl.read_csv(people), pl.read_csv(new_people)
    age = (table["age"] - fitted["age"].mean()) / fitted["age"].std(ddof=0)
    towns = [(table["town"] == name).cast(pl.Float64) for name in ("Aston", "Brill")]
    x = np.stack([column.to_numpy() for column in (*towns, age)], 1)
    place = {name: k for k, name in enumerate(table["who"])}
    a = np.eye(len(x))
    for u, v in pl.read_csv(new_friends).select("from", "to").iter_rows():
        a[place[u], place[v]] = a[place[v], place[u]] = 1
    norm = a / np.sqrt(np.outer(a.sum(0), a.sum(0)))
    trained = from_pretrained(result.folder)
    weights = {name: tensor.double().numpy() for name, tensor in trained.weights().items()}
    assert set(weights) == {f"encoder.layers.{k}.{part}" for k in (0, 1) for part in ("lin.weight", "bias")}
    w0, b0, w1, b1 = (weights[f"encoder.layers.{k}.{part}"] for k in (0, 1) for part in ("lin.weight", "bias"))
    logits = (norm @ np.maximum(norm @ (x @ w0.T) + b0, 0) @ w1.T + b1) / trained.temperature
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)

    assert said["id"].to_list() == table["who"].to_list()
    assert trained.class_names == ("blue", "red")
    np.testing.assert_allclose(said.select("probability_blue", "probability_red").to_numpy(), shares, atol=1e-5)
    assert said["prediction"].to_list() == [("blue", "red")[k] for k in shares.argmax(1)]


def test_on_the_training_data_it_says_what_the_run_folder_says(town):
    result = town[3]
    said, kept = predict(result.folder).frame, result.predictions
    assert said["id"].to_list() == kept["id"].to_list()
    assert said["prediction"].to_list() == kept["prediction"].to_list()
    assert said["probability"].to_numpy() == pytest.approx(kept["probability"].to_numpy(), abs=1e-6)


def test_what_is_new_or_missing_is_counted_and_what_is_bad_is_left_out(town, tmp_path):
    people, friends = write_people(tmp_path, seed=5, count=12, has_target=False)
    rows = people.read_text().splitlines()
    rows[1] = rows[1].replace("Aston", "Cairo").replace("Brill", "Cairo")
    people.write_text("\n".join([*rows, "odd one,Aston,old", "short one"]) + "\n")
    friends.write_text(friends.read_text() + "nobody,odd one,2\n")
    said = predict(town[3].folder, source_of(people, friends))
    assert said.frame.height == 12
    assert any("1 of 12 values of 'town' are categories unknown so far" in note for note in said.notes)
    reasons = said.rejected["reason"].to_list()
    assert sorted(reasons) == ["an edge to an unknown node", "an unreadable number", "wrong number of fields"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_the_file_holds_the_frame(town, tmp_path, suffix):
    said = predict(town[3].folder, out=tmp_path / f"said{suffix}")
    read = {".csv": pl.read_csv, ".parquet": pl.read_parquet, ".jsonl": pl.read_ndjson}[suffix](said.path)
    assert read.columns == said.frame.columns
    assert read["prediction"].to_list() == said.frame["prediction"].to_list()


def test_a_file_that_can_not_be_is_refused_before_anything_is_read(town, tmp_path):
    with pytest.raises(InputError, match=r"must end in one of"):
        predict(tmp_path / "absent", out=tmp_path / "said.docx")
    with pytest.raises(InputError, match="there is no folder"):
        predict(tmp_path / "absent", out=tmp_path / "no" / "said.csv")


def test_links_are_asked_for_by_pairs_of_names(town, tmp_path):
    _, people, friends, _ = town
    run = trained_on(source_of(people, friends, level="link", drop=("height",)), tmp_path)
    names = pl.read_csv(people)["who"].to_list()
    asked = pl.DataFrame({"from": [names[0], names[3], "nobody"], "to": [names[2], names[9], names[1]]})
    said = predict(run.folder, pairs=asked)
    assert said.frame.select("src", "dst").rows() == asked.rows()[:2]
    assert said.rejected["reason"].to_list() == ["a pair with an unknown node"]
    graph, trained = run.loaded.dataset.graph, from_pretrained(run.folder)
    with torch.inference_mode():
        states = trained.networks.models[0].states(graph)
    by_hand = (states[[0, 3]] * states[[2, 9]]).sum(1).sigmoid()
    assert said.frame["probability"].to_numpy() == pytest.approx(by_hand.numpy(), abs=1e-6)
    with pytest.raises(InputError, match="say which pairs"):
        predict(run.folder)
    with pytest.raises(InputError, match="no pair of two nodes"):
        predict(run.folder, pairs=pl.DataFrame({"a": ["x"], "b": ["y"]}))


def test_edges_come_in_the_order_of_their_table(town, tmp_path):
    _, people, friends, _ = town
    source = source_of(people, friends, level="edge", target=("kind",), drop=("height",))
    said = predict(trained_on(source, tmp_path).folder).frame
    assert said.select("src", "dst").rows() == pl.read_csv(friends).select("from", "to").rows()
    assert set(said["prediction"]) <= {"2", "4"}


def test_numbers_are_in_the_units_of_the_table(town, tmp_path):
    _, people, friends, _ = town
    run = trained_on(source_of(people, friends, target=("height",)), tmp_path, members=2)
    said = predict(run.folder).frame
    assert said.columns == ["id", "prediction", "spread"]
    assert said["prediction"].is_between(1.2, 2.3).all()
    assert (said["spread"] > 0).any()


def test_graphs_are_predicted_in_pieces_and_together_alike(tmp_path):
    graphs, generator = [], torch.Generator().manual_seed(0)
    for k in range(300):  # more than are taken at a time
        size = 3 + k % 4
        ring = torch.stack([torch.arange(size), torch.arange(size).roll(1)])
        x = torch.randn(size, 2, generator=generator)
        graphs.append(Graph(torch.cat([ring, ring.flip(0)], 1), x=x, graph={"y": torch.tensor([k % 2])}))
    batch = Graph.batch(graphs)
    config = plan(Source(path="rings.txt"), "gin", level="graph", task=TaskConfig(level="graph"), max_epochs=1)
    trained = train(config, loaded=Loaded(Dataset("rings", batch, "graph"))).trained
    alone = torch.cat([outputs(trained, graph) for graph in graphs[:5]])
    torch.testing.assert_close(outputs(trained, batch)[:5], alone, rtol=1e-4, atol=1e-5)


def test_data_that_do_not_fit_are_refused(town, tmp_path):
    run = town[3].folder
    with pytest.raises(InputError, match="takes 3 features a node"):
        predict(run, Source(dataset="karate"))
    with pytest.raises(InputError, match="pairs are for models of links"):
        predict(run, pairs=pl.DataFrame({"a": [], "b": []}))
    (tmp_path / "other.csv").write_text("id,town,age\na,Aston,3\nb,Aston,4\n")
    (tmp_path / "edges.csv").write_text("from,to\na,b\n")
    with pytest.raises(InputError, match="no column 'who'"):
        predict(run, Source(nodes=str(tmp_path / "other.csv"), edges=str(tmp_path / "edges.csv")))
    with pytest.raises(InputError, match="must be told its data"):
        predict(from_pretrained(run))
    club = trained_on(Source(dataset="karate"), None).trained
    with pytest.raises(InputError, match="was not trained on tables"):
        predict(club, Source(edges=str(town[2]), table=TableSpec()))
