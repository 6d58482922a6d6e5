"""What a run starts from, checked before it starts."""

from torch import Tensor

from pystyle._arguments import check_image, check_scale
from pystyle.criterion._checks import check_values


def check_start(image: Tensor) -> None:
    """Check that a run can start from an image.

    Raises:
        ValueError: If it has another shape or scale, no values, or one that is not finite.
        TypeError: If it is not a floating tensor.
    """
    check_image(image, "The initial image")
    check_values(image, "The initial image")
    if not bool(image.isfinite().all()):
        raise ValueError("The initial image must be finite, got one with NaN or infinite values.")
    check_scale(image, "The initial image")


def check_bounds(bounds: tuple[float, float] | None, *, projected: bool = True) -> None:
    """Check the bounds of a run.

    Args:
        bounds: The smallest and largest value of a pixel; None for none.
        projected: Whether bounds on what is optimised are bounds on the image.

    Raises:
        ValueError: If they are in the wrong order, or others than a parametrization keeps to.
    """
    if bounds is not None and not bounds[0] < bounds[1]:
        raise ValueError(f"`bounds` must be (smallest, largest) with smallest < largest, got {bounds}.")
    if not projected and bounds is not None and tuple(bounds) != (0, 1):
        raise ValueError(
            f"`bounds` must be (0, 1) for a parametrization that keeps to them itself, got {bounds}."
        )
