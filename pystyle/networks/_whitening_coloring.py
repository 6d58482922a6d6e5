"""Whitening and colouring: features with the mean and the covariance of others.

The matrices are decomposed on the CPU in float64, whatever the features are, and without gradients, which
are infinite where two eigenvalues are equal.
"""

import torch
from torch import Tensor

from pystyle._arguments import number
from pystyle.functional._gram import flat_positions
from pystyle.functional._precision import at_least_float32, without_autocast

_SMALLEST = 1e-5
_POSITIONS = 2**16
"""How many positions are converted to float64 at once."""


def feature_coloring(features: Tensor, *, smallest: float = _SMALLEST, added: float = 0.0) -> Tensor:
    r"""What gives whitened features the mean and the covariance of these: the mean and a root.

    .. math:: \mu \quad\text{and}\quad E_k D_k^{1/2} E_k^\top
              \quad\text{with}\quad \Sigma + \delta I = E D E^\top

    Args:
        features: One feature map per image, or a list of positions as a map of one row.
        smallest: Directions with a smaller eigenvalue are left out.
        added: The number :math:`\delta`.

    Returns:
        The mean, and below it the rows of the root. Roots add up, so that a blend of them is a blend of the
        features that they make.

    Raises:
        ValueError: If a number is negative, or there are no positions.

    Shape:
        - features: (batch, channels, height, width), or any number of position axes
        - output: (batch, 1 + channels, channels)

    Example:
        >>> import torch
        >>> features = torch.tensor([[[[1.0, 3.0, 5.0]], [[7.0, 7.0, 7.0]]]])
        >>> feature_coloring(features).round(decimals=3)
        tensor([[[3., 7.],
                 [2., 0.],
                 [0., 0.]]])

    References:
        Li et al. *Universal style transfer via feature transforms*. NeurIPS 2017, section 3.2.
    """
    mean, centred = _centred(features)
    with without_autocast(centred):
        return torch.cat([mean[:, None], _root(centred, 0.5, smallest, added)], 1)


def whitened_features(features: Tensor, *, smallest: float = _SMALLEST, added: float = 0.0) -> Tensor:
    r"""The features with the mean 0, and the identity as their covariance.

    .. math:: E_k D_k^{-1/2} E_k^\top (f - \mu)

    Args:
        features: One feature map per image.
        smallest: Directions with a smaller eigenvalue are left out, and are 0 in the result.
        added: What is added to all eigenvalues.

    Returns:
        The features in float32 at least. Mean and matrix are constants for the gradient.

    Raises:
        ValueError: If a number is negative, or there are no positions.

    Shape:
        - features, output: (batch, channels, height, width), or any number of position axes

    Example:
        >>> import torch
        >>> features = torch.tensor([[[[1.0, 3.0, 5.0]], [[7.0, 7.0, 7.0]]]])
        >>> whitened_features(features)
        tensor([[[[-1.,  0.,  1.]],
        <BLANKLINE>
                 [[ 0.,  0.,  0.]]]])

    References:
        Li et al. *Universal style transfer via feature transforms*. NeurIPS 2017, section 3.2.
    """
    _, centred = _centred(features)
    with without_autocast(centred):
        whitened: Tensor = _root(centred, -0.5, smallest, added) @ centred
        return whitened.reshape(features.shape)


def whitening_coloring(
    features: Tensor, coloring: Tensor, *, smallest: float = _SMALLEST, added: float = 0.0
) -> Tensor:
    r"""The features with the mean and the covariance of others (WCT).

    .. math:: \Sigma_s^{1/2} \Sigma_c^{-1/2} (f - \mu_c) + \mu_s

    Args:
        features: One feature map per image.
        coloring: What :func:`feature_coloring` makes of the others: one for each image, or one for all.
        smallest: Directions in which the features have a smaller eigenvalue are left out.
        added: What is added to all eigenvalues of the features. If it is also added to those of the others,
            directions in which neither varies stay as they are.

    Returns:
        The features in float32 at least. Means and matrices are constants for the gradient.

    Raises:
        ValueError: If a number is negative, there are no positions, or the channels are not as many.

    Shape:
        - features, output: (batch, channels, height, width), or any number of position axes
        - coloring: (batch or 1, 1 + channels, channels)

    Example:
        >>> import torch
        >>> content, style = torch.rand(1, 4, 16, 16), 3 + 2 * torch.rand(1, 4, 20, 20)
        >>> result = whitening_coloring(content, feature_coloring(style))
        >>> torch.allclose(result.flatten(2)[0].cov(), style.flatten(2)[0].cov(), atol=1e-4)
        True

    Note:
        Covariances are divided by the number of positions less one, as in the code of both papers. A content
        that varies in fewer directions than the style gets the covariance of the style in these alone.

    References:
        Li et al. *Universal style transfer via feature transforms*. NeurIPS 2017, section 3.2. Yoo et al.
        *Photorealistic style transfer via wavelet transforms*. ICCV 2019.
    """
    _, centred = _centred(features)
    channels = centred.shape[1]
    if coloring.shape[1:] != (1 + channels, channels):
        raise ValueError(
            f"`coloring` must be of as many channels as the features, {channels}, got the shape "
            f"{tuple(coloring.shape)}. `feature_coloring` makes it."
        )
    with without_autocast(centred):
        mean, root = coloring[:, 0].to(centred), coloring[:, 1:].to(centred)
        matrix = root @ _root(centred, -0.5, smallest, added)
        colored = matrix @ centred + mean[:, :, None]
        return colored.reshape(-1, *features.shape[1:])


def _centred(features: Tensor) -> tuple[Tensor, Tensor]:
    """The means of the channels, as constants, and what is left of the vectors without them."""
    vectors = at_least_float32(flat_positions(features))
    if not vectors.shape[2]:
        raise ValueError(f"`features` must have positions, got the shape {tuple(features.shape)}.")
    mean = vectors.detach().mean(2)
    return mean, vectors - mean[:, :, None]


@torch.no_grad()
def _root(centred: Tensor, exponent: float, smallest: float, added: float) -> Tensor:
    """A power of the covariance, in the directions that vary."""
    smallest, added = number(smallest, "`smallest`", least=0), number(added, "`added`", least=0)
    values, directions = torch.linalg.eigh(_covariance(centred))
    values = values + added
    # An eigenvalue of 0 has no inverse, even if no direction is to be left out.
    kept = (values >= smallest) & (values > 0)
    powers = torch.where(kept, torch.where(kept, values, 1.0).pow(exponent), 0.0)
    root: Tensor = (directions * powers[:, None]) @ directions.mT
    return root.to(centred)


def _covariance(centred: Tensor) -> Tensor:
    """That of all positions, on the CPU in float64."""
    # The accelerators of Apple have no float64.
    exact = torch.float32 if centred.device.type == "mps" else torch.float64
    total = torch.zeros((), dtype=torch.float64, device="cpu")
    for part in torch.split(centred, _POSITIONS, 2):
        rows = part.to(exact)
        total = total + (rows @ rows.mT).cpu().double()
    return total / max(centred.shape[2] - 1, 1)
