"""The benchmarks are scripts that import each other by their names, as Python finds them next to a script."""

import importlib
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def script():
    """Imports a script of `benchmarks/` by its name."""
    folder = str(Path(__file__).parents[2] / "benchmarks")
    sys.path.insert(0, folder)
    yield importlib.import_module
    sys.path.remove(folder)
