"""Every code block of the README and the docs runs as it stands when it is pasted.

The Python blocks of a page run one after the other in a fresh process, in a folder with the two images that
the pages assume. Only numbers of pixels and steps are made smaller. Doctests are run by pytest itself.

A comment ``<!-- needs: network -->`` before a block keeps it from being run, and one that names a package
where this is missing. What is needed must be said in the text, too.
"""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pystyle.images import write_image

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^(?:<!-- needs: (?P<needs>[a-z_, ]+) -->\n+)?```python\n(?P<code>.*?)^```$", re.M | re.S)
FAST = ("README.md",)


def blocks_of(page):
    """The blocks of a page that are no doctests, as matches."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [block for block in BLOCK.finditer(text) if not block["code"].startswith(">>>")]


def pages():
    """The pages with Python blocks. Notebooks and generated pages have tests of their own."""
    paths = [
        ROOT / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted((ROOT / "docs/api").glob("*.md")),
    ]
    return [page for path in paths if blocks_of(page := path.relative_to(ROOT).as_posix())]


def small(code):
    """The code with images of 32 to 48 pixels and two steps; all else is that of the page."""
    code = re.sub(r"\b(edge_size=\[?|stylization_pyramid\()\d+", r"\g<1>32", code)
    code = re.sub(r"\binit=\(\d+, \d+\)", "init=(32, 32)", code)
    code = re.sub(r"\bnum_steps=[\d_]+", "num_steps=2", code)
    code = re.sub(r"\bnum_steps=\[[\d, ]+\]", lambda given: re.sub(r"\d+", "2", given[0]), code)
    return re.sub(r"\bPyramid\(\[\d+, \d+, \d+\]", "Pyramid([32, 40, 48]", code)


def runs_here(block):
    """Whether what a block needs is here."""
    needs = (block["needs"] or "").replace(",", " ").split()
    return "network" not in needs and all(importlib.util.find_spec(name) for name in needs)


def program(page):
    """The blocks of a page as one program, whose lines have the numbers that they have on the page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    lines = [""] * text.count("\n")
    for block in blocks_of(page):
        first = text.count("\n", 0, block.start("code"))
        code = small(block["code"]).splitlines()
        if runs_here(block):
            lines[first : first + len(code)] = code
        else:
            compile("\n" * first + block["code"], page, "exec")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "page", [page if page in FAST else pytest.param(page, marks=pytest.mark.slow) for page in pages()]
)
def test_every_block_of_a_page_runs_as_it_is_pasted(page, tmp_path):
    generator = torch.Generator().manual_seed(0)
    for name, size in (("photo.jpg", (48, 56)), ("painting.jpg", (52, 48))):
        write_image(torch.rand(1, 3, *size, generator=generator), tmp_path / name)
    (tmp_path / "page.py").write_text(program(page), encoding="utf-8")
    python_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": python_path, "PYSTYLE_OFFLINE": "1", "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, "page.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, f"{page}\n{done.stderr}"


@pytest.mark.parametrize("page", pages())
def test_what_a_block_needs_is_said_on_its_page(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for block in blocks_of(page):
        beside = text[max(0, block.start() - 600) : block.start()] + text[block.end() : block.end() + 600]
        for name in (block["needs"] or "").replace(",", " ").split():
            word = "download" if name == "network" else name.replace("_", "-")
            assert word in beside.lower(), f"{page} does not say that a block needs {name}."


@pytest.mark.parametrize("page", pages())
def test_pages_say_which_images_their_blocks_read(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    first, *_ = blocks_of(page)
    read = set(re.findall(r'"([\w-]+\.(?:jpg|png))"', "".join(block["code"] for block in blocks_of(page))))
    assumed = read & {"photo.jpg", "painting.jpg"}
    assert all(f"`{name}`" in text[: first.start()] for name in assumed)


def test_the_first_example_of_the_readme_takes_twelve_lines_or_less_between_the_imports_and_the_result():
    first, *_ = blocks_of("README.md")
    body = [line for line in first["code"].splitlines() if line and not line.startswith("from ")]
    assert len(body) <= 13


def test_the_examples_to_copy_have_no_frame():
    for page in ("README.md", "docs/index.md", "docs/first-steps.md"):
        code = "".join(block["code"] for block in blocks_of(page))
        with_content = [line for line in code.splitlines() if "vgg19(" in line and "texture" not in line]
        assert with_content, page
        assert all('vgg19(padding="replicate", ceil_mode=True)' in line for line in with_content)
