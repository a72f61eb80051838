"""Whether the parts are what they should be: in order of time, with every class, and where they stand in the graph."""

import torch
from torch import Tensor

from grapevine.data.audit.report import MAX_EXAMPLES, Finding, Severity, counted
from grapevine.data.audit.subject import PARTS, Subject
from grapevine.data.split.by_component import component_of
from grapevine.errors import check

_ORDERED: tuple[tuple[int, int, Severity], ...] = ((0, 1, "leak"), (0, 2, "leak"), (1, 2, "warning"))


def check_time(subject: Subject, name: str | None) -> list[Finding | None]:
    """Items that are later than one of a later part."""
    if name is None:
        return []
    level = subject.graph.levels.get(name)
    check(level == subject.items, f"time must name a tensor of the {subject.items}s, {name!r} is of {level or 'none'}")
    time, part_of = getattr(subject.graph, name), subject.part_of
    check(time.ndim == 1, f"{name} must have one time an item, got shape {tuple(time.shape)}")
    findings = []
    for before, after, severity in _ORDERED:
        rows = [((part_of == part) & ~time.isnan()).nonzero().squeeze(1) for part in (before, after)]
        if min(map(len, rows)) == 0:
            continue
        earliest = rows[1][time[rows[1]].argmin()]
        late = rows[0][time[rows[0]] > time[earliest]]
        if len(late) == 0:
            continue
        latest = late[time[late].argsort(descending=True, stable=True)][:MAX_EXAMPLES]
        sentence = (
            f"{counted(len(late), subject.items)} of {PARTS[before]} later than the earliest of {PARTS[after]}, "
            f"{subject.name(earliest)} at {time[earliest].item()}: the past is judged by what came after it."
        )
        examples = tuple((subject.name(item), time[item].item()) for item in latest)
        findings.append(Finding(f"time_{PARTS[before]}_{PARTS[after]}", severity, sentence, len(late), examples))
    return findings


def check_classes(subject: Subject) -> list[Finding | None]:
    """Classes that a part lacks."""
    y, part_of = subject.y, subject.part_of
    if y is None or y.ndim != 1 or y.is_floating_point():
        return []
    findings, known = [], y[y >= 0].unique()
    for k, part in enumerate(PARTS):
        own = y[part_of == k]
        missing = known[~torch.isin(known, own)] if len(own) else known[:0]
        if len(missing):
            names = subject.dataset.class_names
            examples = [names[c] if names is not None and c < len(names) else c for c in missing.tolist()]
            sentence = f"{len(missing)} of the {len(known)} classes missing in {part}."
            severity = "warning" if part == "train" else "note"
            findings.append(
                Finding(f"class_not_in_{part}", severity, sentence, len(missing), tuple(examples[:MAX_EXAMPLES]))
            )
    return findings


def check_place(subject: Subject) -> list[Finding | None]:
    """Test nodes without an edge, and those that a path joins to training nodes."""
    if subject.items != "node":
        return []
    adj, part_of = subject.graph.adj, subject.part_of
    is_loop = adj.src == adj.dst
    has_edge = torch.zeros(adj.num_nodes, dtype=torch.bool)
    has_edge[adj.src[~is_loop]] = True
    has_edge[adj.dst[~is_loop]] = True
    is_test = part_of == 2
    alone = (is_test & ~has_edge).nonzero().squeeze(1)
    component = component_of(adj)
    joined = is_test & torch.isin(component, component[part_of == 0].unique())
    return [
        _nodes(subject, "isolated", alone, f"{counted(len(alone), 'test node')} without an edge: only features speak."),
        _nodes(
            subject,
            "shared_component",
            joined.nonzero().squeeze(1),
            f"{counted(int(joined.sum()), 'test node')} of {int(is_test.sum()):,} in a connected component with a "
            "training node: usual where the test is part of one graph, but no measure of a new graph.",
        ),
    ]


def _nodes(subject: Subject, kind: str, nodes: Tensor, sentence: str) -> Finding | None:
    examples = tuple(subject.name(node) for node in nodes[:MAX_EXAMPLES])
    return Finding(kind, "note", sentence, len(nodes), examples) if len(nodes) else None
