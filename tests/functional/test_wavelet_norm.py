import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import wavelet_norm

ROOT = 3**0.5
LOW_PASS = {
    "haar": [0.5, 0.5],
    "db2": [(1 + ROOT) / 8, (3 + ROOT) / 8, (3 - ROOT) / 8, (1 - ROOT) / 8],
}


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def expected_norm(image: Tensor, wavelet: str, num_levels: int, exponent: float) -> float:
    """The definition, with plain loops: each band is a double sum over two sets of taps."""
    low_pass = LOW_PASS[wavelet]
    high_pass = [low_pass[len(low_pass) - 1 - n] * (1 if n % 2 == 0 else -1) for n in range(len(low_pass))]
    total, low = 0.0, image.numpy()
    for level in range(num_levels):
        step = 2**level
        start = (len(low_pass) - 1) * step // 2

        def band(down: list[float], across: list[float], source: np.ndarray = low) -> np.ndarray:
            height, width = source.shape[2:]
            result = np.zeros_like(source)
            for y, x in np.ndindex(height, width):
                for m, row_tap in enumerate(down):
                    for n, column_tap in enumerate(across):
                        row = min(max(y - start + m * step, 0), height - 1)  # noqa: B023
                        column = min(max(x - start + n * step, 0), width - 1)  # noqa: B023
                        result[:, :, y, x] += row_tap * column_tap * source[:, :, row, column]
            return result

        for down, across in ((high_pass, low_pass), (low_pass, high_pass), (high_pass, high_pass)):
            total += (np.abs(band(down, across)) ** exponent).mean()
        low = band(low_pass, low_pass)
    return total


@pytest.mark.parametrize("wavelet", ["haar", "db2"])
@pytest.mark.parametrize(("num_levels", "exponent"), [(1, 1.0), (2, 2.0), (3, 1.5)])
def test_wavelet_norm_follows_the_definition(wavelet: str, num_levels: int, exponent: float) -> None:
    image = noise(2, 3, 5, 7)
    value = wavelet_norm(image, wavelet=wavelet, num_levels=num_levels, exponent=exponent)  # type: ignore[arg-type]
    assert float(value) == pytest.approx(expected_norm(image, wavelet, num_levels, exponent), rel=1e-12)


def test_wavelet_norm_of_four_pixels_is_worked_out_by_hand() -> None:
    # Every detail is a difference of pairs; the last row and column are repeated.
    image = torch.tensor([[[[1.0, 5.0], [9.0, 1.0]]]])
    # D vertical: (1 + 5 - 9 - 1)/4, (5 - 1)/2, 0, 0; horizontal: (1 + 9 - 5 - 1)/4, 0, (9 - 1)/2, 0;
    # diagonal: (1 + 1 - 5 - 9)/4, 0, 0, 0.
    assert float(wavelet_norm(image, num_levels=1)) == pytest.approx((1 + 2 + 1 + 4 + 3) / 4)
    assert float(wavelet_norm(image, num_levels=1, exponent=2)) == pytest.approx((1 + 4 + 1 + 16 + 9) / 4)


@pytest.mark.parametrize("wavelet", ["haar", "db2"])
@pytest.mark.parametrize("num_levels", [1, 2, 3])
def test_details_and_the_rest_have_the_energy_of_the_image(wavelet: str, num_levels: int) -> None:
    # A single bright pixel, far from the borders. What is left of it is smeared by the product of both low
    # passes of all levels.
    image = torch.zeros(1, 1, 64, 64, dtype=torch.float64)
    image[..., 32, 32] = 1
    left = np.ones(1)
    for level in range(num_levels):
        stretched = np.zeros((len(LOW_PASS[wavelet]) - 1) * 2**level + 1)
        stretched[:: 2**level] = LOW_PASS[wavelet]
        left = np.convolve(left, stretched)
    value = 64 * 64 * wavelet_norm(image, wavelet=wavelet, num_levels=num_levels, exponent=2)  # type: ignore[arg-type]
    assert float(value) == pytest.approx(1 - (left**2).sum() ** 2, rel=1e-12)


def test_a_ramp_is_detail_for_haar_and_not_for_db2() -> None:
    ramp = torch.arange(200.0, dtype=torch.float64).expand(1, 1, 4, 200)
    assert float(wavelet_norm(ramp, num_levels=1)) == pytest.approx(0.5, rel=0.01)
    assert float(wavelet_norm(ramp, num_levels=1, wavelet="db2")) < 0.01  # the two borders


def test_wavelet_norm_does_not_grow_with_the_size_of_the_image() -> None:
    small, large = noise(1, 1, 16, 16).repeat(1, 1, 4, 4), noise(1, 1, 16, 16).repeat(1, 1, 8, 8)
    assert float(wavelet_norm(small)) == pytest.approx(float(wavelet_norm(large)), rel=0.05)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 3, 1, 7), (2, 1, 3, 2)])
@pytest.mark.parametrize("wavelet", ["haar", "db2"])
def test_wavelet_norm_takes_images_of_any_size(wavelet: str, shape: tuple[int, ...]) -> None:
    image = noise(*shape).requires_grad_()
    value = wavelet_norm(image, wavelet=wavelet, num_levels=4)  # type: ignore[arg-type]
    (gradient,) = torch.autograd.grad(value, image)
    assert gradient.isfinite().all()
    assert (value > 1e-9) == (image.shape[2:].numel() > 1)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_wavelet_norm_of_a_flat_image_is_0_and_so_is_its_gradient(exponent: float) -> None:
    image = torch.full((1, 3, 6, 6), 0.5, requires_grad=True)
    value = wavelet_norm(image, exponent=exponent)
    (gradient,) = torch.autograd.grad(value, image)
    assert value == 0
    assert torch.equal(gradient, torch.zeros_like(image))


@pytest.mark.parametrize("wavelet", ["haar", "db2"])
@pytest.mark.parametrize("exponent", [1.0, 2.0])
def test_wavelet_norm_has_the_gradient_of_finite_differences(wavelet: str, exponent: float) -> None:
    image = noise(1, 2, 4, 5).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: wavelet_norm(x, wavelet=wavelet, num_levels=2, exponent=exponent),  # type: ignore[arg-type]
        image,
    )


def test_wavelet_norm_refuses_wrong_arguments() -> None:
    image = torch.zeros(1, 1, 4, 4)
    with pytest.raises(ValueError, match="`num_levels` must be at least 1, got 0"):
        wavelet_norm(image, num_levels=0)
    with pytest.raises(ValueError, match=r"`wavelet` must be one of \('haar', 'db2'\), got 'morlet'"):
        wavelet_norm(image, wavelet="morlet")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`exponent` must be positive, got -1"):
        wavelet_norm(image, exponent=-1)
    with pytest.raises(ValueError, match=r"`image` must have the axes .*, got \(4, 4\)"):
        wavelet_norm(image[0, 0])
