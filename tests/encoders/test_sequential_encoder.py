import pytest
import torch
from torch import nn

from pystyle.encoders import Normalize, ScaledAveragePool2d, ScaledL2Pool2d, SequentialEncoder, vgg11


def image_below_zero(seed: int = 0) -> torch.Tensor:
    return torch.randn(1, 3, 12, 12, generator=torch.Generator().manual_seed(seed))


def test_a_requested_convolution_is_not_overwritten_by_its_relu():
    features = vgg11(weights=None)(torch.rand(1, 3, 16, 16), ["conv1_1", "relu1_1", "conv2_1", "relu2_1"])
    for name in ("1_1", "2_1"):
        assert features[f"conv{name}"].min() < 0
        assert torch.equal(features[f"relu{name}"], features[f"conv{name}"].clamp_min(0))


def test_in_place_modules_do_not_change_a_layer_that_was_asked_for():
    modules = {
        "conv1": nn.Conv2d(3, 4, 3),
        "relu1": nn.Sequential(nn.ReLU(inplace=True), nn.Hardtanh(-1, 0.1, inplace=True)),
        "leaky1": nn.LeakyReLU(0.5, inplace=True),
    }
    encoder, image = SequentialEncoder(modules), image_below_zero()
    conv = nn.functional.conv2d(image, modules["conv1"].weight, modules["conv1"].bias)
    features = encoder(image, ["conv1", "relu1", "leaky1"])
    torch.testing.assert_close(features["conv1"], conv, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(features["relu1"], conv.clamp(0, 0.1), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(encoder(image, ["leaky1"])["leaky1"], conv.clamp(0, 0.1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("idle", [nn.Identity(), nn.Dropout(), nn.Sequential(nn.Dropout2d(), nn.Identity())])
def test_in_place_modules_do_not_reach_a_layer_through_modules_that_do_nothing(idle):
    modules = {"conv1": nn.Conv2d(3, 4, 3), "idle1": idle, "relu1": nn.ReLU(inplace=True)}
    features = SequentialEncoder(modules)(image_below_zero(), ["conv1", "relu1"])
    assert features["conv1"].min() < 0


@pytest.mark.parametrize("first", [{}, {"idle": nn.Identity()}], ids=["at once", "after an idle module"])
def test_in_place_modules_do_not_change_the_image(first):
    encoder = SequentialEncoder({**first, "relu": nn.ReLU(inplace=True), "pool": nn.MaxPool2d(2)})
    for image in (image_below_zero(), image_below_zero().contiguous(memory_format=torch.channels_last)):
        before = image.clone()
        features = encoder(image, ["relu", "pool"])
        assert torch.equal(image, before)
        assert torch.equal(features["relu"], before.clamp_min(0))


def test_gradients_pass_through_in_place_modules():
    encoder = SequentialEncoder({"conv": nn.Conv2d(3, 4, 3), "relu": nn.ReLU(inplace=True)})
    image = image_below_zero().requires_grad_()
    features = encoder(image, ["conv", "relu"])
    (gradient,) = torch.autograd.grad(features["conv"].sum() + features["relu"].sum(), image)
    assert gradient.isfinite().all()


def test_modules_after_the_deepest_wanted_layer_are_not_run():
    # A convolution of one channel fails for every image.
    encoder = SequentialEncoder({"pool": nn.AvgPool2d(2), "fails": nn.Conv2d(1, 4, 3)})
    assert list(encoder(torch.rand(1, 3, 4, 4), ["pool"])) == ["pool"]


def test_layers_come_back_in_the_order_of_the_question_and_once():
    encoder = vgg11(weights=None)
    features = encoder(torch.rand(1, 3, 8, 8), ["relu2_1", "relu1_1", "relu2_1"])
    assert list(features) == ["relu2_1", "relu1_1"]


def test_sequential_encoder_freezes_its_modules_and_ends_their_training():
    convolution, normalisation = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
    SequentialEncoder({"conv": convolution, "bn": normalisation})
    assert not convolution.weight.requires_grad
    assert not normalisation.training


def test_sequential_encoder_keeps_no_hooks_and_no_features():
    encoder = vgg11(weights=None)
    tensors = [name for name, _ in encoder.named_buffers()] + [name for name, _ in encoder.named_parameters()]
    encoder(torch.rand(1, 3, 16, 16, requires_grad=True), ["relu2_1"])
    with pytest.raises(RuntimeError):
        encoder(torch.rand(1, 3, 2, 2), ["pool5"])
    assert [name for name, _ in encoder.named_buffers()] + [
        name for name, _ in encoder.named_parameters()
    ] == tensors
    for module in encoder.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert not module._backward_hooks


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ({}, "at least one module, got none"),
        ({"": nn.ReLU()}, "must not be empty or contain a dot, got ''"),
        ({"a.b": nn.ReLU()}, "must not be empty or contain a dot, got 'a.b'"),
        ({"half": nn.ReLU()}, "must not be those of methods of torch's modules, got 'half'"),
    ],
)
def test_modules_need_names_without_dots(modules, message):
    with pytest.raises(ValueError, match=message):
        SequentialEncoder(modules)


def test_normalize_subtracts_and_divides_per_channel():
    normalize = Normalize(mean=[0.5, 0.25, 0.0], std=[0.5, 0.25, 2.0])
    image = torch.ones(1, 3, 1, 1)
    assert normalize(image).flatten().tolist() == [1.0, 3.0, 0.5]
    assert normalize.double()(image.double()).dtype == torch.float64


WINDOWS = torch.tensor([[[[1.0, 2.0, 0.0, 0.0], [3.0, 4.0, 0.0, 6.0]]]])


def test_scaled_average_pooling_is_the_mean_times_the_scale():
    assert ScaledAveragePool2d(2, stride=2)(WINDOWS).flatten().tolist() == [5.0, 3.0]
    assert ScaledAveragePool2d(2, stride=1, scale=1.0)(WINDOWS).flatten().tolist() == [2.5, 1.5, 1.5]


def test_scaled_l2_pooling_is_the_root_mean_square_times_the_scale():
    # (1 + 4 + 9 + 16) / 4 = 7.5 and 36 / 4 = 9.
    pooled = ScaledL2Pool2d(2, stride=2, scale=2.0)(WINDOWS).flatten().tolist()
    assert pooled == pytest.approx([2 * 7.5**0.5, 6.0], rel=1e-6)
    default = ScaledL2Pool2d(2, stride=2)(WINDOWS).flatten().tolist()
    assert default == pytest.approx([1.56 * 7.5**0.5, 1.56 * 3], rel=1e-6)


def test_l2_pooling_has_a_finite_gradient_where_all_is_zero():
    features = torch.zeros(1, 2, 4, 4, requires_grad=True)
    ScaledL2Pool2d(2, stride=2)(features).sum().backward()
    assert features.grad.abs().max() == 0


@pytest.mark.parametrize(("pooling", "module"), [("average", ScaledAveragePool2d), ("l2", ScaledL2Pool2d)])
def test_pooling_of_an_encoder_is_what_was_asked_for(pooling, module):
    features = vgg11(weights=None, pooling=pooling)(torch.rand(1, 3, 16, 16), ["relu1_1", "pool1"])
    assert torch.equal(features["pool1"], module(2, stride=2)(features["relu1_1"]))


@pytest.mark.parametrize("pooling", ["average", "l2"])
def test_scaled_poolings_keep_activations_about_as_large_as_max_pooling(pooling):
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    usual = vgg11(weights=None)(image, ["pool1"])["pool1"].mean()
    other = vgg11(weights=None, pooling=pooling)(image, ["pool1"])["pool1"].mean()
    assert 0.6 < other / usual < 1.6


@pytest.mark.parametrize(
    ("padding", "mode"), [("zeros", "constant"), ("replicate", "replicate"), ("reflect", "reflect")]
)
def test_padding_continues_the_image_as_asked(padding, mode):
    encoder = vgg11(weights=None, padding=padding)
    image = torch.rand(1, 3, 6, 5)
    convolution = encoder.stages["conv1_1"]
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    normalized = (image - mean.reshape(3, 1, 1)) / std.reshape(3, 1, 1)
    padded = nn.functional.pad(normalized, (1, 1, 1, 1), mode=mode)
    expected = nn.functional.conv2d(padded, convolution.weight, convolution.bias)
    torch.testing.assert_close(encoder(image, ["conv1_1"])["conv1_1"], expected, rtol=1e-5, atol=1e-5)


def test_replicated_borders_leave_a_flat_image_flat():
    flat = torch.full((1, 3, 16, 16), 0.7)
    for padding, is_flat in (("replicate", True), ("reflect", True), ("zeros", False)):
        feature = vgg11(weights=None, padding=padding)(flat, ["relu3_1"])["relu3_1"]
        assert bool(feature.std((2, 3)).max() < 1e-5 * feature.max()) is is_flat


def test_the_repr_of_an_encoder_is_one_line_with_its_layers():
    short = SequentialEncoder({"conv1": nn.Conv2d(3, 4, 3), "relu1": nn.ReLU()})
    assert repr(short) == "SequentialEncoder(conv1, relu1)"
    long = SequentialEncoder({f"relu{index}": nn.ReLU() for index in range(1, 6)})
    assert repr(long) == "SequentialEncoder(relu1, relu2, ..., relu5)"
