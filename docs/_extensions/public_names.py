"""Public names: all of them have a page, and every way to write one leads to it.

``pystyle.GramLoss`` and ``pystyle.losses.GramLoss`` are one class, which has one page. A reference to a name
of the library that leads nowhere is a warning.
"""

import importlib
import inspect
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import SphinxError
from sphinx.util import logging

PACKAGES = (
    "pystyle.functional",
    "pystyle.colors",
    "pystyle.images",
    "pystyle.checkpoints",
    "pystyle.encoders",
    "pystyle.losses",
    "pystyle.optim",
    "pystyle.parametrizations",
    "pystyle.criterion",
    "pystyle.networks",
    "pystyle.evaluation",
    "pystyle.runner",
    "pystyle.pyramid",
    "pystyle.stylization",
    "pystyle.training",
    "pystyle.jobs",
    "pystyle.papers",
    "pystyle.testing",
)

logger = logging.getLogger(__name__)


def check_public_names(app: Sphinx) -> None:
    """Fail the build on a public name without a docstring, or a package without a page."""
    pages = "".join(page.read_text(encoding="utf-8") for page in (app.srcdir / "api").glob("*.md"))
    papers = importlib.import_module("pystyle.papers").__all__
    for package in (*PACKAGES, *(f"pystyle.papers.{name}" for name in papers)):
        if f" {package.removeprefix('pystyle.papers.')}\n" not in pages:
            raise SphinxError(f"No page in docs/api documents the package {package}.")
        module = importlib.import_module(package)
        for name in module.__all__:
            documented = getattr(module, name)
            if (inspect.isclass(documented) or inspect.isroutine(documented)) and not documented.__doc__:
                raise SphinxError(f"The public name {package}.{name} has no docstring.")


def documented_name(target: str) -> str:
    """The name under which a name of the package `pystyle` has its page."""
    first, _, rest = target.removeprefix("pystyle.").partition(".")
    for package in PACKAGES:
        if first in importlib.import_module(package).__all__:
            return f"{package}.{first}" + (f".{rest}" if rest else "")
    return target


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.Node | None:
    """Resolve a reference that leads to no page as it stands."""
    target: Any = node.get("reftarget", "")
    # Annotations may name what is private: it has no page.
    if node.get("refdomain") != "py" or not target.startswith("pystyle.") or "._" in target:
        return None
    domain = env.domains.python_domain
    name = documented_name(target)
    found = domain.find_obj(env, None, None, name, None, 0)
    if not found:
        logger.warning("%r has no page.", target, location=node, type="ref")
        return None
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", name, node, content)


def setup(app: Sphinx) -> dict[str, bool]:
    """Check before the sources are read, and resolve what Sphinx could not."""
    app.connect("builder-inited", check_public_names)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
