import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
OF_EACH_KIND = ("01", "02", "03", "05", "18", "19", "26", "27", "28")
"""The numbers of those that CI runs; each takes a kernel, and all are run before a release."""


def _pictures(outputs):
    return [output for output in outputs if {"image/png", "image/jpeg"} & set(output.get("data", {}))]


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[] if path.stem[:2] in OF_EACH_KIND else pytest.mark.long)
        for path in NOTEBOOKS
    ],
)
def test_every_notebook_runs_at_a_small_size(path, monkeypatch):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    monkeypatch.delenv("MPLBACKEND", raising=False)
    monkeypatch.setenv("PYSTYLE_NOTEBOOK_SIZE", "64")
    monkeypatch.setenv("PYSTYLE_NOTEBOOK_STEPS", "4")
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=600).execute()
    assert len(_pictures(output for cell in notebook.cells for output in cell.get("outputs", []))) >= 3


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_is_in_the_gallery(path):
    gallery = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    thumbnail = f"_static/gallery/{path.stem}.jpg"
    assert f":link: notebooks/{path.stem}\n" in gallery
    assert f":img-top: {thumbnail}\n" in gallery
    assert (ROOT / "docs" / thumbnail).is_file()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_is_stored_with_its_outputs(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert len(_pictures(outputs)) >= 3
    assert not any(output["output_type"] == "error" for output in outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_is_small(path):
    assert path.stat().st_size <= 300_000, (
        "Run `python notebooks/pictures.py`, which compresses its pictures."
    )
