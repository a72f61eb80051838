"""Looks into a model while it runs: what each layer puts out, and where a number first broke."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from grapevine.graph import Graph
from grapevine.nn.conv import Conv
from grapevine.ops.sparse import SparseMatrix

See = Callable[[str, nn.Module, Tensor, bool], None]  # name, module, what it put out, whether it is a convolution


@contextmanager
def watched(model: nn.Module, see: See) -> Iterator[None]:
    """Within it `see` is told what each of the model's modules puts out, inner ones first.

    Of a convolution that is its states with the bias, even where a stack asks for them without it: `GNN` adds the
    bias itself, and never calls `forward`, so that a forward hook would see nothing.
    """
    with ExitStack() as undo:
        for name, module in model.named_modules():
            if isinstance(module, Conv):
                module.combine = _seen(name, module, see)
                undo.callback(delattr, module, "combine")
            else:
                undo.callback(module.register_forward_hook(_hook(name, see)).remove)
        yield


def first_fault(model: nn.Module, graph: Graph, run: Callable[[], object]) -> str:
    """Where the first infinite or missing number of a pass arises; "" if there is none up to the output.

    The data are looked at first, then the weights, then each layer while `run` passes over the model.
    """
    return _faulty_data(graph) or _faulty_weight(model) or _faulty_layer(model, run)


def faulty_gradient(model: nn.Module) -> str:
    """The first parameter whose gradient is not finite; "" if all are."""
    for name, parameter in model.named_parameters():
        if parameter.grad is not None and not bool(parameter.grad.isfinite().all()):
            return f"the gradient of {name}"
    return ""


def _faulty_data(graph: Graph) -> str:
    """Answers may be missing, so y is left out."""
    for level, held in (("node", graph.node), ("edge", graph.edge), ("graph", graph.graph)):
        for name, tensor in held.items():
            values = tensor.values if isinstance(tensor, SparseMatrix) else tensor
            if name != "y" and values.is_floating_point() and not bool(values.isfinite().all()):
                places = (~values.isfinite()).nonzero()
                place = ", ".join(map(str, places[0].tolist()))
                return f"the {level} tensor {name} ({len(places)} numbers, the first at [{place}])"
    return ""


def _faulty_weight(model: nn.Module) -> str:
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            return f"the weights {name}"
    return ""


def _faulty_layer(model: nn.Module, run: Callable[[], object]) -> str:
    faults: list[str] = []

    def see(name: str, module: nn.Module, states: Tensor, _: bool) -> None:
        if not faults and not bool(states.isfinite().all()):
            faults.append(f"the output of {name or 'the model'} ({type(module).__name__})")

    with torch.no_grad(), watched(model, see):
        run()
    return faults[0] if faults else ""


def _seen(name: str, conv: Conv, see: See):
    combine = conv.combine

    def combined(*args, **kwargs):
        out = combine(*args, **kwargs)
        states = out if conv.bias is None else out + conv.bias
        see(name, conv, nn.functional.normalize(states, dim=-1) if conv.normalize else states, True)
        return out

    return combined


def _hook(name: str, see: See):
    def hook(module: nn.Module, _, out: object) -> None:
        if isinstance(out, Tensor):
            see(name, module, out, False)

    return hook
