"""From a mask of the image to a mask of the positions of a layer."""

from typing import get_args

from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, max_pool2d, pad

from pystyle._arguments import pixel_size, whole_number
from pystyle.encoders._encoder import Encoder
from pystyle.encoders._geometry import WHOLE_IMAGE, LayerGeometry
from pystyle.typing import Propagation


def propagate_mask(
    encoder: Encoder,
    layer: str,
    mask: Tensor,
    size: tuple[int, int],
    *,
    method: Propagation = "simple",
    dilation: int = 0,
) -> Tensor:
    """The mask of a layer that belongs to a mask of the image.

    Args:
        encoder: The encoder, which knows what the positions of its layers see.
        layer: The layer.
        mask: The mask of the image, from 0 outside to 1 inside.
        size: Height and width of the layer's features.
        method: ``"simple"``: the mean of the mask over the area that a position stands for. ``"inside"``: the
            smallest value of all that the position sees, so that nothing from outside takes part; deep
            layers see far, and small regions vanish there. ``"all"``: the largest value, so that every
            position that sees the region takes part. Beyond the border of the image there is nothing to
            see.
        dilation: By how many positions of the layer the region grows afterwards, in all eight directions;
            a negative number shrinks it.

    Returns:
        The mask of the layer, in the same range.

    Raises:
        ValueError: If `mask` has not the shape (1, 1, height, width) or `method` is unknown.

    Shape:
        - mask: (1, 1, height, width)
        - output: ``(1, 1, *size)``

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg11
        >>> left = torch.zeros(1, 1, 4, 8)
        >>> left[..., :4] = 1
        >>> [propagate_mask(vgg11(weights=None), "relu1_1", left, (4, 8), method=method)[0, 0, 0].tolist()
        ...  for method in ("inside", "all")]
        [[1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]]

    References:
        Gatys, Ecker, Bethge, Hertzmann, Shechtman. *Controlling perceptual factors in neural style
        transfer*. CVPR 2017, section 4.1. Their code finds by trying what a position sees, and grows the
        regions by 3 positions with ``"inside"``.
    """
    if mask.ndim != 4 or mask.shape[:2] != (1, 1):
        raise ValueError(f"`mask` must have the shape (1, 1, height, width), got {tuple(mask.shape)}.")
    if method not in get_args(Propagation):
        raise ValueError(f"`method` must be one of {get_args(Propagation)}, got {method!r}.")
    size, dilation = pixel_size(size, "`size`"), whole_number(dilation, "`dilation`")
    if method == "simple":
        return dilated(adaptive_avg_pool2d(mask, size), dilation)
    geometry = encoder.geometry(layer)
    if method == "all":
        return dilated(_largest(mask, geometry, size), dilation)
    return dilated(1 - _largest(1 - mask, geometry, size), dilation)


def dilated(mask: Tensor, dilation: int) -> Tensor:
    """The mask grown by so many positions, or shrunk if it is negative; the border changes nothing."""
    if dilation == 0:
        return mask
    reach = abs(dilation)
    # Max pooling pads with minus infinity, so neither direction sees anything beyond the border.
    grown = max_pool2d(mask if dilation > 0 else -mask, 2 * reach + 1, stride=1, padding=reach)
    return grown if dilation > 0 else -grown


def _largest(mask: Tensor, geometry: LayerGeometry, size: tuple[int, int]) -> Tensor:
    """The largest value that each position sees; first within the columns, then within the rows."""
    if geometry.receptive_field == WHOLE_IMAGE:
        return mask.amax((2, 3), keepdim=True).expand(1, 1, *size)
    field, stride = geometry.receptive_field, geometry.stride
    # Without an offset the positions are taken to lie in the middle of what they see.
    offset = (stride - field) // 2 if geometry.offset is None else geometry.offset
    edges = [(-offset, offset + (count - 1) * stride + field) for count in size]
    height, width = mask.shape[2:]
    rows = pad(mask, (0, 0, edges[0][0], edges[0][1] - height))
    rows = max_pool2d(rows, (field, 1), stride=(stride, 1))
    columns = pad(rows, (edges[1][0], edges[1][1] - width))
    return max_pool2d(columns, (1, field), stride=(1, stride))
