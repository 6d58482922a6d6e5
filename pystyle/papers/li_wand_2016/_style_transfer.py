from collections.abc import Sequence
from functools import partial

from torch import Tensor

from pystyle.encoders import Encoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.images import resize, scaled_size
from pystyle.optim import LBFGS
from pystyle.papers._images import check_images
from pystyle.papers._variants import Variant
from pystyle.papers.li_wand_2016._criterion import STYLE_LAYERS, criterion
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import OptimizerFactory

PAPER_VIEWS = ((-15.0, -7.5, 0.0, 7.5, 15.0), (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15))
"""Rotations and scales."""


def style_transfer(
    content: Tensor,
    style: Tensor,
    *,
    encoder: Encoder | None = None,
    variant: Variant = "code",
    edge_sizes: Sequence[int] = (96, 192, 384),
    num_steps: int | None = None,
    content_layers: str | Sequence[str] | None = None,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_weight: float | None = None,
    style_weight: float | None = None,
    patch_size: int = 3,
    stride: int | None = None,
    rotations: Sequence[float] | None = None,
    scales: Sequence[float] | None = None,
    optimizer: OptimizerFactory = partial(LBFGS, history_size=25, initial_step=None),
    callbacks: Sequence[Callback] = (),
    evaluation: Evaluation = EagerEvaluation(),
) -> list[Result]:
    """A photograph in the patches of a painting, from coarse to fine.

    Args:
        content: The photograph, at its full size.
        style: The painting, at its full size.
        encoder: The network; see the table of the module.
        variant: Whose energy, steps and views.
        edge_sizes: The long side of both images at each level in pixels.
        num_steps: Steps at each level; 200 for the paper and 100 for the code if not given.
        content_layers: Of :func:`criterion`.
        style_layers: Of :func:`criterion`.
        content_weight: α₁ of :func:`criterion`.
        style_weight: Of :func:`criterion`.
        patch_size: Of :func:`criterion`.
        stride: Of :func:`criterion`.
        rotations: Angles of the painting; (-15, -7.5, 0, 7.5, 15) for the paper and none for the code if not
            given.
        scales: Sizes of the painting; 0.85 to 1.15 in steps of 0.05 for the paper and none for the code if
            not given.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step of all levels.
        evaluation: How the gradient is computed.

    Returns:
        The result of each level; the last has the picture, clipped to [0, 1]. One that diverged or was
        interrupted is the last.

    Raises:
        ValueError: If `variant` is unknown, or an argument of :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> photo, painting = torch.rand(1, 3, 64, 48), torch.rand(1, 3, 64, 64)
        >>> levels = style_transfer(
        ...     photo, painting, encoder=vgg19(weights=None), edge_sizes=(48, 64), num_steps=1
        ... )
        >>> [tuple(level.image.shape[2:]) for level in levels]
        [(48, 36), (64, 48)]
    """
    check_images({"content": content, "style": style})
    paper = variant == "paper"
    own_rotations, own_scales = PAPER_VIEWS if paper else ((0.0,), (1.0,))
    rotations = own_rotations if rotations is None else rotations
    scales = own_scales if scales is None else scales
    encoder = vgg19() if encoder is None else encoder
    energy = partial(
        criterion, encoder, variant=variant, content_layers=content_layers, style_layers=style_layers,
        content_weight=content_weight, style_weight=style_weight, patch_size=patch_size, stride=stride,
        rotations=rotations, scales=scales,
    )  # fmt: skip
    results = list[Result]()
    for edge_size in edge_sizes:
        size = scaled_size((content.shape[2], content.shape[3]), edge_size, edge="long")
        photograph = resize(content, size)
        results.append(
            optimize_image(
                energy(size=size),
                {"content": photograph, "style": resize(style, edge_size, edge="long")},
                init=resize(results[-1].image, size, interpolation="bilinear") if results else photograph,
                optimizer=optimizer,
                num_steps=num_steps if num_steps is not None else (200 if paper else 100),
                bounds=None,
                callbacks=callbacks,
                evaluation=evaluation,
            )
        )
        if results[-1].failed:
            break
    return results
