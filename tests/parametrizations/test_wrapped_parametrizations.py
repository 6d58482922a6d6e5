"""What neighbouring pixels share they share across the border of an image that wraps."""

from functools import partial

import pytest
import torch

from pystyle import Criterion, TotalVariationLoss, optimize_image
from pystyle.parametrizations import Fourier, LaplacianPyramid, LowResolution, Parametrization, Pixels
from pystyle.pyramid import Pyramid

AXES = {"both": (2, 3), "horizontal": (3,)}
PIXEL = torch.zeros(1, 3, 16, 16, dtype=torch.float64).fill_(0.5)


@pytest.mark.parametrize("wrap", ["both", "horizontal"])
@pytest.mark.parametrize("kind", [LaplacianPyramid, partial(LowResolution, factor=4)])
def test_a_shifted_image_has_the_shifted_gradient(kind, wrap):
    image = torch.rand(PIXEL.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weights = torch.rand(PIXEL.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    axes = AXES[wrap]
    shift = [8] * len(axes)

    def picture_after_a_step(image, weights):
        made = kind(image, wrap=wrap)
        if isinstance(made, LaplacianPyramid):
            made = kind(image, num_levels=3, wrap=wrap)
        (made() * weights).sum().backward()
        with torch.no_grad():
            for parameter in made.parameters():
                parameter -= 0.01 * parameter.grad
        return made().detach()

    found = picture_after_a_step(image, weights)
    moved = picture_after_a_step(image.roll(shift, axes), weights.roll(shift, axes))
    torch.testing.assert_close(moved, found.roll(shift, axes))


@pytest.mark.parametrize("kind", [LaplacianPyramid, LowResolution])
def test_the_image_comes_back_and_sides_may_be_odd(kind):
    image = torch.rand(1, 3, 9, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    made = kind(image, wrap="both")
    assert made().shape == image.shape
    if kind is LaplacianPyramid:
        torch.testing.assert_close(made(), image)


@pytest.mark.parametrize("kind", [LaplacianPyramid, LowResolution])
def test_an_unknown_wrap_is_refused(kind):
    with pytest.raises(ValueError, match="`wrap` must be 'both'"):
        kind(PIXEL, wrap="vertical")


def test_they_say_what_they_can():
    assert all(kind(PIXEL).wraps(wrap) for kind in (Pixels, Fourier) for wrap in AXES)
    for kind in (LaplacianPyramid, LowResolution):
        assert [kind(PIXEL).wraps(wrap) for wrap in AXES] == [False, False]
        assert [kind(PIXEL, wrap="both").wraps(wrap) for wrap in AXES] == [True, True]
        assert [kind(PIXEL, wrap="horizontal").wraps(wrap) for wrap in AXES] == [False, True]


class Own(Parametrization):
    def __init__(self, image):
        super().__init__()
        self.pixels = torch.nn.Parameter(image.clone())

    def forward(self):
        return self.pixels


@pytest.mark.parametrize("kind", [LaplacianPyramid, Own])
def test_a_run_refuses_one_that_would_give_a_seam(kind):
    criterion = Criterion(None, {"smoothness": TotalVariationLoss()}, wrap="both")
    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="`parametrization` must make images that wrap"):
        optimize_image(criterion, {}, init=image, parametrization=kind, num_steps=1)
    with pytest.raises(ValueError, match="`parametrization` must make images that wrap"):
        Pyramid([8], 1).optimize(criterion, {}, init=image, parametrization=kind)
    wrapping = partial(LaplacianPyramid, wrap="both")
    result = optimize_image(
        criterion, {}, init=image, parametrization=wrapping, optimizer=torch.optim.Adam, num_steps=1
    )
    assert result.image.shape == image.shape
