"""What an audit found: findings with examples, as text, as plain data and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

Severity = Literal["leak", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
MAX_EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """One thing that an audit found.

    Args:
        kind: what it is, in one word, for programs.
        severity: leak (scores on this split are not to be believed), warning (look at it) or note (know it).
        sentence: what it is and why it matters, for people.
        count: how many items, pairs or columns it is about.
        examples: the first few, under the user's own names; what stands in each, the sentence says.
    """

    kind: str
    severity: Severity
    sentence: str
    count: int
    examples: tuple[Any, ...] = ()

    def __str__(self) -> str:
        examples = "".join(f"\n      {_in_words(example)}" for example in self.examples)
        more = f"\n      ... {self.count - len(self.examples)} more" if 0 < len(self.examples) < self.count else ""
        return f"{self.severity}: {self.sentence} [{self.kind}]{examples}{more}"


@dataclass(frozen=True)
class AuditReport:
    """What was looked at and what was found, the worst first.

    >>> finding = Finding("isolated", "note", "1 test node has no edge.", 1, ("ann",))
    >>> print(AuditReport("mine", (finding,), ("edges",)))
    mine: 0 leaks, 0 warnings, 1 note; looked at edges
      note: 1 test node has no edge. [isolated]
          ann
    """

    name: str
    findings: tuple[Finding, ...]
    checked: tuple[str, ...]

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of that severity."""
        return tuple(finding for finding in self.findings if finding.severity == severity)

    @property
    def leaks(self) -> tuple[Finding, ...]:
        return self.of("leak")

    def kinds(self) -> set[str]:
        """The kinds of all findings."""
        return {finding.kind for finding in self.findings}

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, words and lists."""
        findings = [asdict(finding) for finding in self.findings]
        return {"name": self.name, "checked": list(self.checked), "findings": findings}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    def __str__(self) -> str:
        counts = [(len(self.of(severity)), severity) for severity in SEVERITIES]
        found = ", ".join(f"{count} {severity}{'' if count == 1 else 's'}" for count, severity in counts)
        lines = [f"{self.name}: {found}; looked at {', '.join(self.checked) or 'nothing'}"]
        return "\n  ".join(lines + [str(finding) for finding in self.findings])


def report(name: str, findings: Sequence[Finding | None], checked: Sequence[str]) -> AuditReport:
    """The report of what was found, if anything was, the worst first."""
    found = [finding for finding in findings if finding is not None]
    return AuditReport(name, tuple(sorted(found, key=lambda one: SEVERITIES.index(one.severity))), tuple(checked))


def counted(count: int, what: str) -> str:
    """The number of things in words.

    >>> counted(1, "test node"), counted(2, "test node")
    ('1 test node', '2 test nodes')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _in_words(example: object) -> str:
    return ", ".join(map(str, example)) if isinstance(example, tuple) else str(example)
