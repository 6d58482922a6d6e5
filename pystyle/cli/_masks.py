"""Masks from files, for the options `--mask` and `--style-mask`."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from pystyle.cli._errors import UsageError
from pystyle.images import read_mask
from pystyle.typing import MaskedImage

Style = Sequence[Tensor | MaskedImage] | Mapping[str, Tensor | MaskedImage]
"""What `stylize` takes as its styles: blended, or those of regions by name."""


def check_masks(num_styles: int, masks: Sequence[str] | None, style_masks: Sequence[str] | None) -> None:
    """Check that the numbers of files fit each other.

    Raises:
        UsageError: If they do not.
    """
    count = len(masks or ())
    if style_masks is not None and len(style_masks) != count:
        raise UsageError(
            f"`--style-mask` must have one file for each of `--mask`, got {len(style_masks)} for {count}."
        )
    if count > 1 and num_styles not in (1, count):
        raise UsageError(
            f"`--mask` must have one file for each style, or several for one, got {count} for {num_styles} "
            "styles."
        )
    if style_masks is not None and num_styles > 1 and count == 1:
        raise UsageError("`--style-mask` must be left out if several styles are blended in one region.")


def check_regions(num_styles: int, masks: Sequence[str] | None, weights: Sequence[float] | None) -> None:
    """Check that there is one mask for all styles together, or one for each.

    Raises:
        UsageError: If it is neither, or styles that are not blended have weights.
    """
    count = len(masks or ())
    if count > 1 and count != num_styles:
        raise UsageError(
            f"`--mask` must have one file, or one for each style, got {count} for {num_styles} styles."
        )
    if count > 1 and weights is not None:
        raise UsageError("`--style-weights` must be left out if each style has its own `--mask`.")


def with_masks(
    content: Tensor,
    styles: Sequence[Tensor],
    masks: Sequence[str] | None,
    style_masks: Sequence[str] | None,
    *,
    max_pixels: int,
) -> tuple[Tensor | MaskedImage, Style]:
    """The content and the styles with the masks in these files; regions have numbers for names."""
    if not masks:
        return content, styles
    photograph = masked_content(content, masks, max_pixels=max_pixels)
    names = list(photograph.masks)
    if len(styles) == 1:
        if style_masks is None:
            return photograph, styles
        return photograph, [
            _masked(styles[0], dict(zip(names, style_masks, strict=True)), "--style-mask", max_pixels)
        ]
    if len(masks) == 1:
        return photograph, styles
    masked: Sequence[Tensor | MaskedImage] = styles
    if style_masks is not None:
        masked = [
            _masked(style, {name: file}, "--style-mask", max_pixels)
            for style, name, file in zip(styles, names, style_masks, strict=True)
        ]
    return photograph, dict(zip(names, masked, strict=True))


def masked_content(content: Tensor, masks: Sequence[str], *, max_pixels: int) -> MaskedImage:
    """The content with the masks in these files; regions have numbers for names."""
    files = {str(number): file for number, file in enumerate(masks, 1)}
    return _masked(content, files, "--mask", max_pixels)


def _masked(image: Tensor, files: Mapping[str, str], option: str, max_pixels: int) -> MaskedImage:
    masks = {name: read_mask(file, max_pixels=max_pixels) for name, file in files.items()}
    for name, mask in masks.items():
        if mask.shape[2:] != image.shape[2:]:
            raise UsageError(
                f"`{option}` must have the size of its picture, {image.shape[3]} x {image.shape[2]} pixels, "
                f"got {mask.shape[3]} x {mask.shape[2]} in '{files[name]}'."
            )
    try:
        return MaskedImage(image, masks)
    except ValueError as error:
        raise UsageError(f"The files of `{option}` cannot be taken: {error}") from error
