"""How strong the features of a painting are beside those of a photograph."""

import math

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from pystyle._arguments import check_image as check_shape
from pystyle._arguments import check_range, whole_number
from pystyle._wrapping import checked_wrap
from pystyle.criterion._blend import blend_of, image_of
from pystyle.criterion._checks import check_image
from pystyle.encoders import Encoder, WrappedEncoder
from pystyle.images import resize, scaled_size
from pystyle.stylization._layers import content_layer_of
from pystyle.typing import References, Wrap

_LARGEST = 256
_LARGEST_AREA = 4 * 256**2
"""In pixels: of images that are more than four times as long as wide the short edge is smaller."""
_MOST = 16.0


def feature_contrast(
    encoder: Encoder,
    references: References,
    *,
    edge_size: int = _LARGEST,
    content_layer: str | None = None,
    alpha: Tensor | None = None,
    wrap: Wrap | None = None,
) -> float:
    """The mean square of the features of the styles, relative to that of the content.

    A relative content loss that is divided by this number is measured by the features of the styles. So a
    photograph of soft shades is painted as boldly as one of hard edges, and a soft painting leaves more of
    the photograph than a bold one.

    Args:
        encoder: The encoder.
        references: The content, and one or several styles by other names.
        edge_size: The short edge in pixels at which they are compared, at most 256, and less for images that
            are more than four times as long as wide.
        content_layer: Another layer than that of :func:`~pystyle.stylization.stylization_criterion`.
        alpha: How opaque the content is: what is transparent does not count.
        wrap: The sides beyond which the content goes on with its other side.

    Returns:
        From 1/16 to 16, with three digits; 1 where an image has no features, or is too small to have any.

    Raises:
        ValueError: If the encoder has other layers, or an image is missing or no image.

    Shape:
        - references: (1, 3, height, width), RGB in [0, 1]
        - alpha: (1, 1, height, width), in [0, 1]

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg11
        >>> photo, painting = torch.rand(1, 3, 32, 32) / 4, torch.rand(1, 3, 32, 32)
        >>> encoder = vgg11(weights=None)
        >>> feature_contrast(encoder, {"content": photo, "style": painting}, edge_size=32) > 1
        True
        >>> feature_contrast(encoder, {"content": painting, "style": painting}, edge_size=32)
        1.0
    """
    styles = [name for name in references if name != "content"]
    if "content" not in references or not styles:
        raise ValueError(
            f"`references` must have 'content' and at least one style, got {', '.join(references) or 'none'}."
        )
    layer = content_layer_of(encoder, content_layer)
    edge_size = min(whole_number(edge_size, "`edge_size`", least=1), _LARGEST)
    if edge_size < encoder.minimum_size([layer]):
        return 1.0

    checked_wrap(wrap)
    content_encoder = encoder if wrap is None else WrappedEncoder(encoder, wrap, layers=[layer])

    def energy(name: str) -> float:
        parts = []
        for image, weight in blend_of(references[name], name):
            check_shape(image_of(image), f'`references["{name}"]`')
            check_range(image_of(image), f'`references["{name}"]`')
            seen = content_encoder if name == "content" else encoder
            small = _small(image_of(image).detach(), edge_size, seen, layer)
            if min(small.shape[2:]) < encoder.minimum_size([layer]):
                return math.nan
            check_image(small, f'references["{name}"]', encoder, [layer])
            with torch.no_grad():
                features = seen(small, [layer])[layer]
            squares = features.float().square()
            if name == "content" and alpha is not None:
                counts = interpolate(alpha.to(squares), squares.shape[2:], mode="area")
                squares = squares * counts / counts.mean()
            parts.append(weight * float(squares.mean()))
        return sum(parts)

    content, style = energy("content"), sum(map(energy, styles)) / len(styles)
    # Neither is comparable if it is 0 or infinite, or NaN where an image is too small.
    contrast = style / content if 0 < content * style < float("inf") else 1.0
    return float(f"{min(max(contrast, 1 / _MOST), _MOST):.3g}")


def _small(image: Tensor, edge_size: int, encoder: Encoder, layer: str) -> Tensor:
    height, width = scaled_size((image.shape[2], image.shape[3]), edge_size)
    factor = min(1.0, math.sqrt(_LARGEST_AREA / (height * width)))
    size = (max(round(height * factor), 1), max(round(width * factor), 1))
    if isinstance(encoder, WrappedEncoder):
        return resize(image, encoder.nearest_size(size, [layer]), wrap=encoder.wrap)
    return resize(image, size)
