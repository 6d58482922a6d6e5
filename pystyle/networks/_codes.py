"""From styles to codes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pystyle._arguments import check_floating, check_range, number
from pystyle.losses._representation import combine
from pystyle.networks._modes import painting
from pystyle.typing import PrecisionChoice, Representation

if TYPE_CHECKING:
    from pystyle.networks._stylizer import Stylizer


@torch.no_grad()
def code_of(network: "Stylizer", style: Any, precision: PrecisionChoice) -> Representation:
    """The code of a style: of an image, a name, or several of both with weights.

    Raises:
        ValueError: If an image is too small or leaves [0, 1], or weights are negative or sum to zero.
        TypeError: If it is something else.
    """
    if isinstance(style, str):
        if style not in network.styles:
            kind = type(network).__name__
            known = (
                f"one of the names {network.styles}"
                if network.styles
                else f"an image, because a {kind} learns no names"
            )
            raise ValueError(
                f"`style` must be {known}, got {style!r}. `read_image` reads an image from a file."
            )
        return network.named_code(style)
    if isinstance(style, Tensor):
        check_picture(style, "style", network)
        style = for_network(network, style)
        with painting(network, style.device, precision):
            return network.represent_style(style)
    if not isinstance(style, Sequence):
        raise TypeError(
            "`style` must be an image, the name of a style, or a list of (style, weight), got a "
            f"{type(style).__name__}. `as_image` makes an image of files, Pillow images and numpy arrays."
        )
    weights = [number(weight, "A weight of `style`", least=0) for _, weight in style]
    total = sum(weights)
    if not total > 0:
        raise ValueError(f"The weights of `style` must have a sum above 0, got {weights}.")
    codes = [code_of(network, one, precision) for one, _ in style]
    used = [(code, weight / total) for code, weight in zip(codes, weights, strict=True) if weight]
    # What has all the weight stays as it is.
    return used[0][0] if len(used) == 1 else network.blend(*zip(*used, strict=True))


def mean_code(codes: Sequence[Representation], shares: Sequence[float]) -> Representation:
    """The mean of codes, each with its share."""

    def mean(tensors: Sequence[Tensor]) -> Tensor:
        return sum(
            (share * tensor for share, tensor in zip(shares, tensors, strict=True)), start=tensors[0] * 0
        )

    mixed: Representation = combine(codes, mean)
    return mixed


def check_picture(image: Any, name: str, network: "Stylizer") -> None:
    """Check that this is an image that the network can take.

    Raises:
        ValueError: If it is too small or leaves [0, 1], or has another shape.
        TypeError: If it is no floating tensor.
    """
    if not isinstance(image, Tensor) or image.ndim != 4 or image.shape[1] != 3:
        got = f"{tuple(image.shape)}" if isinstance(image, Tensor) else f"a {type(image).__name__}"
        raise TypeError(
            f"`{name}` must be a tensor of the shape (batch, 3, height, width), got {got}. `read_image` "
            "reads one from a file, and `as_image` makes one of Pillow images and numpy arrays."
        )
    check_floating(image, f"`{name}`")
    if min(image.shape[2:]) < network.smallest:
        height, width = image.shape[2:]
        raise ValueError(
            f"`{name}` must have sides of at least {network.smallest} pixels for a {type(network).__name__}, "
            f"got {height} x {width}. Resize it with `resize`."
        )
    check_range(image, f"`{name}`")


def for_network(network: "Stylizer", image: Tensor) -> Tensor:
    """The image on the device and in the type of the network, if that has weights."""
    return image.to(next(network.parameters(), image))
