r"""Kolkin, Kucera, Paris, Sýkora, Shechtman, Shakhnarovich 2022: neural neighbor style transfer (NNST-Opt).

Each hypercolumn of the photograph is replaced by the nearest one of the painting, and an image with these
features is looked for:

.. math:: \min_x \frac{1}{P} \sum_p \left( 1 - \cos(\Phi_p(x), \Phi_{NN(p)}(x_s)) \right) \qquad
          NN(p) = \arg\max_q \cos(\Phi_p(c) - \mu, \Phi_q(x_s) - \mu_s)

In the end each layer is matched on its own, anew at each step (feature splitting).

====================  =======================================  ==========================================
what                  paper                                    authors' code
====================  =======================================  ==========================================
network               VGG-16 of torchvision                    the same
hypercolumn           all convolutions after their ReLU        relu1_1 ... relu4_3, 2688 channels
                                                               (``featureExtract.py`` says that the paper
                                                               had those of the fifth block, too)
each layer            divided by its number of channels, at    the same
                      a quarter of the size
style                 also turned by 90, 180, 270 degrees      the same
levels                halved three times from 512 pixels       the same; four times from 1024
searched with         content at the first level, then a mix   (1 - α) of the image + the detail of the
                      with the image                           content, and α of the content; α = 0.75
init                  content at the first level               the same; at 1024 pixels the detail of the
                                                               content is added at two more levels
what is moved         a Laplacian pyramid                      of 8 levels less the halvings
optimizer             Adam, 0.002                              the same, 200 steps at each level
last pass             each layer apart, matched at each step   at most about 64 x 64 positions, on another
                                                               grid at each step, 200 steps
colours               the chroma of the content, with mean     in OKLab, without decoding the gamma; then
                      and covariance of the style's            five times a filter of 3 x 3 pixels, guided
                                                               by the lightness
====================  =======================================  ==========================================

Sources: nkolkin13/NeuralNeighborStyleTransfer, commit 290976a, ``utils/stylize.py``,
``utils/featureExtract.py``, ``utils/colorization.py``, ``styleTransfer.py``; the column of the paper is
what the code's comments say of it.

What differs here: finer layers are averaged where they shrink, and resizing does not align corners;
positions of the style in the last pass are drawn at random; maps of at most 64 positions are taken as a
whole, where the code takes the positions of the layer before; pyramids are halved upwards; the image is
clamped to [0, 1] during the run. The code's optional content loss, off by default, is left out.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, interpolate, pad
from torch.optim import Adam

from pystyle.colors import linear_to_rgb, oklab_to_rgb, rgb_to_linear, rgb_to_oklab
from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, HypercolumnEncoder, vgg16
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.functional import nearest_neighbor_distance, replace_features
from pystyle.images import resize, rotate
from pystyle.losses import Loss, NearestNeighborLoss
from pystyle.parametrizations import LaplacianPyramid
from pystyle.runner import Callback, Result, optimize_image

__all__ = [
    "ReplacedFeaturesLoss",
    "SplitFeaturesLoss",
    "criterion",
    "last_criterion",
    "recoloured",
    "style_transfer",
    "target_features",
]

Variant: TypeAlias = Literal["paper", "code"]

# The first one gives the size, a quarter of that of the image.
LAYERS = (
    "relu3_1", "relu3_2", "relu3_3", "relu4_1", "relu4_2", "relu4_3",
    "relu1_1", "relu1_2", "relu2_1", "relu2_2",
)  # fmt: skip
FIFTH_BLOCK = ("relu5_1", "relu5_2", "relu5_3")
COLUMNS = "hypercolumns"
ROTATIONS = (0.0, 90.0, 180.0, 270.0)
PYRAMID_LEVELS = 8


class ReplacedFeaturesLoss(Loss):
    """The mean cosine distance to features that are given.

    Args:
        layer: The layer.
        target: Its wanted features.
        weight: Factor of the loss.

    Shape:
        - target: (1 or batch, channels, height, width), the shape of the image's features

    Example:
        >>> ReplacedFeaturesLoss("relu3_1", torch.rand(1, 256, 8, 8))
        ReplacedFeaturesLoss('relu3_1')
    """

    reference = None
    spatial = "dense"
    target: Tensor

    def __init__(self, layer: str, target: Tensor, *, weight: float = 1.0) -> None:
        super().__init__(layer, weight=weight)
        self.register_buffer("target", target.detach().clone())

    def represent(self, features: Tensor) -> Tensor:
        """The distance itself."""
        if features.shape[1:] != self.target.shape[1:]:
            raise ValueError(
                f"The features must have the shape of `target`, {tuple(self.target.shape[1:])}, got "
                f"{tuple(features.shape[1:])}. Give the image the size of the query."
            )
        return 1 - cosine_similarity(features, self.target, dim=1).mean()


class SplitFeaturesLoss(NearestNeighborLoss):
    """The distance to the nearest features of each layer, at positions that are others at each evaluation.

    Args:
        layers: One layer or several, each with a weight of 1.
        max_side: About so many positions are taken along the longer side of a layer.
        rotations: Angles of the style.
        seed: Of the positions.

    Example:
        >>> SplitFeaturesLoss(["relu1_1", "relu2_1"]).max_side
        64
    """

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        max_side: int = 64,
        rotations: Sequence[float] = ROTATIONS,
        seed: int = 0,
    ) -> None:
        layers = (layers,) if isinstance(layers, str) else tuple(layers)
        super().__init__(layers, layer_weights=[1.0] * len(layers), centered=True, rotations=rotations)
        if max_side < 1:
            raise ValueError(f"`max_side` must be positive, got {max_side}.")
        self.max_side = max_side
        self._generator = torch.Generator().manual_seed(seed)

    def represent(self, features: Tensor) -> Tensor:
        """The features as they are."""
        return features

    def join(self, representations: Sequence[tuple[Any, float]]) -> list[tuple[Tensor, float]]:
        """The features of all rotations as one set."""
        return super().join([(features.flatten(2), weight) for features, weight in representations])

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The mean distance from every so many positions of the image to as sparse ones of the style."""
        stride = max(max(representation.shape[2:]) // self.max_side, 1)
        if stride > 1:
            top, left = torch.randint(stride, (2,), generator=self._generator).tolist()
            representation = representation[:, :, top::stride, left::stride]
            count = max(target.shape[2] // stride**2, 1)
            chosen = torch.randint(target.shape[2], (count,), generator=self._generator)
            target = target[:, :, chosen.to(target.device)]
        return nearest_neighbor_distance(representation, target, centered=True)


def columns(encoder: Encoder, *, variant: Variant) -> HypercolumnEncoder:
    """The encoder with the layer of hypercolumns."""
    if variant not in ("paper", "code"):
        raise ValueError(f"`variant` must be 'paper' or 'code', got {variant!r}.")
    layers = LAYERS if variant == "code" else LAYERS + FIFTH_BLOCK
    return HypercolumnEncoder(encoder, {COLUMNS: layers}, normalization="channels")


@torch.no_grad()
def target_features(
    query: Tensor,
    style: Tensor,
    *,
    encoder: Encoder | None = None,
    variant: Variant = "code",
    rotations: Sequence[float] = ROTATIONS,
) -> Tensor:
    """The hypercolumns of an image, each replaced by the nearest one of the style.

    Args:
        query: What is searched with.
        style: The painting.
        encoder: A network with the layers of the table; VGG-16 if not given.
        variant: Whose layers.
        rotations: The painting is turned by these angles in degrees.

    Returns:
        What :func:`criterion` compares with.

    Raises:
        ValueError: If `variant` is unknown.

    Shape:
        - query, style: (1, 3, height, width), RGB in [0, 1]
        - output: (1, channels, height of query // 4, width of query // 4)

    Example:
        >>> query, style = torch.rand(1, 3, 16, 24), torch.rand(1, 3, 32, 16)
        >>> target_features(query, style, encoder=vgg16(weights=None)).shape
        torch.Size([1, 2688, 4, 6])
    """
    network = columns(vgg16() if encoder is None else encoder, variant=variant)
    views = (rotate(style, angle) for angle in rotations)
    candidates = torch.cat([network(view, [COLUMNS])[COLUMNS].flatten(2) for view in views], dim=2)
    return replace_features(network(query, [COLUMNS])[COLUMNS], candidates)


def criterion(target: Tensor, encoder: Encoder | None = None, *, variant: Variant = "code") -> Criterion:
    """The loss of one level.

    Args:
        target: What :func:`target_features` gives.
        encoder: A network with the layers of the table; VGG-16 if not given.
        variant: Whose layers.

    Returns:
        A criterion with the loss ``features``, which needs no reference.

    Raises:
        ValueError: If `variant` is unknown.

    Example:
        >>> criterion(torch.rand(1, 2688, 4, 4), vgg16(weights=None)).losses["features"]
        ReplacedFeaturesLoss('hypercolumns')
    """
    network = columns(vgg16() if encoder is None else encoder, variant=variant)
    return Criterion(network, {"features": ReplacedFeaturesLoss(COLUMNS, target)})


def last_criterion(
    encoder: Encoder | None = None,
    *,
    max_side: int = 64,
    rotations: Sequence[float] = ROTATIONS,
    seed: int = 0,
) -> Criterion:
    """The loss of the last pass: each layer on its own.

    Args:
        encoder: A network with the layers of the table; VGG-16 if not given.
        max_side: About so many positions are taken along the longer side of a layer.
        rotations: The painting is turned by these angles in degrees.
        seed: Of the positions.

    Returns:
        A criterion with the loss ``features``, whose reference is ``style``.

    Example:
        >>> last_criterion(vgg16(weights=None)).losses["features"].layer_weights["relu4_3"]
        1.0
    """
    loss = SplitFeaturesLoss(LAYERS, max_side=max_side, rotations=rotations, seed=seed)
    return Criterion(vgg16() if encoder is None else encoder, {"features": loss})


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
        colors: Whether :func:`recoloured` follows.
        callbacks: Called with a step after each step of all levels.
        evaluation: How the gradient is computed.
        seed: Of the positions in the last pass.

    Returns:
        The result of each level and of the last pass, which has the picture.

    Raises:
        ValueError: If `variant` is unknown, `alpha` is not in [0, 1], `num_levels` is not positive, an image
            is too small for the network at the first level or an argument of
            :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> photo, painting = torch.rand(1, 3, 32, 24), torch.rand(1, 3, 32, 32)
        >>> levels = style_transfer(
        ...     photo, painting, encoder=vgg16(weights=None), edge_size=32, num_levels=2, num_steps=1
        ... )
        >>> [tuple(level.image.shape[2:]) for level in levels]
        [(16, 12), (32, 24), (32, 24)]
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"`alpha` must be in [0, 1], got {alpha}.")
    if num_levels is None:
        num_levels = 4 if edge_size < 1024 else 5
    if num_levels < 1:
        raise ValueError(f"`num_levels` must be positive, got {num_levels}.")
    encoder = vgg16() if encoder is None else encoder
    photographs = _halvings(resize(content, edge_size, edge="long"), num_levels)
    paintings = _halvings(resize(style, edge_size, edge="long"), num_levels - 1)
    _check_sizes(encoder, variant, photographs[num_levels - 1], paintings[-1])
    results = list[Result]()

    def run(objective: Criterion, references: dict[str, Tensor], start: Tensor, halvings: int) -> None:
        results.append(
            optimize_image(
                objective,
                references,
                init=start,
                optimizer=partial(Adam, lr=lr),
                parametrization=partial(LaplacianPyramid, num_levels=PYRAMID_LEVELS - halvings),
                num_steps=num_steps,
                callbacks=callbacks,
                evaluation=evaluation,
            )
        )

    for halvings in reversed(range(num_levels)):
        photograph, painting = photographs[halvings], paintings[halvings]
        if not results:
            query = start = photograph
        else:
            detail = photograph - _enlarged(photographs[halvings + 1], photograph)
            start = _enlarged(results[-1].image, photograph)
            query = (1 - alpha) * (start + detail) + alpha * photograph
            # At first the image has all bands of the content but the finest 3, or 2 of 1024 pixels.
            start = start + detail if halvings >= (3 if edge_size < 1024 else 2) else start
        target = target_features(query, painting, encoder=encoder, variant=variant, rotations=rotations)
        run(criterion(target, encoder, variant=variant), {}, start, halvings)
    last = last_criterion(encoder, max_side=max_side, rotations=rotations, seed=seed)
    run(last, {"style": paintings[0]}, results[-1].image, 0)
    if colors:
        picture = recoloured(results[-1].image, photographs[0], paintings[0])
        results[-1] = replace(results[-1], image=picture)
    return results


def recoloured(image: Tensor, content: Tensor, style: Tensor) -> Tensor:
    """The image with the chroma of the content, moved to the mean and covariance of the style's.

    In OKLab. The lightness stays that of the image, and the chroma is smoothed where the lightness is
    smooth. If the style is nearly grey, the image gets the mean and covariance of the style instead.

    Args:
        image: The result of a run.
        content: The photograph.
        style: The painting.

    Returns:
        An image with no lightness and no chroma beyond those of the style.

    Shape:
        - image, content, output: (1, 3, height, width), RGB in [0, 1]
        - style: (1, 3, any height, any width), RGB in [0, 1]

    Example:
        >>> image, content, style = (torch.rand(1, 3, 8, 8) for _ in range(3))
        >>> recoloured(image, content, style).shape
        torch.Size([1, 3, 8, 8])

    Note:
        The authors take the values of a file for linear light, and so does this.
    """
    own, photo, painting = (_oklab(each) for each in (image, content, style))
    own = _within_range(own, painting)
    chroma = painting[:, 1:].flatten(2)[0]
    if float(torch.cov(chroma, correction=0).abs().max()) < 6e-5:
        found = _with_moments(own, painting)
    else:
        moved = _with_moments(photo[:, 1:], painting[:, 1:])
        found = torch.cat([own[:, :1], _guided(moved, own[:, :1])], dim=1)
    return rgb_to_linear(oklab_to_rgb(_within_range(found, painting)).clamp(0, 1))


def _oklab(image: Tensor) -> Tensor:
    return rgb_to_oklab(linear_to_rgb(image.clamp(0, 1)))


def _within_range(values: Tensor, reference: Tensor) -> Tensor:
    return values.clamp(reference.amin((2, 3), keepdim=True), reference.amax((2, 3), keepdim=True))


def _with_moments(values: Tensor, reference: Tensor) -> Tensor:
    """The values with the mean and covariance of others; 1e-4 is added to all variances first."""
    ridge = 1e-4 * torch.eye(values.shape[1]).to(values)

    def moments(each: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        flat = each[0].flatten(1)
        scales, axes = torch.linalg.eigh(torch.cov(flat, correction=0) + ridge)
        return flat.mean(1, keepdim=True), axes, scales.clamp_min(1e-8).sqrt()

    mean, axes, scales = moments(values)
    wanted_mean, wanted_axes, wanted_scales = moments(reference)
    whitening = axes @ torch.diag(1 / scales) @ axes.mT
    colouring = wanted_axes @ torch.diag(wanted_scales) @ wanted_axes.mT
    moved = colouring @ whitening @ (values[0].flatten(1) - mean) + wanted_mean
    return moved.reshape(values.shape)


def _guided(chroma: Tensor, lightness: Tensor, *, times: int = 5) -> Tensor:
    """Means over 3 x 3 pixels, weighted by exp(-10 |ΔL|)."""
    height, width = lightness.shape[2:]
    offsets = [(row, column) for row in range(3) for column in range(3)]

    def neighbours(values: Tensor) -> Tensor:
        around = pad(values, (1, 1, 1, 1), mode="replicate")
        return torch.stack([around[:, :, y : y + height, x : x + width] for y, x in offsets])

    weights = (-10 * (neighbours(lightness) - lightness).abs()).exp()
    weights = weights / weights.sum(0)
    for _ in range(times):
        chroma = (weights * neighbours(chroma)).sum(0)
    return chroma


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


def _enlarged(image: Tensor, like: Tensor) -> Tensor:
    return interpolate(image, (like.shape[2], like.shape[3]), mode="bilinear")
