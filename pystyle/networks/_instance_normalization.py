import torch
from torch import Tensor
from torch.nn.functional import group_norm

from pystyle.functional._precision import at_least_float32, without_autocast


def instance_normalization(
    features: Tensor,
    scale: Tensor | None = None,
    shift: Tensor | None = None,
    *,
    eps: float = 1e-5,
    correction: int = 0,
) -> Tensor:
    r"""Give each channel of each image mean 0 and deviation 1, then a scale and a shift.

    .. math:: \gamma \frac{x - \mu(x)}{\sqrt{\sigma^2(x) + \epsilon}} + \beta

    With scales and shifts of a style this is conditional instance normalisation, and with its deviations
    and means adaptive instance normalisation.

    Args:
        features: The features.
        scale: What each channel is multiplied by; 1 if not given.
        shift: What is added to each channel; 0 if not given.
        eps: What is added to the variance.
        correction: 0 for the biased variance, 1 for the unbiased one.

    Returns:
        The features in their own type. Statistics are computed in float32 at least.

    Shape:
        - features, output: (batch, channels, height, width)
        - scale, shift: (batch or 1, channels)

    Example:
        >>> import torch
        >>> features = torch.tensor([[[[1.0, 3.0]]]])
        >>> instance_normalization(features, torch.tensor([[2.0]]), torch.tensor([[10.0]]), eps=0.0)
        tensor([[[[ 8., 12.]]]])

    References:
        Ulyanov, Vedaldi and Lempitsky, *Instance Normalization*, 2016, equation 2; Dumoulin, Shlens and
        Kudlur, *A Learned Representation for Artistic Style*, ICLR 2017, equation 5; Huang and Belongie,
        *Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization*, ICCV 2017, equation 8.
    """
    with without_autocast(features):
        wide = at_least_float32(features)
        # `group_norm` is several times as fast as `var_mean`, but squares what comes in before it subtracts
        # the mean. Subtracted here, the mean changes nothing of the result, and needs no gradient.
        centred = wide - wide.detach().mean((2, 3), keepdim=True)
        count = features.shape[2] * features.shape[3]
        unbiased = (count - correction) / count
        normal = group_norm(centred, features.shape[1], eps=eps * unbiased)
        if correction:
            normal = normal * unbiased**0.5
        if scale is not None:
            offset = torch.zeros_like(scale) if shift is None else shift
            normal = torch.addcmul(offset[:, :, None, None], normal, scale[:, :, None, None])
        elif shift is not None:
            normal = normal + shift[:, :, None, None]
        return normal.to(features.dtype)
