from collections.abc import Sequence
from functools import partial

from torch import Tensor

from pystyle.encoders import Encoder
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.optim import LBFGS
from pystyle.papers.gatys_2015 import normal_noise
from pystyle.papers.gatys_2016._criterion import CONTENT_LAYER, STYLE_LAYERS, Variant, criterion
from pystyle.papers.gatys_2016._sizes import working_sizes
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import Init, OptimizerFactory


def style_transfer(
    content: Tensor,
    style: Tensor,
    *,
    encoder: Encoder | None = None,
    variant: Variant = "code",
    edge_size: int = 512,
    content_layers: str | Sequence[str] = CONTENT_LAYER,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_weight: float = 1.0,
    style_weight: float = 1e3,
    init: Init | None = None,
    num_steps: int = 500,
    optimizer: OptimizerFactory = partial(LBFGS, history_size=100, initial_step=None),
    callbacks: Sequence[Callback] = (),
    evaluation: Evaluation = EagerEvaluation(),
    seed: int | None = 0,
) -> Result:
    """A photograph in the style of a painting.

    Args:
        content: The photograph, at its full size.
        style: The painting, at its full size.
        encoder: The network; see the table of the module.
        variant: The paper, the authors' PyTorch code, or their Torch code.
        edge_size: The size of the result; see :func:`working_sizes`.
        content_layers: Of :func:`criterion`.
        style_layers: Of :func:`criterion`.
        content_weight: α of :func:`criterion`.
        style_weight: β of :func:`criterion`.
        init: What to start from; noise for the paper and the content for the code if not given. Figure 6
            takes the content, the style, and noise of several seeds.
        num_steps: Evaluations of the loss.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step.
        evaluation: How the gradient is computed.
        seed: Of the noise; None for another one each time.

    Returns:
        The picture, clipped to [0, 1], the history of the losses, and why the run stopped. Nothing keeps
        the pixels in [0, 1] during the run.

    Raises:
        ValueError: If `variant` is unknown, or an argument of :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg19
        >>> photo, painting = torch.rand(1, 3, 40, 32), torch.rand(1, 3, 48, 64)
        >>> style_transfer(
        ...     photo, painting, encoder=vgg19(weights=None), edge_size=32, num_steps=2
        ... ).image.shape
        torch.Size([1, 3, 40, 32])
    """
    content, style = working_sizes(content, style, variant=variant, edge_size=edge_size)
    size = (content.shape[2], content.shape[3])
    if init is None:
        init = normal_noise(size, like=content, seed=seed) if variant == "paper" else "content"
    return optimize_image(
        criterion(
            encoder, variant=variant, content_layers=content_layers, style_layers=style_layers,
            content_weight=content_weight, style_weight=style_weight, size=size,
        ),
        {"content": content, "style": style},
        init=init,
        optimizer=optimizer,
        num_steps=num_steps,
        bounds=None,
        callbacks=callbacks,
        evaluation=evaluation,
        seed=seed,
    )  # fmt: skip
