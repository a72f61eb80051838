"""Makes the page: one HTML file that loads nothing, for a screen of any width, light or dark, and for paper."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from grapevine.report.blocks import Note, Section
from grapevine.report.data import Headline, ReportData
from grapevine.report.sections import sections_of, spread_of, verdict


def render_report(data: ReportData) -> str:
    """The page as text; the same data give the same text.

    >>> page = render_report(ReportData("cora, GCN", "Which field is a paper of?"))
    >>> page.startswith("<!doctype html>"), "<h1>cora, GCN</h1>" in page
    (True, True)
    """
    return render_page(
        data.title,
        data.question,
        sections_of(data),
        headline=data.headline,
        verdict=verdict(data),
        brand="Grapevine report",
    )


def render_page(
    title: str,
    question: str,
    sections: Sequence[Section],
    *,
    headline: Headline | None,
    verdict: Note | None,
    brand: str,
) -> str:
    """A page of these sections, under a title, a question and a headline."""
    environment = Environment(
        loader=PackageLoader("grapevine.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["inline"] = Markup  # pictures that we drew; all words are escaped
    baselines = [] if headline is None else [(name, spread_of(score)) for name, score in headline.baselines.items()]
    page = environment.get_template("page.html").render(
        title=title,
        question=question,
        brand=brand,
        headline=headline,
        value="" if headline is None else spread_of(headline.score),
        baselines=baselines,
        verdict=verdict,
        sections=sections,
    )
    return page.lstrip()


def write_report(data: ReportData, path: Path) -> None:
    """Write the page to a file."""
    Path(path).write_text(render_report(data), encoding="utf-8", newline="\n")
