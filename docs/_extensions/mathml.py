"""Formulas as MathML, which browsers draw themselves: a page needs no script and no network for them."""

import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)


def visit_math(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(mathml(node.astext(), node, display="inline"))
    raise nodes.SkipNode


def visit_math_block(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on lines of its own. It scrolls where the page is narrower than it is."""
    translator.body.append(translator.starttag(node, "div", CLASS="math-block"))
    for latex in node.astext().strip().split("\n\n"):
        rows = rf"\begin{{aligned}}{latex}\end{{aligned}}" if is_unwrapped(latex) else latex
        translator.body.append(mathml(rows, node, display="block"))
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def mathml(latex: str, node: nodes.Node, *, display: str) -> str:
    """The formula; a command that the converter does not know would be shown as it is, and is a warning."""
    converted: str = convert(re.sub(r"\\arg\b", r"\\operatorname{arg}", latex), display=display)
    if "\\" in converted:
        logger.warning("The formula %r has a command that cannot be shown.", latex, location=node)
    return converted


def is_unwrapped(latex: str) -> bool:
    """Whether there are several rows outside of any environment."""
    before_environments = latex.partition(r"\begin")[0]
    return r"\\" in before_environments or "&" in before_environments


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
