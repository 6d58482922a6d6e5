from torch import Tensor

from pystyle.colors._luma import luminance
from pystyle.colors._match import match_colors, with_statistics
from pystyle.colors._pixels import check_batches, check_mask, check_picture
from pystyle.typing import Colors


def match_luminance(
    image: Tensor,
    reference: Tensor,
    *,
    mask: Tensor | None = None,
    reference_mask: Tensor | None = None,
    clamp: bool = True,
) -> Tensor:
    r"""The luminance of an image with the mean and standard deviation of another one's.

    .. math:: Y' = \frac{\sigma_r}{\sigma} (Y - \mu) + \mu_r

    It is what a style is turned into before only luminance is transferred.

    Args:
        image: What gets another brightness and contrast.
        reference: Whose: one image, or one for each of the batch. Its size does not matter.
        mask: How much each pixel of `image` counts for its mean and deviation; all the same if not given.
        reference_mask: How much each pixel of `reference` counts.
        clamp: Whether the result is brought back to [0, 1].

    Returns:
        A single channel of the type of `image`; `expand` it to three for a grey picture.

    Raises:
        TypeError: If an image is not a floating tensor.
        ValueError: If an image or a mask has another shape or range or is not finite, or a mask is nowhere
            above 0.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1]
        - reference: (batch or 1, 3, any height, any width), RGB in [0, 1]
        - mask, reference_mask: (1, 1, height, width) of their image, in [0, 1]
        - output: (batch, 1, height, width)

    Example:
        >>> import torch
        >>> dark = torch.tensor([0.0, 0.1, 0.2]).expand(1, 3, 1, 3)
        >>> bright = torch.tensor([0.4, 0.6, 0.8]).expand(1, 3, 1, 3)
        >>> match_luminance(dark, bright).flatten()
        tensor([0.4000, 0.6000, 0.8000])

    Note:
        A standard deviation below 1/255 counts as that, as in :func:`match_colors`.

    References:
        Gatys, Ecker, Bethge, Hertzmann, Shechtman. *Controlling perceptual factors in neural style
        transfer*. CVPR 2017, section 5.
    """
    pixels, wanted = check_picture(image), check_picture(reference, "reference").to(image.device)
    check_batches(image, "reference", reference)
    weights = check_mask(mask, "mask", pixels), check_mask(reference_mask, "reference_mask", wanted)
    matched = with_statistics(luminance(pixels), luminance(wanted), "symmetric", *weights)
    return (matched.clamp(0, 1) if clamp else matched).to(image.dtype)


def transfer_luminance(image: Tensor, colors: Tensor, *, clamp: bool = True) -> Tensor:
    """The luminance of one image in the colours of another.

    All three channels of `colors` are moved by the difference in luminance. This keeps both channels of
    chroma, in YIQ as in YCbCr or any space of colour differences.

    Args:
        image: Gives the luminance, such as the result of a run.
        colors: Gives the chroma, such as the photograph: one image, or one for each of the batch.
        clamp: Whether the result is brought back to [0, 1]. Where it has to be, the chroma is no longer
            exactly kept: a saturated colour has no bright or dark version.

    Returns:
        An image of the type of `image`.

    Raises:
        TypeError: If an image is not a floating tensor.
        ValueError: If the images have other shapes or ranges, or different sizes.

    Shape:
        - image, output: (batch, 3, height, width), RGB in [0, 1]
        - colors: (batch or 1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> grey = torch.full((1, 3, 1, 1), 0.5)
        >>> brown = torch.tensor([0.4, 0.2, 0.1]).reshape(1, 3, 1, 1)
        >>> transfer_luminance(grey, brown).flatten()
        tensor([0.6516, 0.4516, 0.3516])

    References:
        Gatys, Ecker, Bethge, Hertzmann, Shechtman. *Controlling perceptual factors in neural style
        transfer*. CVPR 2017, section 5.
    """
    pixels, chroma = check_picture(image), check_picture(colors, "colors").to(image)
    check_batches(image, "colors", colors)
    if pixels.shape[2:] != chroma.shape[2:]:
        raise ValueError(
            f"`colors` must have the size of `image`, got {tuple(colors.shape[2:])} for "
            f"{tuple(image.shape[2:])}. Bring it there with `pystyle.images.resize`."
        )
    transferred = chroma + (luminance(pixels) - luminance(chroma))
    return (transferred.clamp(0, 1) if clamp else transferred).to(image.dtype)


def in_colors(picture: Tensor, content: Tensor, colors: Colors) -> Tensor:
    """A finished picture with the colours of the style or of the content.

    Args:
        picture: The picture.
        content: The content, of the same size: one image, or one for each of the batch.
        colors: ``"style"``, the picture as it is; ``"content"``, the colours of the content as a whole;
            ``"luminance"``, those of the content at each pixel.
    """
    if colors == "content":
        return match_colors(picture, content)
    return transfer_luminance(picture, content) if colors == "luminance" else picture
