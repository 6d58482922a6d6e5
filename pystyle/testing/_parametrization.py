import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from pystyle.parametrizations import Parametrization
from pystyle.testing._require import close, pickled_copy, require, uniform, usable


@usable("a parametrization")
def check_parametrization(
    parametrization: Callable[[Tensor], Parametrization],
    *,
    size: tuple[int, int] = (13, 18),
    tolerance: float = 1 / 255,
) -> None:
    """Check that a parametrization keeps the promises on which the runner rests.

    It leaves the initial image alone; is repeatable; survives `state_dict`, pickling and a change of type
    or device;
    gives the image back that it was made from, also a black, a white and a tiny one; keeps the image in
    [0, 1] whatever its parameters are, or clamps with them if it is `projected`; is differentiable; and its
    gradient leads from any image to another, also from black and white.

    Args:
        parametrization: A class or a `functools.partial` of one.
        size: Height and width of the images it is tried on.
        tolerance: How far a pixel of the image that comes back may be off. The images are smooth, with
            no wave shorter than half of the size, so that one with a lower resolution can keep it as well.

    Raises:
        AssertionError: If a promise is broken; it says which.

    Example:
        >>> from pystyle.parametrizations import Pixels
        >>> check_parametrization(Pixels)
    """
    is_class = not isinstance(parametrization, nn.Module)
    require(is_class, "a parametrization is given as a class or a `functools.partial` of one, not made.")
    _check_parameters(parametrization, size)
    _check_inputs(parametrization, size)
    _check_copies(parametrization, size)
    _check_round_trip(parametrization, size, tolerance)
    _check_range(parametrization, size)
    _check_gradient(parametrization, size)
    _check_descent(parametrization, size)


def _smooth(size: tuple[int, int], seed: int = 0) -> Tensor:
    """A wave in each channel, from 0 to 1."""
    vertical = torch.linspace(0, 2 * math.pi, size[0])[:, None]
    horizontal = torch.linspace(0, 2 * math.pi, size[1])
    phases = uniform((3, 2), generator=torch.Generator().manual_seed(seed)) * 2 * math.pi
    waves = [torch.sin(vertical + a) + torch.sin(horizontal + b) for a, b in phases.tolist()]
    return (torch.stack(waves)[None] / 4 + 0.5).clamp(0, 1)


def _check_parameters(factory: Callable[[Tensor], Parametrization], size: tuple[int, int]) -> None:
    parametrization = factory(_smooth(size))
    require(
        isinstance(parametrization, Parametrization), "a parametrization is a subclass of `Parametrization`."
    )
    parameters = list(parametrization.parameters())
    require(len(parameters) > 0, "there are parameters; make them with `nn.Parameter`.")
    good = all(p.is_leaf and p.requires_grad and p.is_floating_point() for p in parameters)
    require(good, "parameters are real leaf tensors that want a gradient; split complex ones into two.")


def _check_round_trip(
    factory: Callable[[Tensor], Parametrization], size: tuple[int, int], tolerance: float
) -> None:
    images = {
        "a smooth image": _smooth(size),
        "a batch of two": torch.cat((_smooth(size), _smooth(size, 1))),
        "a black image": torch.zeros(1, 3, *size),
        "a white image": torch.ones(1, 3, *size),
        "a flat image": torch.full((1, 3, *size), 0.3),
        "an image of one pixel": torch.full((1, 3, 1, 1), 0.3),
        "an image of three pixels": torch.full((1, 3, 1, 3), 0.3),
    }
    for name, image in images.items():
        found = factory(image)().detach()
        same = found.shape == image.shape and found.dtype == image.dtype
        got = f"got {tuple(found.shape)} of {found.dtype} for {tuple(image.shape)} of {image.dtype}"
        require(same, f"the image has the shape and the type of the initial one, {got}.")
        error = float((found - image).abs().max())
        promise = f"{name} comes back up to {tolerance:.2g} per pixel, got {error:.2g}."
        require(error <= tolerance, promise)


def _check_range(factory: Callable[[Tensor], Parametrization], size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    for size_of_noise in (0.1, 3.0, 1e4):
        parametrization = factory(_smooth(size))
        low, high = (0.25, 0.75) if parametrization.projected else (0.0, 1.0)
        with torch.no_grad():
            for parameter in parametrization.parameters():
                noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float32, device="cpu")
                parameter.add_(size_of_noise * noise.to(parameter))
                if parametrization.projected:
                    parameter.clamp_(low, high)
        image = parametrization().detach()
        got = f"got {float(image.min()):g} to {float(image.max()):g}"
        if parametrization.projected:
            promise = f"clamping the parameters of a `projected` parametrization clamps the image, {got}"
        else:
            promise = f"the image is in [0, 1] whatever the parameters are, {got}; is it clamped?"
        inside = image.isfinite().all() and image.min() >= low - 1e-6 and image.max() <= high + 1e-6
        require(inside, promise)


