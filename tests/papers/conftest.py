"""Small pictures and a random VGG-19, for formulas that are written out in the tests."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.encoders import SequentialEncoder, vgg19
from pystyle.papers.gatys_2015 import average_pooling


@pytest.fixture(scope="session")
def encoder() -> SequentialEncoder:
    """A random VGG-19."""
    return vgg19(weights=None)


@pytest.fixture(scope="session")
def exact_encoder() -> SequentialEncoder:
    """The same in float64."""
    return vgg19(weights=None).double()


@pytest.fixture(scope="session")
def exact_averaging_encoder(exact_encoder: SequentialEncoder) -> SequentialEncoder:
    """The same with plain average pooling."""
    return average_pooling(exact_encoder)


@pytest.fixture(scope="session")
def picture() -> Callable[..., Tensor]:
    """Smooth coloured noise in [0, 1] of a seed."""

    def make(seed: int, height: int = 32, width: int = 48, dtype: torch.dtype = torch.float64) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        coarse = torch.rand(1, 3, height // 4, width // 4, generator=generator)
        smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")
        fine = torch.rand(1, 3, height, width, generator=generator)
        return (0.8 * smooth + 0.2 * fine).to(dtype)

    return make


@pytest.fixture(scope="session")
def check_formula() -> Callable[..., None]:
    """Compares value and gradient of a criterion with those of a function of the image."""

    def check(
        criterion: Criterion,
        references: dict[str, Tensor],
        image: Tensor,
        formula: Callable[[Tensor], Tensor],
        tolerance: float = 1e-5,
    ) -> None:
        image = image.detach().requires_grad_()
        ours = criterion.bind(references)(image).total
        (our_gradient,) = torch.autograd.grad(ours, image)
        theirs = formula(image)
        (their_gradient,) = torch.autograd.grad(theirs, image)
        assert float(their_gradient.norm()) > 0
        torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=0)
        difference = (our_gradient - their_gradient).norm() / their_gradient.norm()
        assert float(difference) < tolerance

    return check
