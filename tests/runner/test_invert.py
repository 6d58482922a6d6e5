"""Images that have given features."""

import pytest
import torch
from torch import nn

from pystyle.encoders import MultiEncoder, SequentialEncoder, vgg11
from pystyle.functional import total_variation
from pystyle.runner import invert_features

IMAGE = torch.rand(1, 3, 12, 16, generator=torch.Generator().manual_seed(0))
PIXELS = SequentialEncoder({"pixels": nn.Identity(), "halved": nn.AvgPool2d(2)})


def test_of_pixels_it_is_the_image():
    result = invert_features(PIXELS, {"pixels": IMAGE}, init=(12, 16), num_steps=30, seed=0)
    assert (result.image - IMAGE).abs().max() < 1e-3


def test_the_loss_is_the_difference_as_a_share_of_the_features():
    start = IMAGE.flip(3)
    result = invert_features(
        PIXELS, {"pixels": IMAGE, "halved": 2 * PIXELS(IMAGE, ["halved"])["halved"]}, init=start, num_steps=1
    )
    halved = nn.functional.avg_pool2d
    shares = [((start - IMAGE) ** 2).sum() / (IMAGE**2).sum()]
    wanted = 2 * halved(IMAGE, 2)
    shares.append(((halved(start, 2) - wanted) ** 2).sum() / (wanted**2).sum())
    assert result.history["total"][0] == pytest.approx(float(sum(shares)), rel=1e-5)


def test_deep_features_come_nearer_and_noise_is_that_of_the_seed():
    encoder = vgg11(weights=None)
    wanted = encoder(IMAGE, ["relu2_1"])
    runs = [invert_features(encoder, wanted, init=(12, 16), num_steps=8, seed=seed) for seed in (0, 0, 1)]
    assert torch.equal(runs[0].image, runs[1].image)
    assert not torch.equal(runs[0].image, runs[2].image)
    assert runs[0].history["total"][-1] < 0.7 * runs[0].history["total"][0]


def test_smoothness_makes_it_smooth():
    rough, smooth = (
        invert_features(
            PIXELS,
            {"halved": PIXELS(IMAGE, ["halved"])["halved"]},
            init=(12, 16),
            num_steps=20,
            seed=0,
            smoothness=smoothness,
        )
        for smoothness in (0.0, 1.0)
    )
    assert total_variation(smooth.image) < 0.5 * total_variation(rough.image)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({}, "those of at least one layer, got none"),
        ({"pixels": IMAGE[..., :8]}, r"must have the shape \(1, 3, 12, 16\), .* got \(1, 3, 12, 8\)"),
        ({"pixels": torch.zeros_like(IMAGE)}, "must not be all zero"),
    ],
)
def test_features_that_no_image_can_have_are_refused(features, message):
    with pytest.raises(ValueError, match=message):
        invert_features(PIXELS, features, init=(12, 16))


def test_layers_may_have_dots():
    encoder, layers = MultiEncoder({"first": PIXELS, "second": PIXELS}), ["first.pixels", "second.halved"]
    result = invert_features(encoder, encoder(IMAGE, layers), init=(12, 16), num_steps=1)
    wanted = {"features_0.first.pixels", "features_1.second.halved"}
    assert set(result.history) == wanted | {"step", "seconds", "total"}


def test_a_size_may_be_any_two_whole_numbers():
    wanted = {"pixels": IMAGE}
    images = [
        invert_features(PIXELS, wanted, init=size, num_steps=1, seed=0).image
        for size in ((12, 16), (12.0, 16.0), [12, 16], torch.tensor([12, 16]).numpy())
    ]
    assert all(torch.equal(image, images[0]) for image in images)


@pytest.mark.parametrize(
    ("init", "kind", "message"),
    [
        ("grey", TypeError, r"`init` must be an image or a size \(height, width\), got 'grey'"),
        ((12,), ValueError, r"`init` must be \(height, width\) in pixels, got 1 numbers"),
        ((12, 16.5), ValueError, "must be a whole number, got 16.5"),
        (12, TypeError, r"`init` must be a tensor, a size \(height, width\)"),
    ],
)
def test_what_is_no_start_is_named(init, kind, message):
    with pytest.raises(kind, match=message):
        invert_features(PIXELS, {"pixels": IMAGE}, init=init)
