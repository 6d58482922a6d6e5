import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from torch import Tensor

from pystyle.colors import transfer_luminance
from pystyle.criterion._blend import image_of
from pystyle.encoders import Encoder
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.images import resize
from pystyle.images._masked import resize_masked
from pystyle.optim import LBFGS
from pystyle.papers._images import check_images
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.gatys_2016 import CONTENT_LAYER, STYLE_LAYERS
from pystyle.papers.gatys_2017._colors import ColorMethod, Preserve, recoloured
from pystyle.papers.gatys_2017._criterion import Control, criterion
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import Init, MaskedImage, OptimizerFactory, Propagation


def style_transfer(
    content: Tensor | MaskedImage,
    style: Tensor | MaskedImage | Mapping[str, Tensor | MaskedImage],
    *,
    encoder: Encoder | None = None,
    variant: Variant = "code",
    control: Control = "gram",
    preserve: Preserve | None = None,
    color_method: ColorMethod = "pca",
    edge_sizes: Sequence[int] = (512, 1024),
    content_layers: str | Sequence[str] = CONTENT_LAYER,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    region_weights: Mapping[str, float] | None = None,
    content_weight: float = 1.0,
    style_weight: float | None = None,
    sum_weight: float | None = None,
    propagation: Propagation | None = None,
    dilation: int | None = None,
    num_steps: Sequence[int] = (500, 200),
    optimizer: OptimizerFactory = partial(LBFGS, history_size=100, initial_step=None),
    callbacks: tuple[Callback, ...] = (),
    evaluation: Evaluation = EagerEvaluation(),
) -> list[Result]:
    """A photograph in the style of a painting, with the controls of the paper, from coarse to fine.

    At a large size alone, the losses see only small structures of the style (section 6).

    Args:
        content: The photograph; with masks for control over regions.
        style: The painting. It must have the regions of the photograph: with masks of the same names each
            takes its own part of the painting; a dictionary has a painting for each.
        encoder: The network; see the table of the module.
        variant: The paper or the authors' code.
        control: Guided Gram matrices or guided sums; see :func:`criterion`.
        preserve: What of the photograph's colours stays; see :func:`recoloured`.
        color_method: Of :func:`recoloured`.
        edge_sizes: The root of the area at each level in pixels.
        content_layers: Of :func:`criterion`.
        style_layers: Of :func:`criterion`.
        region_weights: Of :func:`criterion`.
        content_weight: Of :func:`criterion`.
        style_weight: Of :func:`criterion`.
        sum_weight: Of :func:`criterion`.
        propagation: Of :func:`criterion`.
        dilation: Of :func:`criterion`.
        num_steps: Evaluations of the loss at each level.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step of all levels.
        evaluation: How the gradient is computed.

    Returns:
        The result of each level; the last has the picture, clipped to [0, 1]. One that diverged or was
        interrupted is the last.

    Raises:
        ValueError: If an argument is unknown, the regions of `content` and `style` differ, or there are not
            as many sizes as steps. From the criterion: if nothing is left of a region in a layer.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg19
        >>> left = torch.zeros(1, 1, 32, 32)
        >>> left[..., :16] = 1
        >>> photo = MaskedImage(torch.rand(1, 3, 32, 32), {"left": left, "right": 1 - left})
        >>> paintings = {"left": torch.rand(1, 3, 32, 32), "right": torch.rand(1, 3, 32, 32)}
        >>> levels = style_transfer(
        ...     photo, paintings, encoder=vgg19(weights=None), edge_sizes=(24, 32), num_steps=(1, 1)
        ... )
        >>> [tuple(level.image.shape[2:]) for level in levels]
        [(24, 24), (32, 32)]
    """
    check_variant(variant)
    if len(edge_sizes) != len(num_steps):
        raise ValueError(
            f"`num_steps` must have one number for each of {len(edge_sizes)} sizes, got {len(num_steps)}."
        )
    regions, paintings = _regions(content, style)
    check_images({"content": content, **paintings})
    objective = criterion(
        encoder, regions=regions, control=control, variant=variant, content_layers=content_layers,
        style_layers=style_layers, region_weights=region_weights, content_weight=content_weight,
        style_weight=style_weight, sum_weight=sum_weight, propagation=propagation, dilation=dilation,
    )  # fmt: skip
    run = partial(
        optimize_image, objective, optimizer=optimizer, bounds=None, callbacks=callbacks,
        evaluation=evaluation,
    )  # fmt: skip
    images, results = {**paintings, "content": content}, list[Result]()
    start: Init = "content"
    for edge_size, steps in zip(edge_sizes, num_steps, strict=True):
        references, original = _at_level(images, edge_size, preserve, color_method, variant)
        if isinstance(start, Tensor):
            start = resize(start, (original.shape[2], original.shape[3]), interpolation="bilinear")
        results.append(run(references, init=start, num_steps=steps))
        start = results[-1].image
        if preserve == "luminance":
            results[-1] = replace(results[-1], image=transfer_luminance(start, original))
        if results[-1].failed:
            break
    return results


