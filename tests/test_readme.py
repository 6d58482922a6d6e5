"""The README's example runs as it stands, but for the size of its pictures and the number of its steps."""

import re
from pathlib import Path

import torch

from pystyle.images import read_image, write_image

ROOT = Path(__file__).parents[1]


def test_the_example_of_the_readme_runs_and_writes_a_picture(tmp_path, monkeypatch):
    (code,) = re.findall(
        r"```python\n(from pystyle import ContentLoss.*?)```", (ROOT / "README.md").read_text(), re.S
    )
    monkeypatch.chdir(tmp_path)
    generator = torch.Generator().manual_seed(0)
    for name in ("photo.jpg", "painting.jpg"):
        write_image(torch.rand(1, 3, 40, 48, generator=generator), name)
    small = code.replace("edge_size=512", "edge_size=32").replace("num_steps=500", "num_steps=3")
    assert small.count("edge_size=32") == 2
    assert small.count("num_steps=3") == 1
    exec(compile(small, "README.md", "exec"), {})
    assert read_image("stylised.png").shape == (1, 3, 32, 38)


def test_the_example_of_the_readme_takes_twelve_lines_or_less_between_the_imports_and_the_result():
    (code,) = re.findall(
        r"```python\n(from pystyle import ContentLoss.*?)```", (ROOT / "README.md").read_text(), re.S
    )
    body = [line for line in code.splitlines() if line and not line.startswith("from ")]
    assert len(body) <= 13


def test_the_readme_names_both_commands():
    text = (ROOT / "README.md").read_text()
    assert 'python -m pip install -e ".[demo]" && python -m pystyle demo' in text
    assert 'python -m pip install -e ".[test]" && python -m pytest' in text
