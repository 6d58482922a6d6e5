"""The matting Laplacian of an image, stored as a stencil.

Two pixels have an entry in the matrix if a window of 3 x 3 pixels holds both, so a pixel has 24 neighbours.
The matrix is symmetric and its rows sum to 0. So the entries to the 12 neighbours that come later in reading
order say everything, and its product with an image is made of differences,

    (M v)_i = sum over j of M_ij (v_j - v_i),

which is exact in single precision too.
"""

from typing import Any

import torch
from torch import Tensor

from pystyle._arguments import number
from pystyle.functional._precision import at_least_float32

_WINDOW = [(y, x) for y in range(3) for x in range(3)]
_NEIGHBOURS = [(0, 1), (0, 2)] + [(y, x) for y in (1, 2) for x in range(-2, 3)]
_WINDOWS_AT_ONCE = 2**16  # bounds the memory: about 100 MB


def matting_laplacian(image: Tensor, *, eps: float = 1e-7) -> Tensor:
    r"""The matting Laplacian of an image: how alike the colours of neighbouring pixels are.

    .. math:: M_{ij} = \sum_{k \ni i,j} \left( \delta_{ij} - \frac{1}{9} \left( 1 + (I_i - \mu_k)^\top
              \left( \Sigma_k + \tfrac{\varepsilon}{9} \right)^{-1} (I_j - \mu_k) \right) \right)

    The sum goes over the windows k of 3 x 3 pixels inside the image that hold both pixels, with the mean and
    the covariance of the colours in each. :func:`matting_energy` is its quadratic form.

    Args:
        image: The image, usually the content.
        eps: How much a steep local map of colours costs.

    Returns:
        The entries of the matrix between each pixel and its neighbours to the right and below, at most two
        pixels away: right, right; then from left to right in the next row, and in the one after that.

    Raises:
        ValueError: If `image` has not four axes or `eps` is not positive.

    Shape:
        - image: (batch, channels, height, width), colours in [0, 1]
        - output: (batch, 12, height, width); 0 where the neighbour is outside of the image

    Example:
        >>> import torch
        >>> laplacian = matting_laplacian(torch.zeros(1, 3, 3, 3))
        >>> laplacian[0, :2, 0, 0]   # in a flat window all pixels are alike: -1/9
        tensor([-0.1111, -0.1111])

    Note:
        It is computed on the CPU in float64: single precision is not enough for an `eps` of 1e-7.

    References:
        Levin, Lischinski, Weiss. *A closed-form solution to natural image matting*. IEEE Transactions on
        Pattern Analysis and Machine Intelligence 30 (2), 2008.
    """
    if image.ndim != 4:
        raise ValueError(
            f"`image` must have the axes (batch, channels, height, width), got {tuple(image.shape)}."
        )
    eps = number(eps, "`eps`", above=0)
    image = at_least_float32(image)
    batch, _, height, width = image.shape
    laplacian = image.new_zeros((batch, len(_NEIGHBOURS), height, width), dtype=torch.float64, device="cpu")
    rows = max(_WINDOWS_AT_ONCE // max(batch * width, 1), 1)
    if width >= 3:
        for top in range(0, height - 2, rows):
            bottom = min(top + rows, height - 2) + 2
            _add_windows(laplacian[:, :, top:bottom], image[:, :, top:bottom].cpu().double(), eps)
    return laplacian.to(image.dtype).to(image.device)


def matting_energy(image: Tensor, laplacian: Tensor) -> Tensor:
    r"""How far an image is from a local affine map of the colours of another, per pixel.

    .. math:: \frac{1}{H W} \sum_c V_c^\top M V_c

    It is 0 (but for the `eps` of the Laplacian) if in every window of 3 x 3 pixels each channel of the image
    is an affine function of the colours of the content, as after a change of light or of colours.

    Args:
        image: The image.
        laplacian: What :func:`matting_laplacian` makes of the content.

    Returns:
        A scalar: the mean over the pixels and the batch, the sum over the channels.

    Raises:
        ValueError: If the sizes differ.

    Shape:
        - image: (batch, channels, height, width)
        - laplacian: (1 or batch, 12, height, width)

    Example:
        >>> import torch
        >>> content = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> laplacian = matting_laplacian(content)
        >>> other = content.flip(3)
        >>> bool(matting_energy(1 - 0.5 * content, laplacian) < 1e-5 * matting_energy(other, laplacian))
        True

    References:
        Luan, Paris, Shechtman, Bala. *Deep photo style transfer*. CVPR 2017, equation 2, which does not
        divide by the number of pixels.
    """
    if image.ndim != 4 or laplacian.shape not in [
        (batch, len(_NEIGHBOURS), *image.shape[2:]) for batch in (1, image.shape[0])
    ]:
        raise ValueError(
            "`image` must have the size of the content that `laplacian` is of, got the shapes "
            f"{tuple(image.shape)} and {tuple(laplacian.shape)}. "
            "Give the image and its reference the same size."
        )
    image = at_least_float32(image)
    product: Tensor = _Product.apply(image, laplacian.to(image))
    pixels = image.shape[0] * image.shape[2] * image.shape[3]
    return (image * product).sum() / max(pixels, 1)


def _add_windows(laplacian: Tensor, image: Tensor, eps: float) -> None:
    """Add the entries of all windows inside a strip of the image."""
    height, width = image.shape[2] - 2, image.shape[3] - 2
    pixels = torch.stack([image[:, :, y : y + height, x : x + width] for y, x in _WINDOW], dim=-1)
    centred = (pixels - pixels.mean(-1, keepdim=True)).movedim(1, 3)  # (batch, height, width, channels, 9)
    covariance = centred @ centred.mT / 9
    ridge = torch.eye(image.shape[1], dtype=image.dtype, device=image.device) * (eps / 9)
    factor = torch.linalg.cholesky(covariance + ridge)
    white = torch.linalg.solve_triangular(factor, centred, upper=False)
    for first, (y, x) in enumerate(_WINDOW):
        for second in range(first + 1, 9):
            neighbour = _NEIGHBOURS.index((_WINDOW[second][0] - y, _WINDOW[second][1] - x))
            entries = -(1 + (white[..., first] * white[..., second]).sum(-1)) / 9
            laplacian[:, neighbour, y : y + height, x : x + width] += entries


class _Product(torch.autograd.Function):
    """The product of a Laplacian with each channel of an image; it is symmetric, so its own transpose."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, laplacian: Tensor) -> Tensor:
        ctx.save_for_backward(laplacian)
        product = torch.zeros_like(image)
        for index, (y, x) in enumerate(_NEIGHBOURS):
            here, there = _overlap(image, y, x)
            flow = _overlap(laplacian, y, x)[0][:, index : index + 1] * (there - here)
            into_here, into_there = _overlap(product, y, x)
            into_here += flow
            into_there -= flow
        return product

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (laplacian,) = ctx.saved_tensors
        return _Product.apply(gradient, laplacian), None


def _overlap(tensor: Tensor, y: int, x: int) -> tuple[Tensor, Tensor]:
    """The pixels that have a neighbour at this offset, and these neighbours."""
    height, width = max(tensor.shape[2] - y, 0), max(tensor.shape[3] - abs(x), 0)
    left = max(-x, 0)
    here = tensor[:, :, :height, left : left + width]
    there = tensor[:, :, y : y + height, left + x : left + x + width]
    return here, there