def _check_gradient(factory: Callable[[Tensor], Parametrization], size: tuple[int, int]) -> None:
    parametrization = factory((0.2 + 0.6 * _smooth(size)).double())
    weights = uniform((1, 3, *size), generator=torch.Generator().manual_seed(1)).double()
    parameters = list(parametrization.parameters())
    value = (weights * parametrization()).sum()
    require(value.requires_grad, "the image depends differentiably on the parameters.")
    gradients = torch.autograd.grad(value, parameters, allow_unused=True)
    require(
        all(g is not None and g.isfinite().all() for g in gradients), "every parameter has a finite gradient."
    )
    generator = torch.Generator().manual_seed(2)
    step = 1e-5
    for parameter, gradient in zip(parameters, gradients, strict=True):
        drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float64, device="cpu")
        direction = drawn.to(parameter)
        values = []
        with torch.no_grad():
            for sign in (1, -2):
                parameter.add_(sign * step * direction)
                values.append((weights * parametrization()).sum())
            parameter.add_(step * direction)
        slope = (values[0] - values[1]) / (2 * step)
        promise = "the gradient is the slope of the image"
        require(close((gradient * direction).sum(), slope, 1e-3), f"{promise}, got another one.")


def _check_descent(factory: Callable[[Tensor], Parametrization], size: tuple[int, int]) -> None:
    goal = _smooth(size)
    for name, start in {
        "grey": torch.full_like(goal, 0.5),
        "black": torch.zeros_like(goal),
        "white": torch.ones_like(goal),
    }.items():
        parametrization = factory(start)
        optimizer = torch.optim.Adam(parametrization.parameters(), lr=0.05)
        for _ in range(100):
            optimizer.zero_grad()
            (parametrization() - goal).square().sum().backward()
            optimizer.step()
            with torch.no_grad():
                for parameter in parametrization.parameters() if parametrization.projected else ():
                    parameter.clamp_(0, 1)
        left = float((parametrization().detach() - goal).square().mean() / (start - goal).square().mean())
        require(
            left < 0.5,
            f"from a {name} image Adam comes half of the way to another one, got {1 - left:.2g}.",
        )


def _check_inputs(factory: Callable[[Tensor], Parametrization], size: tuple[int, int]) -> None:
    image, state = _smooth(size), torch.get_rng_state()
    before = image.clone()
    parametrization = factory(image)
    with torch.no_grad():
        for parameter in parametrization.parameters():
            parameter.zero_()
        parametrization()
    require(torch.equal(image, before), "the initial image is copied, not changed.")
    require(torch.equal(torch.get_rng_state(), state), "the global random state is left alone.")
    transposed = image.mT.contiguous().mT
    promise = "the memory layout of the initial image does not matter."
    require(close(factory(transposed)(), factory(image)(), 1e-5), promise)


def _check_copies(factory: Callable[[Tensor], Parametrization], size: tuple[int, int]) -> None:
    parametrization = factory(_smooth(size))
    image = parametrization().detach()
    require(torch.equal(parametrization().detach(), image), "the same parameters give the same image.")
    require(
        torch.equal(pickled_copy(parametrization)().detach(), image), "a pickled one gives the same image."
    )
    other = factory(torch.full_like(image, 0.5))
    other.load_state_dict(parametrization.state_dict())
    require(torch.equal(other().detach(), image), "its `state_dict` is all that the image depends on.")
    double = pickled_copy(parametrization).double()().detach()
    right = double.dtype == torch.float64 and close(double, image, 1e-4)
    require(
        right, f"`double()` gives the same image in float64, got {double.dtype}; are its tensors buffers?"
    )
    promise = "all its tensors move to another device; those that are no parameters are buffers"
    try:
        moved = pickled_copy(parametrization).to("meta")()
    except RuntimeError as error:
        raise AssertionError(f"A promise is broken: {promise}. {error}") from error
    require(moved.device.type == "meta", f"{promise}.")
    found = factory(image.double())().dtype
    require(found == torch.float64, f"an image of float64 gives one of float64, got {found}.")
