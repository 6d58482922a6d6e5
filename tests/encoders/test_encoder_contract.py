from functools import partial

import pytest
import torch
from torch import nn

from pystyle import encoders
from pystyle.encoders import HypercolumnEncoder, MultiEncoder, Normalize, SequentialEncoder
from pystyle.testing import check_encoder


def small_encoder() -> SequentialEncoder:
    generator = torch.Generator().manual_seed(0)
    modules = {
        "conv1": nn.Conv2d(3, 4, 3, padding=1),
        "relu1": nn.ReLU(inplace=True),
        "drop1": nn.Dropout(0.5),
        "pool1": nn.AvgPool2d(2),
        "block2": nn.Sequential(nn.Conv2d(4, 5, 3, dilation=2), nn.LeakyReLU(0.1, inplace=True)),
        "bn2": nn.BatchNorm2d(5),
    }
    for module in modules.values():
        for parameter in module.parameters():
            parameter.data.uniform_(-0.3, 0.4, generator=generator)
    return SequentialEncoder(modules, preprocessing=Normalize([0.5] * 3, [0.25] * 3))


def joined_encoder() -> MultiEncoder:
    return MultiEncoder({"small": small_encoder(), "vgg": encoders.vgg11(weights=None, seed=1)})


def column_encoder() -> HypercolumnEncoder:
    vgg = encoders.vgg11(weights=None)
    return HypercolumnEncoder(vgg, {"columns": ["relu2_1", "relu1_1", "relu3_1"]}, normalization="channels")


FACTORIES = {
    "vgg11": partial(encoders.vgg11, weights=None),
    "vgg13": partial(encoders.vgg13, weights=None),
    "vgg16": partial(encoders.vgg16, weights=None),
    "vgg19": partial(encoders.vgg19, weights=None),
    "vgg11_bn": partial(encoders.vgg11_bn, weights=None),
    "vgg13_bn": partial(encoders.vgg13_bn, weights=None),
    "vgg16_bn": partial(encoders.vgg16_bn, weights=None),
    "vgg19_bn": partial(encoders.vgg19_bn, weights=None),
    "alexnet": partial(encoders.alexnet, weights=None),
    "average pooling": partial(encoders.vgg11, weights=None, pooling="average"),
    "l2 pooling": partial(encoders.vgg11, weights=None, pooling="l2"),
    "max pooling, rounded up": partial(encoders.vgg11, weights=None, ceil_mode=True),
    "average pooling, rounded up": partial(encoders.vgg11, weights=None, pooling="average", ceil_mode=True),
    "l2 pooling, rounded up": partial(encoders.vgg11, weights=None, pooling="l2", ceil_mode=True),
    "replicate": partial(encoders.vgg11, weights=None, padding="replicate", seed=3),
    "reflect": partial(encoders.vgg11, weights=None, padding="reflect"),
    "caffe preprocessing": partial(encoders.vgg11, weights=None, preprocessing="caffe"),
    "alexnet, everything else": partial(
        encoders.alexnet, weights=None, pooling="l2", padding="reflect", preprocessing="caffe", seed=4
    ),
    "sequential": small_encoder,
    "multi": joined_encoder,
    "hypercolumns": column_encoder,
}


LARGE = ("vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19_bn")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in FACTORIES]
)
def test_encoder_keeps_its_promises(name):
    encoder = FACTORIES[name]()
    check_encoder(encoder, size=encoder.minimum_size(encoder.layers))


@pytest.mark.parametrize("name", ["alexnet", "sequential"])
def test_encoder_keeps_its_promises_in_float64(name):
    check_encoder(FACTORIES[name]().double())


