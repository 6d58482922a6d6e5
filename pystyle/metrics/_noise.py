import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from pystyle.colors._pixels import check_batches, check_picture


def finest_band_energy(image: Tensor) -> Tensor:
    """How much of an image is as fine as its pixels: the mean square of its finest Laplacian band.

    The band is the image less the means of blocks of 2 x 2 pixels, enlarged again bilinearly. A last odd row
    or column is left out.

    Args:
        image: The images.

    Raises:
        TypeError: If it is no floating tensor.
        ValueError: If it leaves [0, 1] or is smaller than 2 x 2 pixels.

    Shape:
        - image: (batch, 3, height, width)
        - output: (batch), in float64

    Example:
        >>> import torch
        >>> columns = torch.arange(8.0).remainder(2).expand(1, 3, 8, 8)     # 0 and 1 by turns: 1/2 off each
        >>> finest_band_energy(columns)
        tensor([0.2500], dtype=torch.float64)

    References:
        Burt and Adelson, *The Laplacian Pyramid as a Compact Image Code*, IEEE Transactions on Communications
        31, 1983; with blocks in the place of their Gaussian.
    """
    return _finest_band_energy(image, "image")


def noise_ratio(image: Tensor, content: Tensor, style: Tensor) -> Tensor:
    """How noisy a picture is beside the noisier one of its two sources: more than 1 is noisier than both.

    The ratio of :func:`finest_band_energy`: infinite beside two flat sources, and NaN if the picture is flat,
    too. Strokes, canvas and noise all count: it takes an eye to tell them apart.

    Args:
        image: The pictures.
        content: Their contents: one image, or as many.
        style: Their styles: one image, or as many.

    Raises:
        TypeError: If one is no floating tensor.
        ValueError: If they leave [0, 1], are smaller than 2 x 2 pixels, or the batches differ.

    Shape:
        - image, content, style: (batch, 3, height, width)
        - output: (batch), in float64

    Example:
        >>> import torch
        >>> content, style = torch.full((1, 3, 8, 8), 0.5), torch.arange(8.0).remainder(2).expand(1, 3, 8, 8)
        >>> noise_ratio(style / 2, content, style)
        tensor([0.2500], dtype=torch.float64)
    """
    own = _finest_band_energy(image, "image")
    sources = [_finest_band_energy(content, "content"), _finest_band_energy(style, "style")]
    check_batches(image, "content", content)
    check_batches(image, "style", style)
    return own / torch.maximum(*(energies.to(own.device) for energies in sources))


def _finest_band_energy(image: Tensor, name: str) -> Tensor:
    pixels = check_picture(image, name).detach().to(torch.float64)
    height, width = (side // 2 * 2 for side in pixels.shape[2:])
    if not height or not width:
        raise ValueError(f"`{name}` must have at least 2 x 2 pixels, got {tuple(image.shape[2:])}.")
    pixels = pixels[..., :height, :width]
    coarse = interpolate(avg_pool2d(pixels, 2), scale_factor=2, mode="bilinear", align_corners=False)
    return (pixels - coarse).square().mean((1, 2, 3))
