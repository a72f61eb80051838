"""Every public layer obeys the laws of layers."""

import inspect

import pytest
import torch

from grapevine import nn
from grapevine.graph import Graph
from grapevine.testing import laws_of
from tests.nn.all_cases import CASES


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("case", "law"),
    [pytest.param(case, law, id=f"{case.name}-{law.__name__}") for case in CASES for law in laws_of(case)],
)
def test_laws(case, law):
    law(case.make().double(), *case.inputs())


def test_every_public_class_stands_in_the_table():
    classes = {getattr(nn, name) for name in nn.__all__ if inspect.isclass(getattr(nn, name))}
    public = {kind for kind in classes if issubclass(kind, torch.nn.Module)}
    tried = [module for case in CASES for module in case.make().modules()]
    missing = {kind.__name__ for kind in public if not any(isinstance(module, kind) for module in tried)}
    assert not missing


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_second_derivatives(case):
    """Forces, the derivatives of an energy, can be trained."""
    x, adj, edge = case.inputs()
    layer, graph = case.make().double().eval(), Graph(adj)
    leaves = [tensor.requires_grad_() for tensor in (x, edge) if tensor is not None]
    layer(*leaves[:1], graph, *leaves[1:])  # takes the widths that are open
    leaves += layer.parameters()

    def out(*_: torch.Tensor) -> torch.Tensor:
        return layer(x, graph) if edge is None else layer(x, graph, edge)

    assert torch.autograd.gradgradcheck(out, leaves, fast_mode=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bfloat16_stays_near_float32(case):
    """Its sums are made in float32, so only the 8 bits of the numbers themselves are lost."""
    x, adj, edge = case.inputs()
    inputs = [tensor for tensor in (x, edge) if tensor is not None]
    layer, results = case.make().eval(), []
    for dtype in (torch.float32, torch.bfloat16):
        there, *rest = (tensor.to(dtype) for tensor in inputs)
        layer = layer.to(dtype)
        results.append(layer(there, Graph(adj), *rest))
    assert results[1].dtype == torch.bfloat16
    torch.testing.assert_close(results[1].float(), results[0], rtol=0.05, atol=0.05)
