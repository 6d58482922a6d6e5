from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pystyle._arguments import number
from pystyle.criterion import Criterion
from pystyle.encoders import Encoder
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.functional import mean_squared_error
from pystyle.losses import Loss, TotalVariationLoss
from pystyle.optim import LBFGS
from pystyle.runner._inits import checked_seed, size_of_noise
from pystyle.runner._optimize import optimize_image
from pystyle.runner._result import Result
from pystyle.runner._step import Callback
from pystyle.typing import OptimizerFactory, OptimizerName


def invert_features(
    encoder: Encoder,
    features: Mapping[str, Tensor],
    *,
    init: Tensor | tuple[int, int],
    smoothness: float = 0.0,
    optimizer: OptimizerFactory | OptimizerName = LBFGS,
    num_steps: int = 200,
    callbacks: Callback | Sequence[Callback] = (),
    evaluation: Evaluation = EagerEvaluation(),
    seed: int | None = None,
) -> Result:
    r"""An image that has given features: what a decoder does in one pass, by optimisation.

    .. math:: \min_x \sum_l \frac{\| \Phi_l(x) - F_l \|^2}{\| F_l \|^2} + \lambda \, TV(x)

    The features may be anything: those of an image, or of a content with the moments of a style.

    Args:
        encoder: The encoder.
        features: What the image is to have, by layers.
        init: What to start from: an image, or the size (height, width) of noise around grey.
        smoothness: The factor of the total variation. Deep layers say little of single pixels.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        num_steps: How many steps.
        callbacks: One or several, called with a step after each step.
        evaluation: How the gradient is computed.
        seed: Of the noise; another one each time if not given.

    Returns:
        The image in [0, 1], the history, and why the run stopped. The terms are called
        ``features_0.<layer>`` and so on.

    Raises:
        TypeError: If `init` is neither an image nor a size.
        ValueError: If there are no features, they are all zero, or images of the size of `init` have features
            of another shape.

    Shape:
        - features: (batch, channels, height, width) of each layer
        - init, output: (batch, 3, height, width), RGB in [0, 1]

    Example:
        >>> from pystyle.encoders import vgg19
        >>> encoder, image = vgg19(weights=None), torch.rand(1, 3, 16, 24)
        >>> result = invert_features(encoder, encoder(image, ["relu1_1"]), init=(16, 24), num_steps=2)
        >>> result.image.shape
        torch.Size([1, 3, 16, 24])

    References:
        Mahendran and Vedaldi, *Understanding deep image representations by inverting them*, CVPR 2015,
        equations 1 and 3, without the norm of the pixels, which bounds take the place of.
    """
    if not features:
        raise ValueError("`features` must be those of at least one layer, got none.")
    start = init if isinstance(init, Tensor) else _noise(init, next(iter(features.values())), seed)
    with torch.no_grad():
        for layer, found in encoder(start, tuple(features)).items():
            if found.shape != features[layer].shape:
                raise ValueError(
                    f"`features[{layer!r}]` must have the shape {tuple(found.shape)}, that of an image of "
                    f"the size of `init`, got {tuple(features[layer].shape)}."
                )
    # Layers are no names of losses: they may have dots.
    losses: dict[str, Loss] = {
        f"features_{index}": _GivenFeatures(layer, given)
        for index, (layer, given) in enumerate(features.items())
    }
    if number(smoothness, "`smoothness`", least=0) > 0:
        losses["smoothness"] = TotalVariationLoss(weight=smoothness)
    return optimize_image(
        Criterion(encoder, losses),
        {},
        init=start,
        optimizer=optimizer,
        num_steps=num_steps,
        callbacks=callbacks,
        evaluation=evaluation,
    )


class _GivenFeatures(Loss):
    """The squared difference to given features, of 1 for an image that has none."""

    reference = None
    spatial = "set"
    features: Tensor

    def __init__(self, layer: str, features: Tensor) -> None:
        super().__init__(layer)
        if not bool((features != 0).any()):
            raise ValueError(f"`features[{layer!r}]` must not be all zero.")
        self.register_buffer("features", features.detach())

    def represent(self, features: Tensor) -> Tensor:
        """The difference."""
        return mean_squared_error(features, self.features) / self.features.float().square().mean()


def _noise(init: Any, like: Tensor, seed: int | None) -> Tensor:
    if isinstance(init, str):
        raise TypeError(
            f"`init` must be an image or a size (height, width), got {init!r}. Names are those of what a "
            "content is made into, and there is none: `pystyle.runner.initial_image` makes an image of one."
        )
    size = size_of_noise(init)
    generator, seed = torch.Generator(), checked_seed(seed)
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    noise = torch.randn(len(like), 3, *size, generator=generator, dtype=torch.float32, device="cpu")
    return (0.5 + 0.1 * noise).clamp(0, 1).to(like)
