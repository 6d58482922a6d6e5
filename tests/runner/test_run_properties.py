"""Runs on images of any size, with any number of styles."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from pystyle import ContentLoss, Criterion, GramLoss, MaskedImage, Pyramid, optimize_image
from pystyle.encoders import SequentialEncoder
from pystyle.parametrizations import Fourier, LaplacianPyramid, LowResolution, Pixels, clamp_with_gradient

few = settings(deadline=None, derandomize=True, max_examples=8, database=None)

SIDES = st.integers(8, 70)
SEEDS = st.integers(0, 2**16)


def image(height, width, seed):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def criterion():
    conv = nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect")
    generator = torch.Generator().manual_seed(0)
    for parameter in conv.parameters():
        parameter.data.uniform_(-0.5, 0.5, generator=generator)
    encoder = SequentialEncoder({"conv": conv, "pool": nn.MaxPool2d(2), "relu": nn.ReLU()})
    return Criterion(
        encoder, {"content": ContentLoss("conv"), "style": GramLoss(["pool", "conv"], weight=2.0)}
    )


PARAMETRIZATIONS = st.sampled_from([Pixels, LaplacianPyramid, Fourier, LowResolution])


@few
@given(SIDES, SIDES, SIDES, SIDES, SEEDS, PARAMETRIZATIONS)
def test_the_picture_has_the_size_of_the_content_and_stays_in_range(
    h, w, style_h, style_w, seed, parametrization
):
    references = {"content": image(h, w, seed), "style": image(style_h, style_w, seed + 1)}
    before = {name: value.clone() for name, value in references.items()}
    result = optimize_image(criterion(), references, num_steps=3, parametrization=parametrization)
    assert result.image.shape == (1, 3, h, w)
    assert 0 <= float(result.image.min()) <= float(result.image.max()) <= 1
    assert torch.tensor(result.history["total"]).isfinite().all()
    assert all(torch.equal(references[name], value) for name, value in before.items())


@few
@given(SIDES, SIDES, SEEDS, st.lists(st.integers(8, 40), min_size=1, max_size=3, unique=True))
def test_a_pyramid_ends_at_its_last_size_and_keeps_the_ratio(h, w, seed, sizes):
    references = {"content": image(h, w, seed), "style": image(w, h, seed + 1)}
    result = Pyramid(sorted(sizes), num_steps=1).optimize(criterion(), references)
    assert min(result.image.shape[2:]) == max(sizes)
    assert abs(max(result.image.shape[2:]) - max(sizes) * max(h, w) / min(h, w)) <= 0.5
    assert 0 <= float(result.image.min()) <= float(result.image.max()) <= 1


@few
@given(SEEDS, st.lists(st.floats(0.1, 5), min_size=1, max_size=4), st.floats(0.1, 10))
def test_the_weights_of_a_blend_count_relative_to_each_other(seed, weights, factor):
    styles = [image(9 + index, 14, seed + index) for index in range(len(weights))]
    blend = list(zip(styles, weights, strict=True))
    scaled = [(style, factor * weight) for style, weight in reversed(blend)]
    content, iterate = image(12, 10, seed + 7), image(12, 10, seed + 8)
    values = [
        criterion().bind({"content": content, "style": styles})(iterate).total for styles in (blend, scaled)
    ]
    torch.testing.assert_close(*values, rtol=1e-4, atol=1e-7)


@few
@given(SIDES, SIDES, SEEDS)
def test_a_mask_of_ones_is_no_mask(h, w, seed):
    content, style, iterate = image(h, w, seed), image(w, h, seed + 1), image(h, w, seed + 2)
    encoder = criterion().encoder
    whole = Criterion(encoder, {"style": GramLoss(["pool", "conv"])})
    within = Criterion(encoder, {"style": GramLoss(["pool", "conv"]).within("all")})
    masked = {
        "content": MaskedImage(content, {"all": torch.ones(1, 1, h, w)}),
        "style": MaskedImage(style, {"all": torch.ones(1, 1, w, h)}),
    }
    expected = whole.bind({"style": style})(iterate).total
    torch.testing.assert_close(within.bind(masked)(iterate).total, expected, rtol=1e-5, atol=1e-9)


@few
@given(SIDES, SIDES, SEEDS)
def test_a_clamp_is_in_range_once_and_for_all_and_leads_nothing_outwards(h, w, seed):
    x = (3 * image(h, w, seed) - 1).requires_grad_()
    clamped = clamp_with_gradient(x)
    assert torch.equal(clamped, x.detach().clamp(0, 1))
    assert torch.equal(clamp_with_gradient(clamped), clamped)
    push = image(h, w, seed + 1) - 0.5
    (gradient,) = torch.autograd.grad(clamped, x, push)
    inside = (x >= 0) & (x <= 1)
    assert torch.equal(gradient[inside], push[inside])
    stepped = (x - 1e-3 * gradient).detach()
    assert (stepped.clamp(0, 1) - stepped).abs().le((x.clamp(0, 1) - x).abs() + 1.1e-3 * inside).all()
