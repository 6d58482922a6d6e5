import torch
from torch import Tensor, nn

from pystyle.functional._precision import at_least_float32

_EPS = 1e-8


class MinibatchDeviation(nn.Module):
    r"""One more channel, which tells a discriminator how much the images of a batch differ.

    .. math:: \operatorname{mean}_{c, y, x} \sqrt{\operatorname{var}_b(f_{b c y x}) + \epsilon}
              - \sqrt{\epsilon}

    It is the same number at all positions of all images. A generator whose pictures are all alike is found
    out by it. It stands near the end of a discriminator, which must see painted and real batches apart then.

    Shape:
        - features: (batch, channels, height, width)
        - output: (batch, channels + 1, height, width); the new channel is the last

    Example:
        >>> import torch
        >>> batch = torch.tensor([1.0, 5.0])[:, None, None, None].expand(2, 3, 1, 1)
        >>> MinibatchDeviation()(batch)[:, -1].flatten().round(decimals=3)
        tensor([2., 2.])

    Note:
        The variance is the biased one, of the whole batch; the authors' code takes groups of four. The ε of
        1e-8 is theirs, and keeps gradients finite where images agree; its root is subtracted, so that
        the channel is 0 there, as for a batch of one.

    References:
        Karras, Aila, Laine and Lehtinen, *Progressive Growing of GANs for Improved Quality, Stability, and
        Variation*, ICLR 2018, section 3.
    """

    def forward(self, features: Tensor) -> Tensor:
        """The features with one more channel."""
        if features.ndim != 4:
            raise ValueError(
                "`features` must have the axes (batch, channels, height, width), got the shape "
                f"{tuple(features.shape)}."
            )
        variance = at_least_float32(features).var(0, correction=0)
        roots = (variance + _EPS).sqrt() - torch.full_like(variance, _EPS).sqrt()
        batch, _, height, width = features.shape
        return torch.cat([features, roots.mean().to(features.dtype).expand(batch, 1, height, width)], 1)
