import numpy as np
import pytest
import torch
from PIL import Image

from pystyle.images import resize


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("size", "edge", "expected"),
    [
        (20, "short", (20, 30)),
        (20, "long", (13, 20)),
        (20, "height", (20, 30)),
        (20, "width", (13, 20)),
        (80, "short", (80, 120)),
        (1, "long", (1, 1)),
        ((7, 50), "short", (7, 50)),
    ],
)
def test_resize_gives_the_asked_edge_and_keeps_the_aspect_ratio(
    size: int | tuple[int, int], edge: str, expected: tuple[int, int]
) -> None:
    assert resize(noise(2, 3, 40, 60), size, edge=edge).shape == (2, 3, *expected)  # type: ignore[arg-type]


def test_resize_rounds_halves_up_and_keeps_at_least_one_pixel() -> None:
    assert resize(noise(1, 1, 10, 25), 5).shape == (1, 1, 5, 13)  # 12.5
    assert resize(noise(1, 1, 10, 27), 5).shape == (1, 1, 5, 14)  # 13.5
    assert resize(noise(1, 1, 2, 400), 50, edge="long").shape == (1, 1, 1, 50)  # 0.25


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(10, 13), (31, 47), (60, 90)])
def test_resize_agrees_with_pillow(interpolation: str, size: tuple[int, int]) -> None:
    image = noise(1, 1, 40, 60)
    method = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}[interpolation]
    pillow = Image.fromarray(image[0, 0].numpy()).resize(size[::-1], method)
    resized = resize(image, size, interpolation=interpolation)  # type: ignore[arg-type]
    # Pillow takes a = -0.5 for the cubic kernel, as torch does when it antialiases.
    np.testing.assert_allclose(resized[0, 0].numpy(), np.clip(np.asarray(pillow), 0, 1), atol=1e-4)


def test_resize_averages_when_it_shrinks() -> None:
    stripes = torch.tensor([0.0, 1.0]).repeat(64).expand(1, 3, 128, 128)
    torch.testing.assert_close(
        resize(stripes, 16)[..., 2:-2], torch.full((1, 3, 16, 12), 0.5), atol=0.02, rtol=0
    )


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("wrap", [None, "horizontal", "both"])
def test_resize_to_a_width_of_one_pixel_is_that_of_a_row_turned(interpolation: str, wrap: str | None) -> None:
    column = torch.linspace(0, 1, 7).reshape(1, 1, 7, 1).repeat(1, 3, 1, 1)
    options = {"interpolation": interpolation, "wrap": wrap}
    found = resize(column, (4, 1), **options)  # type: ignore[arg-type]
    # Columns that are all the same stay so, and two of them are resized as they should be.
    expected = resize(column.repeat(1, 1, 1, 2), (4, 2), **options)[..., :1]  # type: ignore[arg-type]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    assert found.is_contiguous()
    if (interpolation, wrap) == ("bicubic", None):
        torch.testing.assert_close(
            found[0, 0, :, 0], torch.tensor([0.0666, 0.3469, 0.6531, 0.9334]), rtol=0, atol=1e-4
        )


def test_resize_keeps_a_flat_image_flat() -> None:
    torch.testing.assert_close(resize(torch.full((1, 3, 50, 30), 0.3), 77), torch.full((1, 3, 128, 77), 0.3))


def test_resize_stays_between_zero_and_one() -> None:
    image = noise(1, 3, 20, 20).round()
    for size in (13, 57):
        resized = resize(image, size)
        assert resized.min() >= 0
        assert resized.max() <= 1


def test_resize_of_a_mask_of_ones_does_not_exceed_one_by_rounding() -> None:
    for height in (427, 458):
        resized = resize(torch.ones(1, 1, height, 640), (64, 96), interpolation="bilinear")
        assert resized.max() <= 1


def test_resize_with_nearest_repeats_and_mixes_nothing() -> None:
    mask = torch.tensor([[0.0, 1.0], [0.25, 0.5]])[None, None]
    bigger = resize(mask, 4, interpolation="nearest")
    assert torch.equal(bigger, mask.repeat_interleave(2, 2).repeat_interleave(2, 3))
    # The middle of three pixels stands for them.
    three = torch.tensor([0.0, 1.0, 0.0, 0.0, 1.0, 0.0]).reshape(1, 1, 1, 6)
    assert resize(three, (1, 2), interpolation="nearest").flatten().tolist() == [1, 1]


@pytest.mark.parametrize("size", [(8, 9), 8])
def test_resize_to_the_same_size_gives_a_new_tensor(size: int | tuple[int, int]) -> None:
    image = noise(1, 3, 8, 9)
    copy = resize(image, size)
    assert torch.equal(copy, image)
    copy.zero_()
    assert not torch.equal(copy, image)


@pytest.mark.parametrize("size", [5, 8, 20])
def test_resize_lets_gradients_through(size: int) -> None:
    image = noise(1, 3, 8, 8).requires_grad_()
    resize(image, size).sum().backward()
    assert image.grad is not None
    assert image.grad.sum() > 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
def test_resize_keeps_the_dtype(dtype: torch.dtype, interpolation: str) -> None:
    image = noise(1, 3, 8, 8).to(dtype)
    resized = resize(image, 5, interpolation=interpolation)  # type: ignore[arg-type]
    assert resized.dtype == dtype
    torch.testing.assert_close(
        resized.float(),
        resize(image.float(), 5, interpolation=interpolation),  # type: ignore[arg-type]
        atol=4e-3,
        rtol=0,
    )


def test_resize_does_not_depend_on_the_memory_layout() -> None:
    image = noise(2, 3, 12, 10)
    torch.testing.assert_close(
        resize(image.contiguous(memory_format=torch.channels_last), 5), resize(image, 5)
    )
    torch.testing.assert_close(resize(image.mT.contiguous().mT, 5), resize(image, 5))


@pytest.mark.parametrize("size", [0, -3, True, 2.5, "8", (4, 0), (4.5, 4), (4,), (4, 4, 4), None])
def test_resize_refuses_sizes_that_are_no_positive_integers(size: object) -> None:
    with pytest.raises((ValueError, TypeError), match=r"`size(\[\d\])?` must be"):
        resize(noise(1, 3, 8, 8), size)  # type: ignore[arg-type]


def test_resize_refuses_unknown_words() -> None:
    with pytest.raises(ValueError, match=r"`edge` must be one of .*'short', 'long'.*got 'min'"):
        resize(noise(1, 3, 8, 8), 4, edge="min")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"`interpolation` must be one of .*got 'lanczos'"):
        resize(noise(1, 3, 8, 8), 4, interpolation="lanczos")  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(3, 8, 8), (8, 8), (1, 3, 0, 8), (1, 1, 3, 8, 8)])
def test_resize_refuses_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"`image` must have shape \(batch, channels, height, width\)"):
        resize(torch.zeros(shape), 4)


def test_resize_refuses_integers() -> None:
    with pytest.raises(TypeError, match="must be a floating tensor"):
        resize(torch.zeros(1, 3, 8, 8, dtype=torch.uint8), 4)
