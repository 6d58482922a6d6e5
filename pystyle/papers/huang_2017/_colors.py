import torch
from torch import Tensor

from pystyle.colors._pixels import transformed
from pystyle.colors._statistics import color_statistics, linear_map


def coral(style: Tensor, content: Tensor) -> Tensor:
    r"""The style in the colours of the content (section 7.3), so that the picture keeps these.

    Standardised colours get the covariance of those of the content, and then its mean and deviations:

    .. math:: (C_c + I / n_c)^{1/2} (C_s + I / n_s)^{-1/2} \frac{x - \mu_s}{\sigma_s}, \quad
              \text{times } \sigma_c \text{ plus } \mu_c

    n are the numbers of pixels, so the identity counts for very little.

    Args:
        style: The image whose colours change.
        content: The image whose colours it gets.

    Returns:
        The style, clamped to [0, 1].

    Shape:
        - style, output: (batch, 3, height, width), RGB in [0, 1]
        - content: (batch, 3, other height, other width), RGB in [0, 1]

    Example:
        >>> style, content = torch.rand(1, 3, 32, 32), 0.5 + 0.1 * torch.rand(1, 3, 24, 32)
        >>> bool((coral(style, content).mean() - content.mean()).abs() < 0.01)
        True

    Note:
        The authors' code adds the identity to sums over the pixels. Here both are divided by their number, or
        the contrast would change with the sizes of the images.

    References:
        Sun, Feng and Saenko, *Return of frustratingly easy domain adaptation*, AAAI 2016, algorithm 1.
    """
    style_mean, style_std, style_matrix = _standardised(style)
    content_mean, content_std, content_matrix = _standardised(content)
    matrix = linear_map(style_matrix, content_matrix, "pca")
    colored = transformed(matrix, (style - style_mean) / style_std)
    return (colored * content_std + content_mean).clamp(0, 1)


def _standardised(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, deviation, and the covariance of the standardised colours, made invertible."""
    mean, covariance = color_statistics(image)
    variance = covariance.diagonal(dim1=1, dim2=2).clamp_min(1e-10)
    scale = variance.rsqrt()
    pixels = image.shape[2] * image.shape[3]
    identity = torch.eye(3, dtype=image.dtype, device=image.device)
    matrix = covariance * scale[:, :, None] * scale[:, None] + identity / pixels
    return mean, variance.sqrt()[..., None, None], matrix
