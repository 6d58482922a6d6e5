"""Images to start from."""

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from pystyle._arguments import check_image, check_range, check_scale, float_type, pixel_size, seed_number
from pystyle.colors import match_colors
from pystyle.criterion._blend import blend_of, image_of
from pystyle.criterion._checks import check_values
from pystyle.images import resize
from pystyle.typing import Init, NamedInit, References


def initial_image(init: Init, references: References, *, seed: int | None = None) -> Tensor:
    """The image that a run starts from.

    Args:
        init: One of the names below, a tensor, or a size (height, width) of which uniform noise
            is made. ``"content"`` and ``"style"`` are these references, of a blend the image with the most
            weight; ``"recoloured"`` is the content with the mean and covariance of the colours of the style
            (of a blend, the blend of these); ``"uniform"`` noise is in [0, 1]; ``"normal"`` noise has the
            mean 0.5 and the standard deviation 0.25; ``"grey"`` is flat; ``"style_colours"`` is noise with
            the mean and covariance of the colours of the style (of a blend, the blend of these).
        seed: Of the noise; None for another one each time. The global random state is neither
            used nor changed.

    Returns:
        A new tensor.

    Raises:
        ValueError: If `init` is unknown, an image of another scale than [0, 1], or needs a reference that is
            not there or on the device ``meta``.
        TypeError: If a tensor is not floating-point.

    Shape:
        - output: (batch, 3, height, width), RGB in [0, 1] except for noise with a tail

    Example:
        >>> import torch
        >>> initial_image((2, 4), {"style": torch.rand(1, 3, 8, 8)}, seed=0).shape
        torch.Size([1, 3, 2, 4])
    """
    if isinstance(init, Tensor):
        check_image(init, "`init`")
        check_scale(init, "`init`")
        return init.detach().clone()
    generator, seed = torch.Generator(), checked_seed(seed)
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    # The same on every device, whatever torch's defaults are.
    drawn: dict[str, Any] = {"generator": generator, "dtype": torch.float32, "device": "cpu"}
    if not isinstance(init, str):
        height, width = size_of_noise(init)
        like = _any_image(references)
        return torch.rand(1, 3, height, width, **drawn).to(like)
    if init not in get_args(NamedInit):
        raise ValueError(f"`init` must be a tensor, a size, or one of {get_args(NamedInit)}, got {init!r}.")
    content = _reference(references, "content", init)
    if init in ("recoloured", "style_colours"):
        for name in ("content", "style"):
            for image, _ in _blend(references, name, init):
                check_values(image, f'`references["{name}"]`')
    if init == "content":
        return content.detach().clone()
    if init == "recoloured":
        styles = _blend(references, "style", init)
        return _blended(styles, lambda style: match_colors(content.detach(), style))
    if init == "style":
        style = _reference(references, "style", init)
        size = (content.shape[2], content.shape[3])
        return resize(style.detach(), size)
    if init == "grey":
        return torch.full_like(content, 0.5)
    if init == "uniform":
        return torch.rand(content.shape, **drawn).to(content)
    noise = torch.randn(content.shape, **drawn).to(content)
    if init == "normal":
        return 0.5 + 0.25 * noise
    return _blended(_blend(references, "style", init), lambda style: _with_colours_of(style, noise))


def checked_seed(seed: int | None) -> int | None:
    """The seed of noise as an int; None for another one each time."""
    return None if seed is None else seed_number(seed)


def checked_init(init: Init, bounds: tuple[float, float] | None) -> Init:
    """What a run starts from; an image has to be in [0, 1], if the run stays there.

    Without bounds it may leave the range as noise does; see :func:`initial_image`.

    Raises:
        TypeError: If it is not floating-point.
        ValueError: If it has another shape or range.
    """
    if isinstance(init, Tensor):
        check_image(init, "`init`")
        (check_scale if bounds is None else check_range)(init, "`init`")
        return init
    return init if isinstance(init, str) else size_of_noise(init)


def size_of_noise(init: Any) -> tuple[int, int]:
    if not isinstance(init, list | tuple | np.ndarray) or getattr(init, "ndim", 1) != 1:
        raise TypeError(
            "`init` must be a tensor, a size (height, width) or a name, got a "
            f"{type(init).__name__}. `pystyle.images.as_image` makes a tensor of an image."
        )
    return pixel_size(init, "`init`")


def _blended(styles: list[tuple[Tensor, float]], change: Callable[[Tensor], Tensor]) -> Tensor:
    """The blend of what becomes of an image with each of the styles."""
    return torch.stack([weight * change(style.detach()) for style, weight in styles]).sum(0)


def _with_colours_of(style: Tensor, noise: Tensor) -> Tensor:
    # On the CPU: not every device has double precision.
    colours = style.cpu().transpose(0, 1).flatten(1).double()
    values, vectors = torch.linalg.eigh(torch.cov(colours, correction=0))
    root = (vectors * values.clamp_min(0).sqrt()) @ vectors.mT
    mean = colours.mean(1).reshape(1, 3, 1, 1)
    return (mean + torch.einsum("ij,njhw->nihw", root, noise.cpu().double())).to(noise)


def _reference(references: References, name: str, init: str) -> Tensor:
    """The image; of a blend the one with the most weight, the first of several."""
    return max(_blend(references, name, init), key=lambda part: part[1])[0]


def _blend(references: References, name: str, init: str) -> list[tuple[Tensor, float]]:
    if name not in references:
        raise ValueError(
            f"`init` = {init!r} needs the reference {name!r}, got {', '.join(references) or 'none'}. "
            "Give an image or a size (height, width) as `init` instead."
        )
    blend = [(image_of(image), weight) for image, weight in blend_of(references[name], name)]
    for image, _ in blend:
        check_image(image, f'`references["{name}"]`')
        check_range(image, f'`references["{name}"]`')
    return blend


def _any_image(references: References) -> Tensor:
    return next(
        (_reference(references, name, "size") for name in references), torch.zeros((), dtype=float_type())
    )
