import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from pystyle._arguments import best_device, callables, device_of, explained_allocations, number
from pystyle._wrapping import checked_wrap
from pystyle.checkpoints import Checkpoints
from pystyle.criterion._blend import first_image
from pystyle.encoders import Encoder, vgg19
from pystyle.encoders._given import given_encoder
from pystyle.evaluation import StoredTargets
from pystyle.losses import Loss
from pystyle.optim import LBFGS
from pystyle.optim._factory import optimizer_factory
from pystyle.parametrizations import Parametrization, Pixels
from pystyle.runner import Callback, Result, Runner, RunnerFactory
from pystyle.runner._interrupted import check_on_interrupt, ended
from pystyle.stylization._colors import ColorControl
from pystyle.stylization._criteria import stylization_criteria
from pystyle.stylization._evaluation import (
    checked_tile,
    chosen_evaluation,
    chosen_precision,
    kept_choices,
    largest_size,
)
from pystyle.stylization._recipe import steps_with, stylization_pyramid
from pystyle.stylization._regions import confined
from pystyle.stylization._sources import ImageSource, opaque_content, references_of
from pystyle.typing import (
    Colors,
    Init,
    MaskedImage,
    OnInterrupt,
    OptimizerFactory,
    OptimizerName,
    PrecisionChoice,
    References,
    Steps,
    Strength,
    StyleLossName,
    Wrap,
)


