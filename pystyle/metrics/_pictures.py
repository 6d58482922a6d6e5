"""What all measures ask of the images that they compare."""

from torch import Tensor, float64

from pystyle.colors._pixels import check_batches, check_picture


def pictures(image: Tensor, other: Tensor, name: str) -> tuple[Tensor, Tensor]:
    """Both in float64, which no measure of a picture is too dear for, after a look at types and ranges.

    Args:
        image: The pictures.
        other: What they are compared with: one image, or as many.
        name: What errors call it.

    Raises:
        TypeError: If one is no floating tensor.
        ValueError: If a shape or a range does not fit, or the batches do not.
    """
    first, second = (
        check_picture(part, label).detach().to(float64) for part, label in ((image, "image"), (other, name))
    )
    check_batches(first, name, second)
    return first, second.to(first.device)


def same_size(image: Tensor, reference: Tensor, *, name: str = "reference") -> tuple[Tensor, Tensor]:
    """Images that are compared position by position."""
    first, second = pictures(image, reference, name)
    if first.shape[2:] != second.shape[2:]:
        raise ValueError(
            f"`{name}` must have the size of `image`, got {tuple(second.shape[2:])} for "
            f"{tuple(first.shape[2:])}. Resize one of them: `pystyle.images.resize`."
        )
    return first, second
