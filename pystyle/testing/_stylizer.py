import copy
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from pystyle.losses._representation import batch_size, image_of_batch
from pystyle.networks import Stylizer
from pystyle.testing._require import close, require, uniform, usable

_TOLERANCE = 1e-4


@usable("a network")
def check_stylizer(network: Stylizer) -> None:
    """Check that a network keeps the promises on which the rest of the library rests.

    It paints contents of any size from its smallest on, within [0, 1]; a batch as its images one by one; the
    same each time; a blend in which a style has all the weight as that style; and it comes back from a file
    as it was. Its weights get gradients, and nothing that is passed is changed.

    Args:
        network: The network. One that has learned styles is checked with its names, any other with images.
            It is copied.

    Raises:
        AssertionError: If a promise is broken; it says which.

    Example:
        >>> from pystyle.networks import AnyStyleNetwork
        >>> check_stylizer(AnyStyleNetwork(width=2))
    """
    require(isinstance(network, Stylizer), "a network is a subclass of `Stylizer`.")
    network = copy.deepcopy(network).eval()
    contents = _images(2, network.smallest + 2 * network.stride, network)
    styles: list[Any] = list(network.styles[:2]) or [
        image[None] for image in _images(2, network.smallest + 5, network)
    ]
    _check_sizes(network, styles[0])
    _check_paint(network, contents, styles[0])
    _check_batches(network, contents, styles[0])
    _check_blends(network, contents, styles)
    if not network.styles:
        _check_batch_of_styles(network, contents)
    _check_gradients(network, contents, styles[0])
    _check_file(network, contents, styles[0])


def _images(count: int, side: int, network: Stylizer) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    like = next(network.parameters(), None)
    coarse = uniform((count, 3, side // 4 + 1, side // 4 + 2), generator=generator, like=like)
    return torch.nn.functional.interpolate(coarse, (side, side + network.stride), mode="bilinear")


def _check_sizes(network: Stylizer, style: Any) -> None:
    for height, width in [(0, 0), (1, 3), (network.stride + 1, 0)]:
        side = network.smallest
        content = _images(1, side + 3 * network.stride, network)[:, :, : side + height, : side + width]
        picture = network.bind(style)(content)
        require(
            picture.shape == content.shape, "a picture has the size of its content, from the smallest on."
        )


def _check_paint(network: Stylizer, contents: Tensor, style: Any) -> None:
    before = contents.clone()
    paint = network.bind(style)
    picture = paint(contents)
    require(picture.isfinite().all() & (picture >= 0).all() & (picture <= 1).all(), "pictures are in [0, 1].")
    require(torch.equal(contents, before), "the content is not changed.")
    require(torch.equal(paint(contents), picture), "a painter paints the same each time.")
    require(not picture.requires_grad, "a painter keeps no graph.")
    fitting = _fitting(network, contents)
    require(
        network(fitting, paint.codes[None]).shape == fitting.shape,
        "`forward` gives a picture of the size of a content that fits the stride.",
    )
    require(
        close(paint(contents, strength=1.0 - 1e-7), picture, 1e-3),
        "a strength near 1 paints nearly the style.",
    )


def _check_batches(network: Stylizer, contents: Tensor, style: Any) -> None:
    paint = network.bind(style)
    singles = torch.cat([paint(content[None]) for content in contents])
    require(close(paint(contents), singles, _TOLERANCE), "a batch is painted as its images one by one.")


def _check_blends(network: Stylizer, contents: Tensor, styles: list[Any]) -> None:
    one = network.bind(styles[0])(contents)
    alone = network.bind([(styles[0], 2.0), (styles[-1], 0.0)] if len(styles) > 1 else [(styles[0], 2.0)])
    require(
        close(alone(contents), one, _TOLERANCE),
        "a style with all the weight of a blend paints as it does alone.",
    )
    if len(styles) > 1:
        halves = network.bind([(styles[0], 1.0), (styles[0], 1.0)])
        require(close(halves(contents), one, _TOLERANCE), "two halves of a style are that style.")


def _check_batch_of_styles(network: Stylizer, contents: Tensor) -> None:
    styles = _images(2, network.smallest, network)
    code = network.represent_style(styles)
    require(batch_size(code) == 2, "a batch of styles has a batch of codes, the batch axis first.")
    for index in range(2):
        single = network.represent_style(styles[index : index + 1])
        require(
            close(image_of_batch(code, index), single, _TOLERANCE),
            "codes of a batch are those of its images.",
        )
    both = network.bind(styles)(contents)
    alone = [network.bind(styles[index : index + 1])(contents[index : index + 1]) for index in range(2)]
    require(close(both, torch.cat(alone), _TOLERANCE), "each content of a batch is painted in its own style.")


def _check_gradients(network: Stylizer, contents: Tensor, style: Any) -> None:
    fitting = _fitting(network, contents)
    network.zero_grad()
    code = network.named_code(style) if isinstance(style, str) else network.represent_style(style)
    weights = torch.linspace(0, 1, fitting.numel(), device=fitting.device).reshape(fitting.shape)
    (network(fitting, code) * weights).sum().backward()
    lacking = [
        name for name, value in network.named_parameters() if value.requires_grad and value.grad is None
    ]
    network.zero_grad()
    require(not lacking, f"every parameter gets a gradient; {', '.join(lacking[:3])} got none.")


def _fitting(network: Stylizer, contents: Tensor) -> Tensor:
    height, width = contents.shape[2:]
    return pad(contents, (0, -width % network.stride, 0, -height % network.stride), mode="replicate")


def _check_file(network: Stylizer, contents: Tensor, style: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        network.save(path)
        loaded = type(network).load(path)
    same = torch.equal(loaded.bind(style)(contents), network.bind(style)(contents))
    require(
        same,
        "a network comes back from a file as it was; keep the arguments of the constructor as attributes.",
    )
