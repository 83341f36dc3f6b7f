"""Formulas of docstrings, typeset at build time as vector graphics: the site needs no network."""

from __future__ import annotations

import html
import io
import re
from typing import Any

from matplotlib import mathtext
from matplotlib.font_manager import FontProperties
from sphinx.application import Sphinx

FONT = FontProperties(size=11)
# Words of TeX that the typesetter does not know, in its own words.
WORDS = (
    (r"\\mid\b", r"\\,|\\,"),
    (r"\\text\{", r"\\mathrm{"),
    (r"\\t?frac(\d)(\d)", r"\\frac{\1}{\2}"),
    (r"\\tfrac", r"\\frac"),
    (r"\\(textstyle|displaystyle)\b", ""),
    (r"\\(le|ge)\b(?!q)", r"\\\1q"),
    (r"\\operatorname\{", r"\\mathrm{"),
    (r"\\(lVert|rVert|Vert)\b", r"\\|"),
    (r"\\(left|right|bigl|bigr|big|Big)(?=[\[\](){}|.])", ""),
)


def drawing(source: str) -> str:
    """Return a formula as an inline SVG, or its source where the typesetter does not know it."""
    text = " ".join(source.split())
    for word, ours in WORDS:
        text = re.sub(word, ours, text)
    buffer = io.BytesIO()
    try:
        mathtext.math_to_image(f"${text}$", buffer, prop=FONT, format="svg")
    except ValueError:
        return f"<code>{html.escape(text)}</code>"
    svg = re.sub(r"<metadata>.*?</metadata>", "", buffer.getvalue().decode(), flags=re.DOTALL)
    svg = svg[svg.index("<svg") :].replace("fill: #ffffff", "fill: none")
    label = html.escape(source, quote=True)
    return svg.replace("<svg", f'<svg role="img" aria-label="{label}" class="formula"', 1)


def inline(self: Any, node: Any) -> None:
    """Write a formula in a line of text."""
    self.body.append(drawing(node.astext()))
    raise _skip()


def block(self: Any, node: Any) -> None:
    """Write a formula on lines of its own."""
    lines = re.split(r"\\\\", node.astext().replace("&", ""))
    self.body += [f'<div class="math">{drawing(line)}</div>' for line in lines if line.strip()]
    raise _skip()


def _skip() -> Exception:
    from docutils.nodes import SkipNode

    return SkipNode()


def register(app: Sphinx) -> None:
    """Add the renderer under the name ``typeset``."""
    app.add_html_math_renderer("typeset", (inline, None), (block, None))
