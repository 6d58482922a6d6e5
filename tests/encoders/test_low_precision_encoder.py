import pickle

import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion, GramLoss
from pystyle.encoders import LowPrecisionEncoder, SequentialEncoder, vgg11, vgg13_bn
from pystyle.testing import check_encoder

GENERATOR = torch.Generator().manual_seed(0)
IMAGE = torch.rand(1, 3, 40, 32, generator=GENERATOR)
LAYERS = ["relu1_1", "relu2_1", "relu3_1"]
HALF = [torch.bfloat16, torch.float16]


def gradient_of(encoder, image=IMAGE, factor=1.0):
    image = image.clone().requires_grad_()
    features = encoder(image, LAYERS).values()
    total = factor * torch.stack([feature.float().square().mean() for feature in features]).sum()
    return torch.autograd.grad(total, image)[0]


@pytest.mark.parametrize("make", [vgg11, vgg13_bn])
@pytest.mark.parametrize("dtype", HALF)
def test_features_and_gradients_are_about_those_of_the_encoder(dtype, make):
    encoder = make(weights=None)
    low = LowPrecisionEncoder(encoder, dtype)
    for layer, feature in encoder(IMAGE, LAYERS).items():
        difference = low(IMAGE, LAYERS)[layer].float() - feature
        assert difference.norm() < 0.02 * feature.norm()
    exact, rounded = gradient_of(encoder), gradient_of(low)
    assert rounded.dtype == torch.float32
    assert torch.nn.functional.cosine_similarity(exact.flatten(), rounded.flatten(), dim=0) > 0.99


@pytest.mark.parametrize("factor", [1e-12, 1e12])
def test_gradients_in_float16_neither_vanish_nor_overflow(factor):
    low = LowPrecisionEncoder(vgg11(weights=None), torch.float16)
    scaled, plain = gradient_of(low, factor=factor) / factor, gradient_of(low)
    assert (scaled - plain).norm() < 1e-3 * plain.norm()


def test_a_gradient_of_zero_stays_zero():
    low = LowPrecisionEncoder(vgg11(weights=None), torch.float16)
    assert torch.equal(gradient_of(low, factor=0.0), torch.zeros_like(IMAGE))


def test_the_encoder_itself_is_not_changed():
    encoder = vgg11(weights=None)
    LowPrecisionEncoder(encoder)
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.float32}


@pytest.mark.parametrize("dtype", HALF)
def test_only_convolutions_are_in_half_precision(dtype):
    encoder = vgg13_bn(weights=None)
    low = LowPrecisionEncoder(encoder, dtype)
    kinds = {
        type(module): {tensor.dtype for tensor in module.parameters()}
        for module in low.modules()
        if not list(module.children()) and list(module.parameters())
    }
    assert kinds == {nn.Conv2d: {dtype}, nn.BatchNorm2d: {torch.float32}}


def test_identical_images_have_no_difference_in_a_criterion():
    # Against a target in float32, rounding would be a difference, and its gradient noise.
    low = LowPrecisionEncoder(vgg11(weights=None))
    losses = {"content": ContentLoss("relu3_1", relative=True), "style": GramLoss(LAYERS, relative=True)}
    objective = Criterion(low, losses).bind({"content": IMAGE, "style": IMAGE})
    assert float(objective(IMAGE).total) == 0


def test_an_image_of_another_type_is_refused():
    objective = Criterion(LowPrecisionEncoder(vgg11(weights=None)), {"c": ContentLoss("relu1_1")})
    with pytest.raises(TypeError, match=r"encoder's type torch\.float32, got torch\.bfloat16"):
        objective.bind({"content": IMAGE.bfloat16()})


@pytest.mark.slow
def test_the_contract_holds():
    check_encoder(LowPrecisionEncoder(vgg11(weights=None)))


def test_segments_share_the_weights():
    low = LowPrecisionEncoder(vgg11(weights=None))
    x = IMAGE
    for segment, _ in low.segments(["relu3_1"]):
        assert isinstance(segment, LowPrecisionEncoder)
        x = segment(x, segment.layers[-1:])[segment.layers[-1]]
    torch.testing.assert_close(x, low(IMAGE, ["relu3_1"])["relu3_1"])
    pointers = {parameter.data_ptr() for parameter in low.parameters()}
    parameters = [p for segment, _ in low.segments(["relu3_1"]) for p in segment.parameters()]
    assert {parameter.data_ptr() for parameter in parameters} <= pointers


def test_it_survives_pickling():
    low = LowPrecisionEncoder(vgg11(weights=None))
    again = pickle.loads(pickle.dumps(low))
    assert torch.equal(again(IMAGE, ["relu2_1"])["relu2_1"], low(IMAGE, ["relu2_1"])["relu2_1"])


def test_other_types_are_refused():
    with pytest.raises(ValueError, match=r"must be torch.bfloat16 or torch.float16, got torch.float64"):
        LowPrecisionEncoder(SequentialEncoder({"pixels": nn.Identity()}), torch.float64)