LAYERS = {
    "vgg19": "conv1_1 relu1_1 conv1_2 relu1_2 pool1 conv2_1 relu2_1 conv2_2 relu2_2 pool2 "
    "conv3_1 relu3_1 conv3_2 relu3_2 conv3_3 relu3_3 conv3_4 relu3_4 pool3 "
    "conv4_1 relu4_1 conv4_2 relu4_2 conv4_3 relu4_3 conv4_4 relu4_4 pool4 "
    "conv5_1 relu5_1 conv5_2 relu5_2 conv5_3 relu5_3 conv5_4 relu5_4 pool5",
    "vgg16": "conv1_1 relu1_1 conv1_2 relu1_2 pool1 conv2_1 relu2_1 conv2_2 relu2_2 pool2 "
    "conv3_1 relu3_1 conv3_2 relu3_2 conv3_3 relu3_3 pool3 "
    "conv4_1 relu4_1 conv4_2 relu4_2 conv4_3 relu4_3 pool4 "
    "conv5_1 relu5_1 conv5_2 relu5_2 conv5_3 relu5_3 pool5",
    "vgg11_bn": "conv1_1 bn1_1 relu1_1 pool1 conv2_1 bn2_1 relu2_1 pool2 "
    "conv3_1 bn3_1 relu3_1 conv3_2 bn3_2 relu3_2 pool3 conv4_1 bn4_1 relu4_1 conv4_2 bn4_2 relu4_2 pool4 "
    "conv5_1 bn5_1 relu5_1 conv5_2 bn5_2 relu5_2 pool5",
    "alexnet": "conv1 relu1 pool1 conv2 relu2 pool2 conv3 relu3 conv4 relu4 conv5 relu5 pool5",
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_have_the_names_of_the_literature(name):
    assert FACTORIES[name]().layers == tuple(LAYERS[name].split())


def test_random_weights_follow_the_seed():
    first, same, other = (encoders.alexnet(weights=None, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[key], same[key]) for key in first)
    assert not torch.equal(first["stages.conv3.weight"], other["stages.conv3.weight"])


def test_random_weights_keep_the_size_of_activations():
    # He's initialisation: the mean square stays what it was before the first convolution.
    encoder = encoders.vgg16(weights=None)
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    square = encoder.preprocessing(image).square().mean()
    assert 0.2 < encoder(image, ["relu3_3"])["relu3_3"].square().mean() / square < 5


@pytest.mark.parametrize("name", ["alexnet", "vgg11_bn"])
def test_building_an_encoder_leaves_the_global_random_state_alone(name):
    before = torch.get_rng_state()
    FACTORIES[name]()
    assert torch.equal(torch.get_rng_state(), before)


def test_encoder_stays_frozen_and_in_evaluation_mode():
    encoder = encoders.vgg11_bn(weights=None)
    image = torch.rand(2, 3, 16, 16)
    before = encoder(image, ["relu3_2"])["relu3_2"]
    encoder.train()
    after = encoder(image, ["relu3_2"])["relu3_2"]
    assert not any(module.training for module in encoder.modules())
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert torch.equal(before, after)


def test_a_batch_gives_the_features_of_its_images():
    encoder = encoders.alexnet(weights=None)
    images = torch.rand(3, 3, 64, 70)
    together = encoder(images, ["relu5"])["relu5"]
    alone = torch.cat([encoder(image[None], ["relu5"])["relu5"] for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "encoder", [encoders.vgg11(weights=None), small_encoder()], ids=["vgg11", "sequential"]
)
def test_the_memory_layout_of_the_image_does_not_matter(encoder):
    image = torch.rand(1, 3, 24, 20, generator=torch.Generator().manual_seed(0))
    layer = encoder.layers[3]
    expected = encoder(image, [layer])[layer]
    layouts = [
        image.contiguous(memory_format=torch.channels_last),
        image.mT.contiguous().mT,
        torch.cat([image, image], 3)[..., :20],
    ]
    for other in layouts:
        torch.testing.assert_close(encoder(other, [layer])[layer], expected, rtol=1e-5, atol=1e-6)


def test_an_expanded_image_gives_the_features_of_its_copy():
    encoder = encoders.vgg11(weights=None)
    grey = torch.rand(1, 1, 16, 16).expand(2, 3, 16, 16)
    torch.testing.assert_close(encoder(grey, ["pool2"]), encoder(grey.clone(), ["pool2"]))


def test_float64_and_float32_agree():
    image = torch.rand(1, 3, 32, 32, dtype=torch.float64)
    single = encoders.vgg11(weights=None)(image.float(), ["relu5_2"])["relu5_2"]
    double = encoders.vgg11(weights=None).double()(image, ["relu5_2"])["relu5_2"]
    assert double.dtype == torch.float64
    assert (double - single).abs().max() < 1e-5 * double.abs().max()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pooling": "mean"}, r"`pooling` must be 'max', 'average' or 'l2', got 'mean'"),
        (
            {"padding": "circular"},
            r"`padding` must be one of \('zeros', 'replicate', 'reflect'\), got 'circular'",
        ),
        (
            {"preprocessing": "imagenet"},
            r"`preprocessing` must be 'torchvision', 'caffe' or None, got 'imagenet'",
        ),
        (
            {"weights": "imagenet"},
            r"`weights` must be 'caffe', .*path of a \.pth or \.safetensors file, got 'imagenet'",
        ),
        ({"weights": "caffe"}, r"`weights` = 'caffe' exists for vgg19 only, got it for vgg16.*'torchvision'"),
        ({"weights": "caffe_normalized"}, r"`weights` = 'caffe_normalized' exists for vgg19 only"),
    ],
)
def test_an_unknown_value_is_named_with_the_possible_ones(arguments, message):
    with pytest.raises(ValueError, match=message):
        encoders.vgg16(**{"weights": None, **arguments})


