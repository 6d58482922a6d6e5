"""What is printed on standard output."""

import json
import math
import sys
from collections.abc import Mapping
from typing import Any


def tell(text: str) -> None:
    """Print lines, with escapes for letters that standard output lacks, as of names that are no text."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)


def tell_facts(facts: Any) -> None:
    """Print them as JSON, in which numbers that are not finite are null."""
    tell(json.dumps(_finite(facts), allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value
