from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from pystyle.parametrizations import Fourier, LaplacianPyramid, LowResolution, Parametrization, Pixels
from pystyle.testing import check_parametrization


class GoodParametrization(Parametrization):
    """Deviations from the initial image, squashed."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.logit(image.detach().clamp(1 / 512, 1 - 1 / 512)))

    def forward(self) -> Tensor:
        return self.logits.sigmoid()


class IsNone(nn.Module):
    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.pixels = nn.Parameter(image.detach().clone())

    def forward(self) -> Tensor:
        return self.pixels


class HasNoParameters(Pixels):
    def __init__(self, image: Tensor) -> None:
        super().__init__(image)
        del self.pixels
        self.register_buffer("pixels", image.clone())


class IsComplex(Parametrization):
    projected = True

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.spectrum = nn.Parameter(torch.fft.fft2(image.detach()))

    def forward(self) -> Tensor:
        return torch.fft.ifft2(self.spectrum).real


class StartsElsewhere(GoodParametrization):
    def __init__(self, image: Tensor) -> None:
        super().__init__(image * 0.98)


class LosesWhite(GoodParametrization):
    def __init__(self, image: Tensor) -> None:
        super().__init__(0.98 * image if image.min() > 0.99 else image)


class LosesTheBatch(GoodParametrization):
    def __init__(self, image: Tensor) -> None:
        super().__init__(image[:1])


class NeedsPixels(GoodParametrization):
    def __init__(self, image: Tensor) -> None:
        super().__init__(image)
        if image.shape[2] == 1:
            self.logits.data.zero_()


class LeavesTheRange(Parametrization):
    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.values = nn.Parameter(2 * image.detach() - 1)

    def forward(self) -> Tensor:
        return 0.5 + 0.5 * self.values


class LeavesTheRangeAfterAll(GoodParametrization):
    projected = True

    def __init__(self, image: Tensor) -> None:
        super().__init__(image)
        self.logits = nn.Parameter((image.detach() + 1) / 3)

    def forward(self) -> Tensor:
        return 3 * self.logits - 1


class CutsTheGraph(GoodParametrization):
    def forward(self) -> Tensor:
        return super().forward().detach()


class HasAnIdleParameter(GoodParametrization):
    def __init__(self, image: Tensor) -> None:
        super().__init__(image)
        self.idle = nn.Parameter(torch.zeros(3))


class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, value):
        del ctx
        return value.clone()

    @staticmethod
    def backward(ctx, gradient):
        del ctx
        return 2 * gradient


class LiesAboutItsSlope(GoodParametrization):
    def forward(self) -> Tensor:
        return Twice.apply(super().forward())


class SticksToTheBounds(Parametrization):
    """A plain clamp, far outside for black and white."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        edge = torch.where(image > 0.999, 1.0, 0.0) - torch.where(image < 0.001, 1.0, 0.0)
        self.pixels = nn.Parameter(image.detach() + edge)

    def forward(self) -> Tensor:
        return self.pixels.clamp(0, 1)


class CannotBeColourful(GoodParametrization):
    """Moves all channels together."""

    def __init__(self, image: Tensor) -> None:
        super().__init__(image)
        self.register_buffer("start", self.logits.detach().clone())
        self.logits = nn.Parameter(torch.zeros_like(image[:, :1]))

    def forward(self) -> Tensor:
        return (self.start + self.logits).sigmoid()


class SharesTheImage(Parametrization):
    projected = True

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.pixels = nn.Parameter(image.detach())

    def forward(self) -> Tensor:
        return self.pixels


class DrawsGlobally(GoodParametrization):
    def __init__(self, image: Tensor) -> None:
        super().__init__(image + 1e-9 * torch.rand(1).item())


class FollowsTheMemory(GoodParametrization):
    def __init__(self, image: Tensor) -> None:
        contiguous = image if image.is_contiguous() else image.flip(3)
        super().__init__(contiguous)


