from typing import Literal, TypeAlias, get_args

Recipe: TypeAlias = Literal["cartoon", "anime"]


def check_recipe(recipe: str) -> None:
    """Refuse a recipe that is neither of both."""
    if recipe not in get_args(Recipe):
        raise ValueError(f"`recipe` must be 'cartoon' or 'anime', got {recipe!r}.")