@explained_allocations("Preparing the images of a run")
# In the inference mode of a caller nothing could be differentiated.
@torch.inference_mode(False)
def stylize(
    content: ImageSource,
    style: ImageSource | Sequence[ImageSource] | Mapping[str, ImageSource],
    *,
    edge_size: int | Literal["original"] | Sequence[int] = 512,
    strength: Strength = 1.0,
    style_loss: StyleLossName | Loss = "wasserstein",
    style_layers: Sequence[str] | None = None,
    style_weights: Sequence[float] | None = None,
    style_scale: float = 1.0,
    content_layer: str | None = None,
    content_weight: float = 1.0,
    smoothness_weight: float = 6.0,
    alpha: Tensor | Literal["content"] | None = "content",
    colors: Colors = "style",
    encoder: Encoder | str | None = None,
    optimizer: OptimizerFactory | OptimizerName = LBFGS,
    parametrization: Callable[[Tensor], Parametrization] = Pixels,
    wrap: Wrap | None = None,
    averaging: float | None = None,
    num_steps: Steps = "standard",
    init: Init = "recoloured",
    seed: int | None = None,
    device: torch.device | str | int | None = None,
    precision: PrecisionChoice = "auto",
    tile: int | Literal["auto"] | None = "auto",
    memory_budget: int | str | None = None,
    callbacks: Callback | Sequence[Callback] = (),
    on_interrupt: OnInterrupt = "return",
    runner: RunnerFactory = Runner,
    checkpoint: str | os.PathLike[str] | Checkpoints | None = None,
    resume: bool = False,
    targets: str | os.PathLike[str] | None = None,
) -> Result:
    """Paint a photograph in the manner of one or several paintings.

    Args:
        content: What is to be seen: an image or the path of one. Of a :class:`~pystyle.MaskedImage` the
            regions are painted, each by itself; what lies in none stays a photograph.
        style: The manner: an image, the path of one, or several that are blended; or an image for each region
            of the content, by name. A style with masks gives to each region what is in its own of that name.
        edge_size: The short edge of the result in pixels, which is approached in octaves; the short
            edges of all levels, such as (128, 256, 512); or ``"original"``, that of the content.
        strength: How much the style counts relative to the content: a factor, ``"subtle"`` (0.5),
            ``"balanced"`` (1) or ``"strong"`` (2).
        style_loss: The name of a loss, or one of your own, whose weight is multiplied by `strength`; see
            :func:`~pystyle.stylization.stylization_criterion`.
        style_layers: The layers of a loss with a name; its usual ones if not given.
        style_weights: How much each of several styles counts; equal if not given.
        style_scale: Size of the style relative to the content: larger strokes above 1.
        content_layer: The layer that is compared with the photograph, if it is not that of
            :func:`~pystyle.stylization.stylization_criterion`.
        content_weight: Of the content loss.
        smoothness_weight: Of the total variation.
        alpha: How opaque the content is, as the picture will be (`Result.alpha`, for `write_image`). What is
            transparent takes no part in the losses. ``"content"``: what its file, Pillow image or numpy array
            says; a mask of the size of a content that is a tensor; None to have it on white, and opaque.
        colors: Whose colours the picture has. ``"style"``: those of the painting. ``"content"``: those of
            the photograph, whose mean and covariance the painting is given before the run.
            ``"luminance"``: the chroma of the photograph pixel by pixel; only luminance is painted.
        encoder: Another encoder than ``vgg19(padding="replicate", ceil_mode=True)``, or the name of one for
            :func:`~pystyle.encoders.named_encoder`. It is moved to `device`.
        optimizer: Any optimizer class of torch or pystyle, a `functools.partial` of one, ``"lbfgs"`` or
            ``"adam"`` (with a learning rate of 0.02).
        parametrization: What is optimised: a class of :mod:`pystyle.parametrizations` or a
            `functools.partial` of one.
        wrap: The sides beyond which the picture goes on with its other side: ``"both"`` for a tile, which is
            laid beside itself in rows and columns, ``"horizontal"`` for a panorama all around. The content
            should wrap as well: where its sides do not fit each other, the picture shows it. Sides that wrap
            are rounded to multiples of the stride of the deepest layer, 4 pixels at the last of several
            levels and 16 at the first. Contents with regions or transparency cannot wrap.
        averaging: The decay of an average of the iterates, with which each level ends. Adam needs
            one, such as 0.97, to be free of noise; L-BFGS does not.
        num_steps: Steps of all levels together: a number, ``"draft"`` (16), ``"standard"`` (40) or ``"best"``
            (150; four times as many of other optimizers than L-BFGS); or those of each level.
        init: What to start from; see :func:`~pystyle.optimize_image`. The default is the content in the
            colours of the style, region by region if there are any.
        seed: Of noise to start from.
        device: Where to compute; the accelerator if there is one, else the CPU.
        precision: Of the encoder; see :class:`~pystyle.evaluation.EagerEvaluation`. ``"auto"`` is half
            precision where the device multiplies in it
            (:func:`~pystyle.evaluation.fastest_precision`); `Result.precision` says which it was.
        tile: None to evaluate the image as a whole, the height of strips to evaluate it in strips, exactly
            (:class:`~pystyle.evaluation.StripEvaluation`), ``"auto"`` for strips where they are needed. A run
            that goes on from a checkpoint keeps the strips and the precision that it began with.
        memory_budget: Bytes that the run may take with ``tile="auto"``, or text such as ``"4GB"``; most of
            what is free if not given.
        callbacks: One or several, called with a step after each step.
        on_interrupt: What Ctrl-C does once the steps have begun: ``"return"`` gives the picture so far, and
            the program goes on; ``"raise"`` raises a :class:`~pystyle.runner.RunInterrupted` that has it,
            which ends a loop over images, too.
        runner: What takes the steps: a subclass of :class:`~pystyle.Runner`, or a function with its
            arguments that makes one.
        checkpoint: A folder in which the state of the run is kept, or
            :class:`~pystyle.checkpoints.Checkpoints` with one and how often it is written.
        resume: Go on from the last checkpoint in that folder, with the same bytes as a run that was not
            interrupted; without one the run starts at its beginning. With more steps than before a run that
            was over goes on longer; see :meth:`Pyramid.optimize <pystyle.Pyramid.optimize>`.
        targets: A folder for what is computed of the styles alone, which other runs with the same styles and
            sizes read; see :class:`~pystyle.evaluation.StoredTargets`. With other `colors` than those of the
            style nothing is the same in two runs, and nothing is stored.

    Returns:
        The picture, the history of all terms, and why the run stopped. With ``colors="luminance"`` the
        history is that of the grey picture, before it gets its chroma.

    Raises:
        ImageReadError: If a file cannot be read.
        ValueError: If an argument has an impossible value, or there is a checkpoint and `resume` is false.
        CheckpointError: If the checkpoint is of a run with other arguments, all are damaged, or another
            run has the folder.
        MemoryError: If there is too little memory even for strips.
        RunInterrupted: At Ctrl-C with ``on_interrupt="raise"``; its `result` is the picture so far.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> from pystyle import stylize
        >>> from pystyle.encoders import vgg11
        >>> photo, painting = torch.rand(1, 3, 24, 32), torch.rand(1, 3, 32, 32)
        >>> result = stylize(photo, painting, edge_size=24, num_steps=2, encoder=vgg11(weights=None))
        >>> result.image.shape
        torch.Size([1, 3, 24, 32])
    """
    check_on_interrupt(on_interrupt)
    style_scale = number(style_scale, "`style_scale`", above=0)
    device = best_device() if device is None else device_of(device)
    optimizer, tile = optimizer_factory(optimizer), checked_tile(tile, memory_budget)
    opaque, opacity = opaque_content(content, alpha)
    references = references_of(opaque, style, style_weights, device)
    opacity = None if opacity is None else opacity.to(device)
    edge_size = _number_of_pixels(edge_size, references)
    _check_wrap(wrap, references)
    control = ColorControl(colors, references, opacity, wrap)
    encoder = encoder_on(device, encoder)
    pyramid = stylization_pyramid(edge_size, num_steps=steps_with(num_steps, optimizer))
    criteria = stylization_criteria(
        encoder,
        control.references,
        pyramid,
        strength=strength,
        style_loss=style_loss,
        style_layers=style_layers,
        content_layer=content_layer,
        content_weight=content_weight,
        smoothness_weight=smoothness_weight,
        style_scale=style_scale,
        alpha=opacity,
        wrap=wrap,
    )
    photograph, start = control.references["content"], control.init(init)
    if isinstance(photograph, MaskedImage):
        has_regions = isinstance(content, MaskedImage)
        criteria, start = confined(criteria, control.references, start, has_regions=has_regions)
    if resume:
        tile, precision = kept_choices(checkpoint, tile, precision)
    precision = chosen_precision(precision, encoder, device)
    edges = dict(zip(criteria, pyramid.edge_sizes, strict=True))
    sizes = {one: largest_size(references, edge, style_scale) for one, edge in edges.items()}
    evaluation = chosen_evaluation(sizes, tile, optimizer, memory_budget, precision)
    # Otherwise the styles have the colours of this content, and no other run sees them.
    stored = None if colors != "style" else targets
    result = pyramid.optimize(
        criteria,
        control.references,
        init=start,
        optimizer=optimizer,
        parametrization=parametrization,
        averaging=averaging,
        callbacks=control.callbacks(callables(callbacks, "`callbacks`")),
        evaluation=evaluation if stored is None else StoredTargets(evaluation, stored),
        runner=runner,
        seed=seed,
        style_scale=style_scale,
        checkpoint=checkpoint,
        resume=resume,
    )
    return ended(replace(control.finished(result), precision=precision), on_interrupt)


