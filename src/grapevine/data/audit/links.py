"""Leaks of a split for link prediction: evaluated edges that training, or their own messages, can see."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from grapevine.data.audit.report import MAX_EXAMPLES, AuditReport, Finding, Severity, counted, report
from grapevine.data.audit.shared import across
from grapevine.data.audit.subject import PARTS, plain
from grapevine.data.split import LinkSplit
from grapevine.errors import InputError, check
from grapevine.graph import Graph
from grapevine.graph.non_edges import EdgeSet

CHECKED = ("pairs in two parts", "reverse pairs", "message edges", "pairs without an edge", "time order")


def audit_links(split: LinkSplit, *, ids: np.ndarray | Sequence[Any] | None = None, name: str = "links") -> AuditReport:
    """What a link split shows of val and test before it should.

    Args:
        ids: the user's own names of the nodes.

    Raises:
        InputError: if it is no LinkSplit or there are not as many names as nodes.

    >>> from grapevine.data.split import link_split
    >>> nodes = torch.arange(40)
    >>> ring = torch.stack([torch.cat([nodes, (nodes + 1) % 40]), torch.cat([(nodes + 1) % 40, nodes])])
    >>> print(audit_links(link_split(Graph(ring), val=0.2, test=0.2)).leaks)
    ()
    """
    if not isinstance(split, LinkSplit):
        raise InputError(f"a LinkSplit is expected, got {type(split).__name__}")
    fits = ids is None or len(ids) == split.graph.num_nodes
    check(fits, f"ids must name the {split.graph.num_nodes} nodes, got {0 if ids is None else len(ids)}")
    links = _Links(split, ids)
    findings = [*_shared(links), *_messages(links), *_negatives(links), *_newer(links)]
    return report(name, findings, CHECKED)


class _Links:
    """The pairs of all parts in a row, their part and their keys."""

    def __init__(self, split: LinkSplit, ids: np.ndarray | Sequence[Any] | None):
        self.split, self.ids, self.num_nodes = split, ids, split.graph.num_nodes
        nothing = torch.empty(2, 0, dtype=torch.int64)
        self.by_part = {part: split.pairs.get(part, nothing).cpu() for part in PARTS}
        self.pairs = torch.cat(list(self.by_part.values()), 1)
        sizes = torch.tensor([pairs.shape[1] for pairs in self.by_part.values()])
        self.part_of = torch.arange(len(PARTS)).repeat_interleave(sizes)

    def keys(self, pairs: Tensor) -> Tensor:
        """A number for each pair, with its direction."""
        return pairs[0] * self.num_nodes + pairs[1]

    def unordered(self, pairs: Tensor) -> Tensor:
        """A number for each pair, whatever its direction."""
        return self.keys(pairs.sort(0).values)

    def name(self, pair: Tensor) -> tuple[Any, Any]:
        src, dst = pair.tolist()
        return (src, dst) if self.ids is None else (plain(self.ids[src]), plain(self.ids[dst]))

    def finding(self, kind: str, severity: Severity, sentence: str, pairs: Tensor) -> Finding | None:
        count = pairs.shape[1]
        examples = tuple(self.name(pair) for pair in pairs.T[:MAX_EXAMPLES])
        return Finding(kind, severity, f"{counted(count, 'pair')} {sentence}", count, examples) if count else None


def _shared(links: _Links) -> list[Finding | None]:
    same, _ = across(links.keys(links.pairs), links.part_of)
    turned, _ = across(links.unordered(links.pairs), links.part_of)
    turned = turned[~torch.isin(turned, same)]
    severity = "warning" if links.split.is_directed else "leak"
    return [
        links.finding("shared_edge", "leak", "of val or test, in an earlier part too.", links.pairs[:, same]),
        links.finding(
            "reverse_edge",
            severity,
            "of val or test, in an earlier part the other way round.",
            links.pairs[:, turned],
        ),
    ]


def _messages(links: _Links) -> list[Finding | None]:
    """Evaluated pairs over which messages pass where they should not."""
    split = links.split
    graphs: tuple[tuple[str, Graph, tuple[str, ...]], ...] = (
        ("training", split.graph, ("val", "test")),
        ("validation", split.val_graph, ("val", "test")),
        ("the test", split.test_graph, ("test",)),
    )
    findings, seen = [], set()
    for where, graph, parts in graphs:
        if id(graph) in seen:
            continue
        seen.add(id(graph))
        edges = EdgeSet(graph.adj.to("cpu"))
        for part in parts:
            pairs = links.by_part[part]
            is_heard = edges.contains(pairs)
            is_turned = edges.contains(pairs.flip(0)) & ~is_heard
            severity = "warning" if split.is_directed else "leak"
            says = f"of {part} with messages over them in {where}: the model reads the answer off the graph."
            says_turned = f"of {part} with messages over them, the other way round, in {where}."
            kind = f"{part}_edge_in_messages"
            findings.append(links.finding(kind, "leak", says, pairs[:, is_heard]))
            findings.append(links.finding(f"reverse_{kind}", severity, says_turned, pairs[:, is_turned]))
    return findings


def _negatives(links: _Links) -> list[Finding | None]:
    """Pairs that count as not joined and are, or can not be, or are counted twice."""
    split = links.split
    number = links.keys if split.is_directed else links.unordered
    asked = number(links.pairs)
    heard = [EdgeSet(graph.adj.to("cpu")) for graph in {id(g): g for g in _graphs(split)}.values()]
    findings = []
    for part, given in split.negatives.items():
        pairs = given.cpu()
        keys = number(pairs)
        is_joined = torch.isin(keys, asked)
        for edges in heard:
            is_joined |= edges.contains(pairs)
            if not split.is_directed:
                is_joined |= edges.contains(pairs.flip(0))
        is_loop = pairs[0] == pairs[1]
        order = keys.argsort(stable=True)
        is_repeated = torch.zeros_like(is_loop)
        is_repeated[order[1:]] = keys[order[1:]] == keys[order[:-1]]
        says = f"that {part} takes for no edges, but are: right answers count as wrong."
        findings += [
            links.finding("negative_is_edge", "warning", says, pairs[:, is_joined]),
            links.finding(
                "negative_loop", "warning", f"without an edge of {part} from a node to itself.", pairs[:, is_loop]
            ),
            links.finding(
                "negative_repeated", "note", f"without an edge of {part}, given before.", pairs[:, is_repeated]
            ),
        ]
    return findings


def _graphs(split: LinkSplit) -> tuple[Graph, ...]:
    return split.graph, split.val_graph, split.test_graph


def _newer(links: _Links) -> list[Finding | None]:
    """Of a split by time: messages that are newer than what is predicted, and parts out of order."""
    split = links.split
    if split.time is None:
        return []
    findings = []
    for part, graph in (("val", split.val_graph), ("test", split.test_graph)):
        if len(split.times.get(part, ())) == 0:
            continue
        first = split.times[part].min()
        newer = graph.edge[split.time] >= first  # pyright: ignore[reportOperatorIssue]
        says = f"with messages over them, not older than the first of {part}, at {first.item()}."
        findings.append(links.finding("newer_edge", "leak", says, graph.adj.edge_index[:, newer].cpu()))
        for earlier in PARTS[: PARTS.index(part)]:
            late = split.times[earlier] >= first
            says = f"of {earlier}, not older than the first of {part}, at {first.item()}."
            severity = "leak" if earlier == "train" else "warning"
            findings.append(
                links.finding(f"time_{earlier}_{part}", severity, says, links.by_part[earlier][:, late.cpu()])
            )
    return findings
