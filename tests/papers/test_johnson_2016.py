"""Network and losses of Johnson et al. against their description, written out with torch's own layers."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pystyle.encoders import vgg16
from pystyle.networks import TransformNetwork
from pystyle.papers import johnson_2016
from pystyle.papers.johnson_2016 import ImageTransformNetwork
from pystyle.testing import check_stylizer
from pystyle.training import train

STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
MEAN = torch.tensor([103.939, 116.779, 123.68], dtype=torch.float64)[None, :, None, None]


@pytest.fixture(scope="module")
def vgg():
    return vgg16(weights=None).double()


def small(normalization="instance", width=3):
    torch.manual_seed(0)
    network = ImageTransformNetwork(width=width, normalization=normalization).double().eval()
    network.levels.mean.copy_(MEAN)
    return network


@pytest.mark.parametrize("normalization", ["instance", "batch"])
@pytest.mark.parametrize(("width", "count"), [(32, 1_679_235), (16, 424_899)])
def test_the_network_has_as_many_parameters_as_the_published_one(normalization, width, count):
    network = johnson_2016.network(width=width, normalization=normalization)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_each_variant_has_its_normalisation():
    kinds = {variant: johnson_2016.network(variant=variant, width=2) for variant in ("paper", "code")}
    assert (kinds["paper"].normalization, kinds["code"].normalization) == ("batch", "instance")
    example = johnson_2016.network(variant="pytorch", width=32, style="wheat")
    assert (type(example), example.border, example.styles) == (TransformNetwork, "reflect", ("wheat",))
    assert sum(parameter.numel() for parameter in example.parameters()) == 1_679_235


def described(network, content):
    """``c9s1-32,d64,d128,R128 (5 times),u64,u32,c9s1-3`` of the authors, padding ``reflect-start``."""

    def normalized(x, layer):
        if network.normalization == "instance":
            return F.instance_norm(x, weight=layer.weight, bias=layer.bias, eps=1e-5)
        return F.batch_norm(x, layer.running_mean, layer.running_var, layer.weight, layer.bias, eps=1e-5)

    x = F.pad(content[:, [2, 1, 0]] * 255 - MEAN, (40,) * 4, mode="reflect")
    for (convolution, normalization), stride, padding in zip(network.down, (1, 2, 2), (4, 1, 1), strict=True):
        x = F.conv2d(x, convolution.weight, convolution.bias, stride, padding)
        x = normalized(x, normalization).relu()
    for first, second, _, third, fourth in network.blocks:
        inner = normalized(F.conv2d(x, first.weight, first.bias), second).relu()
        x = x[:, :, 2:-2, 2:-2] + normalized(F.conv2d(inner, third.weight, third.bias), fourth)
    for convolution, normalization in network.up:
        x = F.conv_transpose2d(x, convolution.weight, convolution.bias, 2, 1, 1)
        x = normalized(x, normalization).relu()
    x = 150 * F.conv2d(x, network.output.weight, network.output.bias, 1, 4).tanh()
    return (x + MEAN)[:, [2, 1, 0]] / 255


@pytest.mark.parametrize("normalization", ["instance", "batch"])
def test_the_network_is_that_of_the_description(picture, normalization):
    network, content = small(normalization), picture(0, 44, 56)
    with torch.no_grad():
        # So that pixels differ: with the statistics of what it has just seen.
        for module in network.modules():
            module.momentum = 1.0
        network.train()(picture(1, 44, 44), None)
        painted = network.eval()(content, network.named_code("style"))
        torch.testing.assert_close(painted, described(network, content))
    assert float(painted.std((2, 3)).min()) > 0.01


def test_sizes_are_kept_for_multiples_of_4_and_quartered_inside():
    network, seen = small(), []
    for block in network.blocks:
        block.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[2:]))
    content = torch.rand(1, 3, 64, 44, dtype=torch.float64)
    assert network(content, network.named_code("style")).shape == content.shape
    # (64 + 80) / 4 and (44 + 80) / 4, of which each block takes 4.
    assert [tuple(size) for size in seen] == [(36 - 4 * k, 31 - 4 * k) for k in range(5)]


def test_instance_normalisation_alone_does_not_see_the_contrast_of_a_batch(picture):
    """In training: one image of a batch is painted as it is alone with the one, and not with the other."""
    contents = torch.cat([picture(0, 44, 44), 0.3 * picture(1, 44, 44)])
    for normalization, independent in (("instance", True), ("batch", False)):
        network = small(normalization).train()
        with torch.no_grad():
            both, alone = (network(x, network.named_code("style")) for x in (contents, contents[:1]))
        assert torch.allclose(both[:1], alone, atol=1e-9) == independent


def test_scales_begin_as_those_of_torch_7():
    scales = torch.cat([layer[1].weight.detach() for layer in johnson_2016.network(width=32).down])
    assert 0 <= float(scales.min()) < 0.1 < 0.4 < float(scales.mean()) < 0.6 < 0.9 < float(scales.max()) <= 1


def gram(features):
    x = features[0].flatten(1)
    return x @ x.T / x.numel()


@pytest.mark.parametrize(
    ("variant", "content_layer", "alpha", "beta", "sums", "smoothness", "batch"),
    [
        ("code", "relu3_3", 1.0, 5.0, False, 1e-6, 4),
        ("paper", "relu3_3", 1.0, 1.0, True, 1e-6, 1),
        ("pytorch", "relu2_2", 1e5, 1e10, False, 0.0, 1),
    ],
)
def test_the_losses_are_those_of_the_table(
    vgg, picture, check_formula, variant, content_layer, alpha, beta, sums, smoothness, batch
):
    content, style, image = picture(0), picture(1, 48, 40), picture(2)
    criterion = johnson_2016.criterion(vgg, variant=variant, size=(32, 48))
    with torch.no_grad():
        target, wanted = vgg(content, [content_layer])[content_layer], vgg(style, STYLE_LAYERS)

    def formula(image):
        found = vgg(image, STYLE_LAYERS)
        loss = alpha * ((found[content_layer] - target) ** 2).mean()
        for layer in STYLE_LAYERS:
            squares = (gram(found[layer]) - gram(wanted[layer])) ** 2
            loss = loss + beta * (squares.sum() if sums else squares.mean())
        levels = 255 * image
        right = levels[..., :-1, 1:] - levels[..., :-1, :-1]
        below = levels[..., 1:, :-1] - levels[..., :-1, :-1]
        return loss + smoothness * batch * ((right**2).sum() + (below**2).sum()) / 2

    check_formula(criterion, {"content": content, "style": style}, image, formula)


def test_the_total_variation_alone_has_the_gradient_of_the_code(vgg, picture):
    """That of a batch: the code adds the variation of its images up, and averages its other losses."""
    images = torch.cat([picture(seed, 16, 20) for seed in range(4)]).requires_grad_()
    criterion = johnson_2016.criterion(vgg, size=(16, 20))
    loss = criterion.losses["smoothness"]
    (found,) = torch.autograd.grad(loss.weight * loss.represent(images), images)
    levels = (255 * images).detach()
    expected = torch.zeros_like(levels)
    corner = levels[..., :-1, :-1]
    right, below = corner - levels[..., :-1, 1:], corner - levels[..., 1:, :-1]
    expected[..., :-1, :-1] += right + below
    expected[..., :-1, 1:] -= right
    expected[..., 1:, :-1] -= below
    torch.testing.assert_close(found, 1e-6 * 255 * expected)


def test_weights_and_layers_may_be_others(vgg):
    criterion = johnson_2016.criterion(
        vgg,
        content_layer="relu2_2",
        style_layers="relu1_1",
        content_weight=2.0,
        style_weight=3.0,
        smoothness=0,
    )
    assert list(criterion.losses) == ["content", "style"]
    assert (criterion.losses["content"].layers, criterion.losses["content"].weight) == (("relu2_2",), 2.0)
    assert criterion.losses["style"].layer_weights == {"relu1_1": 3.0}


def test_the_network_of_the_losses_is_one_whose_features_have_the_size_of_the_published(picture):
    encoder = johnson_2016.criterion().encoder
    with torch.no_grad():
        features = encoder(picture(0, 32, 32, torch.float32), ["relu3_3"])["relu3_3"]
    assert float(features.square().mean()) > 1e4


def test_the_median_takes_a_dot_away_and_leaves_an_edge():
    image = torch.zeros(1, 3, 6, 8)
    image[..., 4:] = 1.0
    dotted = image.clone()
    dotted[..., 2, 2] = 1.0
    assert torch.equal(johnson_2016.median_filter(dotted), image)


def test_the_median_is_that_of_nine_pixels(picture):
    image = picture(0, 12, 16)
    found = johnson_2016.median_filter(image)
    assert found.shape == image.shape
    for row, column in ((1, 1), (5, 7), (10, 14)):
        window = image[0, :, row - 1 : row + 2, column - 1 : column + 2].reshape(3, 9).numpy()
        np.testing.assert_array_equal(found[0, :, row, column].numpy(), np.median(window, axis=1))


@pytest.mark.parametrize("normalization", ["instance", "batch"])
def test_it_keeps_the_promises_of_a_stylizer(normalization):
    torch.manual_seed(0)
    check_stylizer(ImageTransformNetwork(width=2, normalization=normalization, style="wheat"))


def test_it_is_trained_for_one_style(encoder, picture):
    torch.manual_seed(0)
    network = ImageTransformNetwork(width=2, normalization="batch", style="wheat")
    images = torch.cat([picture(seed, 44, 44, torch.float32) for seed in range(4)])
    options = {**johnson_2016.training(num_steps=2), "crop_size": 44, "batch_size": 2}
    before = network.output.weight.clone()
    criterion = johnson_2016.criterion(encoder, style_layers=["relu1_2"], content_layer="relu2_2")
    result = train(network, criterion, contents=images, styles=picture(7, 44, 48, torch.float32), **options)
    assert result.stop_reason == "finished"
    assert not torch.equal(network.output.weight, before)
    assert int(network.down[0][1].num_batches_tracked) == 2
    painted = network.bind("wheat")(images[:1])
    assert painted.shape == images[:1].shape


def test_the_learning_rate_stays():
    options = johnson_2016.training()
    assert (options["num_steps"], options["batch_size"], options["crop_size"]) == (40_000, 4, 256)
    assert options["optimizer"].keywords == {"lr": 1e-3}
    assert {options["learning_rate"](fraction) for fraction in (0.0, 0.3, 1.0)} == {1.0}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: johnson_2016.network(variant="ours"), "`variant` must be one of"),
        (lambda: johnson_2016.criterion(vgg16(weights=None), variant="ours"), "`variant` must be one of"),
        (lambda: johnson_2016.network(variant="pytorch", normalization="batch"), "must be 'instance' with"),
        (lambda: ImageTransformNetwork(normalization="layer"), "`normalization` must be 'instance' or"),
        (lambda: ImageTransformNetwork(width=0), "`width` must be"),
        (lambda: johnson_2016.median_filter(torch.rand(1, 3, 8, 8), size=2), "`size` must be odd"),
        (lambda: small().bind(torch.rand(1, 3, 48, 48)), "`style` must be the name 'style'"),
        (lambda: small().named_code("wheat"), "`name` must be the learned style 'style'"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_style_has_a_name():
    with pytest.raises(TypeError, match="`style` must be the name of the style, got a Tensor"):
        ImageTransformNetwork(style=torch.rand(1, 3, 48, 48))
