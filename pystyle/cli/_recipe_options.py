"""The options of `pystyle train --recipe`, which lets a network learn from a folder of paintings."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

from pystyle.cli._errors import UsageError
from pystyle.cli._options import AddArgument
from pystyle.cli._paths import user_path
from pystyle.cli._values import one_of

RECIPES = ("cut", "fastcut", "cyclegan")
DEFAULTS = MappingProxyType(
    {"width": 32, "num_steps": 10_000, "batch_size": 1, "crop_size": 128, "learning_rate": 2e-4}
)
"""What is taken with a recipe for options that are not given."""

_NEVER_RECIPE = {
    "any_style": "--any-style",
    "features": "--features",
    "start": "--start",
    "strength": "--strength",
    "style_size": "--style-size",
    "style_loss": "--loss",
    "style_layers": "--layers",
    "content_layer": "--content-layer",
    "smoothness_weight": "--smoothness-weight",
    "encoder": "--encoder",
    "weights": "--weights",
    "pooling": "--pooling",
}
"""What is about a single painting, or the network that compares it with pictures."""


def add_recipe_options(add: AddArgument) -> None:
    """How a network learns a style from many paintings, in the group of this `add_argument`."""
    add(
        "--recipe",
        metavar="NAME",
        type=one_of("--recipe", RECIPES),
        help=f"learn the one style of a folder of paintings against a discriminator, as a paper does: one of "
        f"{', '.join(RECIPES)}; they take hundreds of thousands of steps",
    )
    add(
        "--styles",
        dest="style_folder",
        metavar="FOLDER",
        type=user_path,
        help="with --recipe: the folder of paintings, if it is not given as STYLE",
    )


def is_recipe(argv: Sequence[str]) -> bool:
    """Whether a command line is about a recipe, whose paintings need not be arguments."""
    return any(argument.partition("=")[0] in ("--recipe", "--styles") for argument in argv)


def settle(options: argparse.Namespace) -> None:
    """Give the options their defaults, and the folder of paintings its place.

    Raises:
        UsageError: If an option does not go with the recipe, or there is no folder, or more than one.
    """
    defaults = dict(options.late_defaults)
    if options.recipe is None:
        if options.style_folder is not None:
            raise UsageError("`--styles` is for `--recipe`. Without it, name the paintings as STYLE.")
    else:
        _check_apply(options)
        options.styles, options.style_folder = [_folder(options)], None
        defaults = {name: value for name, value in (defaults | DEFAULTS).items() if name not in _NEVER_RECIPE}
    for name, default in defaults.items():
        if getattr(options, name) is None:
            setattr(options, name, default)


def style_name(options: argparse.Namespace) -> str:
    """The name of the style that a recipe learns.

    Raises:
        UsageError: If there is not one.
    """
    names = options.names or [Path(options.styles[0]).resolve().name]
    if len(names) != 1 or not names[0]:
        raise UsageError(
            f"`--names` must have one name with `--recipe`, which learns one style, got {', '.join(names)!r}."
        )
    name: str = names[0]
    return name


def _check_apply(options: argparse.Namespace) -> None:
    for name, option in _NEVER_RECIPE.items():
        value = getattr(options, name)
        if value is not None and value is not False:
            raise UsageError(
                f"`{option}` does not go with `--recipe`, where a discriminator judges the pictures. Leave "
                "it out."
            )


def _folder(options: argparse.Namespace) -> str:
    named = [*options.styles, *([] if options.style_folder is None else [options.style_folder])]
    if not named:
        raise UsageError("`--recipe` needs a folder of paintings. Name it as STYLE or with `--styles`.")
    if options.styles and options.style_folder is not None:
        raise UsageError(
            "The paintings must be named once, as STYLE or with `--styles`, got both: "
            f"'{options.styles[0]}' and '{options.style_folder}'."
        )
    if len(named) > 1:
        raise UsageError(
            f"STYLE must be one folder of paintings of one style with `--recipe`, got {len(named)}."
        )
    folder: str = named[0]
    return folder
