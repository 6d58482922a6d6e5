r"""Kolkin, Salavon, Shakhnarovich 2019: relaxed optimal transport and self-similarity (STROTSS).

.. math:: \mathcal{L} = \frac{\alpha \ell_C + \ell_m + \ell_r + \ell_p / \alpha}{2 + \alpha + 1 / \alpha}

with the relaxed earth mover's distance of hypercolumns (r), their moments (m), the palette (p) and the
differences of self-similarities (C).

====================  =======================================  ==========================================
what                  paper                                    authors' code
====================  =======================================  ==========================================
network               VGG-16 of torchvision                    the same
hypercolumn           colours and nine layers, 2179 channels   relu1_1, 1_2, 2_1, 2_2, 3_1, 3_2, 3_3, 4_3,
                                                               5_3
divided by            2 + α + 1/α                              2 + α
palette               1/α, cosine + Euclidean                  1/max(α, 1), cosine + root of the mean
                                                               square, of rotated colours
self-similarity       mean                                     mean times the number of positions
α                     16 at the coarsest level, halved at      the same
                      each
levels                long side 64, 128, 256, 512              the same
samples               1024 of the image                        1024 of the image, 5 x 1000 of the style
what is moved         a Laplacian pyramid of 5 levels          the same
optimizer             RMSprop, 0.002, 0.001 at the last        the same, 250 steps at each level
                      level; 200 steps
init                  mean colour of the style + detail of     the same; the detail of the content is added
                      the content                              at every level but the last
====================  =======================================  ==========================================

Sources: the paper's equations 1 to 9 and section 3; nkolkin13/STROTSS, commit 9a1543a (which normalises
colours, as the first version did not), ``STROTSS.py``, ``utils/losses.py``.

What differs here: positions lie on a grid that is another one at each step, where the code shuffles rows
and columns apart; the rotation of the colours changes no distance and is left out; the image is clamped to
[0, 1] during the run.
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal

from torch import Generator, Tensor
from torch.nn.functional import interpolate
from torch.optim import RMSprop

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, HypercolumnEncoder, vgg16
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.functional import covariance, grid_positions, mean_absolute_error, raw_moments
from pystyle.images import resize
from pystyle.losses import Loss, RelaxedEMDLoss, SelfSimilarityLoss
from pystyle.parametrizations import LaplacianPyramid
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import IMAGE

__all__ = ["SampledMomentLoss", "criterion", "detail", "style_transfer"]

LAYERS = (
    "relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu3_3", "relu4_3", "relu5_3",
)  # fmt: skip
COLUMNS = "hypercolumns"


class SampledMomentLoss(Loss):
    """The mean absolute differences of means and covariances at some positions, others at each evaluation.

    It is :class:`pystyle.MomentLoss` at a price that does not grow with the image: the products of 2179
    channels at all positions of a large one are most of the work.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        num_samples: Positions of the image, from a regular grid.
        num_style_samples: Positions of the style, from a regular grid.
        resample: Take another grid of the image at each evaluation.
        seed: Of the grids.

    Raises:
        ValueError: If a number of samples is not positive.

    Example:
        >>> SampledMomentLoss("relu3_1", weight=0.5)
        SampledMomentLoss('relu3_1', weight=0.5)
    """

    reference = "style"
    spatial = "set"

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        weight: float = 1.0,
        num_samples: int = 1024,
        num_style_samples: int = 5000,
        resample: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__(layers, weight=weight)
        for name, number in (("num_samples", num_samples), ("num_style_samples", num_style_samples)):
            if number < 1:
                raise ValueError(f"`{name}` must be positive, got {number}.")
        self.num_samples = num_samples
        self.num_style_samples = num_style_samples
        self._generator = Generator().manual_seed(seed) if resample else None

    def represent(self, features: Tensor) -> Tensor:
        """The features as they are."""
        return features

    def prepare(self, representation: Tensor) -> tuple[Tensor, Tensor]:
        """The mean, (batch, channels), and the covariance of the reference, (batch, channels, channels)."""
        return self._moments(representation, self.num_style_samples, None)

    def compare(self, representation: Tensor, target: tuple[Tensor, Tensor]) -> Tensor:
        """The sum of both mean absolute differences to the target."""
        mean, matrix = self._moments(representation, self.num_samples, self._generator)
        return mean_absolute_error(mean, target[0]) + mean_absolute_error(matrix, target[1])

    def generators(self) -> Sequence[Generator]:
        """The generator of the grids that are drawn anew each time."""
        return () if self._generator is None else (self._generator,)

    def _moments(self, features: Tensor, count: int, generator: Generator | None) -> tuple[Tensor, Tensor]:
        height, width = features.shape[2:]
        grid = grid_positions(height, width, count, generator=generator, device=features.device)
        moments = raw_moments(features.flatten(2)[:, :, grid])
        return moments.mean, covariance(moments)


def criterion(
    encoder: Encoder | None = None,
    *,
    variant: Literal["paper", "code"] = "code",
    alpha: float = 16.0,
    num_samples: int = 1024,
    num_style_samples: int = 5000,
    resample: bool = True,
    seed: int = 0,
) -> Criterion:
    """The four terms with their weights at one level.

    Args:
        encoder: A network with the layers of the table; its hypercolumns are formed here. VGG-16 if not
            given.
        variant: Whose weights.
        alpha: How much the content counts.
        num_samples: Positions of the image.
        num_style_samples: Positions of the style.
        resample: Take other positions of the image at each evaluation.
        seed: Of the positions.

    Returns:
        A criterion with the losses ``content``, ``style``, ``moments`` and ``palette``.

    Raises:
        ValueError: If `variant` is unknown or `alpha` is not positive.

    Example:
        >>> losses = criterion(vgg16(weights=None), alpha=2.0).losses
        >>> {name: round(loss.weight, 4) for name, loss in losses.items()}
        {'content': 0.5, 'style': 0.25, 'moments': 0.25, 'palette': 0.125}
    """
    if variant not in ("paper", "code"):
        raise ValueError(f"`variant` must be 'paper' or 'code', got {variant!r}.")
    if not alpha > 0:
        raise ValueError(f"`alpha` must be positive, got {alpha}.")
    encoder = vgg16() if encoder is None else encoder
    if variant == "paper":
        of_palette, whole = 1 / alpha, 2 + alpha + 1 / alpha
        of_content = alpha / num_samples
    else:
        of_palette, whole = 1 / max(alpha, 1.0), 2 + alpha
        of_content = alpha
    return Criterion(
        HypercolumnEncoder(encoder, {COLUMNS: [IMAGE, *LAYERS]}),
        {
            "content": SelfSimilarityLoss(
                COLUMNS, weight=of_content / whole, num_samples=num_samples, resample=resample, seed=seed
            ),
            "style": RelaxedEMDLoss(
                COLUMNS,
                weight=1 / whole,
                num_samples=num_style_samples,
                num_image_samples=num_samples,
                resample=resample,
                seed=seed,
            ),
            "moments": SampledMomentLoss(
                COLUMNS,
                weight=1 / whole,
                num_samples=num_samples,
                num_style_samples=num_style_samples,
                resample=resample,
                seed=seed,
            ),
            "palette": RelaxedEMDLoss(
                IMAGE,
                distance="palette",
                weight=of_palette / whole,
                num_samples=num_style_samples,
                num_image_samples=num_samples,
                resample=resample,
                seed=seed,
            ),
        },
    )


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
    variant: Literal["paper", "code"] = "code",
    content_weight: float = 1.0,
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
        edge_sizes: The long side of both images at each level in pixels. Hypercolumns of 512 pixels take
            several gigabytes.
        num_steps: Steps at each level; 200 for the paper and 250 for the code if not given.
        lr: Of RMSprop; half of it at the last of several levels.
        num_samples: Positions of the image.
        callbacks: Called with a step after each step of all levels.
        evaluation: How the gradient is computed.
        seed: Of the positions.

    Returns:
        The result of each level; the last has the picture.

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
    encoder = vgg16() if encoder is None else encoder
    steps = num_steps if num_steps is not None else (200 if variant == "paper" else 250)
    results = list[Result]()
    for level, edge_size in enumerate(edge_sizes):
        last = level == len(edge_sizes) - 1
        photograph = resize(content, edge_size, edge="long")
        painting = resize(style, edge_size, edge="long")
        if not results:
            start = painting.mean((2, 3), keepdim=True) + detail(photograph)
        else:
            size = (photograph.shape[2], photograph.shape[3])
            start = interpolate(results[-1].image, size, mode="bilinear")
            start = start if last else start + detail(photograph)
        results.append(
            optimize_image(
                criterion(
                    encoder,
                    variant=variant,
                    alpha=16 * content_weight / 2**level,
                    num_samples=num_samples,
                    seed=seed,
                ),
                {"content": photograph, "style": painting},
                init=start,
                optimizer=partial(RMSprop, lr=lr / 2 if last and level else lr),
                parametrization=partial(LaplacianPyramid, num_levels=5),
                num_steps=steps,
                callbacks=callbacks,
                evaluation=evaluation,
            )
        )
    return results
