from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from torch import Tensor
from torch.nn.functional import interpolate
from torch.optim import Adam

from pystyle._arguments import number, whole_number
from pystyle.encoders import Encoder, vgg16
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.images import resize
from pystyle.papers._images import check_images
from pystyle.papers._variants import Variant
from pystyle.papers.kolkin_2019 import detail
from pystyle.papers.kolkin_2022._colors import recoloured
from pystyle.papers.kolkin_2022._criteria import criterion, last_criterion
from pystyle.papers.kolkin_2022._hypercolumns import COLUMNS, ROTATIONS, columns
from pystyle.parametrizations import LaplacianPyramid
from pystyle.runner import Callback, Result, optimize_image

PYRAMID_LEVELS = 8


def style_transfer(
    content: Tensor,
    style: Tensor,
    *,
    encoder: Encoder | None = None,
    variant: Variant = "code",
    alpha: float = 0.75,
    edge_size: int = 512,
    num_levels: int | None = None,
    num_steps: int = 200,
    lr: float = 2e-3,
    max_side: int = 64,
    rotations: Sequence[float] = ROTATIONS,
    split: bool = True,
    colors: bool = True,
    callbacks: tuple[Callback, ...] = (),
    evaluation: Evaluation = EagerEvaluation(),
    seed: int = 0,
) -> list[Result]:
    """A photograph in the features of a painting, from coarse to fine.

    Args:
        content: The photograph, at its full size.
        style: The painting, at its full size.
        encoder: The network; see the table of the module.
        variant: Whose layers.
        alpha: How much of the content is in what is searched with, from 0 to 1: more keeps the content.
        edge_size: The long side of both images at the last level in pixels.
        num_levels: How many levels, each half the size of the next; 5 from 1024 pixels on and 4 below if not
            given.
        num_steps: Steps at each level and in the last pass.
        lr: Of Adam.
        max_side: Of :func:`last_criterion`.
        rotations: The painting is turned by these angles in degrees.
        split: Whether the last pass follows, in which each layer is matched on its own (feature splitting).
        colors: Whether :func:`recoloured` follows.
        callbacks: Called with a step after each step of all levels.
        evaluation: How the gradient is computed.
        seed: Of the positions in the last pass.

    Returns:
        The result of each level and of the last pass, which has the picture; without `split` the last level
        has it. One that diverged or was interrupted is the last.

    Raises:
        ValueError: If `variant` is unknown, `alpha` is not in [0, 1], `num_levels` is not positive, an image
            is too small for the network at the first level or an argument of
            :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - content: (batch, 3, height, width), RGB in [0, 1]
        - style: (batch or 1, 3, any height, any width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> photo, painting = torch.rand(1, 3, 32, 24), torch.rand(1, 3, 32, 32)
        >>> levels = style_transfer(
        ...     photo, painting, encoder=vgg16(weights=None), edge_size=32, num_levels=2, num_steps=1
        ... )
        >>> [tuple(level.image.shape[2:]) for level in levels]
        [(16, 12), (32, 24), (32, 24)]
    """
    check_images({"content": content, "style": style})
    alpha = number(alpha, "`alpha`", least=0, most=1)
    edge_size = whole_number(edge_size, "`edge_size`", least=1)
    if num_levels is None:
        num_levels = 4 if edge_size < 1024 else 5
    num_levels = whole_number(num_levels, "`num_levels`", least=1)
    encoder = vgg16() if encoder is None else encoder
    photographs = _halvings(resize(content, edge_size, edge="long"), num_levels - 1)
    paintings = _halvings(resize(style, edge_size, edge="long"), num_levels - 1)
    _check_sizes(encoder, variant, photographs[-1], paintings[-1])
    results = list[Result]()
    run = partial(
        optimize_image,
        optimizer=partial(Adam, lr=lr),
        num_steps=num_steps,
        callbacks=callbacks,
        evaluation=evaluation,
    )
    objective = criterion(encoder, variant=variant, rotations=rotations)
    for halvings in reversed(range(num_levels)):
        photograph, painting = photographs[halvings], paintings[halvings]
        query = start = photograph
        if results:
            # At first the image has all bands of the content but the finest 3, or 2 of 1024 pixels.
            detailed = halvings >= (3 if edge_size < 1024 else 2)
            query, start = _query_and_start(results[-1].image, photograph, alpha=alpha, detailed=detailed)
        references = {"content": query, "style": painting}
        pyramid = partial(LaplacianPyramid, num_levels=PYRAMID_LEVELS - halvings)
        results.append(run(objective, references, init=start, parametrization=pyramid))
        if results[-1].failed:
            return results
    if split:
        last = last_criterion(encoder, variant=variant, max_side=max_side, rotations=rotations, seed=seed)
        pyramid = partial(LaplacianPyramid, num_levels=PYRAMID_LEVELS)
        results.append(run(last, {"style": paintings[0]}, init=results[-1].image, parametrization=pyramid))
    if colors:
        picture = recoloured(results[-1].image, photographs[0], paintings[0])
        results[-1] = replace(results[-1], image=picture)
    return results


def _query_and_start(
    before: Tensor, photograph: Tensor, *, alpha: float, detailed: bool
) -> tuple[Tensor, Tensor]:
    """What is searched with at a level after the first, and what its image begins with."""
    start = interpolate(before, (photograph.shape[2], photograph.shape[3]), mode="bilinear")
    finest = detail(photograph)
    query = (1 - alpha) * (start + finest) + alpha * photograph
    return query.clamp(0, 1), (start + finest if detailed else start).clamp(0, 1)


def _check_sizes(encoder: Encoder, variant: Variant, photograph: Tensor, painting: Tensor) -> None:
    """Refuse images that are too small at the first level."""
    needed = columns(encoder, variant=variant).minimum_size([COLUMNS])
    for name, image in (("content", photograph), ("style", painting)):
        if min(image.shape[2:]) < needed:
            raise ValueError(
                f"`{name}` must have {needed} pixels along each side at the first level, got "
                f"{tuple(image.shape[2:])}. Take a larger `edge_size` or a smaller `num_levels`."
            )


def _halvings(image: Tensor, times: int) -> list[Tensor]:
    """The image, its half, the half of that, ..."""
    images = [image]
    for _ in range(times):
        height, width = images[-1].shape[2:]
        size = max(height // 2, 1), max(width // 2, 1)
        images.append(interpolate(images[-1], size, mode="bilinear"))
    return images
