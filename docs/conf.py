"""Configuration of the documentation; `sphinx-build -W docs docs/_build` needs no network."""

import os
import sys
from importlib.metadata import distribution
from pathlib import Path

import pystyle

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "pystyle"
author = "The pystyle developers"
copyright = "2026, The pystyle developers"
version = release = pystyle.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    # From an equation in a docstring to the line that computes it.
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "mathml",
    "notebooks",
    "public_names",
]
myst_enable_extensions = ["dollarmath", "colon_fence"]
nb_execution_mode = "off"
exclude_patterns = ["_build"]
templates_path = ["_templates"]

html_theme = "furo"
html_title = "pystyle"
# The font of formulas where a reader has none: STIX Two Math.
MATH_FONT = distribution("ziamath").locate_file("ziamath/fonts/STIXTwoMath-Regular.ttf")
html_static_path = ["_static", str(MATH_FONT)]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
# Services that build pages say where the repository is. Elsewhere there are no links to it.
repository = os.environ.get("READTHEDOCS_GIT_CLONE_URL", "").removesuffix(".git")
if repository:
    html_theme_options = {
        "source_repository": repository,
        "source_branch": os.environ.get("READTHEDOCS_GIT_IDENTIFIER", "main"),
        "source_directory": "docs/",
    }

autosummary_ignore_module_all = False
autosummary_imported_members = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = ["Shape"]
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
