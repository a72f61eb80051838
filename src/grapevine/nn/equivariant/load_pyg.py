"""Weights of PyTorch Geometric's SchNet and DimeNet++: one table a network, from its parameter names to ours."""

import math
import re
from collections.abc import Mapping

import torch
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.nn.equivariant.atom_network import AtomNetwork
from grapevine.nn.equivariant.dimenet import DimeNetPlusPlus
from grapevine.nn.equivariant.schnet import SchNet

# Their names, as patterns, to ours; "" for what is no weight, or is there twice.
_TABLES: dict[type[AtomNetwork], dict[str, str]] = {
    SchNet: {
        r"embedding\.(weight)": r"embedding.\1",
        r"distance_expansion\.offset": "",
        r"interactions\.(\d+)\.conv\.nn\..*": "",
        r"interactions\.(\d+)\.mlp\.0\.(.*)": r"layers.\1.lin_basis.\2",
        r"interactions\.(\d+)\.mlp\.2\.(.*)": r"layers.\1.lin_filter.\2",
        r"interactions\.(\d+)\.conv\.lin1\.(.*)": r"layers.\1.lin_in.\2",
        r"interactions\.(\d+)\.conv\.lin2\.(.*)": r"layers.\1.lin_heard.\2",
        r"interactions\.(\d+)\.lin\.(.*)": r"layers.\1.lin_out.\2",
        r"lin1\.(.*)": r"lin_hidden.\1",
        r"lin2\.(.*)": r"lin_out.\1",
    },
    DimeNetPlusPlus: {
        r"rbf\.freq": "basis.frequency",
        r"emb\.emb\.weight": "embedding.embedding.weight",
        r"emb\.lin_rbf\.(.*)": r"embedding.lin_basis.\1",
        r"emb\.lin\.(.*)": r"embedding.lin.\1",
        r"output_blocks\.(\d+)\.lin_rbf\.(.*)": r"readouts.\1.lin_near.\2",
        r"output_blocks\.(\d+)\.lin_up\.(.*)": r"readouts.\1.lin_up.\2",
        r"output_blocks\.(\d+)\.lins\.(.*)": r"readouts.\1.hidden.\2",
        r"output_blocks\.(\d+)\.lin\.(.*)": r"readouts.\1.lin_out.\2",
        r"interaction_blocks\.(\d+)\.lin_rbf([12])\.(.*)": r"layers.\1.lin_near\2.\3",
        r"interaction_blocks\.(\d+)\.lin_sbf([12])\.(.*)": r"layers.\1.lin_met\2.\3",
        r"interaction_blocks\.(\d+)\.lin_ji\.(.*)": r"layers.\1.lin_own.\2",
        r"interaction_blocks\.(\d+)\.lin_kj\.(.*)": r"layers.\1.lin_other.\2",
        r"interaction_blocks\.(\d+)\.layers_before_skip\.(.*)": r"layers.\1.before.\2",
        r"interaction_blocks\.(\d+)\.layers_after_skip\.(.*)": r"layers.\1.after.\2",
        r"interaction_blocks\.(\d+)\.((?:lin|lin_down|lin_up)\..*)": r"layers.\1.\2",
    },
}
_BY_ELEMENT = ("embedding.weight", "embedding.embedding.weight")  # theirs has a row for every atomic number


@torch.no_grad()
def load_pyg(network: SchNet | DimeNetPlusPlus, state_dict: Mapping[str, Tensor]) -> None:
    """Load the state of PyTorch Geometric's network of the same name, made with the same options, into ours.

    A DimeNetPlusPlus is made with mode="reference". What they add to the network's output, single-atom energies and
    a mean, is a potential's shift here.

    Raises:
        InputError: listing the names that are unknown, missing or of another shape; the network is then unchanged.

    >>> load_pyg(SchNet(elements=(1, 8)), {"lin9.weight": torch.ones(1)})
    Traceback (most recent call last):
    grapevine.errors.InputError: this state does not fit SchNet: unknown: lin9.weight; missing: embedding.weight; ...
    """
    table = _TABLES.get(type(network))
    if table is None:
        known = ", ".join(kind.__name__ for kind in _TABLES)
        raise InputError(f"load_pyg knows {known}, not {type(network).__name__}")
    is_reference = not isinstance(network, DimeNetPlusPlus) or network.mode == "reference"
    check(is_reference, 'their DimeNetPlusPlus is ours of mode="reference"')
    ours, new, problems = network.state_dict(), {}, []
    for their_name, tensor in state_dict.items():
        name = _our_name(table, their_name)
        if name == "":
            continue
        if name is None or name not in ours:
            problems.append(f"unknown: {their_name}")
            continue
        new[name] = _as_ours(name, tensor, network.elements)
        if new[name].shape != ours[name].shape:
            problems.append(f"{their_name}: shape {tuple(new[name].shape)}, here {tuple(ours[name].shape)}")
    problems += [f"missing: {name}" for name in ours if name not in new]
    if problems:
        raise InputError(f"this state does not fit {type(network).__name__}: " + "; ".join(problems))
    network.load_state_dict(new)


def _our_name(table: Mapping[str, str], their_name: str) -> str | None:
    for pattern, ours in table.items():
        match = re.fullmatch(pattern, their_name)
        if match:
            return match.expand(ours)
    return None


def _as_ours(name: str, tensor: Tensor, elements: tuple[int, ...]) -> Tensor:
    if name == "basis.frequency":
        return tensor / math.pi
    if name in _BY_ELEMENT:
        check(max(elements) < len(tensor), f"their embedding ends before element {max(elements)}")
        return tensor[list(elements)]
    return tensor
