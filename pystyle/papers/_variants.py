"""The two sides of the tables, where a paper and its authors' code differ."""

from typing import Literal, TypeAlias

Variant: TypeAlias = Literal["paper", "code"]


def check_variant(variant: str) -> None:
    """Refuse a variant that is neither of both."""
    if variant not in ("paper", "code"):
        raise ValueError(f"`variant` must be 'paper' or 'code', got {variant!r}.")