def _regions(
    content: Tensor | MaskedImage, style: Tensor | MaskedImage | Mapping[str, Tensor | MaskedImage]
) -> tuple[dict[str, str] | None, dict[str, Tensor | MaskedImage]]:
    """The name of the painting of each region, and the paintings by their names."""
    own = set(content.masks) if isinstance(content, MaskedImage) else set()
    if isinstance(style, Tensor):
        given = set[str]()
    else:
        given = set(style.masks if isinstance(style, MaskedImage) else style)
    if own != given:
        raise ValueError(
            f"`style` must have the regions of `content`, {sorted(own) or 'none'}, got "
            f"{sorted(given) or 'none'}."
        )
    if isinstance(style, Tensor):
        return None, {"style": style}
    if isinstance(style, MaskedImage):
        return dict.fromkeys(style.masks, "style"), {"style": style}
    return (
        {region: f"style_{region}" for region in style},
        {f"style_{region}": painting for region, painting in style.items()},
    )


def _at_level(
    images: Mapping[str, Tensor | MaskedImage],
    edge_size: int,
    preserve: Preserve | None,
    method: ColorMethod,
    variant: Variant,
) -> tuple[dict[str, Tensor | MaskedImage], Tensor]:
    """What a level compares with, and the photograph with its own colours."""
    references = {name: _sized(image, edge_size) for name, image in images.items()}
    original = image_of(references["content"])
    if preserve is not None:
        references = _recoloured(references, preserve, method, variant)
    return references, original


def _recoloured(
    references: dict[str, Tensor | MaskedImage], preserve: Preserve, method: ColorMethod, variant: Variant
) -> dict[str, Tensor | MaskedImage]:
    """All paintings with the colours that are to stay, and the photograph as it is compared then."""
    original = image_of(references["content"])
    found = dict[str, Tensor | MaskedImage]()
    for name in [name for name in references if name != "content"]:
        painting = image_of(references[name])
        pair = recoloured(original, painting, preserve=preserve, variant=variant, method=method)
        found["content"] = _with_image(references["content"], pair[0])
        found[name] = _with_image(references[name], pair[1])
    return found


def _sized(image: Tensor | MaskedImage, edge_size: int) -> Tensor | MaskedImage:
    """The image with the area of a square of this side at most."""
    height, width = image_of(image).shape[2:]
    # The notebooks leave images as they are that are too small.
    factor = min(edge_size / math.sqrt(height * width), 1.0)
    size = math.ceil(height * factor), math.ceil(width * factor)
    return resize_masked(image, size, interpolation="bilinear")


def _with_image(image: Tensor | MaskedImage, other: Tensor) -> Tensor | MaskedImage:
    return replace(image, image=other) if isinstance(image, MaskedImage) else other
