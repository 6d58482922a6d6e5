"""Runners of a user's own, checked before and after they are made."""

from collections.abc import Callable
from typing import TypeAlias

from torch import Tensor

from pystyle.runner._runner import Runner

RunnerFactory: TypeAlias = Callable[..., Runner]
"""A subclass of :class:`pystyle.Runner`, or a function with the same arguments that makes a runner."""


def check_runner(runner: RunnerFactory) -> None:
    """Check that this can make a runner.

    Raises:
        TypeError: If it cannot.
    """
    if not callable(runner) or (isinstance(runner, type) and not issubclass(runner, Runner)):
        name = runner.__name__ if isinstance(runner, type) else f"a {type(runner).__name__}"
        raise TypeError(
            "`runner` must be a subclass of `pystyle.Runner`, or a function with its arguments that makes "
            f"one, got {name}. Give the class itself, not an instance."
        )


def made_runner(make: Callable[[Tensor], Runner], image: Tensor) -> Runner:
    """The runner that a function makes of an image.

    Raises:
        TypeError: If it makes something else.
    """
    runner = make(image)
    if not isinstance(runner, Runner):
        raise TypeError(
            f"`runner` must make a `pystyle.Runner`, got a {type(runner).__name__}. Give a subclass of it, "
            "or a function with its arguments that returns one."
        )
    return runner
