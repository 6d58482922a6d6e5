"""What all measures ask of the images that they compare."""

from torch import Tensor, float64

from pystyle.colors._pixels import check_picture


def pictures(image: Tensor, other: Tensor, *, names: tuple[str, str]) -> tuple[Tensor, Tensor]:
    """Both in float64, which no measure of a picture is too dear for, after a look at types and ranges.

    Args:
        image: The pictures.
        other: What they are compared with: one image, or as many.
        names: What errors call the two.

    Raises:
        TypeError: If one is no floating tensor.
        ValueError: If a shape or a range does not fit, or the batches do not.
    """
    parts = zip((image, other), names, strict=True)
    first, second = (check_picture(part, name).detach().to(float64) for part, name in parts)
    if second.shape[0] not in (1, first.shape[0]):
        raise ValueError(
            f"`{names[1]}` must be one image or as many as `{names[0]}`, "
            f"got {second.shape[0]} for {first.shape[0]}."
        )
    return first, second.to(first.device)


def same_size(image: Tensor, reference: Tensor, *, name: str = "reference") -> tuple[Tensor, Tensor]:
    """Images that are compared position by position."""
    first, second = pictures(image, reference, names=("image", name))
    if first.shape[2:] != second.shape[2:]:
        raise ValueError(
            f"`{name}` must have the size of `image`, got {tuple(second.shape[2:])} for "
            f"{tuple(first.shape[2:])}. Resize one of them: `pystyle.images.resize`."
        )
    return first, second
