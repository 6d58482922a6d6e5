import copy
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from pystyle._arguments import (
    best_device,
    callables,
    device_of,
    explained_allocations,
    number,
    numbers,
    whole_number,
)
from pystyle.checkpoints import Checkpoints
from pystyle.colors import match_colors
from pystyle.criterion import Criterion
from pystyle.encoders import Encoder
from pystyle.images import as_image
from pystyle.images._sources import Picture, is_picture
from pystyle.losses import Loss
from pystyle.optim._factory import optimizer_factory
from pystyle.parametrizations import Parametrization, Pixels
from pystyle.pyramid import Pyramid
from pystyle.runner import Callback, Result
from pystyle.runner._interrupted import check_on_interrupt, ended
from pystyle.stylization import stylization_criteria, stylization_pyramid
from pystyle.stylization._evaluation import chosen_precision, kept_choices
from pystyle.stylization._recipe import steps_with
from pystyle.stylization._stylize import encoder_on
from pystyle.surfaces._evaluation import SURFACE, ViewEvaluation
from pystyle.surfaces._gutters import filled_gutters, used_texels
from pystyle.surfaces._mesh import Mesh
from pystyle.surfaces._runner import ViewRunner
from pystyle.surfaces._sheet import sheets_of
from pystyle.surfaces._views import Views
from pystyle.typing import (
    OnInterrupt,
    OptimizerFactory,
    OptimizerName,
    PrecisionChoice,
    Steps,
    Strength,
    StyleLossName,
)

_CONTRAST_SIZE = 256


@dataclass(frozen=True, eq=False)
class PaintedMesh:
    """What :func:`stylize_texture` gives back.

    Attributes:
        mesh: The mesh with its new texture.
        result: The run: its history, and why it stopped. Its image is the texture before the gutters between
            the parts of the mesh were filled.

    Example:
        >>> import torch
        >>> from pystyle.runner import Result
        >>> from pystyle.surfaces import sphere
        >>> mesh = sphere(8)
        >>> PaintedMesh(mesh, Result(mesh.texture, {"step": [0], "total": [1.0]}, "finished", 0.5)).mesh
        Mesh(45 vertices, 48 faces, a texture of 256 x 512 pixels)
    """

    mesh: Mesh
    result: Result


