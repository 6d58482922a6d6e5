import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import differentiable_augmentation


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def augmented(images: Tensor, *policy: str, seed: int = 0) -> Tensor:
    return differentiable_augmentation(images, policy, generator=torch.Generator().manual_seed(seed))  # type: ignore[arg-type]


def test_colours_are_those_of_the_authors_ranges_in_their_own_units() -> None:
    images = noise(4, 3, 5, 6)
    draws = torch.rand(3, 4, generator=torch.Generator().manual_seed(7)).double().numpy()
    expected = []
    for image, (brightness, saturation, contrast) in zip(images.numpy(), draws.T, strict=True):
        value = 2 * image - 1  # in [-1, 1]
        value = value + (-0.5 + brightness)
        grey = value.mean(axis=0)
        value = grey + (value - grey) * (2 * saturation)
        mean = value.mean()
        value = mean + (value - mean) * (0.5 + contrast)
        expected.append((value + 1) / 2)
    np.testing.assert_allclose(augmented(images, "color", seed=7).numpy(), np.stack(expected), rtol=1e-12)


def test_colours_fill_their_ranges() -> None:
    # One image of a flat colour: its mean is moved and nothing else.
    grey = augmented(torch.full((2000, 3, 1, 1), 0.5), "color") - 0.5
    assert grey.min().item() == pytest.approx(-0.25, abs=1e-3)
    assert grey.max().item() == pytest.approx(0.25, abs=1e-3)
    # Grey pixels of two levels: no saturation, but contrast.
    levels = augmented(torch.tensor([0.4, 0.6]).expand(2000, 3, 1, 2), "color")
    factors = (levels[..., 1] - levels[..., 0]) / 0.2
    assert factors.min().item() == pytest.approx(0.5, abs=2e-3)
    assert factors.max().item() == pytest.approx(1.5, abs=2e-3)
    # Two pixels of opposite colours: the saturation's factor times that of contrast.
    pure = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])[None, :, None].expand(4000, 3, 1, 2)
    factors = (augmented(pure, "color")[:, 0, 0] - 0.5).diff(dim=1)
    assert factors.min().item() == pytest.approx(-3, abs=0.2)
    assert -0.01 < factors.max().item() < 0


def moved(image: np.ndarray, down: int, right: int) -> np.ndarray:
    result = np.full_like(image, 0.5)
    _, height, width = image.shape
    for y in range(height):
        for x in range(width):
            if 0 <= y - down < height and 0 <= x - right < width:
                result[:, y, x] = image[:, y - down, x - right]
    return result


def test_translations_are_whole_pixels_up_to_an_eighth_and_what_comes_in_is_grey() -> None:
    images = noise(60, 3, 16, 8)
    seen = set()
    for before, after in zip(images.numpy(), augmented(images, "translation").numpy(), strict=True):
        steps = [(d, r) for d in range(-4, 5) for r in range(-4, 5)]
        found = [step for step in steps if np.array_equal(moved(before, *step), after)]
        assert len(found) == 1
        seen.update(found)
    # All of 2 pixels in height and 1 in width, and nothing beyond.
    assert seen == {(d, r) for d in range(-2, 3) for r in range(-1, 2)}


