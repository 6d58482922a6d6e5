"""DDIM without noise, in both directions."""

import math
from collections.abc import Callable, Sequence

from torch import Tensor

from pystyle._arguments import number, whole_number

Predict = Callable[[Tensor, int], Tensor]
"""The noise that a model finds in latents at a timestep."""


def ddim_timesteps(num_steps: int, *, num_train_timesteps: int = 1000) -> list[int]:
    """The timesteps of a DDIM run, from the least noise to the most.

    Args:
        num_steps: How many there are.
        num_train_timesteps: How many the model was trained with.

    Raises:
        ValueError: If `num_steps` is not positive, or not below `num_train_timesteps`.

    Example:
        >>> ddim_timesteps(4)
        [1, 251, 501, 751]
    """
    num_steps = whole_number(num_steps, "`num_steps`", least=1, most=num_train_timesteps - 1)
    return [1 + index * (num_train_timesteps // num_steps) for index in range(num_steps)]


def ddim_step(latents: Tensor, noise: Tensor, alpha: float, target: float) -> Tensor:
    r"""Latents at another level of noise, towards less or towards more.

    .. math:: z' = \sqrt{\alpha'} \, \frac{z - \sqrt{1 - \alpha} \, \epsilon}{\sqrt{\alpha}}
              + \sqrt{1 - \alpha'} \, \epsilon

    Args:
        latents: z.
        noise: ε, which is in them.
        alpha: The cumulative product of α at their level: the share of the image in their variance.
        target: That of the other level.

    Raises:
        ValueError: If `alpha` or `target` is not in [0, 1], or `alpha` is 0, where nothing of the image is
            left.

    Shape:
        - latents, noise, output: the same, any

    Example:
        >>> import torch
        >>> image, noise = torch.tensor([2.0]), torch.tensor([1.0])
        >>> noisy = ddim_step(image, noise, 1.0, 0.64)   # 0.8 * 2 + 0.6 * 1
        >>> noisy, ddim_step(noisy, noise, 0.64, 1.0)
        (tensor([2.2000]), tensor([2.]))

    References:
        Song, Meng, Ermon. *Denoising diffusion implicit models*. ICLR 2021, equation 12 with σ = 0.
    """
    alpha = number(alpha, "`alpha`", above=0, most=1)
    target = number(target, "`target`", least=0, most=1)
    image = (latents - math.sqrt(1 - alpha) * noise) / math.sqrt(alpha)
    return math.sqrt(target) * image + math.sqrt(1 - target) * noise


def inversion(
    latents: Tensor,
    predict: Predict,
    timesteps: Sequence[int],
    alphas: Sequence[float],
    *,
    num_corrections: int = 0,
    passed: Callable[[], None] = lambda: None,
) -> list[Tensor]:
    """The latents at all levels of noise, from those of the image.

    Args:
        latents: Those of the image.
        predict: The model.
        timesteps: Of the levels with noise, ascending.
        alphas: One for the image, then one for each timestep.
        num_corrections: How often the noise is predicted again from what was found.
        passed: Called after each prediction.

    Returns:
        One more than timesteps; the first are `latents`.
    """
    found = [latents]
    for index, timestep in enumerate(timesteps):
        here, there = alphas[index], alphas[index + 1]
        noisier = latents
        for _ in range(1 + num_corrections):
            noisier = ddim_step(latents, predict(noisier, timestep), here, there)
            passed()
        latents = noisier
        found.append(latents)
    return found
