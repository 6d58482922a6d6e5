from typing import Literal, TypeAlias, get_args

Variant: TypeAlias = Literal["paper", "code", "pytorch"]


def check_variant(variant: str) -> None:
    """Refuse a variant that is none of the three."""
    if variant not in get_args(Variant):
        raise ValueError(f"`variant` must be one of {get_args(Variant)}, got {variant!r}.")
