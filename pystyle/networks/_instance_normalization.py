import torch
from torch import Tensor, nn

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
        # `var_mean` takes three times as long; `group_norm` adds up squares too coarsely with channels last.
        centred = wide - wide.mean((2, 3), keepdim=True)
        variance = centred.square().mean((2, 3))
        if correction:
            count = features.shape[2] * features.shape[3]
            # A single position has no spread.
            variance = variance * (count / max(count - correction, 1))
        factor = (variance + eps).rsqrt()
        if scale is not None:
            factor = factor * scale
        if shift is None:
            normal = centred * factor[:, :, None, None]
        else:
            normal = torch.addcmul(shift[:, :, None, None], centred, factor[:, :, None, None])
        return normal.to(features.dtype)


class InstanceNormalization(nn.Module):
    """A layer of :func:`instance_normalization`, which is faster than `torch.nn.InstanceNorm2d`.

    Args:
        channels: Channels of the features.
        affine: Whether a scale and a shift of each channel are learned, which begin as 1 and 0.
        eps: What is added to the variance.

    Attributes:
        weight: The scales, (channels); None without them.
        bias: The shifts, (channels); None without them.

    Shape:
        - features, output: (batch, channels, height, width)

    Example:
        >>> features = torch.tensor([[[[1.0, 3.0]]]])
        >>> InstanceNormalization(1)(features).round()
        tensor([[[[-1.,  1.]]]])
    """

    def __init__(self, channels: int, *, affine: bool = False, eps: float = 1e-5) -> None:
        super().__init__()
        self.channels, self.eps = channels, eps
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def forward(self, features: Tensor) -> Tensor:
        """The normalised features."""
        if self.weight is None or self.bias is None:
            return instance_normalization(features, eps=self.eps)
        return instance_normalization(features, self.weight[None], self.bias[None], eps=self.eps)

    def extra_repr(self) -> str:
        """The channels, and whether scales are learned."""
        return f"{self.channels}{'' if self.weight is None else ', affine=True'}"
