import torch
from torch import Tensor
from torch.nn.functional import pad

from pystyle.colors import linear_to_rgb, oklab_to_rgb, rgb_to_linear, rgb_to_oklab
from pystyle.colors._pixels import check_batches
from pystyle.papers._images import check_images


def recoloured(image: Tensor, content: Tensor, style: Tensor) -> Tensor:
    """The image with the chroma of the content, moved to the mean and covariance of the style's.

    In OKLab. The lightness stays that of the image, and the chroma is smoothed where the lightness is
    smooth. If the style is nearly grey, the image gets the mean and covariance of the style instead.

    Args:
        image: The result of a run.
        content: The photograph.
        style: The painting.

    Returns:
        An image with no lightness and no chroma beyond those of the style.

    Raises:
        TypeError: If an image is not a floating-point tensor.
        ValueError: If one has another shape or leaves [0, 1].

    Shape:
        - image, output: (batch, 3, height, width), RGB in [0, 1]
        - content: (batch or 1, 3, height, width), RGB in [0, 1]
        - style: (batch or 1, 3, any height, any width), RGB in [0, 1]

    Example:
        >>> image, content, style = (torch.rand(1, 3, 8, 8) for _ in range(3))
        >>> recoloured(image, content, style).shape
        torch.Size([1, 3, 8, 8])

    Note:
        The authors take the values of a file for linear light, and so does this.
    """
    check_images({"image": image, "content": content, "style": style})
    for name, other in {"content": content, "style": style}.items():
        check_batches(image, name, other)
    # One image may stand for all of the batch.
    return torch.cat(
        [
            _recoloured(*(each[index % len(each), None] for each in (image, content, style)))
            for index in range(len(image))
        ]
    )


def _recoloured(image: Tensor, content: Tensor, style: Tensor) -> Tensor:
    """The same for one image."""
    own, photo, painting = (_oklab(each) for each in (image, content, style))
    own = _within_range(own, painting)
    chroma = painting[:, 1:].flatten(2)[0]
    if float(torch.cov(chroma, correction=0).abs().max()) < 6e-5:
        found = _with_moments(own, painting)
    else:
        moved = _with_moments(photo[:, 1:], painting[:, 1:])
        found = torch.cat([own[:, :1], _guided(moved, own[:, :1])], dim=1)
    return rgb_to_linear(oklab_to_rgb(_within_range(found, painting)).clamp(0, 1))


def _oklab(image: Tensor) -> Tensor:
    return rgb_to_oklab(linear_to_rgb(image.clamp(0, 1)))


def _within_range(values: Tensor, reference: Tensor) -> Tensor:
    return values.clamp(reference.amin((2, 3), keepdim=True), reference.amax((2, 3), keepdim=True))


def _with_moments(values: Tensor, reference: Tensor) -> Tensor:
    """The values with the mean and covariance of others; 1e-4 is added to all variances first."""
    ridge = 1e-4 * torch.eye(values.shape[1], dtype=values.dtype, device=values.device)

    def moments(each: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        flat = each[0].flatten(1)
        scales, axes = torch.linalg.eigh(torch.cov(flat, correction=0) + ridge)
        return flat.mean(1, keepdim=True), axes, scales.clamp_min(1e-8).sqrt()

    mean, axes, scales = moments(values)
    wanted_mean, wanted_axes, wanted_scales = moments(reference)
    whitening = axes @ torch.diag(1 / scales) @ axes.mT
    colouring = wanted_axes @ torch.diag(wanted_scales) @ wanted_axes.mT
    moved = colouring @ whitening @ (values[0].flatten(1) - mean) + wanted_mean
    return moved.reshape(values.shape)


def _guided(chroma: Tensor, lightness: Tensor, *, times: int = 5) -> Tensor:
    """Means over 3 x 3 pixels, weighted by exp(-10 |ΔL|)."""
    height, width = lightness.shape[2:]
    offsets = [(row, column) for row in range(3) for column in range(3)]

    def neighbours(values: Tensor) -> Tensor:
        around = pad(values, (1, 1, 1, 1), mode="replicate")
        return torch.stack([around[:, :, y : y + height, x : x + width] for y, x in offsets])

    weights = (-10 * (neighbours(lightness) - lightness).abs()).exp()
    weights = weights / weights.sum(0)
    for _ in range(times):
        chroma = (weights * neighbours(chroma)).sum(0)
    return chroma
