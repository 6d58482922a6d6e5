import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.colors import linear_to_rgb, match_colors, oklab_to_rgb, rgb_to_linear, rgb_to_oklab, rgb_to_yiq
from pystyle.images import quantise

LINEAR = ["symmetric", "cholesky", "pca"]
METHODS = [*LINEAR, "histogram"]
SPACES = ["rgb", "linear_rgb", "yiq", "oklab", "principal"]


def colourful(seed: int, height: int = 12, width: int = 17, batch: int = 1) -> Tensor:
    """An image whose channels are correlated, within (0.2, 0.8)."""
    generator = torch.Generator().manual_seed(seed)
    free = torch.rand(batch, 3, height, width, generator=generator, dtype=torch.float64)
    mixing = torch.eye(3, dtype=torch.float64) + torch.rand(3, 3, generator=generator, dtype=torch.float64)
    mixed = torch.einsum("ij,njhw->nihw", mixing / mixing.sum(1, keepdim=True), free)
    return 0.2 + 0.6 * mixed


def statistics(image: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of one image, by numpy."""
    colours = image[0].flatten(1).numpy()
    return colours.mean(1), np.cov(colours, bias=True)


IMAGE, REFERENCE = colourful(0), colourful(1, 9, 20)


def assert_same_statistics(image: Tensor, reference: Tensor, tolerance: float = 1e-4) -> None:
    for found, expected in zip(statistics(image), statistics(reference), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("method", LINEAR)
def test_mean_and_covariance_are_those_of_the_reference(method, space, dtype):
    matched = match_colors(
        IMAGE.to(dtype), REFERENCE.to(dtype), method=method, space=space, clamp=False
    ).double()
    forward = {"linear_rgb": rgb_to_linear, "yiq": rgb_to_yiq, "oklab": rgb_to_oklab}.get(space, lambda x: x)
    assert_same_statistics(forward(matched), forward(REFERENCE), 1e-6 if dtype == torch.float32 else 1e-12)


def expected_map(method: str) -> np.ndarray:
    """The formulas of the papers, by scipy."""
    (_, covariance), (_, wanted) = statistics(IMAGE), statistics(REFERENCE)
    sqrtm = pytest.importorskip("scipy.linalg").sqrtm
    root, wanted_root = sqrtm(covariance), sqrtm(wanted)
    if method == "cholesky":
        return np.linalg.cholesky(wanted) @ np.linalg.inv(np.linalg.cholesky(covariance))
    if method == "pca":
        return wanted_root @ np.linalg.inv(root)
    inverse = np.linalg.inv(root)
    return inverse @ sqrtm(root @ wanted @ root) @ inverse


@pytest.mark.parametrize("method", LINEAR)
def test_colours_go_through_the_map_of_the_formula(method):
    (mean, _), (wanted_mean, _) = statistics(IMAGE), statistics(REFERENCE)
    colours = IMAGE[0].flatten(1).numpy() - mean[:, None]
    expected = expected_map(method) @ colours + wanted_mean[:, None]
    found = match_colors(IMAGE, REFERENCE, method=method, clamp=False)[0].flatten(1).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_the_symmetric_map_moves_colours_the_least():
    distances = {
        method: float((match_colors(IMAGE, REFERENCE, method=method, clamp=False) - IMAGE).square().mean())
        for method in LINEAR
    }
    assert distances["symmetric"] < 0.999 * min(distances["cholesky"], distances["pca"])


def test_one_brightness_worked_out_by_hand():
    # Grey values 0.2 and 0.4 (mean 0.3, deviation 0.1) become those with mean 0.6 and deviation 0.2.
    image = torch.tensor([0.2, 0.4, 0.2, 0.4]).expand(1, 3, 1, 4)
    reference = torch.tensor([0.4, 0.8]).expand(1, 3, 1, 2)
    matched = match_colors(image, reference)
    torch.testing.assert_close(matched, torch.tensor([0.4, 0.8, 0.4, 0.8]).expand(1, 3, 1, 4))


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("method", METHODS)
def test_an_image_matched_to_itself_stays_as_it_is(method, space):
    for image in (IMAGE, quantise(IMAGE).double()):
        matched = match_colors(image, image, method=method, space=space, clamp=False)
        torch.testing.assert_close(matched, image, rtol=0, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_only_the_colours_of_the_reference_count_not_where_they_are(method):
    order = torch.randperm(180, generator=torch.Generator().manual_seed(0))
    shuffled = REFERENCE.flatten(2)[..., order].reshape(1, 3, 20, 9)
    expected = match_colors(IMAGE, REFERENCE, method=method)
    torch.testing.assert_close(match_colors(IMAGE, shuffled, method=method), expected)


@pytest.mark.parametrize("space", ["rgb", "yiq", "oklab"])
def test_a_histogram_is_that_of_the_reference_in_each_channel(space):
    reference = colourful(1)
    matched = match_colors(IMAGE, reference, method="histogram", space=space, clamp=False)
    forward = {"yiq": rgb_to_yiq, "oklab": rgb_to_oklab}.get(space, lambda x: x)
    found, expected = (forward(x).flatten(2).sort().values for x in (matched, reference))
    torch.testing.assert_close(found, expected)


def test_a_histogram_in_principal_axes_is_that_of_the_reference_along_them():
    reference = colourful(1)
    matched = match_colors(IMAGE, reference, method="histogram", space="principal", clamp=False)
    _, axes = np.linalg.eigh(statistics(reference)[1])
    found, expected = (np.sort(axes.T @ x[0].flatten(1).numpy()) for x in (matched, reference))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def oracle_histogram(values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Quantiles one by one, ties by the middle of their ranks."""
    wanted = np.sort(wanted)
    levels = (np.arange(len(wanted)) + 0.5) / len(wanted)
    ranks = [((values < value).sum() + (values <= value).sum()) / 2 / len(values) for value in values]
    return np.interp(ranks, levels, wanted)


@pytest.mark.parametrize("size", [(5, 7), (12, 17), (1, 1), (30, 40)])
def test_a_histogram_is_matched_by_quantiles_also_between_different_sizes(size):
    image, reference = (10 * IMAGE).round() / 10, (20 * colourful(3, *size)).round() / 20
    moved = match_colors(image, reference, clamp=False)
    found = match_colors(image, reference, method="histogram", clamp=False)
    for channel in range(3):
        expected = oracle_histogram(
            moved[0, channel].flatten().numpy(), reference[0, channel].flatten().numpy()
        )
        np.testing.assert_allclose(found[0, channel].flatten().numpy(), expected, atol=1e-12)


def test_a_histogram_in_principal_axes_keeps_the_covariance_better_than_in_rgb():
    def error(space: str) -> float:
        matched = match_colors(IMAGE, REFERENCE.square(), method="histogram", space=space, clamp=False)
        return float(np.abs(statistics(matched)[1] - statistics(REFERENCE.square())[1]).max())

    assert error("principal") < 0.5 * error("rgb")
    matched = match_colors(IMAGE, REFERENCE, method="histogram", space="principal", clamp=False)
    np.testing.assert_allclose(statistics(matched)[0], statistics(REFERENCE)[0], atol=1e-3)


def test_pixels_of_one_colour_stay_pixels_of_one_colour():
    image = (4 * IMAGE).round() / 4
    colours, places = image[0].flatten(1).unique(dim=1, return_inverse=True)
    for method in METHODS:
        matched = match_colors(image, REFERENCE, method=method)[0].flatten(1)
        for index in range(colours.shape[1]):
            same = matched[:, places == index]
            torch.testing.assert_close(same, same[:, :1].expand_as(same), rtol=0, atol=1e-12)


GREY = IMAGE[:, :1].expand(1, 3, -1, -1)
FLAT = torch.tensor([0.3, 0.5, 0.7], dtype=torch.float64).reshape(1, 3, 1, 1).expand(1, 3, 4, 4)
EDGE_CASES = {
    "grey": GREY,
    "flat": FLAT,
    "black": torch.zeros(1, 3, 4, 4),
    "white": torch.ones(1, 3, 4, 4),
    "one pixel": FLAT[..., :1, :1],
    "two colours": IMAGE[..., :1, :2],
}


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", EDGE_CASES)
def test_grey_and_flat_images_have_finite_results_and_gradients(name, method, space):
    edge = EDGE_CASES[name].double()
    for image, reference in [(edge, REFERENCE), (IMAGE, edge), (edge, edge)]:
        image = image.clone().requires_grad_()
        matched = match_colors(image, reference, method=method, space=space)
        assert matched.isfinite().all()
        assert matched.min() >= 0
        assert matched.max() <= 1
        if method != "histogram":
            (gradient,) = torch.autograd.grad(matched.sum(), image)
            assert gradient.isfinite().all()


@pytest.mark.parametrize("method", LINEAR)
def test_grey_references_make_grey_images_and_flat_ones_flat_images(method):
    matched = match_colors(IMAGE, GREY, method=method, clamp=False)
    torch.testing.assert_close(matched, matched[:, :1].expand_as(matched), rtol=0, atol=1e-7)
    assert_same_statistics(matched, GREY, 1e-7)
    matched = match_colors(IMAGE, FLAT, method=method, clamp=False)
    torch.testing.assert_close(matched, FLAT[..., :1, :1].expand_as(matched), rtol=0, atol=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_a_flat_image_takes_a_colour_from_the_middle_of_the_reference(method):
    matched = match_colors(FLAT, REFERENCE, method=method)
    torch.testing.assert_close(matched, matched[..., :1, :1].expand_as(matched))
    middle = statistics(REFERENCE)[0]
    if method == "histogram":
        middle = np.median(REFERENCE[0].flatten(1).numpy(), axis=1)
    np.testing.assert_allclose(matched[0, :, 0, 0].numpy(), middle, atol=1e-9)


@pytest.mark.parametrize("method", LINEAR)
def test_what_varies_less_than_one_level_is_not_amplified(method):
    # The colours of this picture are rounding errors: 0.2 levels. Stretched to 0.1 they would be confetti.
    generator = torch.Generator().manual_seed(5)
    image = GREY + 0.2 / 255 * torch.randn(1, 3, 12, 17, generator=generator, dtype=torch.float64)
    matched = match_colors(image, REFERENCE, method=method, clamp=False)
    smooth = match_colors(GREY, REFERENCE, method=method, clamp=False)
    # A direction of unit variance is mapped by the deviation of the reference over one level.
    largest = np.linalg.eigvalsh(statistics(REFERENCE)[1]).max() ** 0.5 * 255
    assert (matched - smooth).abs().max() <= 2 * largest * (image - GREY).abs().max()
    assert (matched - smooth).std() < 0.25 * REFERENCE.flatten(2).std()


def test_every_image_of_a_batch_gets_its_own_reference_or_all_the_same():
    images = torch.cat([colourful(seed) for seed in range(3)])
    references = torch.cat([colourful(seed, 5, 5) for seed in range(3, 6)])
    for method in METHODS:
        for space in SPACES:
            together = match_colors(images, references, method=method, space=space)
            shared = match_colors(images, REFERENCE, method=method, space=space)
            for index in range(3):
                image, reference = images[index, None], references[index, None]
                alone = match_colors(image, reference, method=method, space=space)
                torch.testing.assert_close(together[index, None], alone)
                alone = match_colors(image, REFERENCE, method=method, space=space)
                torch.testing.assert_close(shared[index, None], alone)


@pytest.mark.parametrize("space", SPACES)
def test_the_result_is_in_the_range_of_images_unless_it_is_to_be_exact(space):
    reference = (3 * REFERENCE - 1).clamp(0, 1)
    exact = match_colors(IMAGE, reference, space=space, clamp=False)
    assert exact.min() < 0
    torch.testing.assert_close(match_colors(IMAGE, reference, space=space), exact.clamp(0, 1))


def test_the_gradient_is_that_of_the_map_held_fixed():
    image = IMAGE.clone().requires_grad_()
    matched = match_colors(image, REFERENCE, clamp=False)
    (gradient,) = torch.autograd.grad(matched[:, 1].sum(), image)
    expected = torch.from_numpy(expected_map("symmetric")[1]).reshape(1, 3, 1, 1).expand_as(image)
    torch.testing.assert_close(gradient, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_the_type_and_the_arguments_stay_as_they_are(method):
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        image, reference = IMAGE.to(dtype), REFERENCE.float()
        before = image.clone(), reference.clone()
        matched = match_colors(image, reference, method=method)
        assert matched.dtype == dtype
        assert matched.shape == image.shape
        assert torch.equal(image, before[0])
        assert torch.equal(reference, before[1])
        expected = match_colors(image.double(), REFERENCE, method=method)
        torch.testing.assert_close(matched.double(), expected, rtol=0, atol=2e-2)


def test_linear_light_and_oklab_are_really_other_spaces():
    results = [match_colors(IMAGE, REFERENCE.square(), space=space, clamp=False) for space in SPACES[:4]]
    (rgb, linear, yiq, oklab) = results
    for first, second in [(rgb, linear), (rgb, yiq), (rgb, oklab), (linear, oklab)]:
        assert (first - second).abs().max() > 1e-3
    for forward, backward, found in [
        (rgb_to_linear, linear_to_rgb, linear),
        (rgb_to_oklab, oklab_to_rgb, oklab),
    ]:
        by_hand = backward(match_colors(forward(IMAGE), forward(REFERENCE.square()), clamp=False))
        torch.testing.assert_close(found, by_hand)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "reinhard"}, r"`method` must be one of \('symmetric', .*, got 'reinhard'"),
        ({"space": "lab"}, r"`space` must be one of \('rgb', .*, got 'lab'"),
    ],
)
def test_an_unknown_name_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        match_colors(IMAGE, REFERENCE, **arguments)