def test_caffe_weights_are_not_those_of_the_batch_normalised_vgg19():
    with pytest.raises(ValueError, match="exists for vgg19 only, got it for vgg19_bn"):
        encoders.vgg19_bn(weights="caffe")


def test_an_unknown_layer_is_named_with_the_most_similar_one():
    encoder = encoders.vgg11(weights=None)
    with pytest.raises(
        ValueError, match=r"`layers` must be some of conv1_1, .*got 'relu5_9'\. Did you mean 'relu5_"
    ):
        encoder(torch.rand(1, 3, 16, 16), ["relu5_9"])
    with pytest.raises(ValueError, match="got 'xyz'"):
        encoder.stride("xyz")
    with pytest.raises(ValueError, match=r"Did you mean \['relu1_1', 'relu2_1'\]\?"):
        encoder.check_layers(["relu1_1, relu2_1"])


def test_a_layer_that_is_not_in_a_list_is_refused():
    with pytest.raises(TypeError, match=r"got the string 'relu1_1'. Use \['relu1_1'\]"):
        encoders.alexnet(weights=None)(torch.rand(1, 3, 16, 16), "relu1_1")


def test_multi_encoder_runs_only_the_encoders_it_needs():
    # A convolution of one channel fails for every image.
    broken = SequentialEncoder({"conv1": nn.Conv2d(1, 4, 3)})
    encoder = MultiEncoder({"good": small_encoder(), "broken": broken})
    image = torch.rand(1, 3, 16, 16)
    features = encoder(image, ["good.relu1", "good.pool1"])
    assert list(features) == ["good.relu1", "good.pool1"]
    assert torch.equal(features["good.pool1"], small_encoder()(image, ["pool1"])["pool1"])
    assert encoder.stride("good.bn2") == 2


def test_multi_encoder_keeps_apart_encoders_with_names_that_start_alike():
    encoder = MultiEncoder({"vgg": small_encoder(), "vgg2": encoders.vgg11(weights=None)})
    features = encoder(torch.rand(1, 3, 16, 16), ["vgg2.conv1_1", "vgg.conv1"])
    assert {layer: feature.shape[1] for layer, feature in features.items()} == {
        "vgg2.conv1_1": 64,
        "vgg.conv1": 4,
    }


def test_multi_encoder_refuses_what_is_no_encoder():
    with pytest.raises(ValueError, match="at least one encoder"):
        MultiEncoder({})
    with pytest.raises(TypeError, match="must hold encoders, got a Conv2d named 'x'"):
        _ = MultiEncoder({"x": nn.Conv2d(3, 4, 3)}).layers


@pytest.mark.parametrize("pooling", ["max", "average", "l2"])
def test_deep_layers_see_the_last_rows_only_if_pooling_is_rounded_up(pooling):
    image = torch.rand(1, 3, 45, 45, generator=torch.Generator().manual_seed(0)).requires_grad_()
    for ceil_mode, side in ((False, 2), (True, 3)):
        encoder = encoders.vgg11(weights=None, pooling=pooling, ceil_mode=ceil_mode)
        feature = encoder(image, ["pool4"])["pool4"]
        assert feature.shape[2:] == (side, side)
    # Without convolutions between them, four poolings see 2 * 16 of 45 rows, or all of them.
    for ceil_mode, last_row_counts in ((False, False), (True, True)):
        pools = {
            name: module
            for name, module in encoders.vgg11(
                weights=None, pooling=pooling, ceil_mode=ceil_mode
            ).stages.items()
            if name.startswith("pool")
        }
        feature = encoders.SequentialEncoder(pools)(image, ["pool4"])["pool4"]
        (gradient,) = torch.autograd.grad(feature.sum(), image)
        assert bool(gradient[..., 32:, :].abs().sum() > 0) is last_row_counts
