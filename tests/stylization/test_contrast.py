"""How strong the features of the styles are beside those of the content, worked out by hand."""

from functools import partial

import pytest
import torch
from torch import nn

from pystyle import MaskedImage
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.stylization import feature_contrast, stylization_criterion, stylize


def image(value, height=8, width=8, **options):
    return torch.full((1, 3, height, width), value, **options)


def black_above(value, *, size):
    """An image whose upper half is black."""
    picture = image(value, size, size)
    picture[:, :, : size // 2] = 0
    return picture


@pytest.fixture
def encoder():
    """One whose features are the sum of the colours."""
    conv = nn.Conv2d(3, 1, 1, bias=False)
    nn.init.ones_(conv.weight)
    return SequentialEncoder({"conv4": conv, "relu4": nn.ReLU()})


@pytest.mark.parametrize(
    ("content", "styles", "expected"),
    [
        (image(0.5), {"style": image(1.0)}, 4.0),
        (image(0.6), {"style": image(0.2)}, 0.111),
        # Half of the squares of a mean square are 0.
        (image(0.5), {"style": black_above(1.0, size=8)}, 2.0),
        # Blends count by their weights, regions alike; masks do not matter.
        (image(0.5), {"style": [(image(1.0), 3.0), (image(0.5), 1.0)]}, 0.75 * 4 + 0.25),
        (MaskedImage(image(0.5), {"sky": image(1.0)[:, :1]}), {"sky": image(1.0), "sea": image(0.5)}, 2.5),
        (image(0.1), {"style": image(1.0)}, 16.0),
        (image(1.0), {"style": image(0.1)}, 0.0625),
        (image(0.0), {"style": image(1.0)}, 1.0),
        (image(1.0), {"style": image(0.0)}, 1.0),
    ],
)
def test_it_is_the_ratio_of_the_mean_squares(encoder, content, styles, expected):
    assert feature_contrast(encoder, {"content": content, **styles}, edge_size=8) == expected


def test_images_are_compared_at_one_size_that_is_at_most_256(encoder):
    seen = []
    encoder.stages["conv4"].register_forward_hook(lambda *call: seen.append(tuple(call[1][0].shape[2:])))
    references = {"content": image(0.5, 300, 600), "style": image(1.0, 40, 20)}
    for edge_size in (16, 4096):
        feature_contrast(encoder, references, edge_size=edge_size)
    assert sorted(seen) == [(16, 32), (32, 16), (256, 512), (512, 256)]


def test_where_there_is_nothing_to_compare_the_run_says_what_is_wrong():
    encoder = vgg11(weights=None)
    references = {"content": image(0.5), "style": image(1.0)}
    assert feature_contrast(encoder, references, edge_size=4) == 1.0
    with pytest.raises(TypeError, match=r"must be of the encoder's type torch\.float32"):
        feature_contrast(encoder, references | {"style": image(1.0, dtype=torch.float64)}, edge_size=32)


def test_a_layer_that_is_not_there_is_an_error():
    other = SequentialEncoder({"conv1": nn.Conv2d(3, 4, 3), "relu1": nn.ReLU()})
    with pytest.raises(ValueError, match="must have the layers of the VGGs or of AlexNet, got conv1, relu1"):
        feature_contrast(other, {"content": image(0.5), "style": image(1.0)})


@pytest.mark.parametrize(("names", "got"), [(["content"], "content"), (["style"], "style"), ([], "none")])
def test_a_content_and_a_style_are_needed(encoder, names, got):
    with pytest.raises(ValueError, match=f"must have 'content' and at least one style, got {got}"):
        feature_contrast(encoder, dict.fromkeys(names, image(0.5)))


def test_nothing_is_kept_for_a_gradient(encoder):
    content = image(0.5, requires_grad=True)
    assert isinstance(feature_contrast(encoder, {"content": content, "style": image(1.0)}), float)
    assert content.grad is None


@pytest.mark.parametrize("contrast", [0.25, 1.0, 4.0])
def test_the_content_is_divided_by_it(contrast):
    criterion = stylization_criterion(vgg11(weights=None), contrast=contrast)
    usual = stylization_criterion(vgg11(weights=None))
    assert criterion.losses["content"].weight == usual.losses["content"].weight / contrast
    for name in ("style", "smoothness"):
        assert criterion.losses[name].weight == usual.losses[name].weight


@pytest.mark.parametrize("contrast", [0.0, -1.0, float("nan")])
def test_an_impossible_contrast_is_refused(contrast):
    with pytest.raises(ValueError, match="`contrast` must be positive, got"):
        stylization_criterion(vgg11(weights=None), contrast=contrast)


def test_a_run_measures_the_content_by_its_own_styles():
    generator = torch.Generator().manual_seed(0)
    photo, painting = (torch.rand(1, 3, 32, 40, generator=generator) for _ in range(2))
    paint = partial(
        stylize, encoder=vgg11(weights=None), edge_size=32, num_steps=1, init="grey", device="cpu"
    )
    (soft, usual) = (paint(photo, style).history for style in (painting / 2, painting))
    contrasts = [
        feature_contrast(vgg11(weights=None), {"content": photo, "style": style}, edge_size=32)
        for style in (painting / 2, painting)
    ]
    (name,) = (name for name in usual if name.startswith("content."))
    assert contrasts[0] < contrasts[1]
    assert soft[name][0] * contrasts[0] == pytest.approx(usual[name][0] * contrasts[1], rel=1e-5)