def test_images_of_the_wrong_kind_are_refused():
    with pytest.raises(ValueError, match=r"`image` must have the shape .*, got \(3, 12, 17\)"):
        match_colors(IMAGE[0], REFERENCE)
    with pytest.raises(ValueError, match=r"`reference` must have the shape .*, got \(1, 1, 9, 20\)"):
        match_colors(IMAGE, REFERENCE[:, :1])
    with pytest.raises(TypeError, match=r"`reference` must be a floating tensor .*, got torch\.uint8"):
        match_colors(IMAGE, REFERENCE.byte())
    with pytest.raises(ValueError, match="`reference` must be one image or as many as `image`, got 2 for 3"):
        match_colors(IMAGE.expand(3, -1, -1, -1), REFERENCE.expand(2, -1, -1, -1))
    for space in ("rgb", "principal"):
        for image, reference, name in [
            (IMAGE, REFERENCE * torch.nan, "reference"),
            (IMAGE / 0, REFERENCE, "image"),
        ]:
            with pytest.raises(ValueError, match=f"`{name}` must be finite"):
                match_colors(image, reference, space=space)


def weights(seed: int, image: Tensor, most: float) -> Tensor:
    return most * torch.rand(1, 1, *image.shape[2:], generator=torch.Generator().manual_seed(seed)).double()


