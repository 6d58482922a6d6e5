"""`pystyle paint --mask`: a style for each region of a photograph, which stays as it is elsewhere."""

from collections.abc import Sequence

from torch import Tensor

from pystyle._arguments import explained_allocations
from pystyle._wrapping import nearest_multiples
from pystyle.cli._painter import painted
from pystyle.images import resize
from pystyle.networks import Painter
from pystyle.networks._painter import composed
from pystyle.typing import Colors, MaskedImage


@explained_allocations("Painting the picture")
def painted_within(
    painters: Sequence[Painter],
    photograph: MaskedImage,
    size: tuple[int, int],
    *,
    strength: float,
    colors: Colors,
) -> Tensor:
    """The picture of a photograph, of which each region is painted by a painter of its own.

    Args:
        painters: A network with a style for each mask.
        photograph: The photograph and the masks.
        size: Height and width of the picture, as for the whole.
        strength: How much of the styles, from 0 to 1.
        colors: Whose, as for the whole.
    """
    wrap = painters[0].wrap
    size = nearest_multiples(size, wrap, painters[0].network.stride)
    content = resize(photograph.image, size, wrap=wrap)
    masks = [resize(mask, size, wrap=wrap).clamp(0, 1) for mask in photograph.masks.values()]
    # Colours before all is composed: outside of the masks the photograph has its own.
    pictures = (painted(paint, content, size, strength=strength, colors=colors) for paint in painters)
    return composed(content, masks, pictures)
