"""Options as arguments of the library, and arguments as options where errors name them."""

import argparse
import re
from collections.abc import Collection
from typing import Any

from pystyle.cli._errors import UsageError
from pystyle.cli._optimization_options import OPTIMIZERS, PARAMETRIZATIONS
from pystyle.cli._wrap_option import wrapping_parametrization

_OPTIONS = {
    "content": "CONTENT",
    "style": "STYLE",
    "styles": "STYLE",
    "contents": "--batch",
    "output": "--output-dir",
    "extension": "--format",
    "destination": "--output",
    "edge_size": "--size",
    "texture_size": "--size",
    "num_steps": "--steps",
    "style_loss": "--loss",
    "style_layers": "--layers",
    "layers": "--layers",
    "memory_budget": "--memory",
    "metadata": "--keep-metadata",
    "lr": "--learning-rate",
    "text": "--text",
    **{
        name: f"--{name.replace('_', '-')}"
        for name in (
            *("strength", "style_weights", "style_scale", "colors", "encoder", "weights", "pooling"),
            *("optimizer", "parametrization", "init", "seed", "device", "precision", "tile", "checkpoint"),
            *("content_layer", "content_weight", "smoothness_weight", "resume", "workers", "retry_failed"),
            "on",
            *("overwrite", "bits", "quality", "max_pixels", "keep_metadata", "background"),
            *("width", "batch_size", "crop_size", "wrap"),
        )
    },
}
"""What the arguments of the library are called on the command line."""

_OF_A_TRAINING = {"contents": "--contents", "num_workers": "--workers"}
"""What they are called by `pystyle train`, if otherwise."""

_SENTENCES = {
    '`references["content"]`': "The content at this `--size`",
    '`references["style"]`': "A style at this `--size` and `--style-scale`",
}
"""What stands for more than one argument."""

_SENTENCES_OF_A_TRAINING = {
    '`references["content"]`': "A content at this `--crop-size`",
    '`references["style"]`': "A style at this `--style-size`",
}

_RATE_OF_A_DISCRIMINATOR = re.compile(r"`adversaries\.[\w.]+\.optimizer\.lr`")
"""What differs with the learning rate of the network."""

_ARGUMENT = re.compile(r"`(?:encoding\.|phases\.0\.|optimizer\.)?(\w+)(?:(=| = )([^`]+))?`")


def run_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """Those of every run.

    Raises:
        UsageError: If memory is limited where nothing keeps to it.
    """
    if options.memory is not None and options.tile != "auto":
        raise UsageError("`--memory` is for `--tile auto`, which keeps to it. Leave out one of both.")
    shared = ("edge_size", "strength", "num_steps", "seed", "device", "precision", "tile")
    arguments = {name: getattr(options, name) for name in shared}
    if options.memory is not None:
        arguments["memory_budget"] = round(options.memory * 2**30)
    return arguments


def style_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """Those of `pystyle stylize` about the style and the optimisation."""
    names = [
        *("style_weights", "style_scale", "style_loss", "style_layers", "colors"),
        *("content_layer", "content_weight", "smoothness_weight"),
    ]
    return {
        **{name: getattr(options, name) for name in names},
        "parametrization": wrapping_parametrization(PARAMETRIZATIONS[options.parametrization], options.wrap),
        **({} if options.wrap is None else {"wrap": options.wrap}),
        **OPTIMIZERS[options.optimizer],
    }


def in_options(message: str, options: Collection[str]) -> str:
    """The message of an error in terms of the command line.

    Args:
        message: It may name arguments of the library, in backticks.
        options: The long names of the options of the command. Of what it has no option for, the error speaks
            in plain words.

    Example:
        >>> in_options('Take `precision="bfloat16"`.', ["--precision"])
        'Take `--precision bfloat16`.'
        >>> in_options("`style_layers` must be layers.", ["--size"])
        'style layers must be layers.'
    """
    is_training = "--contents" in options
    for sentence, words in (_SENTENCES_OF_A_TRAINING if is_training else _SENTENCES).items():
        message = message.replace(sentence, words)

    def option_of(match: re.Match[str]) -> str:
        name, _, value = match.groups()
        option = _OF_A_TRAINING.get(name) if is_training else None
        option = option or _OPTIONS.get(name)
        if option is None:
            return match[0]
        if option == "--output-dir" and option not in options:
            option = "--output"
        if option == "--size" and "--pyramid" in options and "level" in message:
            option = "--pyramid"
        if option in options:
            given = "" if value in (None, "True") else f" {value.strip(chr(34) + chr(39))}"
            return f"`{option}{given}`"
        return option if option.isupper() else name.replace("_", " ")

    message = _RATE_OF_A_DISCRIMINATOR.sub("that of a discriminator", message)
    return _ARGUMENT.sub(option_of, message)
