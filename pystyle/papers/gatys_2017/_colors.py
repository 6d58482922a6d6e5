from typing import Literal, TypeAlias

from torch import Tensor

from pystyle.colors import luminance, match_colors, match_luminance
from pystyle.papers._variants import Variant, check_variant

Preserve: TypeAlias = Literal["colors", "luminance"]
ColorMethod: TypeAlias = Literal["pca", "cholesky", "symmetric", "histogram"]


def recoloured(
    content: Tensor,
    style: Tensor,
    *,
    preserve: Preserve,
    method: ColorMethod = "pca",
    variant: Variant = "code",
) -> tuple[Tensor, Tensor]:
    """Content and style as they are compared if the colours of the content are to stay (section 5).

    Args:
        content: The photograph.
        style: The painting.
        preserve: ``"colors"``: the painting gets the mean and covariance of the photograph's colours.
            ``"luminance"``: both become grey, the painting as bright as the photograph; after the run
            :func:`pystyle.colors.transfer_luminance` gives the photograph's chroma back.
        method: How colours are matched; see :func:`pystyle.colors.match_colors`. The authors' code has the
            first three, and the paper's supplement compares them.
        variant: Whose luminance.

    Returns:
        Both images.

    Raises:
        ValueError: If `preserve`, `method` or `variant` is unknown.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> photo, painting = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)
        >>> grey, style = recoloured(photo, painting, preserve="luminance")
        >>> bool((grey[:, 0] == grey[:, 1]).all()), bool((style[:, 0] == style[:, 1]).all())
        (True, True)
    """
    check_variant(variant)
    if preserve == "colors":
        return content, match_colors(style, content, method=method)
    if preserve != "luminance":
        raise ValueError(f"`preserve` must be 'colors' or 'luminance', got {preserve!r}.")
    grey = luminance(content)
    if variant == "paper":
        matched = match_luminance(style, content)
    else:
        own = luminance(style)
        matched = (own - own.mean() + grey.mean()).clamp(0, 1)
    return grey.expand(-1, 3, -1, -1), matched.expand(-1, 3, -1, -1)
