from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from pystyle.encoders import Encoder
from pystyle.images import resize
from pystyle.papers._images import check_images
from pystyle.papers._noise import seeded_normal
from pystyle.papers.kato_2018._criterion import LAYERS, SMOOTHNESS_WEIGHT, criterion
from pystyle.papers.kato_2018._texture import SquashedTexture
from pystyle.parametrizations import Parametrization
from pystyle.runner import Callback, optimize_image
from pystyle.surfaces import Mesh, PaintedMesh, ViewEvaluation, ViewRunner, Views
from pystyle.typing import Init, OptimizerFactory


def style_transfer(
    mesh: Mesh,
    style: Tensor,
    *,
    encoder: Encoder | None = None,
    layers: str | Sequence[str] = LAYERS,
    smoothness_weight: float = SMOOTHNESS_WEIGHT,
    texture_size: int = 512,
    view_size: int = 224,
    views: Views = Views(sheets=12, views=4, elevations=(20.0, 40.0), field_of_view=60.0, distance=2.732),
    num_steps: int = 5000,
    init: Init | None = None,
    parametrization: Callable[[Tensor], Parametrization] = SquashedTexture,
    optimizer: OptimizerFactory = partial(torch.optim.Adam, lr=0.05),
    callbacks: Sequence[Callback] = (),
    seed: int = 0,
) -> PaintedMesh:
    """A mesh whose texture has the manner of a painting.

    Args:
        mesh: The mesh.
        style: The painting; it is brought to the height of the views.
        encoder: Of :func:`criterion`.
        layers: Of :func:`criterion`.
        smoothness_weight: Of :func:`criterion`.
        texture_size: The short edge of the new texture in texels.
        view_size: The height of the views in pixels.
        views: From where the mesh is seen.
        num_steps: Steps of the optimizer.
        init: What to start from in the place of the noise of the table: ``"content"`` is the texture of the
            mesh.
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
        >>> from pystyle.encoders import vgg16
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
        init=(0.05 * seeded_normal(texture.shape, seed)).sigmoid().to(texture) if init is None else init,
        parametrization=parametrization,
        optimizer=optimizer,
        num_steps=num_steps,
        callbacks=callbacks,
        evaluation=ViewEvaluation(mesh, views, view_size / min(texture.shape[2:]), weighting="silhouette"),
        runner=ViewRunner,
    )
    return PaintedMesh(mesh.with_texture(result.image.cpu()), result)
