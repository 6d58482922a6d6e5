from functools import partial

from torch import Tensor

from pystyle.colors import match_colors
from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.losses import GramLoss
from pystyle.optim import LBFGS
from pystyle.papers._images import check_images
from pystyle.papers.gatys_2016 import STYLE_LAYERS
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import OptimizerFactory


def mixed_scales(
    coarse: Tensor,
    fine: Tensor,
    *,
    encoder: Encoder | None = None,
    last_layer: str = "relu2_1",
    style_weight: float = 1e3,
    colors: Tensor | None = None,
    num_steps: int = 500,
    optimizer: OptimizerFactory = partial(LBFGS, history_size=100, initial_step=None),
    callbacks: tuple[Callback, ...] = (),
    evaluation: Evaluation = EagerEvaluation(),
) -> Result:
    """A style with the large forms of one painting and the small strokes of another (section 6).

    The coarse painting is what the run starts from, and the Gram matrices of early layers are those of the
    fine one. There is no content loss: what the early layers do not see stays.

    Args:
        coarse: The painting with the large forms, at the size at which it is to be used.
        fine: The painting with the strokes, at the size at which it is to be used.
        encoder: The network; VGG-19 as Caffe has it if not given.
        last_layer: The deepest of the layers; the code takes relu2_1 at 512 and relu4_1 at 1024 pixels.
        style_weight: Divided by the number of layers.
        colors: Whose colours both get first, usually the photograph; none if not given.
        num_steps: Evaluations of the loss.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step.
        evaluation: How the gradient is computed.

    Returns:
        The new style, for the place of the style of :func:`style_transfer`.

    Raises:
        ValueError: If `last_layer` is none of the style's, or an argument of
            :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - coarse, fine: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> coarse, fine = torch.rand(1, 3, 32, 40), torch.rand(1, 3, 48, 32)
        >>> mixed_scales(coarse, fine, encoder=vgg19(weights=None), num_steps=1).image.shape
        torch.Size([1, 3, 32, 40])
    """
    check_images({"coarse": coarse, "fine": fine})
    if last_layer not in STYLE_LAYERS:
        raise ValueError(f"`last_layer` must be one of {STYLE_LAYERS}, got {last_layer!r}.")
    layers = STYLE_LAYERS[: STYLE_LAYERS.index(last_layer) + 1]
    if colors is not None:
        coarse, fine = (match_colors(image, colors, method="pca") for image in (coarse, fine))
    # Equal weights that sum to one are the default.
    style = GramLoss(layers, weight=style_weight)
    return optimize_image(
        Criterion(vgg19() if encoder is None else encoder, {"style": style}),
        {"style": fine},
        init=coarse,
        optimizer=optimizer,
        num_steps=num_steps,
        bounds=None,
        callbacks=callbacks,
        evaluation=evaluation,
    )
