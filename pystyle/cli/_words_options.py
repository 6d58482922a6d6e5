"""The options of `pystyle stylize --text`, where words stand in the place of paintings."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from pystyle.cli._errors import UsageError
from pystyle.cli._inputs import STANDARD_STREAM
from pystyle.cli._optimization_options import OPTIMIZERS, PARAMETRIZATIONS
from pystyle.cli._options import default_of
from pystyle.cli._paths import user_path
from pystyle.cli._values import integer
from pystyle.stylization import stylize
from pystyle.text import RandomCrops

STEPS = {"draft": 50, "standard": 200, "best": 400}
"""How many steps the names stand for; 200 are those of the paper."""

_NEVER_WORDS = {
    "strength": "--strength",
    "style_loss": "--loss",
    "style_layers": "--layers",
    "style_weights": "--style-weights",
    "style_scale": "--style-scale",
    "content_layer": "--content-layer",
    "content_weight": "--content-weight",
    "smoothness_weight": "--smoothness-weight",
    "colors": "--colors",
    "mask": "--mask",
    "style_mask": "--style-mask",
    "init": "--init",
    "parametrization": "--parametrization",
    "optimizer": "--optimizer",
    "encoder": "--encoder",
    "weights": "--weights",
    "pooling": "--pooling",
    "batch": "--batch",
    "memory": "--memory",
    "wrap": "--wrap",
}
"""What is about paintings, or about how `stylize` paints."""

_DEFAULTS = {
    "parametrization": next(iter(PARAMETRIZATIONS)),
    "optimizer": next(iter(OPTIMIZERS)),
    **{
        name: default_of(stylize, name)
        for name in ("strength", "style_loss", "style_scale", "content_weight", "smoothness_weight", "colors")
    },
    "init": default_of(stylize, "init"),
}


def is_model_name(text: str) -> bool:
    """Whether this is the name of a repository of the hub, and not the path of a folder."""
    return text.count("/") == 1 and not text.startswith((".", "/", "~")) and not Path(text).exists()


def is_words(argv: Sequence[str]) -> bool:
    """Whether a command line says in words what is wanted, so that no painting need be named."""
    return any(argument.partition("=")[0] == "--text" for argument in argv)


def add_words_options(parser: argparse.ArgumentParser) -> None:
    """What is said in words."""
    add = parser.add_argument_group("words, instead of STYLE").add_argument
    add(
        "--text",
        metavar="WORDS",
        help="what the picture becomes, such as 'a woodcut'; --steps is then 200 for standard, 50 for draft, "
        "400 for best",
    )
    add(
        "--text-model",
        metavar="FOLDER",
        type=lambda text: text if is_model_name(text) else user_path(text),
        help="a CLIP or SigLIP model: a folder, or a repository of the hub that was downloaded before",
    )
    add(
        "--text-crops",
        metavar="N",
        type=integer("--text-crops", least=1),
        help=f"parts of the picture that are compared with the words in each step (default: "
        f"{RandomCrops.count})",
    )


def steps_of_words(steps: int | str) -> int:
    """The number of steps, also by its name."""
    return steps if isinstance(steps, int) else STEPS[steps]


def check_words(options: argparse.Namespace) -> None:
    """Refuse what does not go with words, and words without what they need.

    Raises:
        UsageError: If there is something of it.
    """
    if options.text is None:
        return
    if not options.text.strip():
        raise UsageError("`--text` must say what the picture becomes, got nothing.")
    if options.text_model is None:
        raise UsageError("`--text` needs a model of words and pictures. Name its folder with `--text-model`.")
    if options.styles:
        raise UsageError(
            f"`--text` stands in the place of STYLE. Leave out '{options.styles[0]}', or the words."
        )
    for name, option in _NEVER_WORDS.items():
        if getattr(options, name) != _DEFAULTS.get(name):
            raise UsageError(f"`{option}` does not go with `--text`. Leave it out.")
    if isinstance(options.edge_size, list) or not isinstance(options.num_steps, int | str):
        raise UsageError("`--text` paints at one size: give one `--size` and one number of `--steps`.")
    if not isinstance(options.tile, str) and options.tile is not None:
        raise UsageError(
            "`--tile` does not go with `--text`, whose model sees the whole picture. Leave it out."
        )
    if options.content == STANDARD_STREAM and options.save_config is not None:
        raise UsageError("`--save-config` needs pictures in files, since '-' would read another one.")