@pytest.mark.parametrize("space", ["rgb", "yiq", "principal"])
@pytest.mark.parametrize("method", LINEAR)
@pytest.mark.parametrize("most", [1.0, 0.3])
def test_pixels_count_as_much_as_the_masks_say(method: str, space: str, most: float) -> None:
    mask, reference_mask = weights(2, IMAGE, most), weights(3, REFERENCE, most)
    matched = match_colors(
        IMAGE, REFERENCE, mask=mask, reference_mask=reference_mask, method=method, space=space, clamp=False
    )
    by, wanted_by = mask.flatten().numpy(), reference_mask.flatten().numpy()
    colours, wanted = matched[0].flatten(1).numpy(), REFERENCE[0].flatten(1).numpy()
    means = np.average(colours, 1, by), np.average(wanted, 1, wanted_by)
    covariances = np.cov(colours, aweights=by, ddof=0), np.cov(wanted, aweights=wanted_by, ddof=0)
    np.testing.assert_allclose(*means, rtol=0, atol=1e-6)
    np.testing.assert_allclose(*covariances, rtol=0, atol=1e-6)


def test_masks_that_are_the_same_everywhere_change_nothing() -> None:
    flat = torch.full((1, 1, 12, 17), 0.25), torch.full((1, 1, 9, 20), 0.5)
    matched = match_colors(IMAGE, REFERENCE, mask=flat[0], reference_mask=flat[1])
    torch.testing.assert_close(matched, match_colors(IMAGE, REFERENCE), rtol=0, atol=1e-9)


def test_a_hard_mask_is_the_part_that_it_keeps() -> None:
    mask = torch.zeros(1, 1, 9, 20)
    mask[..., :7] = 1
    torch.testing.assert_close(
        match_colors(IMAGE, REFERENCE, reference_mask=mask), match_colors(IMAGE, REFERENCE[..., :7])
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mask": torch.ones(1, 1, 9, 20)}, r"`mask` must have the shape \(1, 1, 12, 17\)"),
        ({"reference_mask": torch.ones(1, 1, 12, 17)}, r"`reference_mask` must have the shape"),
        ({"mask": torch.zeros(1, 1, 12, 17)}, "somewhere above 0, got values from 0 to 0"),
        ({"mask": -torch.ones(1, 1, 12, 17)}, "nowhere negative"),
        ({"mask": torch.full((1, 1, 12, 17), torch.nan)}, "must be finite"),
        ({"mask": torch.ones(1, 1, 12, 17), "method": "histogram"}, "must be a linear one"),
    ],
)
def test_masks_that_say_nothing_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        match_colors(IMAGE, REFERENCE, **arguments)
