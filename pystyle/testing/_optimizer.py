import copy
from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import Optimizer

from pystyle.testing._require import close, require, usable
from pystyle.typing import OptimizerFactory


@usable("an optimizer")
def check_optimizer(optimizer: OptimizerFactory, *, num_steps: int = 100) -> None:
    """Check that an optimizer keeps the promises on which the runner rests.

    It calls the closure and returns its loss; decreases a convex function; works in place and for
    any memory layout; goes on identically from its `state_dict`; survives a zero gradient; and
    keeps to bounds if its groups have an entry ``bounds``.

    Args:
        optimizer: A class or a `functools.partial` of one.
        num_steps: Steps in which a small quadratic has to fall to half.

    Raises:
        AssertionError: If a promise is broken; it says which.

    Example:
        >>> from functools import partial
        >>> import torch
        >>> check_optimizer(partial(torch.optim.Adam, lr=0.05))

    Note:
        ``torch.optim.LBFGS`` breaks the promise about memory layouts; the runner, whose images are
        contiguous, takes it all the same.
    """
    _check_descent(optimizer, num_steps)
    _check_layouts(optimizer)
    _check_resuming(optimizer)
    _check_zero_gradient(optimizer)
    _check_bounds(optimizer)


def _image(value: float = 0.5) -> Tensor:
    ramp = torch.linspace(-0.4, 0.4, 1 * 3 * 4 * 5).reshape(1, 3, 4, 5)
    return (value + ramp).requires_grad_()


def _closure(optimizer: Optimizer, image: Tensor, goal: float = 0.5) -> Callable[[], Tensor]:
    curvature = torch.linspace(0.5, 2.0, image.numel()).reshape(image.shape)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = (curvature * (image - goal).square()).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    return closure


def _run(optimizer: Optimizer, image: Tensor, num_steps: int, goal: float = 0.5) -> Tensor:
    closure = _closure(optimizer, image, goal)
    # A second name for the memory keeps it, so that no other image can come to lie where this one lay.
    memory = image.detach()
    for _ in range(num_steps):
        optimizer.step(closure)  # type: ignore[arg-type]
        require(image.data_ptr() == memory.data_ptr(), "the image is changed in place.")
    return image.detach().clone()


def _check_descent(factory: OptimizerFactory, num_steps: int) -> None:
    image = _image()
    optimizer = factory([image])
    require(isinstance(optimizer, Optimizer), "an optimizer is a `torch.optim.Optimizer`.")
    closure = _closure(optimizer, image)
    first = closure().detach()
    returned = optimizer.step(closure)  # type: ignore[arg-type]
    require(returned is not None, "`step` calls the closure and returns its loss.")
    require(
        close(torch.as_tensor(returned).detach(), first, 1e-5),
        "`step` returns the loss that it started from.",
    )
    _run(optimizer, image, num_steps)
    last = closure().detach()
    require(last.isfinite() and last < 0.5 * first, f"a quadratic falls to half in {num_steps} steps.")


def _check_layouts(factory: OptimizerFactory) -> None:
    plain = _image()
    channels_last = _image().detach().contiguous(memory_format=torch.channels_last).requires_grad_()
    promise = "channels_last images take the same path"
    left = _run(factory([plain]), plain, 8)
    try:
        right = _run(factory([channels_last]), channels_last, 8)
    except RuntimeError as error:
        raise AssertionError(f"A promise is broken: {promise}. {error}") from error
    require(close(left, right, 1e-4), f"{promise}.")


def _check_resuming(factory: OptimizerFactory) -> None:
    image = _image()
    optimizer = factory([image])
    _run(optimizer, image, 5)
    other = image.detach().clone().requires_grad_()
    resumed = factory([other])
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    promise = "an optimizer goes on from its `state_dict` as if nothing had happened."
    require(close(_run(optimizer, image, 5), _run(resumed, other, 5), 1e-5), promise)


def _check_zero_gradient(factory: OptimizerFactory) -> None:
    image = torch.full((1, 3, 4, 5), 0.5, requires_grad=True)
    moved = _run(factory([image]), image, 3)
    require(moved.isfinite().all(), "a gradient of zero leaves the image finite.")


def _check_bounds(factory: OptimizerFactory) -> None:
    image = _image()
    optimizer = factory([image])
    if "bounds" not in optimizer.param_groups[0]:
        return
    optimizer.param_groups[0]["bounds"] = (0.0, 1.0)
    moved = _run(optimizer, image, 30, goal=2.0)
    require(moved.amin() >= 0 and moved.amax() <= 1, "an optimizer with `bounds` keeps to them.")
    require(moved.amin() > 0.95, "an optimizer with `bounds` still reaches a minimum at a bound.")
