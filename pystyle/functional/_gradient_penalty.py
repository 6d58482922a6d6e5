from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from pystyle._arguments import check_floating, number
from pystyle.functional._precision import at_least_float32


def gradient_penalty(
    discriminator: Callable[[Tensor], Tensor | Sequence[Tensor]],
    real: Tensor,
    painted: Tensor,
    shares: Tensor | None = None,
    *,
    target: float = 1.0,
) -> Tensor:
    r"""How far the slope of a discriminator is from `target` between real and painted images.

    .. math:: \operatorname{mean}_i \left( \left\| \nabla D(x_i) \right\|_2 - \text{target} \right)^2
              \qquad x_i = r_i + s_i (p_i - r_i)

    D of an image is the mean of its scores, as the losses take it; of several scales, the sum of their means.

    Args:
        discriminator: What gives scores for a batch of images: a tensor, or a sequence of them for several
            scales, each with the batch first.
        real: Real images.
        painted: As many painted images. No gradient reaches either.
        shares: How far from real to painted each image is, in [0, 1]. If not given, they are drawn evenly
            from torch's global generator, on the CPU, so that they are the same for every device.
        target: The slope that is wanted.

    Returns:
        One number, in float32 at least, whose gradient reaches the parameters of the discriminator; with
        `torch.no_grad` around it, too. Where a slope is exactly 0, the gradient is 0, too.

    Raises:
        ValueError: If the shapes differ, `target` is negative, or the scores have no gradient or another
            batch size.
        TypeError: If the images are not floating-point, or the scores no tensors.

    Shape:
        - real, painted: (batch, ...)
        - shares: (batch,)
        - output: ()

    Example:
        >>> import torch
        >>> real, painted = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
        >>> gradient_penalty(lambda images: 3 * images[:, 0, 0, 0], real, painted)     # (3 - 1)²
        tensor(4.)

    Note:
        Layers that look at several images at once, such as batch normalisation, make slopes depend on the
        other images of the batch, which is not meant.

        The paper has one score per image. The scores of patches are often added up instead, which makes the
        slope larger by their number.

    References:
        Gulrajani et al. *Improved training of Wasserstein GANs*. NeurIPS 2017.
    """
    target = number(target, "`target`", least=0)
    check_floating(real, "`real`")
    check_floating(painted, "`painted`")
    if real.shape != painted.shape:
        raise ValueError(
            f"`real` and `painted` must have the same shape, got {tuple(real.shape)} and "
            f"{tuple(painted.shape)}. Crop or resize one of them."
        )
    if shares is None:
        shares = torch.rand(len(real), dtype=torch.float32, device="cpu")
    elif shares.shape != real.shape[:1]:
        raise ValueError(
            f"`shares` must have one number per image, ({len(real)},), got the shape {tuple(shares.shape)}."
        )
    shares = shares.detach().to(real).reshape(-1, *[1] * (real.ndim - 1))
    between = torch.lerp(real.detach(), painted.detach().to(real), shares)
    with torch.inference_mode(False), torch.enable_grad():
        squared = _squared_slopes(discriminator, between)
        # The root has no finite gradient at 0; the smallest normal number stands in for it.
        tiny = torch.finfo(squared.dtype).tiny
        slopes = squared.clamp_min(tiny).sqrt().masked_fill(squared <= tiny, 0)
        return (slopes - target).square().mean()


def real_gradient_penalty(
    discriminator: Callable[[Tensor], Tensor | Sequence[Tensor]], real: Tensor
) -> Tensor:
    r"""How steep a discriminator is at real images; called R1.

    .. math:: \frac{1}{2} \operatorname{mean}_i \left\| \nabla D(r_i) \right\|_2^2

    D of an image is the mean of its scores, as the losses take it; of several scales, the sum of their means.

    Args:
        discriminator: What gives scores for a batch of images: a tensor, or a sequence of them for several
            scales, each with the batch first.
        real: Real images. No gradient reaches them.

    Returns:
        One number, in float32 at least, whose gradient reaches the parameters of the discriminator; with
        `torch.no_grad` around it, too.

    Raises:
        ValueError: If the scores have no gradient or another batch size.
        TypeError: If the images are not floating-point, or the scores no tensors.

    Shape:
        - real: (batch, ...)
        - output: ()

    Example:
        >>> import torch
        >>> real_gradient_penalty(lambda images: 3 * images[:, 0, 0, 0], torch.rand(2, 3, 4, 4))   # 3² / 2
        tensor(4.5000)

    Note:
        See :func:`gradient_penalty` for layers that look at several images at once, and for patches.

    References:
        Mescheder, Geiger, Nowozin. *Which training methods for GANs do actually converge?* ICML 2018.
    """
    check_floating(real, "`real`")
    with torch.inference_mode(False), torch.enable_grad():
        return _squared_slopes(discriminator, real).mean() / 2


def _squared_slopes(discriminator: Callable[[Tensor], Tensor | Sequence[Tensor]], images: Tensor) -> Tensor:
    """The squared length of each image's gradient, which can be differentiated once more."""
    # A copy, because what was made in inference mode never has a gradient.
    images = images.detach().clone().requires_grad_()
    found = discriminator(images)
    scales = [found] if isinstance(found, Tensor) else found
    total = sum(_sum_of_means(scores, len(images)) for scores in scales)
    if not isinstance(total, Tensor) or not total.requires_grad:
        raise ValueError(
            "`discriminator` must give scores that can be differentiated, got some without a gradient. "
            "Is something in it detached, or under `torch.no_grad`?"
        )
    (gradient,) = torch.autograd.grad(total, images, create_graph=True, materialize_grads=True)
    return at_least_float32(gradient).flatten(1).square().sum(1)


def _sum_of_means(scores: Tensor, batch: int) -> Tensor:
    """Each image's mean score, added up: its gradient at an image is that of the image's own mean."""
    if not isinstance(scores, Tensor):
        raise TypeError(
            "`discriminator` must give a tensor of scores, or a sequence of them for several scales, got a "
            f"{type(scores).__name__} in a sequence."
        )
    if scores.ndim == 0 or len(scores) != batch:
        raise ValueError(
            f"`discriminator` must give scores with the batch of {batch} first, got the shape "
            f"{tuple(scores.shape)}."
        )
    return at_least_float32(scores).reshape(batch, -1).mean(1).sum()
