"""Encoders and devices by the names that the command line gives them."""

import argparse
import inspect
from collections.abc import Callable, Sequence
from typing import Any, get_args

import torch

from pystyle import encoders
from pystyle.cli._errors import CommandError, UsageError, did_you_mean
from pystyle.encoders import Encoder

ENCODERS: dict[str, Callable[..., Encoder]] = {
    constructor.__name__: constructor
    for constructor in (
        encoders.vgg11,
        encoders.vgg11_bn,
        encoders.vgg13,
        encoders.vgg13_bn,
        encoders.vgg16,
        encoders.vgg16_bn,
        encoders.vgg19,
        encoders.vgg19_bn,
        encoders.alexnet,
    )
}
DEFAULT_ENCODER = "vgg19"
RANDOM_WEIGHTS = ("none", "random")
WEIGHTS = ("caffe", "caffe_normalized", "torchvision", *RANDOM_WEIGHTS)
POOLINGS: Sequence[str] = get_args(inspect.signature(encoders.vgg19).parameters["pooling"].annotation)

_DEVICES = ("cpu", "cuda", "mps", "xpu")


def chosen_encoder(options: argparse.Namespace) -> Encoder | None:
    """The encoder of ``--encoder``, ``--weights`` and ``--pooling``; None if none of them was given."""
    arguments: dict[str, Any] = {}
    if options.weights is not None:
        arguments["weights"] = None if options.weights in RANDOM_WEIGHTS else options.weights
    if options.pooling is not None:
        arguments["pooling"] = options.pooling
    if options.encoder is None and not arguments:
        return None
    try:
        # As in `stylize`: otherwise the edges of the picture turn into a frame.
        return ENCODERS[options.encoder or DEFAULT_ENCODER](**arguments, padding="replicate", ceil_mode=True)
    except ValueError as error:
        message = str(error).replace("`weights`", "`--weights`").replace("or None for", "or 'none' for")
        raise UsageError(message) from error
    except ImportError as error:
        raise CommandError(str(error)) from error


def device(text: str) -> str:
    """The name of a device, if this machine has it."""
    try:
        name = torch.device(text)
    except RuntimeError as error:
        hint = did_you_mean(text, _DEVICES)
        raise UsageError(
            f"`--device` must be a device such as {', '.join(_DEVICES)} or cuda:0, got {text!r}.{hint}"
        ) from error
    try:
        torch.zeros((), device=name).item()
    except Exception as error:  # Of many kinds: RuntimeError, AssertionError, NotImplementedError, ...
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UsageError(f"`--device` must be a device of this machine, got {text!r}: {reason}") from error
    return text
