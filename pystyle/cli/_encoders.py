"""Encoders and devices by the names that the command line gives them."""

import argparse
import inspect
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import get_args

import torch

from pystyle import encoders
from pystyle._arguments import best_device
from pystyle.cli._errors import UsageError, did_you_mean
from pystyle.cli._paths import user_path
from pystyle.cli._values import name_or_path
from pystyle.encoders import Encoder, ModuleEncoder, named_encoder
from pystyle.encoders._named import CONSTRUCTORS
from pystyle.typing import IMAGE

DEFAULT_ENCODER = "vgg19"
RANDOM_WEIGHTS = ("none", "random")
WEIGHTS = ("caffe", "caffe_normalized", "torchvision", *RANDOM_WEIGHTS)
POOLINGS: Sequence[str] = get_args(inspect.signature(encoders.vgg19).parameters["pooling"].annotation)

_WEIGHTS_SUFFIXES = (".pth", ".pt", ".bin", ".safetensors")
_DEVICES = ("cpu", "cuda", "mps", "xpu")


def chosen_encoder(options: argparse.Namespace) -> Encoder | None:
    """The encoder of ``--encoder``, ``--weights`` and ``--pooling``; None if none of them was given."""
    if options.encoder is None and options.weights is None and options.pooling is None:
        return None
    name, weights = options.encoder or DEFAULT_ENCODER, options.weights or "default"
    if name in CONSTRUCTORS and weights != "default":
        weights = name_or_path("--weights", WEIGHTS)(weights)
    build = partial(
        named_encoder, name, None if weights in RANDOM_WEIGHTS else weights, pooling=options.pooling
    )
    try:
        encoder = build()
        others = _other_layers(encoder, options)
        return build(layers=others) if others else encoder
    except ValueError as error:
        message = str(error).replace("`name`", "`encoder`").replace("or None for", "or 'none' for")
        raise UsageError(message) from error


def weights(text: str) -> str:
    """The name of weights, which depends on the network, or the path of a file."""
    return text if is_weights_name(text) else user_path(text)


def is_weights_name(text: str) -> bool:
    """Whether this is the name of weights, and not the path of a file."""
    path = Path(text)
    return path.suffix.lower() not in _WEIGHTS_SUFFIXES and path.name == text and not path.is_file()


def _other_layers(encoder: Encoder, options: argparse.Namespace) -> list[str]:
    """All layers of a network of other packages, if some are wanted that it has not by default."""
    if not isinstance(encoder, ModuleEncoder):
        return []
    given = vars(options)
    wanted = {*(given.get("style_layers") or ()), given.get("content_layer")} - {IMAGE, None}
    if wanted <= set(encoder.layers):
        return []
    depth = {name: index for index, (name, _) in enumerate(encoder.module.named_modules())}
    return sorted({*encoder.layers, *wanted}, key=lambda layer: depth.get(layer, len(depth)))


def device(text: str) -> str:
    """The name of a device, if this machine has it."""
    try:
        name = torch.device(text)
    except RuntimeError as error:
        hint = did_you_mean(text, _DEVICES)
        raise UsageError(
            f"`--device` must be a device such as {', '.join(_DEVICES)} or cuda:0, got {text!r}.{hint}"
        ) from error
    here = _devices()
    # A kind alone stands for its first device.
    usable = {*here, *(found.partition(":")[0] for found in here), "cpu:0"}
    missing = name.type in _DEVICES and str(name) not in usable
    reason = f"torch finds {', '.join(here)} here." if missing else _why_unusable(name)
    if reason:
        raise UsageError(f"`--device` must be a device of this machine, got {text!r}: {reason}")
    return text


def chosen_device(options: argparse.Namespace) -> torch.device:
    """The device of ``--device``; if there is none, the accelerator, or the CPU."""
    return best_device() if options.device is None else torch.device(options.device)


def _devices() -> list[str]:
    """Those that torch finds."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is None:
        return ["cpu"]
    count = torch.accelerator.device_count()
    return ["cpu", *(f"{accelerator.type}:{index}" for index in range(count))]


def _why_unusable(name: torch.device) -> str:
    """Why nothing can be computed on a device, in a line; empty if it can."""
    try:
        torch.zeros((), device=name).item()
    except Exception as error:  # Of many kinds: RuntimeError, AssertionError, NotImplementedError, ...
        return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return ""
