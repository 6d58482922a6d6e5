"""What is done to each image: `stylize`, with arguments or without, or a function that a user wrote."""

import hashlib
import inspect
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor

from pystyle._arguments import path_of
from pystyle.checkpoints import describe, fingerprint
from pystyle.encoders import Encoder
from pystyle.images import as_image, scaled_size
from pystyle.jobs._encoding import Encoding
from pystyle.jobs._manifest import Configuration
from pystyle.losses import Loss
from pystyle.runner import Result
from pystyle.runner._choose import free_memory
from pystyle.stylization import stylization_criterion, stylization_pyramid, stylize
from pystyle.stylization._evaluation import checked_tile
from pystyle.stylization._stylize import default_encoder
from pystyle.typing import MaskedImage

Recipe: TypeAlias = Callable[..., Result]
"""A function of a content and of what was given as style; both are tensors, or lists of them."""

_OF_ONE_RUN = ("checkpoint", "resume")
_NOT_DESCRIBED = ("device", "tile", "memory_budget", "targets", "on_interrupt", *_OF_ONE_RUN)
"""Arguments about where and how it is computed; no more than the last bits depend on them."""


def read_styles(style: Any, max_pixels: int) -> Any:
    """The styles, one or a list of several, with tensors in the place of paths and other images.

    Raises:
        ImageReadError: If a file cannot be read.
        TypeError: If there is a style for each region; the images of a folder have no regions.
    """
    if isinstance(style, Mapping):
        raise TypeError(
            "`style` must be an image, a path or a list of them, got one for each region, which the images "
            "of a folder do not have."
        )
    if isinstance(style, list | tuple):
        return [read_styles(one, max_pixels) for one in style]
    return style if isinstance(style, Tensor | MaskedImage) else as_image(style, max_pixels=max_pixels)


def checked(recipe: Recipe) -> Recipe:
    """The recipe, if it can be one; a folder that it names is that of this process, for others, too.

    Raises:
        TypeError: If it cannot be called with a content and a style.
        ValueError: If it writes checkpoints, or has an argument that `stylize` refuses for every image.
    """
    if not callable(recipe):
        raise TypeError(
            f"`recipe` must be a function of a content and a style, got a {type(recipe).__name__}. "
            "For other options take `functools.partial(stylize, edge_size=256)`."
        )
    try:
        inspect.signature(recipe).bind(None, None)
    except TypeError as error:
        raise TypeError(
            f"`recipe` must be a function of a content and a style, got a {type(recipe).__name__}: {error}. "
            "For a network write `lambda content, style: Result(paint(content), {}, 'finished', 0.0)`."
        ) from error
    if _is_stylize(recipe):
        given = _keywords(recipe)
        for name in _OF_ONE_RUN:
            if given[name]:
                raise ValueError(f"`recipe` must not have `{name}`, which is for the run of one image.")
        # The original size is another one for each image.
        edge_size = 512 if given["edge_size"] == "original" else given["edge_size"]
        stylization_pyramid(edge_size, num_steps=given["num_steps"])
        checked_tile(given["tile"], given["memory_budget"])
        if given["encoder"] is not None:
            _check_losses(given)
        if given["targets"] is not None:
            return partial(recipe, targets=path_of(given["targets"]).absolute())
    return recipe


def ready(recipe: Recipe, *, index: int, workers: int, targets: str | os.PathLike[str]) -> Recipe:
    """The recipe with what a process needs for all images, if it is one of `stylize`.

    Args:
        recipe: The recipe.
        index: The number of the process, for the choice of an accelerator.
        workers: How many processes share the memory.
        targets: The folder of what is computed of the styles alone. Other functions get it, too, if they
            have an argument of this name that is None.
    """
    given = _keywords(recipe)
    if not _is_stylize(recipe):
        wanted = "targets" in given and given["targets"] is None
        return partial(recipe, targets=targets) if wanted else recipe
    device = torch.device(given["device"] or _device(index))
    budget = given["memory_budget"]
    sharing = max(workers, int(os.environ.get("LOCAL_WORLD_SIZE", 1)))
    if budget is None and sharing > 1 and device.type == "cpu" and given["tile"] == "auto":
        # Each would take what is free for its own.
        budget = int(0.8 * free_memory(device)) // sharing
    # Built once, and not for each image.
    encoder = _encoder(given).to(device)
    _check_losses(given | {"encoder": encoder})
    return partial(
        recipe,
        device=device,
        encoder=encoder,
        memory_budget=budget,
        targets=given["targets"] or targets,
    )


