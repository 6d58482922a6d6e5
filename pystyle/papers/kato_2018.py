r"""Kato, Ushiku, Harada 2018: neural 3D mesh renderer, the textures of its style transfer.

:Paper: https://arxiv.org/abs/1711.07566
:Code: https://github.com/hiroharu-kato/style_transfer_3d/tree/a4938ae

Vertices and textures of a mesh are optimised so that pictures of it from random sides have the Gram matrices
of a painting. Vertices are held where they were, and colours of neighbouring pixels are held alike:

.. math:: \mathcal{L} = \lambda_c \sum_i \| v_i - v_i^c \|^2
          + \lambda_s \sum_\phi \sum_l \| G^l_\phi - G^l_s \|^2 + \lambda_t \mathcal{L}_t

Here vertices do not move: no gradient goes through the silhouette. So the first term is zero, and the
texture alone is painted.

====================  ==========================================  =========================================
what                  authors' code                               here
====================  ==========================================  =========================================
what is optimised     4³ colours for each triangle, and vertices  the texture of the mesh, `texture_size`
start                 the colours of the file                     the same
network               VGG-16, up to conv4_3                       VGG-16: relu1_2, relu2_2, relu3_3, relu4_3
Gram matrices         of the silhouette, divided by its area and  the same
                      the channels
background            mean colour of the painting                 the same
pictures              224², 4 a step                              224 pixels high, 4 a step
cameras               elevation 20 to 40, any azimuth, distance   elevation 20 to 40, any azimuth, distance
                      2.732 ± 0.1 in their units, random light    2.732 radii, no light
optimizer             Adam, 0.05, β₁ 0.9; 5,000 steps             the same
====================  ==========================================  =========================================

Sources: section 4.2 of the paper; ``examples/run.py`` of hiroharu-kato/style_transfer_3d, commit a4938ae, and
what it calls.

What differs here: there is no light but the colours, so nothing is learnt from shades. The weight of the
total variation (1e7 in the code) belongs to sums of their renderer; here it is of a mean, an argument. The
cameras come from a set of views (:class:`~pystyle.surfaces.Views`), not anew at each step.
"""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg16
from pystyle.images import resize
from pystyle.losses import GramLoss, TotalVariationLoss
from pystyle.papers._images import check_images
from pystyle.papers._layers import names
from pystyle.runner import Callback, optimize_image
from pystyle.surfaces import SURFACE, Mesh, PaintedMesh, ViewEvaluation, ViewRunner, Views
from pystyle.typing import OptimizerFactory

__all__ = ["criterion", "style_transfer"]

LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")


def criterion(
    encoder: Encoder | None = None, *, layers: str | Sequence[str] = LAYERS, smoothness_weight: float = 1e-3
) -> Criterion:
    """The losses of the texture, confined to the silhouette.

    Args:
        encoder: The network; VGG-16 if not given.
        layers: Where Gram matrices are compared; their losses are added.
        smoothness_weight: Of the total variation.

    Returns:
        A criterion with the losses ``style`` and ``smoothness``.

    Raises:
        ValueError: If a layer is unknown, or the weight is negative.

    Example:
        >>> list(criterion(vgg16(weights=None)).losses)
        ['style', 'smoothness']
    """
    layers = names(layers)
    style = GramLoss(layers, layer_weights=[1.0] * len(layers), normalization="chw")
    return Criterion(
        vgg16() if encoder is None else encoder,
        {
            "style": style.within(SURFACE),
            "smoothness": TotalVariationLoss(weight=smoothness_weight).within(SURFACE),
        },
    )


def style_transfer(
    mesh: Mesh,
    style: Tensor,
    *,
    encoder: Encoder | None = None,
    layers: str | Sequence[str] = LAYERS,
    smoothness_weight: float = 1e-3,
    texture_size: int = 512,
    view_size: int = 224,
    views: Views = Views(sheets=12, views=4, elevations=(20.0, 40.0), distance=2.732),
    num_steps: int = 5000,
    optimizer: OptimizerFactory = partial(torch.optim.Adam, lr=0.05),
    callbacks: Sequence[Callback] = (),
) -> PaintedMesh:
    """A mesh whose texture has the manner of a painting.

    Args:
        mesh: The mesh with the texture that it starts from.
        style: The painting; it is brought to the height of the views.
        encoder: Of :func:`criterion`.
        layers: Of :func:`criterion`.
        smoothness_weight: Of :func:`criterion`.
        texture_size: The short edge of the new texture in texels.
        view_size: The height of the views in pixels.
        views: From where the mesh is seen.
        num_steps: Steps of the optimizer.
        optimizer: Any optimizer class of torch, or a `functools.partial` of one.
        callbacks: Called with a step after each step.

    Returns:
        The mesh with its new texture, and the run.

    Raises:
        ValueError: If an argument of :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> from pystyle.surfaces import sphere
        >>> painted = style_transfer(
        ...     sphere(8), torch.rand(1, 3, 32, 32), encoder=vgg16(weights=None), texture_size=32,
        ...     view_size=32, views=Views(sheets=1, views=1), num_steps=1,
        ... )
        >>> painted.mesh.texture.shape
        torch.Size([1, 3, 32, 64])
    """
    check_images({"style": style})
    texture = resize(mesh.texture.to(style), texture_size, wrap="both")
    result = optimize_image(
        criterion(encoder, layers=layers, smoothness_weight=smoothness_weight),
        {"content": texture, "style": resize(style, view_size)},
        init="content",
        optimizer=optimizer,
        num_steps=num_steps,
        callbacks=callbacks,
        evaluation=ViewEvaluation(mesh, views, view_size / min(texture.shape[2:]), weighting="silhouette"),
        runner=ViewRunner,
    )
    return PaintedMesh(mesh.with_texture(result.image.cpu()), result)
