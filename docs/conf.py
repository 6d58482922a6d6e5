"""Configuration of the documentation; `sphinx-build -W docs docs/_build` needs no network."""

import importlib
import inspect

from sphinx.application import Sphinx
from sphinx.errors import SphinxError

import pystyle

project = "pystyle"
author = "The pystyle developers"
copyright = "2026, The pystyle developers"
version = release = pystyle.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    # From an equation in a docstring to the line that computes it.
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
myst_enable_extensions = ["dollarmath", "colon_fence"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_static_path = ["_static"]
html_title = "pystyle"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = ["Shape"]
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

PUBLIC_PACKAGES = (
    "pystyle",
    "pystyle.checkpoints",
    "pystyle.colors",
    "pystyle.criterion",
    "pystyle.encoders",
    "pystyle.evaluation",
    "pystyle.functional",
    "pystyle.images",
    "pystyle.losses",
    "pystyle.optim",
    "pystyle.papers",
    "pystyle.parametrizations",
    "pystyle.pyramid",
    "pystyle.runner",
    "pystyle.stylization",
    "pystyle.testing",
)


def check_public_names(app: Sphinx) -> None:
    """Fail the build on a public name without a docstring, or a package without a page."""
    pages = "".join(page.read_text() for page in (app.srcdir / "api").glob("*.md"))
    papers = [f"pystyle.papers.{name}" for name in importlib.import_module("pystyle.papers").__all__]
    for package in (*PUBLIC_PACKAGES, *papers):
        module = importlib.import_module(package)
        if f"automodule:: {package}\n" not in pages:
            raise SphinxError(f"No page in docs/api documents the package {package}.")
        for name in module.__all__:
            documented = getattr(module, name)
            if callable(documented) and not inspect.getdoc(documented):
                raise SphinxError(f"The public name {package}.{name} has no docstring.")


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", check_public_names)
