"""Learnt aggregations against PyTorch Geometric's, with the same weights, and against formulas in plain loops."""

import pytest
import torch
from torch import Tensor, nn

from grapevine.nn.aggregation.attention import AttentionSum, GatedSum
from grapevine.nn.aggregation.deep_sets import DeepSets
from grapevine.nn.aggregation.set2set import Set2Set
from grapevine.nn.aggregation.set_transformer import SetTransformer
from grapevine.nn.aggregation.sort import SortPool
from tests.nn.aggregation.test_learnt import SIZES, sets
from tests.nn.compare import assert_same, leaf

aggr = pytest.importorskip("torch_geometric.nn.aggr", reason="PyTorch Geometric, of the extra `peers`, is missing")

FULL = (4, 2, 1, 5)  # theirs has its own ideas of empty sets


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def assert_equal_pools(ours: nn.Module, theirs: nn.Module, channels: int, sizes=SIZES) -> None:
    """One output and one gradient."""
    pattern, message = sets(sizes), leaf(sum(sizes), channels)
    index, count = pattern.row_of.long(), len(sizes)
    ours, theirs = ours.double().eval(), theirs.double().eval()
    assert_same(lambda: ours(pattern, message), lambda: theirs(message, index, dim_size=count), [message])


@pytest.mark.parametrize("num_layers", [1, 2])
def test_set2set(num_layers):
    ours, theirs = Set2Set(3, 7, num_layers), aggr.Set2Set(3, 7, num_layers=num_layers)
    for k, cell in enumerate(ours.cells):
        cell.load_state_dict({name: getattr(theirs.lstm, f"{name}_l{k}") for name in cell.state_dict()})
    assert_equal_pools(ours, theirs, 3)


def test_set2set_of_each_set_in_a_loop():
    pool, message = Set2Set(3, 4).double(), leaf(sum(SIZES), 3)

    def by_hand() -> Tensor:
        rows = []
        for part in message.split(SIZES):
            told = h = c = None
            for _ in range(4):
                told = message.new_zeros(1, 6) if told is None else told
                h, c = pool.cells[0](told, None if h is None else (h, c))
                weights = (part @ h[0]).softmax(0)
                told = torch.cat([h, (weights.unsqueeze(1) * part).sum(0, keepdim=True)], 1)
            rows.append(told)
        return torch.cat(rows)

    assert_same(lambda: pool(sets(), message), by_hand, [message, *pool.parameters()])


@pytest.mark.parametrize("k", [1, 3, 7])
def test_sort_pool(k):
    assert_equal_pools(SortPool(3, k), aggr.SortAggregation(k), 3)


def test_deep_sets():
    phi, rho = nn.Sequential(nn.Linear(3, 5), nn.Tanh()), nn.Linear(5, 2)
    assert_equal_pools(DeepSets(phi, rho, out_channels=2), aggr.DeepSetsAggregation(phi, rho), 3)


def test_attention():
    gate, network = nn.Linear(3, 1), nn.Sequential(nn.Linear(3, 5), nn.Tanh())
    ours = AttentionSum(3, 5, gate=gate, network=network)
    assert_equal_pools(ours, aggr.AttentionalAggregation(gate, network), 3)
    by_channel = nn.Linear(3, 5)
    ours = AttentionSum(3, 5, gate=by_channel, network=network)
    assert_equal_pools(ours, aggr.AttentionalAggregation(by_channel, network), 3)


@pytest.mark.parametrize("squash", [True, False])
def test_gates_in_a_loop(squash):
    pool, message = GatedSum(3, 5, squash=squash).double(), leaf(sum(SIZES), 3)
    outer = torch.tanh if squash else nn.Identity()

    def by_hand() -> Tensor:
        rows = []
        for part in message.split(SIZES):
            total = message.new_zeros(5)
            for m in part:
                total = total + torch.sigmoid(pool.gate(m[None])[0]) * outer(pool.network(m[None])[0])
            rows.append(outer(total))
        return torch.stack(rows)

    assert_same(lambda: pool(sets(), message), by_hand, [message, *pool.parameters()])


def copy_block(ours: nn.Module, theirs: nn.Module) -> None:
    """The weights of their attention block; its keys have a bias, which a softmax does not notice."""
    query, key, value = theirs.attn.in_proj_weight.chunk(3)
    query_bias, _, value_bias = theirs.attn.in_proj_bias.chunk(3)
    pairs = [
        (ours.lin_query, query, query_bias),
        (ours.lin_key, key, None),
        (ours.lin_value, value, value_bias),
        (ours.lin_out, theirs.attn.out_proj.weight, theirs.attn.out_proj.bias),
        (ours.lin_forward, theirs.lin.weight, theirs.lin.bias),
    ]
    with torch.no_grad():
        for lin, weight, bias in pairs:
            lin.weight.copy_(weight)
            if bias is not None:
                lin.bias.copy_(bias)
    for norm, other in zip(ours.norms, (theirs.layer_norm1, theirs.layer_norm2), strict=True):
        if other is not None:
            norm.load_state_dict(other.state_dict())


@pytest.mark.parametrize(
    ("heads", "seeds", "norm", "layers"), [(1, 1, False, (1, 1)), (2, 3, True, (2, 1)), (4, 2, True, (0, 2))]
)
def test_set_transformer(heads, seeds, norm, layers):
    theirs = aggr.SetTransformerAggregation(
        8, seeds, num_encoder_blocks=layers[0], num_decoder_blocks=layers[1], heads=heads, layer_norm=norm
    )
    ours = SetTransformer(
        8,
        heads=heads,
        num_seeds=seeds,
        num_encoder_layers=layers[0],
        num_decoder_layers=layers[1],
        layer_norm=norm,
    )
    randomise(theirs)
    for mine, other in zip([*ours.encoder, *ours.decoder], [*theirs.encoders, *theirs.decoders], strict=True):
        copy_block(mine, other.mab)
    copy_block(ours.pool[0], theirs.pma.mab)
    ours.lin.load_state_dict(theirs.pma.lin.state_dict())
    ours.seeds.data.copy_(theirs.pma.seed[0])
    assert_equal_pools(ours, theirs, 8, FULL)


def test_induced_attention():
    from torch_geometric.nn.aggr.utils import InducedSetAttentionBlock
    from torch_geometric.utils import to_dense_batch

    theirs = InducedSetAttentionBlock(8, 3, heads=2, layer_norm=True)
    ours = SetTransformer(8, heads=2, num_inducing=3, layer_norm=True)
    randomise(theirs)
    copy_block(ours.inward[0], theirs.mab1)
    copy_block(ours.encoder[0], theirs.mab2)
    ours.points[0].data.copy_(theirs.ind[0])
    ours, theirs = ours.double(), theirs.double()
    pattern, message = sets(FULL), leaf(sum(FULL), 8)
    start, count, row = pattern.indptr[:-1].long(), pattern.indptr.diff().long(), pattern.row_of.long()

    def dense() -> Tensor:
        padded, mask = to_dense_batch(message, row)
        return theirs(padded, mask)[mask]

    assert_same(lambda: ours._encode(message, start, count, row), dense, [message])


def randomise(module: nn.Module) -> None:
    """Biases and norms away from 0 and 1, so that a forgotten one is seen."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
