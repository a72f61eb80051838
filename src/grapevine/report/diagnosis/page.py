"""Makes the page of a diagnosis: one HTML file that loads nothing, for a screen of any width, light or dark."""

from pathlib import Path

from grapevine.report.blocks import Note
from grapevine.report.data import Headline, Score
from grapevine.report.diagnosis.data import Diagnosis
from grapevine.report.diagnosis.sections import sections_of
from grapevine.report.page import render_page


def render_diagnosis(found: Diagnosis) -> str:
    """The page as text; the same diagnosis gives the same text."""
    first = found.verdict[0] if found.verdict else None
    note = None if first is None else Note(first.severity, first.text)
    return render_page(
        f"{found.name}: why a network fails",
        found.question,
        sections_of(found),
        headline=_headline(found),
        verdict=note,
        brand="Grapevine diagnosis",
    )


def write_diagnosis(found: Diagnosis, path: Path) -> None:
    """Write the page to a file."""
    Path(path).write_text(render_diagnosis(found), encoding="utf-8", newline="\n")


def _headline(found: Diagnosis) -> Headline | None:
    """Of a run its score, beside the bound of all networks that pass messages."""
    if not found.scores or found.metric is None:
        return None
    part = next((part for part in ("test", "val", "train") if part in found.scores), None)
    if part is None:
        return None
    beside = {}
    power = found.power
    if power is not None and power.measure.lower() == found.metric and part in power.bound.best:
        beside["the best that passing messages can reach"] = Score(power.bound.best[part])
    rehearsal = None if found.likeness is None else found.likeness.rehearsal
    if rehearsal is not None and rehearsal.metric == found.metric:
        beside["a linear fit on the features, validation"] = Score(rehearsal.alone)
        beside["the same on averages over neighbours"] = Score(rehearsal.heard)
    is_higher = power.is_higher_better if power is not None and power.measure else True
    return Headline(found.metric, part, Score(found.scores[part]), "", is_higher, beside)
