"""Pictures in a folder of their own, and a `stylize` that writes down what it is asked to do."""

from pathlib import Path
from typing import Any

import pytest
import torch

from pystyle.images import write_image
from pystyle.runner import Result


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with three pictures of 60 x 40 pixels."""
    monkeypatch.chdir(tmp_path)
    generator = torch.Generator().manual_seed(0)
    for name in ("content.png", "style.png", "other.png"):
        write_image(torch.rand(1, 3, 40, 60, generator=generator), name)
    return tmp_path


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Arguments of `stylize`, which is not run."""
    recorded: list[dict[str, Any]] = []

    def record(content: Any, style: Any, **arguments: Any) -> Result:
        recorded.append({"content": content, "style": style, **arguments})
        return Result(content, {"step": [0], "seconds": [0.0], "total": [1.0]}, "finished", 0.0)

    monkeypatch.setattr("pystyle.cli._painting.stylize", record)
    return recorded
