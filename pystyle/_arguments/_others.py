"""Other arguments in the forms in which people pass them."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor


def check_mapping(value: Any, label: str, example: str) -> None:
    """Check that it is a mapping, such as a dictionary.

    Raises:
        TypeError: If it is not, with what to write.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"{label} must be a dictionary, got a {type(value).__name__}. Write `{example}`.")


def check_kind(value: Any, kind: type, label: str, example: str) -> None:
    """Check that it is an object of a class.

    Raises:
        TypeError: If it is not, such as a name or the class itself, with what to write.
    """
    if not isinstance(value, kind):
        raise TypeError(
            f"{label} must be of the class {kind.__name__}, got {described(value)}. Write `{example}`."
        )


def described(value: Any) -> str:
    """What is said of a value of the wrong kind."""
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"


def callables(value: Any, label: str) -> tuple[Callable[..., Any], ...]:
    """One function or several as a tuple; None for none.

    Raises:
        TypeError: If it is something else, or a class in the place of an object.
    """
    if value is None:
        return ()
    several = (value,) if callable(value) else value
    if isinstance(several, str | Mapping | Tensor) or not hasattr(several, "__iter__"):
        raise TypeError(f"{label} must be functions of a step, got a {type(value).__name__}.")
    found = tuple(several)
    for item in found:
        if isinstance(item, type):
            raise TypeError(
                f"{label} must be functions of a step, got the class {item.__name__}. "
                f"Make one: `{item.__name__}(...)`."
            )
        if not callable(item):
            raise TypeError(f"{label} must be functions of a step, got a {type(item).__name__}.")
    return found


def best_device() -> torch.device:
    """The accelerator if there is one, else the CPU."""
    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")


def device_of(value: Any) -> torch.device:
    """The device of a name, of a number among the accelerators, or of ``"gpu"``, the accelerator.

    Raises:
        TypeError: If it is something else.
        ValueError: If there is no such device.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | torch.device):
        raise TypeError(
            f"`device` must be a device or its name, got a {type(value).__name__}. Write 'cpu' or 'cuda'."
        )
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if isinstance(value, int) or value == "gpu":
        if accelerator is None:
            raise ValueError(
                f"`device` is {value!r}, and torch finds no accelerator here. Leave it out, or write 'cpu'."
            )
        return torch.device(accelerator.type, value) if isinstance(value, int) else accelerator
    try:
        return torch.device(value)
    except RuntimeError:
        raise ValueError(
            f"`device` must be a device such as 'cpu', 'cuda' or 'cuda:1', got {value!r}."
        ) from None
