"""MACE against mace-torch where its Python is there, and what holds of it without."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph
from grapevine.nn.equivariant import MACE, MACEShape, Potential, load_mace

SIDE = Path(__file__).parents[3] / "benchmarks" / "mace_side.py"
PYTHON = os.environ.get("MACE_PYTHON")


def bent(seed: int = 0) -> tuple[list[int], list[list[float]]]:
    """Five atoms of three elements, near one another."""
    generator = torch.Generator().manual_seed(seed)
    grid = torch.tensor([[0.0, 0, 0], [1.2, 0, 0], [0, 1.3, 0], [0, 0, 1.4], [1.1, 1.2, 0.3]], dtype=torch.float64)
    return [6, 1, 8, 1, 6], (grid + 0.1 * torch.randn(5, 3, generator=generator, dtype=torch.float64)).tolist()


def complete(n: int) -> torch.Tensor:
    return (1 - torch.eye(n)).nonzero().T


@pytest.mark.slow
@pytest.mark.skipif(PYTHON is None, reason="MACE_PYTHON names no Python with mace-torch")
@pytest.mark.parametrize("degree", [0, 1, 2])
def test_equals_mace_torch(degree, tmp_path):
    z, pos = bent()
    job = {
        "kind": "speed", "dtype": "float64", "out": str(tmp_path / "said.pt"),
        "structures": [[z, pos]], "degree": degree,
        "threads": 1, "elements": [1, 6, 8], "energies": [-1.0, -3.0, -5.0], "cutoff": 5.0, "channels": 4,
        "neighbors": 4.0,
    }  # fmt: skip
    (tmp_path / "job.json").write_text(json.dumps(job))
    command = [str(PYTHON), str(SIDE), str(tmp_path / "job.json")]
    subprocess.run(command, input="", text=True, check=True, env={**os.environ, "PYTHONPATH": ""}, capture_output=True)
    theirs = torch.load(tmp_path / "said.pt")
    shape = MACEShape(channels=4, hidden_degree=degree)
    network = MACE(elements=(1, 6, 8), avg_num_neighbors=4.0, shape=shape).double()
    potential = Potential(load_mace(network, theirs["state"]), shift={1: -1.0, 6: -3.0, 8: -5.0}).eval()
    said = potential(Graph(complete(5), z=torch.tensor(z), pos=torch.tensor(pos, dtype=torch.float64)))
    torch.testing.assert_close(said.energy, theirs["energy"], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(said.forces, theirs["forces"], rtol=1e-8, atol=1e-8)


def test_divides_by_the_number_of_neighbours_and_not_its_root():
    """Four times the neighbours, a quarter of the weight: the same state."""
    torch.manual_seed(0)
    shape = MACEShape(channels=4, hidden_degree=0, max_degree=2, num_layers=1)
    network = MACE(elements=(1,), avg_num_neighbors=1.0, shape=shape).double()
    vector = torch.tensor([[1.0, 0.2, 0.1]], dtype=torch.float64)
    z = torch.tensor([1, 1])
    once = network(z, Adjacency([[1], [0]], num_nodes=2), vector)[0]
    network.avg_num_neighbors = 4.0
    four_times = network(z, Adjacency([[1] * 4, [0] * 4], num_nodes=2), vector.expand(4, 3).contiguous())[0]
    torch.testing.assert_close(four_times, once)


def test_each_element_has_products_of_its_own():
    torch.manual_seed(0)
    network = MACE(elements=(1, 8), shape=MACEShape(channels=4, hidden_degree=0, max_degree=1))
    weights = [layer.products.weight for layer in network.layers]
    assert all(weight.shape[0] == 2 for weight in weights)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("interactions.0.linear_up.weight"), "there is no interactions.0.linear_up.weight"),
        (lambda state: state.update(other=torch.ones(1)), "no place in the network: other"),
        (lambda state: state.update({"node_embedding.linear.weight": torch.ones(3)}), "its shape is another"),
    ],
)
def test_weights_that_do_not_fit_are_named(change, message):
    shape = MACEShape(channels=2, hidden_degree=0, max_degree=1, correlation=1, num_layers=1)
    network = MACE(elements=(1,), shape=shape)
    state = _as_mace_torch(network)
    load_mace(network, dict(state))
    change(state)
    with pytest.raises(InputError, match=message):
        load_mace(network, state)


def _as_mace_torch(network: MACE) -> dict[str, torch.Tensor]:
    """A state of the right names and sizes for one layer with correlation 1."""
    layer = network.layers[0]
    sizes = [tuple(weight.shape) for weight in layer.radial.weights]
    couplings = torch.zeros(4, 1, dtype=torch.float64)
    couplings[0] = 1
    return {
        "node_embedding.linear.weight": torch.ones(2),
        "radial_embedding.bessel_fn.bessel_weights": torch.arange(1, 9) * torch.pi / 5,
        "interactions.0.linear_up.weight": torch.ones(4),
        "interactions.0.linear.weight": torch.ones(8),
        "interactions.0.skip_tp.weight": torch.ones(4),
        **{f"interactions.0.conv_tp_weights.layer{k}.weight": torch.ones(size) for k, size in enumerate(sizes)},
        "products.0.symmetric_contractions.contractions.0.U_matrix_1": couplings,
        "products.0.symmetric_contractions.contractions.0.weights_max": torch.ones(1, 1, 2),
        "products.0.linear.weight": torch.ones(4),
        "readouts.0.linear_1.weight": torch.ones(32),
        "readouts.0.linear_2.weight": torch.ones(16),
    }
