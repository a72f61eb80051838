"""Embeddings: what the head is given."""

import polars as pl
import pytest
import torch

from grapevine.data.dataset import Dataset
from grapevine.graph import Graph
from grapevine.recipes.config import TaskConfig
from grapevine.recipes.embed import embed, states
from grapevine.recipes.plan import plan
from grapevine.recipes.predict import predict
from grapevine.recipes.source import Loaded, Source
from grapevine.recipes.train import train
from tests.recipes.people import source_of, trained_on, write_people


def test_the_states_of_links_give_their_probability(tmp_path):
    """The decoder is a dot product, so the embedding tells the prediction."""
    people, friends = write_people(tmp_path)
    run = trained_on(source_of(people, friends, level="link"), tmp_path / "runs")
    frame = embed(run.folder, out=tmp_path / "where.parquet")
    assert frame["id"].to_list() == pl.read_csv(people)["who"].to_list()
    assert pl.read_parquet(tmp_path / "where.parquet").equals(frame)
    h = frame.drop("id").to_numpy()
    pairs = pl.DataFrame({"from": [frame["id"][0]], "to": [frame["id"][5]]})
    said = predict(run.folder, pairs=pairs).frame["probability"][0]
    assert said == pytest.approx(1 / (1 + pow(2.718281828, -float(h[0] @ h[5]))), abs=1e-5)


def test_of_an_ensemble_the_first_member_counts(tmp_path):
    run = trained_on(source_of(*write_people(tmp_path)), tmp_path / "runs", members=2)
    graph = run.problem.dataset.graph
    with torch.inference_mode():
        first = run.trained.networks.models[0].states(graph)
    assert torch.equal(torch.from_numpy(embed(run.folder).drop("id").to_numpy()), first)


def test_a_graph_is_where_its_readout_is():
    graphs = [
        Graph([[0, 1], [1, 0]], x=torch.full((2, 1), float(k)), graph={"y": torch.tensor([k % 2])}) for k in range(20)
    ]
    config = plan(Source(path="pairs.txt"), "gcn", level="graph", task=TaskConfig(level="graph"), max_epochs=1)
    batch = Graph.batch(graphs)
    trained = train(config, loaded=Loaded(Dataset("pairs", batch, "graph"))).trained
    found = states(trained, batch)
    network = trained.networks.models[0]
    assert len(found) == 20
    with torch.inference_mode():
        each = torch.cat([network.graph_states(graph) for graph in graphs])
    torch.testing.assert_close(found, each, rtol=1e-4, atol=1e-5)
