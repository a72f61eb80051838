"""Draws with matplotlib and turns the picture into SVG that lives in a page: its font, its colours, light and dark.

Colours that stand for the page's own (`INK`, `SERIES`, ...) are drawn as marks of their own and then replaced by the
page's variables, so that a picture changes with the page. The same picture always comes out as the same text.
"""

import io
import re
import warnings
from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, NullFormatter

INK, MUTED, GRID = "#010203", "#040506", "#070809"
SERIES = tuple(f"#0a0b0{k}" for k in range(7))  # Okabe & Ito 2008 without yellow, which white swallows, and black
SCALE = tuple(f"#0c0d0{k}" for k in range(7))  # from low to high: cividis, Nunez et al. 2018
_VARIABLES = {
    INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--line)",
    **{color: f"var(--c{k})" for k, color in enumerate(SERIES)},
    **{color: f"var(--s{k})" for k, color in enumerate(SCALE)},
}  # fmt: skip
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "grapevine", "text.parse_math": False, "font.size": 10,
    "font.family": "DejaVu Sans", "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": MUTED,
    "xtick.color": MUTED, "ytick.color": MUTED, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": GRID, "grid.linewidth": 0.8, "axes.axisbelow": True, "lines.linewidth": 1.8,
    "figure.facecolor": "none", "axes.facecolor": "none", "axes.formatter.useoffset": False,
    "axes.unicode_minus": True, "axes.linewidth": 0.8, "path.simplify_threshold": 0.3,
}  # fmt: skip


def drawn(name: str, draw: Callable[[Axes], None], *, width: float = 5.0, height: float = 3.1) -> str:
    """What `draw` puts on the axes, as SVG for the inside of a page; `name` is unique among the page's pictures."""
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # the page has its own fonts
        canvas = Canvas(figsize=(width, height), layout="constrained")
        draw(canvas.subplots())
        out = io.StringIO()
        canvas.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _inline(out.getvalue(), name)


def logarithmic(axes: Axes, *, x: bool = False, y: bool = False) -> None:
    """Logarithmic scales with plain numbers at their ticks."""
    for axis, is_meant, scale in ((axes.xaxis, x, axes.set_xscale), (axes.yaxis, y, axes.set_yscale)):
        if is_meant:
            scale("log")
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(NullFormatter())


def variable(color: str) -> str:
    """The page's variable for one of the colours here, for legends.

    >>> variable(SERIES[0])
    'var(--c0)'
    """
    return _VARIABLES[color]


def dots(axes: Axes, x: np.ndarray, y: np.ndarray, color: str, *, size: float = 4.0, alpha: float = 0.6) -> None:
    """Points as round ends of lines without length: one path for all, a tenth of the text that markers need."""
    finite = np.isfinite(x) & np.isfinite(y)
    vertices = np.repeat(np.stack([x[finite], y[finite]], 1), 2, axis=0)
    if len(vertices) == 0:
        return
    path = Path(vertices, np.tile([Path.MOVETO, Path.LINETO], len(vertices) // 2))
    path.should_simplify = False
    patch = PathPatch(path, fill=False, edgecolor=color, linewidth=size, alpha=alpha, capstyle="round")
    axes.add_patch(patch)
    axes.autoscale_view()


def _inline(svg: str, name: str) -> str:
    """Without what a page has already or must not have: prolog, metadata, style for all, unused and shared ids."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>|<!--.*?-->", "", svg, flags=re.S)
    svg = re.sub(r'\sxmlns(:xlink)?="[^"]*"', "", svg)
    used = set(re.findall(r"url\(#([^)]+)\)", svg)) | set(re.findall(r'href="#([^"]+)"', svg))
    svg = re.sub(r'\sid="([^"]*)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    svg = re.sub(r'xlink:href="#', f'href="#{name}-', svg)
    svg = re.sub(r'(?<=\s)(d|x|y|x1|y1|x2|y2|transform|points)="[^"]*"', _rounded, svg)
    svg = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font: \1 var(--font)", svg)
    svg = re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', r'<svg \1 aria-hidden="true">', svg, count=1)
    for color, its_variable in _VARIABLES.items():
        svg = svg.replace(color, its_variable)
    return re.sub(r"\s*\n\s*", "\n", svg).strip()


def _rounded(attribute: re.Match) -> str:
    return re.sub(r"(\.\d\d)\d+", r"\1", attribute[0])
