import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.colors import luminance, match_luminance, rgb_to_ycbcr, rgb_to_yiq, transfer_luminance


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


IMAGE, OTHER = noise(1, 3, 6, 7), noise(1, 3, 6, 7, seed=1).square()
WEIGHTS = np.array([0.299, 0.587, 0.114])


def grey_values(image: Tensor) -> np.ndarray:
    return np.tensordot(WEIGHTS, image[0].numpy(), 1)


def test_matched_luminance_has_the_mean_and_deviation_of_the_reference():
    reference = OTHER[..., :4]
    found = match_luminance(IMAGE, reference, clamp=False)[0, 0].numpy()
    ours, wanted = grey_values(IMAGE), grey_values(reference)
    expected = (ours - ours.mean()) * wanted.std() / ours.std() + wanted.mean()
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert found.mean() == pytest.approx(wanted.mean())
    assert found.std() == pytest.approx(wanted.std())


def test_matched_luminance_is_clamped_unless_it_is_to_be_exact():
    reference = (IMAGE > 0.5).double()
    exact = match_luminance(IMAGE, reference, clamp=False)
    assert exact.max() > 1
    torch.testing.assert_close(match_luminance(IMAGE, reference), exact.clamp(0, 1))


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_flat_pictures_have_finite_luminance_and_take_the_mean(value):
    flat = torch.full((1, 3, 5, 5), value)
    found = match_luminance(flat, OTHER)
    torch.testing.assert_close(found, torch.full_like(found, grey_values(OTHER).mean()))
    torch.testing.assert_close(match_luminance(OTHER, flat), torch.full((1, 1, 6, 7), value).double())


def test_a_transfer_has_the_luminance_of_one_and_the_chroma_of_the_other():
    found = transfer_luminance(IMAGE, OTHER, clamp=False)
    torch.testing.assert_close(luminance(found), luminance(IMAGE), rtol=0, atol=1e-12)
    for space in (rgb_to_yiq, rgb_to_ycbcr):
        torch.testing.assert_close(space(found)[:, 1:], space(OTHER)[:, 1:], rtol=0, atol=1e-7)


def test_a_transfer_in_float32_keeps_the_chroma_to_a_ten_thousandth():
    found = transfer_luminance(IMAGE.float(), OTHER.float(), clamp=False).double()
    torch.testing.assert_close(rgb_to_yiq(found)[:, 1:], rgb_to_yiq(OTHER)[:, 1:], rtol=0, atol=1e-6)


def test_a_transfer_worked_out_by_hand():
    # The luminance of (0.4, 0.2, 0.1) is 0.2484: each channel gets 0.2516 more to reach 0.5.
    brown = torch.tensor([0.4, 0.2, 0.1]).reshape(1, 3, 1, 1)
    found = transfer_luminance(torch.full((1, 3, 1, 1), 0.5), brown)
    torch.testing.assert_close(found.flatten(), torch.tensor([0.6516, 0.4516, 0.3516]))


def test_a_transfer_between_the_same_image_is_that_image():
    torch.testing.assert_close(transfer_luminance(IMAGE, IMAGE), IMAGE)


def test_a_transfer_is_clamped_unless_it_is_to_be_exact():
    exact = transfer_luminance(torch.ones(1, 3, 6, 7), OTHER, clamp=False)
    assert exact.max() > 1
    torch.testing.assert_close(transfer_luminance(torch.ones(1, 3, 6, 7), OTHER), exact.clamp(0, 1))


@pytest.mark.parametrize("function", [match_luminance, transfer_luminance])
def test_batches_share_or_have_their_own_references(function):
    images, others = noise(3, 3, 4, 5), noise(3, 3, 4, 5, seed=2)
    together, shared = function(images, others), function(images, others[:1])
    for index in range(3):
        torch.testing.assert_close(together[index, None], function(images[index, None], others[index, None]))
        torch.testing.assert_close(shared[index, None], function(images[index, None], others[:1]))
    with pytest.raises(ValueError, match="must be one image or as many as `image`, got 2 for 3"):
        function(images, others[:2])


@pytest.mark.parametrize("function", [match_luminance, transfer_luminance])
def test_the_arguments_and_the_type_stay_as_they_are(function):
    for dtype in (torch.bfloat16, torch.float32, torch.float64):
        image, other = IMAGE.to(dtype), OTHER.clone()
        before = image.clone()
        assert function(image, other).dtype == dtype
        assert torch.equal(image, before)
        assert torch.equal(other, OTHER)


def test_both_are_differentiable():
    image, other = IMAGE.clone().requires_grad_(), OTHER.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x, y: transfer_luminance(x, y, clamp=False), (image, other))
    matched = match_luminance(image, other, clamp=False)
    (gradient,) = torch.autograd.grad(matched.sum(), image)
    ratio = grey_values(OTHER).std() / grey_values(IMAGE).std()
    expected = torch.from_numpy(ratio * WEIGHTS).reshape(1, 3, 1, 1).expand_as(image)
    torch.testing.assert_close(gradient, expected)


def test_images_that_do_not_fit_are_refused():
    with pytest.raises(
        ValueError, match=r"`colors` must have the size of `image`, got \(3, 7\) for \(6, 7\)"
    ):
        transfer_luminance(IMAGE, OTHER[:, :, :3])
    with pytest.raises(ValueError, match=r"`colors` must have the shape"):
        transfer_luminance(IMAGE, OTHER[:, :1])
    with pytest.raises(ValueError, match=r"`reference` must have the shape"):
        match_luminance(IMAGE, OTHER[:, :1])
    with pytest.raises(ValueError, match="`reference` must be finite"):
        match_luminance(IMAGE, OTHER * torch.nan)


def test_luminance_is_matched_as_much_as_the_masks_say():
    generator = torch.Generator().manual_seed(0)
    image, reference = (torch.rand(1, 3, 6, 8, generator=generator, dtype=torch.float64) for _ in range(2))
    mask, reference_mask = (
        0.4 * torch.rand(1, 1, 6, 8, generator=generator, dtype=torch.float64) for _ in range(2)
    )
    matched = match_luminance(image, reference, mask=mask, reference_mask=reference_mask, clamp=False)

    def moments(values, weights):
        share = weights / weights.sum()
        mean = (share * values).sum()
        return mean, (share * (values - mean).square()).sum().sqrt()

    expected = moments(luminance(reference), reference_mask)
    torch.testing.assert_close(moments(matched, mask), expected, rtol=0, atol=1e-6)
