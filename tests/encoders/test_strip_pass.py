"""A pass in strips gives the features and the gradient of a pass over the whole image."""

import pytest
import torch
from torch import Tensor, nn

from pystyle.encoders import (
    WHOLE_IMAGE,
    Encoder,
    LayerGeometry,
    SequentialEncoder,
    StripPass,
    alexnet,
    vgg11,
    vgg13_bn,
)

VALID = {"conv1": nn.Conv2d(3, 4, 5), "pool1": nn.MaxPool2d(3, 2, padding=1), "conv2": nn.Conv2d(4, 4, 3)}
DILATED = {"conv1": nn.Conv2d(3, 4, 3, padding=2, dilation=2), "conv2": nn.Conv2d(4, 4, 3, 2, padding=1)}


class Declared(Encoder):
    """An encoder that says what it sees, but not where that begins."""

    layers = ("blurred",)

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(6, 2, padding=2)

    def forward(self, image, layers):
        return {layer: self.pool(image) for layer in layers}

    def geometry(self, layer):
        del layer
        return LayerGeometry(stride=2, receptive_field=6, minimum_size=2)


def random_like(tensor: Tensor, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(tensor.shape, generator=generator, dtype=tensor.dtype)


CASES = {
    "zeros": (lambda: vgg11(weights=None), ["conv1_1", "relu2_1", "pool3", "relu4_1"]),
    "replicate": (
        lambda: vgg11(weights=None, padding="replicate", ceil_mode=True),
        ["relu1_1", "relu3_2", "relu5_1"],
    ),
    "reflect": (
        lambda: vgg11(weights=None, padding="reflect", pooling="average"),
        ["pool1", "relu2_1", "relu3_1"],
    ),
    "batch norm": (lambda: vgg13_bn(weights=None), ["relu1_2", "bn3_1"]),
    "alexnet": (lambda: alexnet(weights=None), ["conv1", "relu2", "pool2", "relu5"]),
    "no padding": (lambda: SequentialEncoder(VALID), ["conv1", "pool1", "conv2"]),
    "dilation": (lambda: SequentialEncoder(DILATED), ["conv1", "conv2"]),
    "no offset": (Declared, ["blurred"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("height", [64, 97])
@pytest.mark.parametrize("rows", [5, 16, 1000])
@pytest.mark.parametrize("case", CASES)
def test_strips_give_the_gradient_of_the_whole(case, rows, height):
    make, layers = CASES[case]
    encoder = make().double()
    image = random_like(torch.empty(2, 3, height, 50, dtype=torch.float64), 0).requires_grad_()
    features = encoder(image, layers)
    weights = {layer: random_like(feature, 1) for layer, feature in features.items()}
    whole = torch.stack([(weights[layer] * features[layer].square()).mean() for layer in layers]).sum()
    (gradient,) = torch.autograd.grad(whole, image)

    def loss(part):
        own = weights[part.layer][:, :, part.start : part.start + part.features.shape[2]]
        return part.share * (own * part.features.square()).mean()

    strips = StripPass(encoder, layers, rows=rows)
    total = sum(loss(part) for part in strips.forward(image))
    torch.testing.assert_close(total, whole.detach(), rtol=1e-12, atol=0)
    torch.testing.assert_close(
        strips.backward(loss), gradient, rtol=0, atol=1e-12 * float(gradient.abs().max())
    )


def test_every_row_of_every_layer_comes_once_and_is_that_of_the_whole():
    encoder, layers = vgg11(weights=None), ("relu1_1", "pool2", "relu4_1")
    image = random_like(torch.empty(1, 3, 300, 24), 2)
    found = {layer: [] for layer in layers}
    for part in StripPass(encoder, layers, rows=16).forward(image):
        found[part.layer].append(part)
        assert not part.features.requires_grad
    for layer, feature in encoder(image, layers).items():
        parts = sorted(found[layer], key=lambda part: part.start)
        assert len(parts) > 1
        assert {part.height for part in parts} == {feature.shape[2]}
        assert sum(part.share for part in parts) == pytest.approx(1)
        torch.testing.assert_close(
            torch.cat([part.features for part in parts], 2), feature, rtol=1e-3, atol=1e-4
        )


@pytest.mark.parametrize("height", [63, 71, 72, 79, 88])
@pytest.mark.parametrize("rows", [1, 2])
def test_the_lowest_strip_is_as_high_as_a_window_of_every_layer(rows, height):
    encoder = SequentialEncoder(
        {"wide": nn.Conv2d(3, 2, 11, 4, padding=2), "pool": nn.MaxPool2d(3, 2), "deep": nn.Conv2d(2, 2, 5)}
    ).double()
    image = random_like(torch.empty(1, 3, height, 63, dtype=torch.float64), 0)
    found = {layer: {} for layer in encoder.layers}
    for part in StripPass(encoder, encoder.layers, rows=rows).forward(image):
        found[part.layer][part.start] = part.features
    for layer, expected in encoder(image, encoder.layers).items():
        strips = [rows for _, rows in sorted(found[layer].items())]
        torch.testing.assert_close(torch.cat(strips, 2), expected)


def test_an_encoder_is_taken_apart_at_its_poolings():
    segments = vgg11(weights=None).segments(["relu1_1", "pool2", "relu3_1"])
    assert [segment.layers for segment, _ in segments] == [
        ("conv1_1", "relu1_1", "pool1"),
        ("conv2_1", "relu2_1", "pool2"),
        ("conv3_1", "relu3_1"),
    ]
    assert [wanted for _, wanted in segments] == [("relu1_1",), ("pool2",), ("relu3_1",)]


def test_features_that_are_kept_are_those_between_the_segments():
    # VGG-11, relu4_1: 3 + 64/4 + 128/16 + 256/64 = 31 numbers per pixel.
    strips = StripPass(vgg11(weights=None), ["relu4_1"], rows=16)
    for _ in strips.forward(torch.rand(1, 3, 64, 64)):
        pass
    assert sum(kept.numel() for kept in strips._inputs) == 31 * 64 * 64


def test_a_backward_pass_needs_a_pass_of_its_own():
    strips = StripPass(vgg11(weights=None), ["relu1_1"], rows=16)
    with pytest.raises(RuntimeError, match="needs a pass of its own"):
        strips.backward(lambda part: part.features.mean())
    for _ in strips.forward(torch.rand(1, 3, 32, 32)):
        pass
    strips.backward(lambda part: part.features.mean())
    with pytest.raises(RuntimeError, match="needs a pass of its own"):
        strips.backward(lambda part: part.features.mean())


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="`rows` must be at least 1, got 0"):
        StripPass(vgg11(weights=None), ["relu1_1"], rows=0)
    seer = Declared()
    seer.geometry = lambda _: LayerGeometry(2, WHOLE_IMAGE, 1)
    with pytest.raises(ValueError, match="got 'blurred', of which every position sees all of it"):
        StripPass(seer, ["blurred"], rows=8)
    with pytest.raises(ValueError, match="Did you mean 'relu1_1'"):
        StripPass(vgg11(weights=None), ["relu1_9"], rows=8)


def test_a_layer_after_a_border_from_the_other_side_has_no_strips():
    circular = nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular")
    encoder = SequentialEncoder({"conv": circular, "pool": nn.MaxPool2d(2), "last": nn.Conv2d(4, 4, 3)})
    for layers in (["conv"], ["last"]):
        with pytest.raises(ValueError, match=f"got '{layers[0]}', of which every position sees all of it"):
            StripPass(encoder, layers, rows=8)


def test_the_image_is_left_as_it_was():
    image = torch.rand(1, 3, 48, 32)
    before = image.clone()
    strips = StripPass(vgg11(weights=None), ["relu2_1"], rows=8)
    for _ in strips.forward(image):
        pass
    strips.backward(lambda part: part.features.mean())
    assert torch.equal(image, before)
    assert image.grad is None