@pytest.mark.parametrize(("size", "most"), [(3, 0), (4, 1), (11, 1), (12, 2)])
def test_an_eighth_is_rounded_to_the_nearest_pixel(size: int, most: int) -> None:
    columns = torch.arange(1.0, size + 1).expand(80, 1, 1, size)
    firsts = augmented(columns, "translation")[:, 0, 0]
    shifts = {int((row - torch.arange(1, size + 1))[size // 2]) for row in firsts}
    assert shifts == set(range(-most, most + 1))


@pytest.mark.parametrize(("height", "width"), [(8, 6), (5, 7), (2, 3)])
def test_cutouts_are_grey_rectangles_of_half_the_size_that_can_be_partly_outside(
    height: int, width: int
) -> None:
    images = noise(300, 3, height, width) / 4
    after = augmented(images, "cutout")
    grey = after == 0.5
    assert torch.equal(after[~grey], images[~grey])
    seen = []
    for mask in grey.numpy():
        assert (mask == mask[:1]).all()
        rows, columns = (np.flatnonzero(mask[0].any(axis=axis)) for axis in (1, 0))
        assert mask[0].sum() == len(rows) * len(columns)
        assert (np.diff(rows) == 1).all()
        assert (np.diff(columns) == 1).all()
        seen.append((rows[0], rows[-1], columns[0], columns[-1]))
    for axis, size in ((0, height), (2, width)):
        length = (size + 1) // 2
        # As the authors place it: its middle, rounded up, at 0, ..., size - 1, or also at size if it is even.
        middles = range(size + 1) if length % 2 == 0 else range(size)
        starts = [middle - length // 2 for middle in middles]
        ends = {(max(0, start), min(size, start + length) - 1) for start in starts}
        assert {(item[axis], item[axis + 1]) for item in seen} == ends


def test_each_image_has_draws_of_its_own() -> None:
    for part in ("color", "translation", "cutout"):
        same = noise(1, 3, 32, 32).expand(6, -1, -1, -1)
        assert len({image.numpy().tobytes() for image in augmented(same, part)}) > 3


def test_the_policy_is_followed_in_its_order_with_one_stream_of_numbers() -> None:
    images, generator = noise(2, 3, 16, 16), torch.Generator().manual_seed(5)
    expected = images
    for part in ("cutout", "color", "translation"):
        expected = differentiable_augmentation(expected, [part], generator=generator)  # type: ignore[list-item]
    assert torch.equal(augmented(images, "cutout", "color", "translation", seed=5), expected)
    default = differentiable_augmentation(images, generator=torch.Generator().manual_seed(5))
    assert torch.equal(augmented(images, "color", "translation", "cutout", seed=5), default)


def test_the_same_seed_gives_the_same_images() -> None:
    images = noise(2, 3, 16, 16)
    assert torch.equal(
        augmented(images, "color", "translation", "cutout"),
        augmented(images, "color", "translation", "cutout"),
    )
    torch.manual_seed(11)
    drawn = differentiable_augmentation(images)
    assert torch.equal(drawn, augmented(images, "color", "translation", "cutout", seed=11))
    assert not torch.equal(drawn, differentiable_augmentation(images))


def test_nothing_is_done_and_drawn_without_a_policy() -> None:
    images, state = noise(2, 3, 8, 8), torch.get_rng_state()
    assert torch.equal(differentiable_augmentation(images, ()), images)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("part", ["color", "translation", "cutout"])
def test_the_gradient_is_that_of_finite_differences(part: str) -> None:
    images = noise(2, 3, 6, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: augmented(x, part), images)
    assert torch.autograd.gradgradcheck(lambda x: augmented(x, part).pow(3), images)


def test_values_can_leave_the_range_and_keep_their_gradient_there() -> None:
    images = torch.ones(20, 3, 4, 4, requires_grad=True)
    bright = augmented(images, "color")
    assert bright.max() > 1.1
    (gradient,) = torch.autograd.grad(bright.sum(), images)
    # The mean of an image passes all parts with a factor of one.
    assert torch.allclose(gradient.sum((1, 2, 3)), torch.full((20,), 48.0))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_precision_is_kept(dtype: torch.dtype) -> None:
    images = noise(2, 3, 8, 8)
    found = augmented(images.to(dtype), "color", "translation", "cutout")
    assert found.dtype == dtype
    assert torch.allclose(found.double(), augmented(images, "color", "translation", "cutout"), atol=0.05)


def test_wrong_arguments_are_refused() -> None:
    images = noise(1, 3, 8, 8)
    with pytest.raises(ValueError, match=r"`policy` must be some of \('color', .*\), got 'colour'."):
        augmented(images, "cutout", "colour")
    with pytest.raises(
        TypeError, match=r"must be a sequence of names, got the text 'color'. Use \['color'\]"
    ):
        differentiable_augmentation(images, "color")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"`images` must have the shape \(batch, .*, got \(3, 8, 8\)"):
        differentiable_augmentation(images[0])
    with pytest.raises(TypeError, match="`images` must be a floating tensor"):
        differentiable_augmentation(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))