class IsRestless(GoodParametrization):
    calls = 0

    def forward(self) -> Tensor:
        self.calls += 1
        return (self.logits + 1e-5 * (self.calls % 2)).sigmoid()


class ForgetsWhenPickled(GoodParametrization):
    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        self.logits.data.zero_()


class KeepsMoreThanItsState(GoodParametrization):
    def __init__(self, image: Tensor) -> None:
        super().__init__(image)
        self.start = self.logits.detach().clone()
        self.logits.data.zero_()

    def forward(self) -> Tensor:
        return (self.start + self.logits).sigmoid()


class KeepsAPlainTensor(GoodParametrization):
    def __init__(self, image: Tensor) -> None:
        super().__init__(image)
        self.start = torch.zeros_like(image)

    def forward(self) -> Tensor:
        return super().forward().to(self.start.dtype)


class LeavesATensorBehind(GoodParametrization):
    def __init__(self, image: Tensor) -> None:
        super().__init__(image)
        self.zero = torch.zeros(3, 1, 1)

    def forward(self) -> Tensor:
        return (self.logits + self.zero).sigmoid()


GOOD = [
    (GoodParametrization, 1 / 255),
    (Pixels, 1e-9),
    (LaplacianPyramid, 1e-6),
    (Fourier, 1e-5),
    (LowResolution, 0.2),
]
BROKEN = [
    (IsNone, "a parametrization is a subclass of `Parametrization`"),
    (HasNoParameters, "there are parameters"),
    (IsComplex, "parameters are real leaf tensors"),
    (StartsElsewhere, "a smooth image comes back up to 0.0039 per pixel, got 0.0"),
    (LosesWhite, "a white image comes back"),
    (LosesTheBatch, "the image has the shape and the type of the initial one"),
    (NeedsPixels, "an image of one pixel comes back"),
    (LeavesTheRange, "the image is in .0, 1. whatever the parameters are"),
    (LeavesTheRangeAfterAll, "clamping the parameters of a `projected` parametrization clamps the image"),
    (CutsTheGraph, "the image depends differentiably on the parameters"),
    (HasAnIdleParameter, "every parameter has a finite gradient"),
    (LiesAboutItsSlope, "the gradient is the slope of the image"),
    (SticksToTheBounds, "from a black image Adam comes half of the way"),
    (CannotBeColourful, "from a grey image Adam comes half of the way"),
    (SharesTheImage, "the initial image is copied"),
    (DrawsGlobally, "the global random state is left alone"),
    (FollowsTheMemory, "the memory layout of the initial image does not matter"),
    (IsRestless, "the same parameters give the same image"),
    (ForgetsWhenPickled, "a pickled one gives the same image"),
    (KeepsMoreThanItsState, "its `state_dict` is all that the image depends on"),
    (KeepsAPlainTensor, r"`double\(\)` gives the same image in float64"),
    (LeavesATensorBehind, "all its tensors move to another device"),
]


@pytest.mark.parametrize(("factory", "tolerance"), GOOD)
def test_a_good_parametrization_passes(
    factory: Callable[[Tensor], Parametrization], tolerance: float
) -> None:
    check_parametrization(factory, tolerance=tolerance)


@pytest.mark.parametrize(("factory", "promise"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_parametrization_is_caught(
    factory: Callable[[Tensor], Parametrization], promise: str
) -> None:
    with pytest.raises(AssertionError, match=f"A promise is broken: .*({promise})"):
        check_parametrization(factory)


def test_size_and_tolerance_are_up_to_the_caller() -> None:
    check_parametrization(partial(LowResolution, factor=2), size=(40, 56), tolerance=0.06)
    with pytest.raises(AssertionError, match=r"a smooth image comes back up to 0\.01 per pixel"):
        check_parametrization(partial(LowResolution, factor=4), size=(40, 56), tolerance=0.01)
