from collections.abc import Sequence
from functools import partial
from typing import Literal

from torch import Tensor
from torch.nn.functional import interpolate
from torch.optim import RMSprop

from pystyle.encoders import Encoder, vgg16
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.images import resize
from pystyle.papers._images import check_images
from pystyle.papers._variants import Variant
from pystyle.papers.kolkin_2019._criterion import criterion
from pystyle.parametrizations import LaplacianPyramid
from pystyle.runner import Callback, Result, optimize_image


def detail(image: Tensor) -> Tensor:
    """What an image loses when it is halved and enlarged again: the finest band of a Laplacian pyramid.

    Args:
        image: Any image.

    Returns:
        An image of the same size around 0.

    Shape:
        - image, output: (batch, channels, height, width)

    Example:
        >>> import torch
        >>> detail(torch.full((1, 3, 8, 8), 0.3)).abs().max()
        tensor(0.)
    """
    size = (image.shape[2], image.shape[3])
    half = (max(size[0] // 2, 1), max(size[1] // 2, 1))
    return image - interpolate(interpolate(image, half, mode="bilinear"), size, mode="bilinear")


def style_transfer(
    content: Tensor,
    style: Tensor,
    *,
    encoder: Encoder | None = None,
    variant: Variant = "code",
    content_weight: float = 1.0,
    emd_weight: float = 1.0,
    moment_weight: float = 1.0,
    palette_weight: float = 1.0,
    distance: Literal["cosine", "euclidean"] = "cosine",
    edge_sizes: Sequence[int] = (64, 128, 256, 512),
    num_steps: int | None = None,
    lr: float = 2e-3,
    num_samples: int = 1024,
    callbacks: Sequence[Callback] = (),
    evaluation: Evaluation = EagerEvaluation(),
    seed: int = 0,
) -> list[Result]:
    """A photograph in the style of a painting, from coarse to fine.

    Args:
        content: The photograph, at its full size.
        style: The painting, at its full size.
        encoder: The network; see the table of the module.
        variant: Whose weights and number of steps.
        content_weight: α is 16 times as much at the first level.
        emd_weight: Of :func:`criterion`.
        moment_weight: Of :func:`criterion`.
        palette_weight: Of :func:`criterion`.
        distance: Of :func:`criterion`.
        edge_sizes: The long side of both images at each level in pixels. A step takes about a gigabyte at
            512.
        num_steps: Steps at each level; 200 for the paper and 250 for the code if not given.
        lr: Of RMSprop; half of it at the last of several levels.
        num_samples: Positions of the image.
        callbacks: Called with a step after each step of all levels.
        evaluation: How the gradient is computed.
        seed: Of the positions.

    Returns:
        The result of each level; the last has the picture. One that diverged or was interrupted is the last.

    Raises:
        ValueError: If `variant` is unknown, or an argument of :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> photo, painting = torch.rand(1, 3, 32, 24), torch.rand(1, 3, 32, 32)
        >>> levels = style_transfer(
        ...     photo, painting, encoder=vgg16(weights=None), edge_sizes=(24, 32), num_steps=1, num_samples=64
        ... )
        >>> [tuple(level.image.shape[2:]) for level in levels]
        [(24, 18), (32, 24)]
    """
    check_images({"content": content, "style": style})
    encoder = vgg16() if encoder is None else encoder
    steps = num_steps if num_steps is not None else (200 if variant == "paper" else 250)
    losses = partial(
        criterion, encoder, variant=variant, emd_weight=emd_weight, moment_weight=moment_weight,
        palette_weight=palette_weight, distance=distance, num_samples=num_samples, seed=seed,
    )  # fmt: skip
    results = list[Result]()
    for level, edge_size in enumerate(edge_sizes):
        last = level == len(edge_sizes) - 1
        photograph = resize(content, edge_size, edge="long")
        painting = resize(style, edge_size, edge="long")
        start = painting.mean((2, 3), keepdim=True)
        if results:
            size = (photograph.shape[2], photograph.shape[3])
            start = interpolate(results[-1].image, size, mode="bilinear")
        if not (results and last):
            start = start + detail(photograph)
        results.append(
            optimize_image(
                losses(alpha=16 * content_weight / 2**level),
                {"content": photograph, "style": painting},
                # Sums of bands leave the range, and the run begins with the clamped image.
                init=start.clamp(0, 1),
                optimizer=partial(RMSprop, lr=lr / 2 if last and level else lr),
                parametrization=partial(LaplacianPyramid, num_levels=5),
                num_steps=steps,
                callbacks=callbacks,
                evaluation=evaluation,
            )
        )
        if results[-1].failed:
            break
    return results