@explained_allocations("Preparing the images of a run")
# In the inference mode of a caller nothing could be differentiated.
@torch.inference_mode(False)
def stylize_texture(
    mesh: Mesh,
    style: Picture | Sequence[Picture],
    *,
    texture_size: int = 1024,
    views: Views = Views(),
    view_scale: float = 0.5,
    strength: Strength = 1.0,
    style_loss: StyleLossName | Loss = "wasserstein",
    style_weights: Sequence[float] | None = None,
    style_scale: float = 1.0,
    content_weight: float = 1.0,
    smoothness_weight: float = 6.0,
    encoder: Encoder | str | None = None,
    optimizer: OptimizerFactory | OptimizerName = "adam",
    parametrization: Callable[[Tensor], Parametrization] = Pixels,
    averaging: float | None = 0.9,
    num_steps: Steps = "standard",
    device: torch.device | str | int | None = None,
    precision: PrecisionChoice = "auto",
    callbacks: Callback | Sequence[Callback] = (),
    on_interrupt: OnInterrupt = "return",
    checkpoint: str | os.PathLike[str] | Checkpoints | None = None,
    resume: bool = False,
) -> PaintedMesh:
    """Paint a mesh in the manner of one or several paintings: its texture, seen from all sides.

    What is optimised is the texture. At each step several pictures of the mesh are compared with the painting
    and with pictures of the original texture from the same places, by the criterion of
    :func:`~pystyle.stylize`. So strokes have the size that they have in pictures, whatever the texture is
    stretched by, and go on across its seams.

    Args:
        mesh: The mesh with its texture.
        style: The manner: an image, the path of one, or several that are blended.
        texture_size: The short edge of the new texture in texels, which is approached in octaves.
        views: From where the mesh is seen.
        view_scale: The height of a view in pixels, relative to the short edge of the texture. It should be
            such that a pixel sees about a texel.
        strength: How much the style counts relative to the content, as for :func:`~pystyle.stylize`.
        style_loss: The name of a loss, or one of your own; it has to be one that can be confined to a region.
        style_weights: How much each of several styles counts; equal if not given.
        style_scale: The short edge of the style, relative to the height of a view: larger strokes above 1.
        content_weight: Of the content loss.
        smoothness_weight: Of the total variation.
        encoder: Another encoder than that of :func:`~pystyle.stylize`, or its name.
        optimizer: One for objectives that change from step to step: ``"adam"``, a class, or a
            `functools.partial` of one.
        parametrization: What is optimised: pixels, or :class:`~pystyle.parametrizations.Fourier`, which
            repeats as the texture does.
        averaging: The decay of an average of the textures, with which each level ends; None for the last.
        num_steps: Steps of all levels together: a number, ``"draft"`` (64), ``"standard"`` (160) or
            ``"best"`` (600); or those of each level.
        device: Where to compute; the accelerator if there is one, else the CPU.
        precision: Of the encoder; ``"auto"`` is half precision where the device multiplies in it.
        callbacks: One or several, called with a step after each step, whose image is the texture.
        on_interrupt: What Ctrl-C does once the steps have begun: ``"return"`` gives the mesh so far;
            ``"raise"`` raises a :class:`~pystyle.runner.RunInterrupted` with the texture.
        checkpoint: A folder in which the state of the run is kept, or
            :class:`~pystyle.checkpoints.Checkpoints` with one and how often it is written.
        resume: Go on from the last checkpoint in that folder, with the same bytes as a run that was not
            interrupted; without one the run starts at its beginning.

    Returns:
        The mesh with its new texture, and the run.

    Raises:
        ImageReadError: If a file cannot be read.
        ValueError: If an argument has an impossible value, or there is a checkpoint and `resume` is false.
        CheckpointError: If the checkpoint is of a run with other arguments, all are damaged, or another
            run has the folder.
        MemoryError: If there is too little memory, with what to change.
        RunInterrupted: At Ctrl-C with ``on_interrupt="raise"``.

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg11
        >>> from pystyle.surfaces import Views, sphere
        >>> painted = stylize_texture(
        ...     sphere(8), torch.rand(1, 3, 24, 24), texture_size=32, views=Views(sheets=2, views=2),
        ...     num_steps=2, encoder=vgg11(weights=None),
        ... )
        >>> painted.mesh
        Mesh(45 vertices, 48 faces, a texture of 32 x 64 pixels)

    References:
        Mordvintsev, Pezzotti, Schubert, Olah. *Differentiable image parameterizations*. Distill, 2018, whose
        method it is, with other losses; see :mod:`pystyle.papers.mordvintsev_2018`.
    """
    check_on_interrupt(on_interrupt)
    scale = number(view_scale, "`view_scale`", above=0)
    style_scale = number(style_scale, "`style_scale`", above=0)
    height = max(round(whole_number(texture_size, "`texture_size`", least=1) * scale), 1)
    device = best_device() if device is None else device_of(device)
    optimizer = optimizer_factory(optimizer)
    encoder = encoder_on(device, encoder)
    texture = mesh.texture.to(device, encoder.image_dtype)
    styles = _styles(style, style_weights, texture)
    levels = stylization_pyramid(height, num_steps=steps_with(num_steps, optimizer))
    seen, facing = _seen(mesh, views, texture, min(height, _CONTRAST_SIZE))
    criteria = stylization_criteria(
        encoder,
        {"content": seen, "style": styles},
        levels,
        strength=strength,
        style_loss=style_loss,
        content_weight=content_weight,
        smoothness_weight=smoothness_weight,
        style_scale=style_scale,
        alpha=facing,
    )
    if resume:
        _, precision = kept_choices(checkpoint, None, precision)
    precision = chosen_precision(precision, encoder, device)
    confined = {one: _on_surface(one) for one in criteria}
    sizes = [*(round(size / scale) for size in levels.edge_sizes[:-1]), texture_size]
    # A texture is repeated, whatever the criterion sees of it.
    result = Pyramid(sizes, levels.num_steps, wrap="both").optimize(
        [confined[one] for one in criteria],
        {"content": texture, "style": styles},
        init=_recoloured(mesh, texture, styles),
        optimizer=optimizer,
        parametrization=parametrization,
        averaging=averaging,
        callbacks=callables(callbacks, "`callbacks`"),
        evaluation=ViewEvaluation(mesh, views, scale=scale, precision=precision),
        runner=ViewRunner,
        style_scale=scale * style_scale,
        checkpoint=checkpoint,
        resume=resume,
    )
    result = replace(result, precision=precision)
    painted = mesh.with_texture(result.image.cpu())
    painted = painted.with_texture(filled_gutters(painted))
    return PaintedMesh(painted, ended(result, on_interrupt))


def _styles(
    style: Picture | Sequence[Picture], weights: Sequence[float] | None, texture: Tensor
) -> list[tuple[Tensor, float]]:
    """The styles, in the type and on the device of the texture, each with its share."""
    several: Any = [style] if is_picture(style) else style
    images = [as_image(one).to(texture) for one in several]
    shares = [1.0] * len(images) if weights is None else numbers(weights, "`style_weights`", least=0)
    if not images or len(shares) != len(images) or not sum(shares) > 0:
        raise ValueError(
            f"`style_weights` must have one weight for each of at least one style, and not all 0, got "
            f"{len(shares)} for {len(images)}."
        )
    return [(image, share / sum(shares)) for image, share in zip(images, shares, strict=True)]


def _seen(mesh: Mesh, views: Views, texture: Tensor, height: int) -> tuple[Tensor, Tensor]:
    """The original texture in one sheet, and where the mesh is in it."""
    sheet = sheets_of(mesh, replace(views, sheets=1), height, texture)[0]
    return sheet.picture(texture, texture.mean((2, 3), keepdim=True)).clamp(0, 1), sheet.facing


def _on_surface(criterion: Criterion) -> Criterion:
    losses: Mapping[str, Loss] = {
        name: copy.copy(loss).within(SURFACE) for name, loss in criterion.named_losses.items()
    }
    return Criterion(criterion.encoder, losses)


def _recoloured(mesh: Mesh, texture: Tensor, styles: Sequence[tuple[Tensor, float]]) -> Tensor:
    """The texture, the part of which that is seen has the mean and covariance of the colours of the style."""
    mask = used_texels(mesh).to(texture)
    parts = [weight * match_colors(texture, image, mask=mask) for image, weight in styles]
    return torch.stack(parts).sum(0)
