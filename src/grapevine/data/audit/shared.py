"""Items of two parts that are one: the same by name, by what is known of them, or by the nodes they join."""

import numpy as np
import torch
from torch import Tensor

from grapevine.data.audit.report import MAX_EXAMPLES, Finding, Severity, counted
from grapevine.data.audit.subject import PARTS, Subject
from grapevine.data.split.pairs import pair_of_edges
from grapevine.graph.hash import hash_rows, mix

_DISTINCT = 0.5  # share of different rows from which on two equal ones are no coincidence


def across(keys: Tensor, part_of: Tensor) -> tuple[Tensor, Tensor]:
    """The items whose key an item of an earlier part has too, and for each the first such item.

    >>> later, earlier = across(torch.tensor([7, 8, 7, 8, 7]), torch.tensor([0, 2, 2, 2, -1]))
    >>> later.tolist(), earlier.tolist()
    ([2], [0])
    """
    items = (part_of >= 0).nonzero().squeeze(1)
    items = items[part_of[items].argsort(stable=True)]
    items = items[keys[items].argsort(stable=True)]  # by key, then by part
    sorted_keys = keys[items]
    is_first = torch.ones_like(sorted_keys, dtype=torch.bool)
    is_first[1:] = sorted_keys[1:] != sorted_keys[:-1]
    first = items[is_first][is_first.cumsum(0) - 1]
    is_later = part_of[items] > part_of[first]
    later, order = items[is_later].sort()
    return later, first[is_later][order]


def check_masks(subject: Subject) -> Finding | None:
    """Items that are in two parts at once."""
    assert subject.masks is not None
    masks = torch.stack([subject.masks[part] for part in PARTS])
    shared = (masks.sum(0) > 1).nonzero().squeeze(1)
    if len(shared) == 0:
        return None
    sentence = f"{counted(len(shared), subject.items)} in more than one of train, val and test."
    examples = tuple((subject.name(item), *_parts(masks[:, item])) for item in shared[:MAX_EXAMPLES])
    return Finding("shared_item", "leak", sentence, len(shared), examples)


def check_ids(subject: Subject) -> Finding | None:
    """Different rows of the data under one identifier, in two parts."""
    ids = subject.dataset.ids
    if ids is None or len(ids) != subject.num_items or subject.items == "edge":
        return None
    later, earlier = across(_numbered(ids), subject.part_of)
    sentence = f"{counted(len(later), subject.items)} of val or test with the identifier of one in an earlier part."
    return _pairs(subject, "shared_id", "leak", sentence, later, earlier)


def check_twins(subject: Subject) -> list[Finding | None]:
    """Nodes with the features and the neighbours, or only the features, of a node in an earlier part."""
    graph = subject.graph
    if subject.items != "node" or "x" not in graph.node or 0 in graph.x.shape:
        return []
    rows = hash_rows(graph.x)
    is_telling = len(rows.unique()) >= _DISTINCT * len(rows)
    part_of = torch.where(rows != 0, subject.part_of, -1)  # rows of zeros say nothing
    later, earlier = across(rows, part_of)
    nodes = torch.arange(graph.num_nodes) if subject.dataset.ids is None else _numbered(subject.dataset.ids)
    places = torch.zeros_like(rows)
    places.index_add_(0, graph.adj.dst, mix(nodes + 1)[graph.adj.src])
    places.index_add_(0, graph.adj.src, mix(mix(nodes + 1))[graph.adj.dst])
    has_neighbour = (graph.adj.in_degree + graph.adj.out_degree) > 0
    twins, others = across(mix(mix(rows) + places), torch.where(has_neighbour, part_of, -1))
    is_twin = torch.isin(later, twins)
    coincidence = "" if is_telling else " Few features differ here, so this may be a coincidence."
    says = f"{counted(len(twins), 'node')} of val or test with the features and neighbours of a node in an earlier part"
    found = _pairs(
        subject,
        "twin_node",
        _severity(is_telling, part_of[others]),
        f"{says}: no model tells the two apart.{coincidence}",
        twins,
        others,
    )
    if not is_telling:
        return [found]
    alone, like = later[~is_twin], earlier[~is_twin]
    says = f"{counted(len(alone), 'node')} of val or test with the very features of a node in an earlier part."
    return [found, _pairs(subject, "same_features", "warning", says, alone, like)]


def check_edges(subject: Subject) -> list[Finding | None]:
    """Edges, as items, that join the same two nodes as one in an earlier part."""
    if subject.items != "edge":
        return []
    adj = subject.graph.adj
    same, other = across(adj.src * adj.num_nodes + adj.dst, subject.part_of)
    says = f"{counted(len(same), 'edge')} of val or test between the same two nodes as an edge in an earlier part."
    pair, _ = pair_of_edges(adj)
    turned, back = across(pair, subject.part_of)
    is_new = ~torch.isin(turned, same)
    turned, back = turned[is_new], back[is_new]
    severity: Severity = "leak" if adj.is_symmetric() else "warning"
    says_turned = f"{counted(len(turned), 'edge')} of val or test, the reverse of an edge in an earlier part."
    return [
        _pairs(subject, "shared_edge", "leak", says, same, other),
        _pairs(subject, "reverse_edge", severity, says_turned, turned, back),
    ]


def _pairs(
    subject: Subject, kind: str, severity: Severity, sentence: str, later: Tensor, earlier: Tensor
) -> Finding | None:
    if len(later) == 0:
        return None
    part_of = subject.part_of
    examples = [
        (subject.name(item), PARTS[part_of[item]], subject.name(other), PARTS[part_of[other]])
        for item, other in zip(later[:MAX_EXAMPLES], earlier[:MAX_EXAMPLES], strict=True)
    ]
    return Finding(kind, severity, sentence, len(later), tuple(examples))


def _severity(is_telling: bool, earlier_parts: Tensor) -> Severity:
    """Of twins: a leak if one of the two teaches and their likeness is no coincidence."""
    if not is_telling:
        return "note"
    return "leak" if bool((earlier_parts == 0).any()) else "warning"


def _parts(is_in: Tensor) -> list[str]:
    return [part for part, held in zip(PARTS, is_in.tolist(), strict=True) if held]


def _numbered(ids: np.ndarray) -> Tensor:
    """[n] the same number for the same name."""
    number: dict = {}
    return torch.tensor([number.setdefault(name, len(number)) for name in ids.tolist()])
