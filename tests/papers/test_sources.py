"""Paper, code and BibTeX of each module: in its first lines, on the page of papers, and in `papers.bib`."""

import importlib
import re
from pathlib import Path

import pytest

from pystyle import papers

DOCS = Path(__file__).parents[2] / "docs"
LINK = re.compile(r"^:(Paper|Code): (https://\S+)$", re.M)


def sections():
    """The pages of papers by the targets of their sections."""
    pages = (DOCS / "papers.md", DOCS / "papers-of-networks.md")
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    parts = re.split(r"^\(([a-z0-9-]+)\)=$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def entries():
    """The entries of the file of BibTeX by their keys."""
    text = (DOCS / "papers.bib").read_text(encoding="utf-8")
    return {key: entry for entry in text.split("\n%\n") for key in re.findall(r"^@\w+\{(\w+),", entry, re.M)}


@pytest.mark.parametrize("name", papers.__all__)
def test_each_module_names_its_paper_and_code_as_the_page_does(name):
    links = LINK.findall(importlib.import_module(f"pystyle.papers.{name}").__doc__)
    kinds = [kind for kind, _ in links]
    assert kinds == sorted(kinds, reverse=True)
    # Crowson's is a program without a paper.
    assert ("Paper" in kinds) == (name != "crowson_2022")
    assert "Code" in kinds
    section = sections()[name.replace("_", "-")]
    for _, url in links:
        assert f"]({url})" in section
    assert f"{{mod}}`pystyle.papers.{name}`" in section


@pytest.mark.parametrize("name", papers.__all__)
def test_each_paper_has_an_entry_of_bibtex_with_its_number(name):
    entry = entries()[name]
    assert entry.count("{") == entry.count("}")
    assert f":start-at: {name}," in sections()[name.replace("_", "-")]
    for kind, url in LINK.findall(importlib.import_module(f"pystyle.papers.{name}").__doc__):
        number = url.removeprefix("https://arxiv.org/abs/").removeprefix("https://doi.org/")
        # The preprint of 2015 is another paper than that of the conference.
        if kind == "Paper" and number != "1508.06576":
            assert f"{{{number}}}" in entry
