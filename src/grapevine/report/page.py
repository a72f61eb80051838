"""Makes the page: one HTML file that loads nothing, for a screen of any width, light or dark, and for paper."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from grapevine.report.data import ReportData
from grapevine.report.sections import sections_of, spread_of, verdict


def render_report(data: ReportData) -> str:
    """The page as text; the same data give the same text.

    >>> page = render_report(ReportData("cora, GCN", "Which field is a paper of?"))
    >>> page.startswith("<!doctype html>"), "<h1>cora, GCN</h1>" in page
    (True, True)
    """
    environment = Environment(
        loader=PackageLoader("grapevine.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["inline"] = Markup  # pictures that we drew; all words are escaped
    head = data.headline
    baselines = [] if head is None else [(name, spread_of(score)) for name, score in head.baselines.items()]
    page = environment.get_template("page.html").render(
        data=data,
        headline=head,
        value="" if head is None else spread_of(head.score),
        baselines=baselines,
        verdict=verdict(data),
        sections=sections_of(data),
    )
    return page.lstrip()


def write_report(data: ReportData, path: Path) -> None:
    """Write the page to a file."""
    Path(path).write_text(render_report(data), encoding="utf-8", newline="\n")
