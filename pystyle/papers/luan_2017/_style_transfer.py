from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from pystyle.encoders import SequentialEncoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.functional import smoothed_local_affine
from pystyle.images._masked import resize_masked
from pystyle.optim import LBFGS
from pystyle.papers._images import check_images
from pystyle.papers._noise import seeded_normal
from pystyle.papers._variants import Variant
from pystyle.papers.gatys_2015 import MEAN_COLOUR
from pystyle.papers.luan_2017._criterion import criterion
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import MaskedImage, OptimizerFactory


def style_transfer(
    content: Tensor | MaskedImage,
    style: Tensor | MaskedImage,
    *,
    encoder: SequentialEncoder | None = None,
    variant: Variant = "code",
    edge_size: int = 700,
    content_weight: float | None = None,
    style_weight: float = 100.0,
    photorealism: float = 1e4,
    num_steps: tuple[int, int] = (1000, 1000),
    optimizer: OptimizerFactory = partial(LBFGS, history_size=100, initial_step=None),
    callbacks: tuple[Callback, ...] = (),
    evaluation: Evaluation = EagerEvaluation(),
    seed: int = 612,
) -> tuple[Result, Result]:
    """A photograph in the style of another one that stays a photograph.

    Args:
        content: The photograph; with masks for regions, without them it is one region.
        style: The other photograph, with masks of the same names.
        encoder: A VGG; that of the table if not given.
        variant: Whose losses; with ``"code"`` the picture of the second stage goes through
            :func:`pystyle.functional.smoothed_local_affine`.
        edge_size: The long side of both images in pixels.
        content_weight: Of :func:`criterion`.
        style_weight: Of :func:`criterion`.
        photorealism: Of :func:`criterion`, in the second stage.
        num_steps: Steps of both stages.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step of both stages.
        evaluation: How the gradient is computed.
        seed: Of the noise that the first stage begins with.

    Returns:
        The results of both stages; the second has the picture, clipped to [0, 1]. If the first diverged or
        was interrupted, there is no other.

    Raises:
        ValueError: If `variant` is unknown, the regions differ, or an argument of
            :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> photo, other = torch.rand(1, 3, 32, 24), torch.rand(1, 3, 32, 32)
        >>> first, second = style_transfer(
        ...     photo, other, encoder=vgg19(weights=None), edge_size=32, num_steps=(1, 1)
        ... )
        >>> second.image.shape
        torch.Size([1, 3, 32, 24])
    """
    check_images({"content": content, "style": style})
    encoder = vgg19(ceil_mode=True) if encoder is None else encoder
    photograph, other = _sized(content, edge_size), _sized(style, edge_size)
    noise = 1e-4 / 255 * seeded_normal(photograph.image.shape, seed)
    start = torch.tensor(MEAN_COLOUR, dtype=torch.float32, device="cpu").reshape(1, 3, 1, 1) + noise
    results = list[Result]()
    for stage, steps in enumerate(num_steps):
        objective = criterion(
            photograph, other, encoder, variant=variant, content_weight=content_weight,
            style_weight=style_weight, photorealism=photorealism if stage else 0.0,
        )  # fmt: skip
        result = optimize_image(
            objective,
            {"content": photograph.image, "style": other.image},
            init=results[0].image if results else start.to(photograph.image),
            optimizer=optimizer,
            num_steps=steps,
            bounds=None,
            callbacks=callbacks,
            evaluation=evaluation,
        )
        results.append(result)
        if result.failed:
            break
    if variant == "code":
        picture = smoothed_local_affine(results[-1].image, photograph.image).clamp(0, 1)
        results[-1] = replace(results[-1], image=picture)
    return results[0], results[-1]


def _sized(image: Tensor | MaskedImage, edge_size: int) -> MaskedImage:
    """The image at its size, as one region if it has none."""
    small = resize_masked(image, edge_size, edge="long", interpolation="bilinear")
    if isinstance(small, MaskedImage):
        return small
    return MaskedImage(small, {"all": torch.ones_like(small[:1, :1])})
