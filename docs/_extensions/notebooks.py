"""The notebooks as pages: they lie beside the docs, and Sphinx reads below its own folder only."""

import shutil
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config


def copy_notebooks(app: Sphinx, _: Config) -> None:
    """Copy the notebooks below the docs. Those that did not change are not read again."""
    target = Path(app.srcdir) / "notebooks"
    target.mkdir(exist_ok=True)
    notebooks = {path.name: path for path in (Path(app.srcdir).parent / "notebooks").glob("*.ipynb")}
    for path in target.glob("*.ipynb"):
        if path.name not in notebooks:
            path.unlink()
    for name, path in notebooks.items():
        copy = target / name
        if not copy.is_file() or copy.read_bytes() != path.read_bytes():
            shutil.copyfile(path, copy)


def link_to_pages(_: Sphinx, docname: str, source: list[str]) -> None:
    """Lead links to notebooks in the repository to their pages."""
    if not docname.startswith("notebooks/"):
        source[0] = source[0].replace("(../notebooks/", "(notebooks/")


def setup(app: Sphinx) -> dict[str, bool]:
    """Copy before the sources are looked for, and change the links before they are parsed."""
    app.connect("config-inited", copy_notebooks)
    app.connect("source-read", link_to_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
