import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import matting_energy, matting_laplacian


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def dense_laplacian(image: Tensor, eps: float) -> np.ndarray:
    """The matrix of one image by its definition, pixel pair by pixel pair."""
    colours = image[0].double().numpy()
    channels, height, width = colours.shape
    matrix = np.zeros((height * width, height * width))
    for top, left in np.ndindex(max(height - 2, 0), max(width - 2, 0)):
        window = [(top + y, left + x) for y in range(3) for x in range(3)]
        values = np.array([colours[:, y, x] for y, x in window])
        mean = values.mean(0)
        covariance = sum(np.outer(v - mean, v - mean) for v in values) / 9
        inverse = np.linalg.inv(covariance + eps / 9 * np.eye(channels))
        for i, (y, x) in enumerate(window):
            for j, (other_y, other_x) in enumerate(window):
                affinity = (1 + (values[i] - mean) @ inverse @ (values[j] - mean)) / 9
                matrix[y * width + x, other_y * width + other_x] += (i == j) - affinity
    return matrix


def matrix_of(laplacian: Tensor) -> np.ndarray:
    """The matrix whose quadratic form :func:`matting_energy` is: the gradient at each unit image."""
    height, width = laplacian.shape[2:]
    pixels = height * width
    units = torch.eye(pixels, dtype=laplacian.dtype).view(pixels, 1, height, width).requires_grad_()
    energy = matting_energy(units, laplacian)
    (gradient,) = torch.autograd.grad(energy, units)
    return (gradient.view(pixels, pixels) * pixels * pixels / 2).numpy()


@pytest.mark.parametrize("eps", [1e-7, 1e-2])
@pytest.mark.parametrize(("channels", "height", "width"), [(3, 6, 6), (1, 3, 5), (3, 5, 3), (2, 4, 7)])
def test_matting_laplacian_is_the_matrix_of_its_definition(
    channels: int, height: int, width: int, eps: float
) -> None:
    image = noise(1, channels, height, width)
    expected = dense_laplacian(image, eps)
    found = matrix_of(matting_laplacian(image, eps=eps))
    np.testing.assert_allclose(found, expected, atol=1e-9 * np.abs(expected).max())


def test_matting_energy_is_the_quadratic_form_summed_over_channels_per_pixel() -> None:
    content, image = noise(1, 3, 6, 6), noise(1, 3, 6, 6, seed=1)
    vectors = image[0].flatten(1).numpy()
    expected = sum(v @ dense_laplacian(content, 1e-7) @ v for v in vectors) / 36
    value = float(matting_energy(image, matting_laplacian(content)))
    assert value == pytest.approx(expected, rel=1e-9)


def test_matting_laplacian_is_symmetric_and_positive_and_its_rows_sum_to_0() -> None:
    matrix = matrix_of(matting_laplacian(noise(1, 3, 6, 6)))
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-10)
    np.testing.assert_allclose(matrix.sum(1), 0, atol=1e-10)
    values = np.linalg.eigvalsh(matrix)
    assert values[0] > -1e-10
    assert values[-1] > 0.1


def test_a_recolouring_costs_nothing_and_another_image_does() -> None:
    content = noise(1, 3, 12, 12)
    laplacian = matting_laplacian(content)
    mixed = torch.einsum("dc,nchw->ndhw", noise(3, 3, seed=1), content) - 0.3
    assert float(matting_energy(mixed, laplacian)) < 1e-6
    assert float(matting_energy(torch.full_like(content, 0.7), laplacian)) == pytest.approx(0, abs=1e-12)
    assert float(matting_energy(noise(1, 3, 12, 12, seed=2), laplacian)) > 0.1


def test_a_recolouring_may_differ_from_window_to_window() -> None:
    # Two halves that share no window: a flat column of three pixels between them belongs to both maps.
    content = noise(1, 3, 8, 16)
    content[..., 7:9] = 0.5
    image = content.clone()
    image[..., :7] = 0.5 + 2 * (content[..., :7] - 0.5)
    image[..., 9:] = 1 - content[..., 9:]
    assert float(matting_energy(image, matting_laplacian(content))) < 1e-6


