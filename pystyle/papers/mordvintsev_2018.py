r"""Mordvintsev, Pezzotti, Schubert, Olah 2018: style transfer to the texture of a mesh.

:Paper: https://doi.org/10.23915/distill.00012
:Code: https://github.com/tensorflow/lucid/blob/71972fe/notebooks/differentiable-parameterizations/style_transfer_3d.ipynb

The texture of a mesh is optimised through pictures of it. At each step it is seen from another side; the only
part of the renderer that has a gradient is the look-up of colours in the texture. The style is compared with
Gram matrices, averaged over recent views, the content with the original texture in the same view:

.. math:: \mathcal{L} = \sum_l \overline{| \bar G^l - G_s^l |} + 100 \; \overline{| F^c - F_c^c |}

====================  =================================  ==================================================
what                  authors' code                      here
====================  =================================  ==================================================
parametrization       1024² texels, Fourier              the same, clamped instead of a sigmoid, and
                      coefficients, decorrelated         in units of its own
start                 noise of deviation 0.01 in them    grey with noise of that deviation in pixels
network               InceptionV1 (GoogLeNet)            VGG-19 unless `encoder` is given
style layers          conv2d2, mixed3a, mixed3b,         `style_layers`
                      mixed4a, mixed4b, mixed4c
content layer         mixed3b, weight 100                `content_layer`, weight 100
distances             means of absolute differences      the same
Gram matrices         per position, whole picture,       per position, whole picture, averaged over the
                      averaged over recent views (0.95)  views of a step
views                 one a step, 512², from all sides,  four a step, 512 pixels high, from all sides,
                      10 degrees wide, 10 to 12 halves   10 degrees, the whole mesh in the picture
                      of the longest side away
background            black                              the same
painting              as it is                           the same
optimizer             Adam, 0.05, 400 steps; 800 for     the same; 0.017, which moves a grey texture of
                      the pictures of the article        1024² texels as far
====================  =================================  ==================================================

Sources: the section on style transfer to 3D meshes of the article gives the idea; the numbers are those of
the notebook, tensorflow/lucid, commit 71972fe, and of ``lucid/optvis/style.py``, ``lucid/optvis/param`` and
``lucid/misc/gl``. The notebook adds a ``background_loss`` that it does not define, which is left out.

What differs here: a mean over recent views would be a state between steps. A sheet of several views, which
:class:`~pystyle.surfaces.ViewEvaluation` shows to the losses at once, is averaged instead, with a gradient
for all of them. Textures are looked up in a pyramid of halved ones, where the authors take the bilinear
colour of the full one. :func:`pystyle.surfaces.stylize_texture` is the same idea with the losses of
:func:`pystyle.stylize`, confined to the surface.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.functional import mean_absolute_error
from pystyle.images import resize
from pystyle.losses import ContentLoss, GramLoss
from pystyle.papers._images import check_images
from pystyle.papers._layers import names
from pystyle.papers._noise import seeded_normal
from pystyle.parametrizations import Fourier, Parametrization
from pystyle.runner import Callback, optimize_image
from pystyle.surfaces import Mesh, PaintedMesh, ViewEvaluation, ViewRunner, Views
from pystyle.typing import OptimizerFactory

__all__ = ["AbsoluteGramLoss", "criterion", "style_transfer"]

STYLE_LAYERS = ("relu2_2", "relu3_1", "relu3_3", "relu4_1", "relu4_2", "relu4_3")
GOOGLENET_STYLE_LAYERS = ("conv3", "inception3a", "inception3b", "inception4a", "inception4b", "inception4c")
"""Those of the authors, as torchvision calls them; their content layer is ``"inception3b"``."""


class AbsoluteGramLoss(GramLoss):
    """The mean absolute difference of the Gram matrices, which the authors found more stable for GoogLeNet.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the mean absolute value of the target.
        reference: The name of the image to compare with.
        normalization: What the matrix is divided by.

    Example:
        >>> AbsoluteGramLoss("relu3_1")
        AbsoluteGramLoss('relu3_1')
    """

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The mean absolute difference."""
        return mean_absolute_error(representation, target)


def criterion(
    encoder: Encoder | None = None,
    *,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_layer: str = "relu3_3",
    content_weight: float = 100.0,
) -> Criterion:
    """The losses of one step.

    Args:
        encoder: The network; VGG-19 with weights of mean activation 1 if not given.
        style_layers: Where Gram matrices are compared; their losses are added.
        content_layer: Where the features are compared.
        content_weight: Of the content loss.

    Returns:
        A criterion with the losses ``style`` and ``content``.

    Raises:
        ValueError: If a layer is unknown, or the weight is negative.

    Example:
        >>> list(criterion(vgg19(weights=None)).losses)
        ['style', 'content']
    """
    style_layers = names(style_layers)
    return Criterion(
        vgg19("caffe_normalized") if encoder is None else encoder,
        {
            "style": AbsoluteGramLoss(style_layers, layer_weights=[1.0] * len(style_layers)),
            "content": ContentLoss(content_layer, weight=content_weight, distance="l1"),
        },
    )


def style_transfer(
    mesh: Mesh,
    style: Tensor,
    *,
    encoder: Encoder | None = None,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_layer: str = "relu3_3",
    content_weight: float = 100.0,
    texture_size: int = 1024,
    view_size: int = 512,
    views: Views = Views(sheets=8, views=4, elevations=(-90.0, 90.0), field_of_view=10.0),
    num_steps: int = 400,
    parametrization: Callable[[Tensor], Parametrization] = Fourier,
    optimizer: OptimizerFactory = partial(torch.optim.Adam, lr=0.017),
    callbacks: Sequence[Callback] = (),
    seed: int = 0,
) -> PaintedMesh:
    """A mesh in the manner of a painting.

    Args:
        mesh: The mesh with its texture, the content.
        style: The painting, as large as it is to be seen.
        encoder: Of :func:`criterion`.
        style_layers: Of :func:`criterion`.
        content_layer: Of :func:`criterion`.
        content_weight: Of :func:`criterion`.
        texture_size: The short edge of the new texture in texels.
        view_size: The height of the views in pixels.
        views: From where the mesh is seen, and how many views are averaged.
        num_steps: Steps of the optimizer.
        parametrization: What is optimised.
        optimizer: Any optimizer class of torch, or a `functools.partial` of one.
        callbacks: Called with a step after each step.
        seed: Of the noise that it starts from.

    Returns:
        The mesh with its new texture, and the run.

    Raises:
        ValueError: If an argument of :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> from pystyle.surfaces import sphere
        >>> painted = style_transfer(
        ...     sphere(8), torch.rand(1, 3, 32, 32), encoder=vgg19(weights=None), texture_size=32,
        ...     view_size=32, views=Views(sheets=1, views=1), num_steps=1,
        ... )
        >>> painted.mesh.texture.shape
        torch.Size([1, 3, 32, 64])
    """
    check_images({"style": style})
    content = resize(mesh.texture.to(style), texture_size, wrap="both")
    result = optimize_image(
        criterion(
            encoder, style_layers=style_layers, content_layer=content_layer, content_weight=content_weight
        ),
        {"content": content, "style": style},
        init=(0.5 + 0.01 * seeded_normal(content.shape, seed)).to(content),
        optimizer=optimizer,
        parametrization=parametrization,
        num_steps=num_steps,
        callbacks=callbacks,
        evaluation=ViewEvaluation(mesh, views, view_size / min(content.shape[2:]), (0.0, 0.0, 0.0)),
        runner=ViewRunner,
    )
    return PaintedMesh(mesh.with_texture(result.image.cpu()), result)
