from collections.abc import Sequence
from functools import partial
from typing import Literal

from torch import Tensor

from pystyle.encoders import Encoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.images import resize
from pystyle.optim import LBFGS
from pystyle.papers.gatys_2016._criterion import CONTENT_LAYER, STYLE_LAYERS
from pystyle.papers.gatys_2016._sizes import working_sizes
from pystyle.papers.gatys_2016._style_transfer import style_transfer
from pystyle.runner import Callback, Result
from pystyle.typing import OptimizerFactory


def high_resolution(
    content: Tensor,
    style: Tensor,
    *,
    encoder: Encoder | None = None,
    variant: Literal["code", "torch"] = "code",
    edge_sizes: tuple[int, int] | None = None,
    content_layers: str | Sequence[str] = CONTENT_LAYER,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_weight: float = 1.0,
    style_weight: float = 1e3,
    num_steps: tuple[int, int] = (500, 200),
    optimizer: OptimizerFactory = partial(LBFGS, history_size=100, initial_step=None),
    callbacks: Sequence[Callback] = (),
    evaluation: Evaluation = EagerEvaluation(),
) -> tuple[Result, Result]:
    """Two runs, the second one larger and begun with the enlarged picture of the first.

    At a large size alone, the losses see only small structures of the style.

    Args:
        content: The photograph, at its full size.
        style: The painting, at its full size.
        encoder: The network; see the table of the module.
        variant: The authors' PyTorch code or their Torch code.
        edge_sizes: Of both runs; (512, 800) for ``"code"`` and (512, 1024) for ``"torch"`` if not given.
        content_layers: Of :func:`criterion`.
        style_layers: Of :func:`criterion`.
        content_weight: Of :func:`criterion`.
        style_weight: Of :func:`criterion`.
        num_steps: Evaluations of the loss in both runs.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step of both runs.
        evaluation: How the gradient is computed.

    Returns:
        The results of the first and of the second run. If the first diverged or was interrupted, there is no
        other.

    Raises:
        ValueError: If `variant` is unknown, or an argument of :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> photo, painting = torch.rand(1, 3, 64, 48), torch.rand(1, 3, 48, 64)
        >>> coarse, fine = high_resolution(
        ...     photo, painting, encoder=vgg19(weights=None), edge_sizes=(32, 48), num_steps=(1, 1)
        ... )
        >>> coarse.image.shape[2:], fine.image.shape[2:]
        (torch.Size([42, 32]), torch.Size([64, 48]))
    """
    if variant not in ("code", "torch"):
        raise ValueError(f"`variant` must be 'code' or 'torch', which have two runs, got {variant!r}.")
    edge_sizes = edge_sizes or (512, 800 if variant == "code" else 1024)
    encoder = vgg19() if encoder is None else encoder
    run = partial(
        style_transfer, content, style, encoder=encoder, variant=variant, content_layers=content_layers,
        style_layers=style_layers, content_weight=content_weight, style_weight=style_weight,
        optimizer=optimizer, callbacks=callbacks, evaluation=evaluation,
    )  # fmt: skip
    coarse = run(edge_size=edge_sizes[0], num_steps=num_steps[0])
    if coarse.failed:
        return coarse, coarse
    large, _ = working_sizes(content, style, variant=variant, edge_size=edge_sizes[1])
    enlarged = resize(coarse.image, (large.shape[2], large.shape[3]), interpolation="bilinear")
    return coarse, run(edge_size=edge_sizes[1], num_steps=num_steps[1], init=enlarged)