def default_encoder() -> Encoder:
    """The encoder of :func:`stylize`."""
    # With zeros around the image, or edges that the deep layers do not see, the picture gets a frame.
    return vgg19(padding="replicate", ceil_mode=True)


def encoder_on(device: torch.device, encoder: Encoder | str | None) -> Encoder:
    """An encoder, or the one of :func:`stylize`, on a device.

    Raises:
        ValueError: If it has no weights, or a name is unknown.
    """
    found = default_encoder() if encoder is None else given_encoder(encoder)
    if any(parameter.device.type == "meta" for parameter in found.parameters()):
        raise ValueError("`encoder` must have weights, got one on the device meta, where there are none.")
    return found.to(device)


def _check_wrap(wrap: Wrap | None, references: References) -> None:
    if checked_wrap(wrap) is not None and isinstance(references["content"], MaskedImage):
        raise ValueError(
            "`wrap` must be left out for a content with regions or transparency, which have no other side. "
            "Put it on a ground first."
        )


def _number_of_pixels(edge_size: int | Sequence[int] | str, references: References) -> int | Sequence[int]:
    if not isinstance(edge_size, str):
        return edge_size
    if edge_size != "original":
        raise ValueError(
            f"`edge_size` must be a number of pixels, several, or 'original', got {edge_size!r}."
        )
    return min(first_image(references["content"]).shape[-2:])
