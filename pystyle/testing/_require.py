"""How a check fails, and what the checks share."""

import copy
import pickle
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from pystyle._arguments import float_type
from pystyle.losses._representation import tensors_of


def uniform(shape: Sequence[int], *, generator: torch.Generator, like: Tensor | None = None) -> Tensor:
    """Numbers from 0 to 1, the same everywhere, in the type and on the device of a tensor, or torch's own."""
    drawn = torch.rand(tuple(shape), generator=generator, dtype=torch.float32, device="cpu")
    return drawn.to(torch.get_default_device(), float_type()) if like is None else drawn.to(like)


def require(condition: bool | Tensor, promise: str) -> None:
    """Raise an AssertionError that names the broken promise."""
    if not bool(condition):
        raise AssertionError(f"A promise is broken: {promise}")


@contextmanager
def usable(component: str) -> Iterator[None]:
    """A context, or a decorator, in which an error of the component is a broken promise as well."""
    try:
        yield
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(
            f"A promise is broken: {component} can be used as its base class says, and it raised a "
            f"{type(error).__name__}: {error}"
        ) from error


def close(left: Any, right: Any, tolerance: float) -> bool:
    """Whether all tensors agree, relative to the largest entry."""
    pairs = zip(tensors_of(left), tensors_of(right), strict=True)
    return all(_close(a.double(), b.double(), tolerance) for a, b in pairs)


def _close(left: Tensor, right: Tensor, tolerance: float) -> bool:
    if left.shape != right.shape:
        return False
    scale = torch.cat([left.abs().flatten(), right.abs().flatten(), left.new_zeros(1)]).max()
    return bool(((left - right).abs() <= tolerance * scale + 1e-12).all())


def pickled_copy(component: Any) -> Any:
    """The component after pickling; a deep copy if its class has no importable name, as in a doctest."""
    kind = type(component)
    found: Any = sys.modules.get(kind.__module__)
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    return pickle.loads(pickle.dumps(component)) if found is kind else copy.deepcopy(component)
