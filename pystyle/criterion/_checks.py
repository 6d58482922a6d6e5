"""What an image has to be, said in one place and before anything is computed."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pystyle._arguments import check_image as check_shape
from pystyle._arguments import check_mapping, check_range
from pystyle.criterion._blend import images_of
from pystyle.encoders import Encoder, WrappedEncoder
from pystyle.losses import Loss
from pystyle.typing import IMAGE, References, Wrap


def check_image(image: Tensor, name: str, encoder: Encoder, layers: Sequence[str]) -> None:
    """Check that the encoder can take the image.

    Raises:
        TypeError: If it is not a floating-point tensor of the encoder's precision.
        ValueError: If its shape, size or device is wrong, or a side that wraps is no multiple of the stride.
    """
    check_shape(image, f"`{name}`")
    parameter = next((tensor for tensor in encoder.parameters()), None)
    if parameter is not None and parameter.device != image.device:
        raise ValueError(
            f"`{name}` must be on the device of the encoder, got {image.device} for an encoder on "
            f"{parameter.device}. Move one of them with `.to(...)`."
        )
    wanted = encoder.image_dtype
    if wanted not in (None, image.dtype) and not torch.is_autocast_enabled(image.device.type):
        raise TypeError(
            f"`{name}` must be of the encoder's type {wanted}, got {image.dtype}. "
            "Convert one of them with `.to(...)`."
        )
    smallest = encoder.minimum_size(layers)
    if min(image.shape[2:]) < smallest:
        deepest = max(layers, key=lambda layer: encoder.minimum_size([layer]))
        raise ValueError(
            f"`{name}` must be at least {smallest} pixels high and wide for the layer {deepest!r}, got "
            f"{image.shape[2]} x {image.shape[3]}. Enlarge it or use earlier layers."
        )
    if isinstance(encoder, WrappedEncoder):
        encoder.check_size((image.shape[2], image.shape[3]), layers, f"`{name}`")


def check_loss_names(argument: str, names: Iterable[str], losses: Iterable[str]) -> None:
    """Check that these are names of losses.

    Raises:
        ValueError: If one is not.
    """
    if callable(names) or not isinstance(names, Iterable):
        raise TypeError(
            f"`{argument}` must name losses of the criterion, got a {type(names).__name__}. Their names are "
            f"{', '.join(losses)}."
        )
    known = tuple(dict.fromkeys(losses))
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(str(name), known, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(
                f"`{argument}` must name losses of the criterion ({', '.join(known)}), got {name!r}.{hint}"
            )


def check_values(image: Tensor, name: str) -> None:
    """Check that an image is more than a shape.

    Raises:
        ValueError: If it is on the device ``meta``.
    """
    if image.device.type == "meta":
        raise ValueError(
            f"{name} must have values, got an image on the device meta, where there are none. Make it on the "
            "device of the encoder."
        )


def check_pictures(references: References) -> None:
    """Check the shapes and the range of all references, before any of them is resized.

    Raises:
        TypeError: If one is not a floating-point tensor.
        ValueError: If one has another shape, or leaves [0, 1].
    """
    for name, reference in references.items():
        for image in images_of(reference):
            check_shape(image, f'`references["{name}"]`')
            check_range(image, f'`references["{name}"]`')


def check_losses(losses: Any) -> None:
    """Check that these are losses by their names.

    Raises:
        TypeError: If they have no names, or one is no loss.
        ValueError: If there are none, or one was built in inference mode.
    """
    if isinstance(losses, Loss | list | tuple):
        kinds = [type(loss).__name__ for loss in ([losses] if isinstance(losses, Loss) else losses)]
        named = ", ".join(f"{kind.removesuffix('Loss').lower()!r}: {kind}(...)" for kind in kinds)
        raise TypeError(f"`losses` must have names, which their terms get. Write `{{{named}}}`.")
    check_mapping(losses, "`losses`", '{"style": GramLoss("relu3_1")}')
    if not losses:
        raise ValueError("`losses` must have at least one loss, got none.")
    for name, loss in losses.items():
        if isinstance(loss, type):
            raise TypeError(
                f"`losses` must hold losses, got the class {loss.__name__} named {name!r}. Make one: "
                f"`{loss.__name__}(...)`."
            )
        if not isinstance(loss, Loss):
            raise TypeError(f"`losses` must hold losses, got a {type(loss).__name__} named {name!r}.")
        if any(tensor.is_inference() for tensor in (*loss.parameters(), *loss.buffers())):
            raise ValueError(
                f"`losses` must be built outside of `torch.inference_mode()`, got {name!r} with tensors that "
                "were made in it: nothing can be differentiated through them."
            )


def check_wraps(encoder: Encoder, losses: Mapping[str, Loss], wrap: Wrap) -> None:
    """Check that an image that wraps can be seen and judged as one.

    Raises:
        ValueError: If the encoder or a loss cannot, or a loss is confined to a region.
    """
    for name, loss in losses.items():
        if loss.region is not None:
            raise ValueError(
                f"`wrap` must be left out with regions, which have no other side, got the loss {name!r} in "
                f"{loss.region!r}."
            )
        loss.wrapped(wrap)
    layers = {layer for loss in losses.values() for layer in loss.layers if layer != IMAGE}
    WrappedEncoder(encoder, wrap, layers=tuple(layer for layer in encoder.layers if layer in layers))