def test_a_larger_eps_makes_steep_maps_of_colours_cost_more() -> None:
    content = noise(1, 3, 8, 8)
    costs = [float(matting_energy(content, matting_laplacian(content, eps=eps))) for eps in (1e-7, 1e-3)]
    # Without eps the content is its own recolouring. Each window pays about eps per channel.
    assert costs[0] < 1e-6
    assert 1e-4 < costs[1] < 3e-3


def test_a_strip_at_a_time_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    image = noise(2, 3, 9, 7)
    whole = matting_laplacian(image)
    monkeypatch.setattr("pystyle.functional._matting._WINDOWS_AT_ONCE", 28)  # two rows of two images
    torch.testing.assert_close(matting_laplacian(image), whole, rtol=1e-12, atol=1e-12)


def test_single_precision_is_nearly_exact() -> None:
    content, image = noise(1, 3, 16, 16), noise(1, 3, 16, 16, seed=1)
    smooth = torch.linspace(0, 1, 16, dtype=torch.float64).expand(1, 3, 16, 16) + 1e-3 * content
    for reference in (content, smooth):
        exact = matting_energy(image, matting_laplacian(reference))
        single = matting_energy(image.float(), matting_laplacian(reference).float())
        assert single.dtype == torch.float32
        assert float(single) == pytest.approx(float(exact), rel=1e-5)


def test_flat_and_black_contents_have_finite_laplacians() -> None:
    for value in (0.0, 0.5):
        laplacian = matting_laplacian(torch.full((1, 3, 6, 6), value))
        image = noise(1, 3, 6, 6, dtype=torch.float32).requires_grad_()
        energy = matting_energy(image, laplacian)
        (gradient,) = torch.autograd.grad(energy, image)
        assert gradient.isfinite().all()
        assert energy > 0


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (5, 2), (1, 9)])
def test_images_without_a_window_cost_nothing(size: tuple[int, int]) -> None:
    image = noise(1, 3, *size).requires_grad_()
    energy = matting_energy(image, matting_laplacian(image.detach()))
    (gradient,) = torch.autograd.grad(energy, image)
    assert energy == 0
    assert torch.equal(gradient, torch.zeros_like(gradient))


def test_a_batch_is_averaged_and_may_share_a_laplacian() -> None:
    contents, images = noise(2, 3, 5, 6), noise(2, 3, 5, 6, seed=1)
    laplacian = matting_laplacian(contents)
    singles = [float(matting_energy(images[n : n + 1], laplacian[n : n + 1])) for n in range(2)]
    assert float(matting_energy(images, laplacian)) == pytest.approx(sum(singles) / 2)
    shared = [float(matting_energy(images[n : n + 1], laplacian[:1])) for n in range(2)]
    assert float(matting_energy(images, laplacian[:1])) == pytest.approx(sum(shared) / 2)


def test_matting_energy_has_the_gradients_of_finite_differences() -> None:
    laplacian = matting_laplacian(noise(1, 3, 4, 5))
    image = noise(2, 2, 4, 5, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: matting_energy(x, laplacian), image)
    assert torch.autograd.gradgradcheck(lambda x: matting_energy(x, laplacian), image)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match=r"`image` must have the axes .*, got \(3, 4, 4\)"):
        matting_laplacian(torch.zeros(3, 4, 4))
    with pytest.raises(ValueError, match="`eps` must be positive, got 0"):
        matting_laplacian(torch.zeros(1, 3, 4, 4), eps=0)
    laplacian = matting_laplacian(torch.zeros(1, 3, 4, 4))
    with pytest.raises(ValueError, match=r"got the shapes \(1, 3, 4, 5\) and \(1, 12, 4, 4\)\. .* same size"):
        matting_energy(torch.zeros(1, 3, 4, 5), laplacian)
    with pytest.raises(ValueError, match="must have the size of the content"):
        matting_energy(torch.zeros(1, 3, 4, 4), laplacian.expand(2, -1, -1, -1))
