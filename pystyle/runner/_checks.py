"""What a run starts from, checked before it starts."""

from typing import Any

from torch import Tensor

from pystyle._arguments import check_image, check_scale, interval
from pystyle.criterion._checks import check_values
from pystyle.criterion._kind import check_criterion
from pystyle.parametrizations import Parametrization
from pystyle.typing import Wrap


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


def checked_bounds(bounds: tuple[float, float] | None) -> tuple[float, float] | None:
    """The smallest and largest value of a pixel as floats; None for none.

    Raises:
        TypeError: If they are no numbers.
        ValueError: If they are in the wrong order.
    """
    return None if bounds is None else interval(bounds, "`bounds`")


def check_kept_bounds(bounds: tuple[float, float] | None, parametrization: Parametrization) -> None:
    """Check that a parametrization keeps to the bounds.

    Raises:
        ValueError: If it keeps to others.
    """
    if not parametrization.projected and bounds not in (None, (0, 1)):
        raise ValueError(
            f"`bounds` must be (0, 1) for a parametrization that keeps to them itself, got {bounds}."
        )


def check_ingredients(criterion: Any, evaluation: Any, parametrization: Any) -> None:
    """Check the kinds of what a run is made of.

    Raises:
        TypeError: If one is of another kind: a class in the place of an object, or the other way round.
    """
    check_criterion(criterion)
    check_evaluation(evaluation)
    check_parametrization(parametrization)


def check_evaluation(evaluation: Any) -> None:
    """Check that this is an evaluation.

    Raises:
        TypeError: If it is something else, or a class in its place.
    """
    if isinstance(evaluation, type) or not hasattr(evaluation, "bind"):
        kind = evaluation.__name__ if isinstance(evaluation, type) else type(evaluation).__name__
        raise TypeError(f"`evaluation` must be an evaluation such as `StripEvaluation()`, got {kind}.")


def check_parametrization(parametrization: Any) -> None:
    """Check that it makes a parametrization.

    Raises:
        TypeError: If it is one, or nothing that can be called.
    """
    if isinstance(parametrization, Parametrization) or not callable(parametrization):
        kind = type(parametrization).__name__
        raise TypeError(
            "`parametrization` must be a class such as `Fourier`, or a `functools.partial` of one, got a "
            f"{kind}. A run makes its own of the initial image."
        )


def check_parametrization_wraps(parametrization: Parametrization, wrap: Wrap | None) -> None:
    """Check that what makes the image makes it wrap, if it is to.

    Raises:
        ValueError: If not: it would have a seam.
    """
    if wrap is not None and not parametrization.wraps(wrap):
        kind = type(parametrization).__name__
        raise ValueError(
            f"`parametrization` must make images that wrap, which {kind} does not. Use `Pixels` or "
            f"`Fourier`, `functools.partial(LaplacianPyramid, wrap={wrap!r})`, or override `wraps` in your "
            "own class."
        )
