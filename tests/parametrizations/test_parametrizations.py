from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor

from pystyle.parametrizations import (
    Fourier,
    LaplacianPyramid,
    LowResolution,
    Parametrization,
    Pixels,
    clamp_with_gradient,
)
from pystyle.testing import check_parametrization

FACTORIES: dict[str, tuple[Callable[[Tensor], Parametrization], float]] = {
    "pixels": (Pixels, 0.0),
    "Laplacian pyramid": (LaplacianPyramid, 1e-6),
    "low Laplacian pyramid": (partial(LaplacianPyramid, num_levels=1), 1e-6),
    "no Laplacian pyramid": (partial(LaplacianPyramid, num_levels=0), 0.0),
    "Fourier": (Fourier, 1e-5),
    "Fourier with plain colours": (partial(Fourier, decorrelate=False), 1e-5),
    "Fourier without decay": (partial(Fourier, decay=0.0), 1e-5),
    "low resolution": (LowResolution, 0.15),
    "full resolution": (partial(LowResolution, factor=1), 0.0),
}


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", FACTORIES)
def test_a_parametrization_keeps_its_promises(name):
    factory, tolerance = FACTORIES[name]
    check_parametrization(factory, tolerance=tolerance)


@pytest.mark.parametrize("name", [name for name in FACTORIES if name != "low resolution"])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (8, 8), (9, 14), (16, 15), (31, 2)])
def test_noise_of_any_size_comes_back(name, size):
    image = noise(2, 3, *size)
    for dtype in (torch.float32, torch.float64):
        found = FACTORIES[name][0](image.to(dtype))()
        torch.testing.assert_close(found, image.to(dtype), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", FACTORIES)
def test_what_is_no_image_is_refused(name):
    factory, _ = FACTORIES[name]
    with pytest.raises(TypeError, match=r"`image` must be a floating tensor .*, got torch\.uint8"):
        factory(torch.zeros(1, 3, 4, 4, dtype=torch.uint8))
    with pytest.raises(TypeError, match=r"`image` must be a tensor, got a list"):
        factory([[0.0]])
    for shape in [(3, 4, 4), (1, 4, 4, 4), (1, 3, 0, 4)]:
        with pytest.raises(ValueError, match=r"`image` must have the shape \(batch, 3, height, width\)"):
            factory(torch.zeros(shape))


@pytest.mark.parametrize("name", ["Laplacian pyramid", "Fourier"])
def test_an_image_outside_the_range_is_clamped_before_it_is_taken_apart(name):
    image = 1.8 * noise(1, 3, 8, 9) - 0.4
    found, expected = FACTORIES[name][0](image), FACTORIES[name][0](image.clamp(0, 1))
    torch.testing.assert_close(found(), image.clamp(0, 1), rtol=0, atol=1e-5)
    for parameter, other in zip(found.parameters(), expected.parameters(), strict=True):
        assert torch.equal(parameter, other)


def test_pixels_take_values_outside_of_the_range():
    image = 1.8 * noise(1, 3, 8, 9) - 0.4
    assert torch.equal(Pixels(image)(), image)


def test_a_clamp_keeps_the_gradient_that_leads_inwards():
    image = torch.tensor([-1.0, -1.0, 0.0, 0.0, 0.3, 0.3, 1.0, 1.0, 2.0, 2.0], requires_grad=True)
    clamped = clamp_with_gradient(image)
    assert clamped.tolist() == pytest.approx([0, 0, 0, 0, 0.3, 0.3, 1, 1, 1, 1])
    (gradient,) = torch.autograd.grad(clamped, image, torch.tensor([1.0, -1.0]).repeat(5))
    assert gradient.tolist() == [0, -1, 1, -1, 1, -1, 1, -1, 1, 0]


def test_a_clamp_has_the_true_gradient_inside():
    image = (0.1 + 0.8 * noise(2, 3)).double().requires_grad_()
    assert torch.autograd.gradcheck(clamp_with_gradient, image)


def test_the_bands_of_four_pixels_are_their_mean_and_what_is_left():
    image = torch.tensor([[0.0, 0.2], [0.4, 1.0]]).expand(1, 3, 2, 2)
    detail, rest = LaplacianPyramid(image).bands
    torch.testing.assert_close(rest.detach(), torch.full((1, 3, 1, 1), 0.4))
    expected = torch.tensor([[-0.4, -0.2], [0.0, 0.6]]).expand(1, 3, 2, 2)
    torch.testing.assert_close(detail.detach(), expected)


@pytest.mark.parametrize(
    ("size", "num_levels", "sizes"),
    [
        ((64, 96), 5, [(64, 96), (32, 48), (16, 24), (8, 12), (4, 6), (2, 3)]),
        ((64, 96), 2, [(64, 96), (32, 48), (16, 24)]),
        ((7, 2), 5, [(7, 2), (4, 1), (2, 1), (1, 1)]),
        ((1, 1), 5, [(1, 1)]),
        ((8, 8), 0, [(8, 8)]),
    ],
)
def test_each_band_has_half_the_size_until_nothing_can_be_halved(size, num_levels, sizes):
    pyramid = LaplacianPyramid(torch.zeros(1, 3, *size), num_levels=num_levels)
    assert [tuple(band.shape[2:]) for band in pyramid.bands] == sizes


def test_there_are_five_levels_by_default_as_in_strotss():
    assert len(LaplacianPyramid(torch.zeros(1, 3, 128, 128)).bands) == 5 + 1


def test_a_step_in_the_coarsest_band_moves_all_pixels():
    image = 0.2 + 0.6 * noise(1, 3, 16, 24)
    pyramid = LaplacianPyramid(image)
    with torch.no_grad():
        pyramid.bands[-1] += 0.1
    torch.testing.assert_close(pyramid(), image + 0.1)


def test_a_flat_image_has_no_detail():
    *details, rest = LaplacianPyramid(torch.full((1, 3, 13, 18), 0.3)).bands
    assert all(detail.abs().max() < 1e-6 for detail in details)
    torch.testing.assert_close(rest.detach(), torch.full_like(rest, 0.3))


def jacobian(parametrization: Parametrization) -> Tensor:
    """One row for each number of the image, one column for each parameter, by unit steps."""
    columns = []
    with torch.no_grad():
        start = parametrization()
        for parameter in parametrization.parameters():
            flat = parameter.view(-1)
            for index in range(len(flat)):
                flat[index] += 0.01
                columns.append((parametrization() - start).flatten() / 0.01)
                flat[index] -= 0.01
    return torch.stack(columns, 1)


@pytest.mark.parametrize("size", [(4, 6), (5, 7), (1, 8), (6, 1)])
@pytest.mark.parametrize("arguments", [{}, {"decay": 0.0}, {"decay": 1.5, "decorrelate": False}])
def test_unit_steps_in_all_coefficients_move_the_pixels_by_one_in_root_mean_square(size, arguments):
    # Independent coefficients of variance 1 give pixels whose mean variance is the mean squared row.
    grey = torch.full((1, 3, *size), 0.5, dtype=torch.float64)
    matrix = jacobian(Fourier(grey, **arguments))
    assert matrix.square().sum(1).mean().sqrt().item() == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("decay", [0.0, 1.0, 2.0])
def test_a_coefficient_is_a_wave_whose_height_decays_with_its_frequency(decay):
    height, width = 8, 16
    grey = torch.full((1, 3, height, width), 0.5, dtype=torch.float64)
    x = torch.arange(width, dtype=torch.float64)
    heights = []
    for frequency in (1, 2, 4):
        fourier = Fourier(grey, decay=decay, decorrelate=False)
        with torch.no_grad():
            fourier.spectrum[0, 1, 0, frequency, 0] += 0.1
        change = (fourier() - grey).detach()
        assert change[0, [0, 2]].abs().max() < 1e-9
        heights.append(change[0, 1, 0, 0])
        wave = heights[-1] * torch.cos(2 * torch.pi * frequency * x / width)
        torch.testing.assert_close(change[0, 1], wave.expand(height, width))
    fourier = Fourier(grey, decay=decay, decorrelate=False)
    with torch.no_grad():
        fourier.spectrum[0, 1, 0, 0, 0] += 0.1
    # The mean has the factor of the longest wave, but no conjugate that doubles it.
    change = (fourier() - grey).detach()[0, 1]
    torch.testing.assert_close(change, (heights[0] / 2).expand(height, width))
    assert (heights[0] / heights[1]).item() == pytest.approx(2**decay)
    assert (heights[0] / heights[2]).item() == pytest.approx(4**decay)


def test_uncorrelated_colours_are_brightness_and_two_smaller_ones():
    grey = torch.full((1, 3, 4, 4), 0.5, dtype=torch.float64)
    directions = []
    for component in range(3):
        fourier = Fourier(grey)
        with torch.no_grad():
            fourier.spectrum[0, component, 0, 0, 0] += 0.01
        change = (fourier() - grey).detach()
        torch.testing.assert_close(change, change[..., :1, :1].expand_as(change))
        directions.append(change[0, :, 0, 0])
    first, second, third = directions
    torch.testing.assert_close(first / first[0], torch.tensor([1, 27 / 26, 27 / 26], dtype=torch.float64))
    torch.testing.assert_close(second / second[0], torch.tensor([1, 0, -1], dtype=torch.float64))
    torch.testing.assert_close(third / third[0], torch.tensor([1, -2.5, 1.5], dtype=torch.float64))
    assert first.norm() > 3 * second.norm() > 3 * third.norm()


def test_a_fourier_transform_in_half_precision_is_refused():
    with pytest.raises(TypeError, match=r"must be of float32 or float64 .*, got torch\.bfloat16"):
        Fourier(torch.zeros(1, 3, 4, 4, dtype=torch.bfloat16))


def test_a_low_resolution_takes_means_and_enlarges_them():
    image = torch.zeros(1, 3, 8, 8)
    image[..., 4:] = 1
    small = LowResolution(image, factor=4)
    torch.testing.assert_close(small.pixels.mean().detach(), torch.tensor(0.5))
    assert small.pixels.shape == (1, 3, 2, 2)
    low, high = small.pixels[0, 0, 0].tolist()
    # Bilinear: the centres of the small pixels are at 1.5 and 5.5, and flat beyond.
    expected = [low] * 2 + [low + (high - low) * (x - 1.5) / 4 for x in (2, 3, 4, 5)] + [high] * 2
    assert small()[0, 0, 3].tolist() == pytest.approx(expected)
    stripes = torch.tensor([1.0, 0, 0, 0]).repeat(8).expand(1, 3, 32, 32)
    torch.testing.assert_close(
        LowResolution(stripes, factor=4).pixels.detach(), torch.full((1, 3, 8, 8), 0.25), rtol=0, atol=0.1
    )
    assert LowResolution(torch.zeros(1, 3, 9, 5), factor=4).pixels.shape == (1, 3, 3, 2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_low_resolution_one_pixel_wide_takes_means_of_its_rows(dtype):
    ramp = torch.linspace(0, 1, 8, dtype=dtype).reshape(1, 1, 8, 1).expand(1, 3, 8, 4)
    # A triangle of 5/8, 7/8, 7/8, 5/8, 3/8, 1/8 on the first six rows: 53/8 of 28/8, of seven.
    low, high = LowResolution(ramp, factor=4).pixels.detach()[0, 0, :, 0].tolist()
    tolerance = 1e-6 if dtype == torch.float32 else 4e-3
    assert low == pytest.approx(53 / 28 / 7, abs=tolerance)
    assert high == pytest.approx(1 - 53 / 28 / 7, abs=tolerance)


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        (partial(LaplacianPyramid, num_levels=-1), "`num_levels` must not be negative, got -1"),
        (partial(LowResolution, factor=0), "`factor` must be at least 1, got 0"),
        (partial(Fourier, decay=-1.0), r"`decay` must not be negative, got -1\.0"),
    ],
)
def test_an_impossible_argument_is_named(factory, message):
    with pytest.raises(ValueError, match=message):
        factory(torch.zeros(1, 3, 4, 4))
