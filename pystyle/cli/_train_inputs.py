"""What a training is made of: photographs, paintings and their names, the network, the losses."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pystyle.cli._encoders import DEFAULT_ENCODER, chosen_device, chosen_encoder
from pystyle.cli._errors import UsageError
from pystyle.cli._inputs import STANDARD_STREAM, read_picture
from pystyle.cli._named_network import named_network
from pystyle.cli._options import STYLE_SIZE
from pystyle.cli._recipe_options import style_name
from pystyle.cli._train_options import WIDTHS
from pystyle.cli._train_recipe import recipe_network
from pystyle.cli._values import ORIGINAL_SIZE
from pystyle.criterion import Criterion
from pystyle.encoders import named_encoder
from pystyle.images import resize
from pystyle.networks import AnyStyleNetwork, Stylizer, TransformNetwork
from pystyle.stylization import stylization_criterion
from pystyle.stylization._layers import five_layers_of
from pystyle.training import ImageFolder
from pystyle.typing import FeaturesName


def style_names(options: argparse.Namespace) -> list[str]:
    """The names of the styles that the network learns; none if it is for any style.

    Raises:
        UsageError: If a name is there twice, or missing.
    """
    styles = options.styles
    if options.recipe is not None:
        return [style_name(options)]
    if options.any_style:
        if options.style_size is not None:
            raise UsageError(
                "`--style-size` must be left out with `--any-style`, which sees crops of the paintings. "
                "`--crop-size` is their size."
            )
        if len(styles) > 1 or not Path(styles[0]).is_dir():
            raise UsageError(f"`--any-style` needs a folder of paintings for STYLE, got '{styles[-1]}'.")
        if options.names:
            raise UsageError("`--names` must be left out with `--any-style`, which learns no names.")
        return []
    for style in styles:
        if Path(style).is_dir():
            raise UsageError(
                f"STYLE must be a painting, got the folder '{style}'. Name the files in it, or add "
                "`--any-style`."
            )
    names = options.names or [_stem(style) for style in styles]
    if len(names) != len(styles) or "" in names:
        raise UsageError(
            f"`--names` must have one name for each of the {len(styles)} styles, got {', '.join(names)!r}."
        )
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"Each style needs a name of its own, got {name!r} twice. Add `--names`.")
    return list(names)


def images_in(folder: str | Path, option: str, options: argparse.Namespace) -> ImageFolder:
    """The images of a folder, as crops.

    Raises:
        UsageError: If there are none.
    """
    try:
        return ImageFolder(folder, crop_size=options.crop_size, max_pixels=options.max_pixels)
    except (ValueError, NotADirectoryError) as error:
        raise UsageError(str(error).replace("`folder`", option)) from error


def network_of(options: argparse.Namespace, names: Sequence[str]) -> Stylizer:
    """The network before its first step, on its device.

    Raises:
        UsageError: If the training cannot go on from the network of ``--start``.
    """
    if options.recipe is not None:
        return recipe_network(options, names[0])
    if options.features and (options.start is not None or not options.any_style):
        raise UsageError("`--features` is for `--any-style` without `--start`, whose network has its own.")
    if options.start is not None:
        if options.width is not None:
            raise UsageError("`--width` must be left out with `--start`, whose network has its own.")
        return _start(options, names)
    torch.manual_seed(options.seed)
    features: FeaturesName = options.features or "vgg19"
    width = options.width or WIDTHS[options.any_style and features == "vgg19"]
    network: Stylizer = (
        AnyStyleNetwork(width=width, features=features)
        if options.any_style
        else TransformNetwork(width=width, styles=names)
    )
    return network.to(chosen_device(options))


def _start(options: argparse.Namespace, names: Sequence[str]) -> Stylizer:
    """The network of ``--start``, of the kind that is trained, with the styles of that order."""
    start = named_network(options.start, "--start", chosen_device(options))
    if options.any_style:
        if not isinstance(start, AnyStyleNetwork):
            raise UsageError(
                f"`--start` must be a network for any style with `--any-style`, got '{options.start}', a "
                f"{type(start).__name__}."
            )
        return start
    if not isinstance(start, TransformNetwork):
        raise UsageError(
            f"`--start` must be a TransformNetwork without `--any-style`, got '{options.start}', a "
            f"{type(start).__name__}."
        )
    if set(names) != set(start.styles):
        raise UsageError(
            f"The paintings must be those of the styles of '{options.start}', {', '.join(start.styles)}, got "
            f"{', '.join(names)}. Name a painting for each with `--names`; `for_new_styles` of networks is "
            "for others."
        )
    return start


def styles_of(options: argparse.Namespace, network: Stylizer) -> Any:
    """The paintings: one for each style of the network, or those of a folder as crops."""
    if options.any_style or options.recipe is not None:
        return _painting_folder(options)
    paths = dict(zip(style_names(options), options.styles, strict=True))
    return [
        at_style_size(read_picture(paths[name], max_pixels=options.max_pixels, background=None), options)[0]
        for name in network.styles
    ]


def at_style_size(style: Tensor, options: argparse.Namespace) -> Tensor:
    """A painting at the size at which it is looked at."""
    return style if options.style_size == ORIGINAL_SIZE else resize(style, options.style_size or STYLE_SIZE)


def painting_paths(options: argparse.Namespace) -> Sequence[Path]:
    """The files of a folder of paintings; none if they are named themselves."""
    return _painting_folder(options).paths if options.any_style or options.recipe is not None else ()


def criterion_of(options: argparse.Namespace) -> Criterion:
    """What the network is trained for, on its device.

    Raises:
        UsageError: If the encoder does not exist, or has no such layer.
    """
    encoder = chosen_encoder(options) or named_encoder(DEFAULT_ENCODER)
    criterion = stylization_criterion(
        encoder,
        style_loss=options.style_loss,
        style_layers=options.style_layers,
        content_layer=options.content_layer or five_layers_of(encoder)[2],
        smoothness_weight=options.smoothness_weight,
    )
    return criterion.to(chosen_device(options))


def _painting_folder(options: argparse.Namespace) -> ImageFolder:
    return images_in(options.styles[0], "The folder of paintings", options)


def _stem(style: str) -> str:
    return "style" if style == STANDARD_STREAM else Path(style).stem
