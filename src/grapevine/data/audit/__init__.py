"""Looks for leaks: what a model could know of the test before it is judged by it."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from grapevine.data.audit.coverage import check_classes, check_place, check_time
from grapevine.data.audit.duplicates import check_duplicates
from grapevine.data.audit.features import check_features
from grapevine.data.audit.links import audit_links
from grapevine.data.audit.report import AuditReport, Finding, Severity, report
from grapevine.data.audit.shared import check_edges, check_ids, check_masks, check_twins
from grapevine.data.audit.subject import subject_of, subject_of_parts
from grapevine.data.dataset import Dataset
from grapevine.data.split import LinkSplit, Split
from grapevine.errors import InputError, check

__all__ = ["AuditReport", "Finding", "Severity", "audit", "audit_links"]

_BY_ITEMS = {
    "node": ("nodes in two parts", "features", "identifiers", "twins", "classes", "components"),
    "graph": ("graphs in two parts", "features", "identifiers", "duplicates by 1-WL hash", "classes"),
    "edge": ("edges in two parts", "features", "repeated and reverse edges", "classes"),
}


def audit(
    data: Dataset | LinkSplit | Mapping[str, Dataset],
    *,
    split: Split | Mapping[str, Tensor] | None = None,
    time: str | None = None,
    feature_names: Sequence[str] | None = None,
    ids: Sequence | None = None,
) -> AuditReport:
    """What is wrong with a split, each finding with examples under the user's own names.

    Args:
        data: a data set; a link split; or data sets that are the parts, by the names train, val and test.
        split: masks or numbers of the items by part; by default the data set's first public split, else the masks of
            its graph. Without any, only the features are looked at.
        time: the name of the tensor of the items' times, if what is earlier should teach.
        feature_names: what the columns of the features are called.
        ids: the names of the nodes of a link split; a data set has its own.

    Raises:
        InputError: if it is none of these, or the split, the times or the names do not fit.

    >>> import torch
    >>> from grapevine.graph import Graph
    >>> graph = Graph([[0, 1, 2], [1, 2, 3]], x=torch.tensor([[5.0, 1.0], [6.0, 2.0], [7.0, 3.0], [8.0, 4.0]]))
    >>> both = {"train": torch.tensor([0, 1]), "test": torch.tensor([1, 2])}
    >>> audit(Dataset("path", graph), split=both).leaks[0].examples
    ((1, 'train', 'test'),)
    """
    if isinstance(data, LinkSplit):
        check(split is None and time is None, "a link split has its own parts and times")
        return audit_links(data, ids=ids)
    if not isinstance(data, Dataset | Mapping):
        raise InputError(f"audit takes a Dataset, a LinkSplit or data sets by part, got {type(data).__name__}")
    check(ids is None, "ids are those of a link split; a Dataset holds its own")
    check(split is None or isinstance(data, Dataset), "data sets by part are the split: give no other")
    subject = subject_of(data, split) if isinstance(data, Dataset) else subject_of_parts(data)
    check(subject.items != "link", "pairs of nodes are audited as a LinkSplit: audit(link_split(graph))")
    findings: list[Finding | None] = list(check_features(subject, feature_names))
    if subject.masks is None:
        sentence = "There is no split to look at: give one, or only the features are looked at."
        return report(subject.dataset.name, [*findings, Finding("no_split", "note", sentence, 0)], ("features",))
    findings += [check_masks(subject), check_ids(subject), check_duplicates(subject)]
    findings += [*check_twins(subject), *check_edges(subject), *check_time(subject, time)]
    findings += [*check_classes(subject), *check_place(subject)]
    checked = _BY_ITEMS[subject.items] + (("time order",) if time is not None else ())
    return report(subject.dataset.name, findings, checked)