def configuration_of(recipe: Recipe, styles: Any, encoding: Encoding) -> Configuration:
    """What a job is to do, without the images."""
    if _is_stylize(recipe):
        given = {name: value for name, value in _keywords(recipe).items() if name not in _NOT_DESCRIBED}
        given["style"] = styles if isinstance(styles, list) else [styles]
        # Its hundreds of parts are one: the manifest is read by people, too.
        encoder = _encoder(given)
        description = {
            "recipe": "stylize",
            **describe({**given, "encoder": None, "encoding": encoding}),
            "encoder": f"{type(encoder).__name__} with the SHA-256 {fingerprint(encoder)}",
        }
    else:
        description = describe({"recipe": recipe, "style": styles, "encoding": encoding})
    text = json.dumps(description, sort_keys=True)
    return Configuration(hashlib.sha256(text.encode()).hexdigest(), description)


def size_of_picture(recipe: Recipe, image: Tensor) -> tuple[int, int] | None:
    """Height and width of the picture of an image; None if only a function of a user knows."""
    height, width = image.shape[-2:]
    edge_size = _keywords(recipe)["edge_size"] if _is_stylize(recipe) else None
    if edge_size is None or edge_size == "original":
        return None if edge_size is None else (height, width)
    return scaled_size((height, width), edge_size if isinstance(edge_size, int) else edge_size[-1])


def device_of_recipe(recipe: Recipe) -> str | None:
    """Where it computes, if that is said."""
    device = _keywords(recipe).get("device")
    return str(device) if isinstance(device, str | torch.device) else None


def takes_alpha(recipe: Recipe) -> bool:
    """Whether it can be told how opaque the content is, and is not told already."""
    given = _keywords(recipe).get("alpha", False)
    return isinstance(given, str) if _is_stylize(recipe) else given is None


@contextmanager
def same_draws(recipe: Recipe) -> Iterator[None]:
    """A context after which a loss draws again what it drew in it: no image depends on another."""
    loss = _keywords(recipe).get("style_loss")
    generators = loss.generators() if isinstance(loss, Loss) else ()
    states = [(generator, generator.get_state()) for generator in generators]
    try:
        yield
    finally:
        for generator, state in states:
            generator.set_state(state)


def _is_stylize(recipe: Recipe) -> bool:
    return (recipe.func if isinstance(recipe, partial) else recipe) is stylize


def _keywords(recipe: Recipe) -> dict[str, Any]:
    """The arguments that have values: those of a `partial`, and defaults."""
    parameters = inspect.signature(recipe).parameters
    return {name: value.default for name, value in parameters.items() if value.default is not value.empty}


def _encoder(given: Mapping[str, Any]) -> Encoder:
    encoder: Encoder | None = given["encoder"]
    return default_encoder() if encoder is None else encoder


def _check_losses(given: Mapping[str, Any]) -> None:
    names = (
        *("strength", "style_loss", "style_layers"),
        *("content_layer", "content_weight", "smoothness_weight", "wrap"),
    )
    stylization_criterion(given["encoder"], **{name: given[name] for name in names})


def _device(index: int) -> torch.device:
    """The accelerator of a process, each in turn; the CPU if there is none."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is None:
        return torch.device("cpu")
    return torch.device(accelerator.type, index % torch.accelerator.device_count())
