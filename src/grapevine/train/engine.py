"""Where a step is computed, and in which precision; on several devices through Lightning Fabric.

bf16-true:   the weights are bfloat16 while they learn
bf16-mixed:  the weights are float32, and every pass uses them and the data rounded to bfloat16 (Micikevicius et al.
             2018, "Mixed precision training"; the policy of PyTorch's FSDP, which needs no list of safe operations)

Fabric is imported when it is needed: it costs more than a second, and one device needs none of it.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.func import functional_call

from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.ops.sparse import SparseMatrix
from grapevine.train.settings import Precision, Settings


class Engine(ABC):
    """Runs the model's passes on its device in its precision; `rank` of `world` processes."""

    device: torch.device
    precision: Precision
    rank: int = 0
    world: int = 1

    @property
    def dtype(self) -> torch.dtype | None:
        """What the weights are converted to while they learn; None: nothing."""
        return torch.bfloat16 if self.precision == "bf16-true" else None

    def judged(self, model: nn.Module) -> nn.Module:
        """What is called in the model's place to judge it in this precision."""
        return model if self.precision == "32-true" else _Rounded(model, is_mixed=self.precision == "bf16-mixed")

    @abstractmethod
    def setup(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> nn.Module:
        """What is called in its place in training; the model's own parameters stay the ones that learn."""

    @abstractmethod
    def backward(self, loss: Tensor) -> None:
        """Add the gradients of the loss."""

    @abstractmethod
    def total(self, numbers: Tensor) -> Tensor:
        """The sum over the processes."""


def make_engine(settings: Settings) -> Engine:
    """The engine that the settings need.

    Raises:
        InputError: if there is no such accelerator here, or too few of its devices.
    """
    device = torch.device(_accelerator(settings))
    return _Single(settings, device) if settings.devices == 1 else _Several(settings, device)


def _accelerator(settings: Settings) -> str:
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if settings.accelerator == "auto":
        return next(name for name, is_here in found.items() if is_here)
    here = ", ".join(name for name, is_here in found.items() if is_here)
    check(found[settings.accelerator], f"there is no accelerator {settings.accelerator!r} here; there is {here}")
    return settings.accelerator


class _Single(Engine):
    """PyTorch as it is."""

    def __init__(self, settings: Settings, device: torch.device):
        self.device, self.precision = device, settings.precision

    def setup(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> nn.Module:
        return self.judged(model)

    def backward(self, loss: Tensor) -> None:
        loss.backward()

    def total(self, numbers: Tensor) -> Tensor:
        return numbers


class _Several(Engine):
    """Processes that Fabric starts, one a device; each is given a share of the batches."""

    def __init__(self, settings: Settings, device: torch.device):
        from lightning_fabric import Fabric

        if device.type != "cpu":
            count = torch.cuda.device_count() if device.type == "cuda" else 1
            check(count >= settings.devices, f"{settings.devices} devices were asked for, and there are {count}")
        self._fabric = Fabric(accelerator=device.type, devices=settings.devices)
        self._fabric.launch()
        self.device, self.precision = self._fabric.device, settings.precision
        self.rank, self.world = self._fabric.global_rank, self._fabric.world_size

    def setup(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> nn.Module:
        return self._fabric.setup(self.judged(model), optimizer)[0]

    def backward(self, loss: Tensor) -> None:
        self._fabric.backward(loss)

    def total(self, numbers: Tensor) -> Tensor:
        return self._fabric.all_reduce(numbers, reduce_op="sum")  # pyright: ignore[reportReturnType]


class _Rounded(nn.Module):
    """A model on data rounded to bfloat16, with its weights rounded too if they are kept in float32."""

    def __init__(self, model: nn.Module, *, is_mixed: bool):
        super().__init__()
        self.model, self.is_mixed = model, is_mixed
        self._last: tuple[Graph, Graph] | None = None

    def forward(self, graph: Graph, items: Tensor | None) -> Tensor:
        if self._last is None or self._last[0] is not graph:  # a task on one graph brings the same one each time
            self._last = graph, _rounded(graph)
        if not self.is_mixed:
            return self.model(self._last[1], items).float()
        held = dict(self.model.named_buffers())
        buffers = {name: tensor.bfloat16() for name, tensor in held.items() if tensor.is_floating_point()}
        before = {name: tensor.clone() for name, tensor in buffers.items()}
        weights = {name: p.bfloat16() for name, p in self.model.named_parameters() if p.is_floating_point()}
        output = functional_call(self.model, weights | buffers, (self._last[1], items)).float()
        if self.model.training:  # what the pass added to the running statistics is added to those that are kept
            for name, tensor in buffers.items():
                held[name].add_(tensor.detach().float() - before[name].float())
        return output


def _rounded(graph: Graph) -> Graph:
    def rounded(tensors):
        return {name: tensor.to(torch.bfloat16) for name, tensor in tensors.items() if _is_float(tensor)}

    return graph.replace(node=rounded(graph.node), edge=rounded(graph.edge), graph=rounded(graph.graph))


def _is_float(tensor: Tensor | SparseMatrix) -> bool:
    return (tensor.values if isinstance(tensor, SparseMatrix) else tensor).is_floating_point()
