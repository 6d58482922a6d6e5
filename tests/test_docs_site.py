"""The shape of the site: what stands where. `.ci/run` builds it, with warnings as errors."""

import re
import tomllib
from pathlib import Path

import pystyle
from pystyle import papers

DOCS = Path(__file__).parents[1] / "docs"


def _sidebar():
    """The pages of the sidebar, by their captions."""
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    trees = re.findall(r"```\{toctree\}\n:hidden:\n:caption: (\w+)\n\n(.*?)```", text, re.S)
    return {caption: pages.split() for caption, pages in trees}


def test_the_sidebar_has_its_subjects_in_their_order():
    sidebar = _sidebar()
    assert list(sidebar) == ["Start", "Guides", "Papers", "Evidence", "Reference"]
    assert sidebar["Guides"].index("extending") < sidebar["Guides"].index("design")
    assert sidebar["Reference"][-2:] == ["reliability", "faults"]


def test_every_page_is_in_the_sidebar_once():
    pages = sorted(page for pages in _sidebar().values() for page in pages)
    assert pages == sorted(["api/index", *(path.stem for path in DOCS.glob("*.md") if path.stem != "index")])


def test_every_name_of_pystyle_itself_is_on_its_page():
    text = (DOCS / "api" / "pystyle.md").read_text(encoding="utf-8")
    listed = re.findall(r"^   pystyle\.(\w+)$", text, re.M)
    assert sorted(listed) == sorted(name for name in pystyle.__all__ if name != "__version__")


def test_every_paper_is_in_the_bibliography_and_in_one_table():
    bibliography = (DOCS / "bibliography.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\{mod\}`pystyle\.papers\.(\w+)`", bibliography)) == sorted(papers.__all__)
    pages = [(DOCS / f"{page}.md").read_text(encoding="utf-8") for page in ("papers", "papers-of-networks")]
    rows = re.findall(r"^\| \[.*\{mod\}`~pystyle\.papers\.(\w+)`", "\n".join(pages), re.M)
    assert sorted(rows) == sorted(papers.__all__)


def test_every_extra_of_users_is_in_the_table_of_extras():
    with (DOCS.parent / "pyproject.toml").open("rb") as file:
        extras = set(tomllib.load(file)["project"]["optional-dependencies"])
    table = (DOCS / "first-steps.md").read_text(encoding="utf-8").partition("\n## Extras\n")[2]
    first_columns = re.findall(r"^\| (`.*?) \|", table, re.M)
    assert set(re.findall(r"`(\w+)`", " ".join(first_columns))) == extras - {"bench", "dev", "docs", "test"}


def test_the_landing_page_begins_with_the_demo():
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    _, first, *_ = [block for block in text.split("\n\n") if block.strip()]
    assert first.endswith("](_static/demo.jpg)")


def test_tables_of_measurements_of_single_pairs_are_evidence():
    for page in ("control", "encoders", "first-steps", "recipes", "command-line"):
        text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
        assert not re.search(r"^\|[^\n]*\| (lpips|noise|seconds) \|", text, re.M), page
