"""Texture networks against their description, and what makes them textures: noise, and no borders."""

import pytest
import torch
import torch.nn.functional as F

from pystyle.papers import ulyanov_2016
from pystyle.papers.ulyanov_2016 import NoiseImages, PyramidNetwork, sample
from pystyle.testing import check_stylizer
from pystyle.training import train

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
MEAN = torch.tensor([103.939, 116.779, 123.68], dtype=torch.float64)[None, :, None, None]


def small(**options):
    torch.manual_seed(0)
    network = PyramidNetwork(**{"num_scales": 3, "channels": 2, **options}).double()
    network.levels.mean.copy_(MEAN)
    with torch.no_grad():
        # So that pixels differ: with the statistics of what it has just seen, and in levels of 255.
        for module in network.modules():
            module.momentum = 1.0
        network(torch.rand(2, 3, 64, 64, dtype=torch.float64), None)
        network.output.weight.mul_(100)
    return network.eval()


@pytest.mark.parametrize(("mode", "scales", "published"), [("texture", 6, 116_755), ("style", 5, 68_411)])
def test_the_network_has_the_published_size_but_for_the_joins(mode, scales, published):
    network = ulyanov_2016.network(mode)
    count = sum(parameter.numel() for parameter in network.parameters())
    # Of the 8, 16, ... channels that are enlarged, those of the released networks have parameters for 8.
    assert count - sum(2 * (8 * index - 8) for index in range(1, scales)) == published
    assert count == {"texture": 116_915, "style": 68_507}[mode]


def described(network, seen):
    """``models/pyramid.lua``, from what is seen at each size, the coarsest first."""

    def normalized(x, layer):
        if network.normalization == "instance":
            return F.instance_norm(x, weight=layer.weight, bias=layer.bias)
        return F.batch_norm(x, layer.running_mean, layer.running_var, layer.weight, layer.bias)

    def block(x, layers):
        for convolution, normalization, _ in zip(layers[::3], layers[1::3], layers[2::3], strict=True):
            edge = convolution.kernel_size[0] // 2
            if edge:
                x = F.pad(x, (edge,) * 4, mode=network.border)
            x = normalized(F.conv2d(x, convolution.weight, convolution.bias), normalization)
            x = torch.where(x > 0, x, network.negative_slope * x)
        return x

    current = block(seen[0], network.branches[0])
    for index in range(1, len(seen)):
        old, new, layers = network.joins[index - 1]
        enlarged = current.repeat_interleave(2, 2).repeat_interleave(2, 3)
        joined = [normalized(enlarged, old), normalized(block(seen[index], network.branches[index]), new)]
        current = block(torch.cat(joined, 1), layers)
    x = F.conv2d(current, network.output.weight, network.output.bias)
    return (x + MEAN)[:, [2, 1, 0]] / 255


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"pointwise": False, "normalization": "instance"},
        {"negative_slope": 0.0, "border": "replicate", "num_scales": 4},
    ],
)
def test_the_network_is_that_of_the_description(options):
    network, noise = small(**options), torch.rand(2, 3, 64, 96, dtype=torch.float64)
    ratios = [2**index for index in reversed(range(network.num_scales))]
    seen = [noise[:, :, ratio // 2 :: ratio, ratio // 2 :: ratio] for ratio in ratios]
    with torch.no_grad():
        picture = network(noise, network.named_code("style"))
        torch.testing.assert_close(picture, described(network, seen))
    assert float(picture.std((2, 3)).min()) > 0.01


def test_no_two_coarse_sizes_see_the_same_noise():
    network = PyramidNetwork()
    numbers = torch.arange(64.0 * 64).reshape(1, 1, 64, 64).expand(1, 3, -1, -1)
    seen = [set(network._seen(numbers, 2**index, None).flatten().tolist()) for index in range(6)]
    assert [len(one) for one in seen] == [64 * 64 // 4**index for index in range(6)]
    for index in range(1, 6):
        assert not any(seen[index] & other for other in seen[index + 1 :])


@pytest.mark.parametrize("inputs", ["content", "both"])
def test_a_content_is_averaged_and_noise_lies_beside_it(inputs, picture):
    network, content = small(inputs=inputs), picture(0, 64, 64)
    seen = [network._seen(content, ratio, torch.Generator().manual_seed(1)) for ratio in (4, 1)]
    means = content.reshape(1, 3, 16, 4, 16, 4).mean((3, 5))
    torch.testing.assert_close(seen[0][:, :3], means)
    assert torch.equal(seen[1][:, :3], content)
    assert seen[0].shape[1] == (6 if inputs == "both" else 3)
    if inputs == "both":
        noise = seen[1][:, 3:]
        assert 0 <= float(noise.min()) < 0.01 < 0.99 < float(noise.max()) < 1
        assert float(noise.mean()) == pytest.approx(0.5, abs=0.02)


def test_a_texture_has_no_border():
    """What is shifted along the torus is the same texture, shifted."""
    network, noise = small(), torch.rand(1, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        one, other = (network(x, None) for x in (noise, noise.roll((4, 8), (2, 3))))
        torch.testing.assert_close(other, one.roll((4, 8), (2, 3)))
        bordered = small(border="replicate")
        one, other = (bordered(x, None) for x in (noise, noise.roll((4, 8), (2, 3))))
    assert not torch.allclose(other, one.roll((4, 8), (2, 3)))


def test_samples_differ_and_come_again():
    network = small().float()
    first = sample(network, 2, size=(64, 96), seed=3)
    assert first.shape == (2, 3, 64, 96)
    assert 0 <= float(first.min()) <= float(first.max()) <= 1
    assert torch.equal(first, sample(network, 2, size=(64, 96), seed=3))
    assert float((first[0] - first[1]).abs().mean()) > 0.01
    assert not torch.equal(first, sample(network, 2, size=(64, 96), seed=4))
    assert sample(network, size=64).shape == (1, 3, 64, 64)


def test_noise_beside_a_content_changes_in_training_alone(picture):
    network, content = small(inputs="both"), picture(0, 64, 64).expand(2, -1, -1, -1)
    with torch.no_grad():
        one, other = (network(content, None) for _ in range(2))
        assert torch.equal(one, other)
        assert torch.equal(one[0], one[1])
        others = [network.painted(content, torch.Generator().manual_seed(seed)) for seed in (0, 1)]
        assert torch.equal(others[0], one)
        assert not torch.equal(others[1], one)
        network.train()
        torch.manual_seed(0)
        one, other = (network(content, None) for _ in range(2))
    assert not torch.equal(one, other)
    assert not torch.equal(one[0], one[1])


def gram(features):
    x = features[0].flatten(1)
    return x @ x.T / x.numel()


@pytest.mark.parametrize(("mode", "beta", "alpha"), [("texture", 1.0, 0.0), ("style", 1e3, 0.6)])
def test_the_losses_are_those_of_the_code(exact_encoder, picture, check_formula, mode, beta, alpha):
    content, style, image = picture(0), picture(1, 48, 40), picture(2)
    with torch.no_grad():
        target = exact_encoder(content, ["relu4_2"])["relu4_2"]
        wanted = exact_encoder(style, LAYERS)

    def formula(image):
        found = exact_encoder(image, [*LAYERS, "relu4_2"])
        loss = alpha * ((found["relu4_2"] - target) ** 2).mean()
        for layer in LAYERS:
            loss = loss + beta * ((gram(found[layer]) - gram(wanted[layer])) ** 2).mean()
        return loss

    criterion = ulyanov_2016.criterion(exact_encoder, mode=mode)
    check_formula(criterion, {"content": content, "style": style}, image, formula)


def test_normalised_gradients_have_the_length_of_the_weight(exact_encoder, picture):
    criterion = ulyanov_2016.criterion(exact_encoder, style_layers="relu1_1", normalize_gradients=True)
    image = picture(0).requires_grad_()
    objective = criterion.bind({"style": picture(1)})
    (found,) = torch.autograd.grad(objective(image).total, image)
    features = exact_encoder(image, ["relu1_1"])["relu1_1"]
    wanted = gram(exact_encoder(picture(1), ["relu1_1"])["relu1_1"])
    (at_layer,) = torch.autograd.grad(((gram(features) - wanted) ** 2).mean(), features, retain_graph=True)
    (expected,) = torch.autograd.grad(features, image, at_layer / at_layer.abs().sum())
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(
    ("mode", "variant", "steps", "batch", "rates"),
    [
        ("texture", "code", 1500, 16, {0: 1.0, 299: 1.0, 300: 0.8, 900: 0.8**3, 1499: 0.8**4}),
        ("style", "code", 3000, 4, {0: 1.0, 300: 0.8, 2999: 0.8**9}),
        ("texture", "paper", 2000, 16, {0: 1.0, 999: 1.0, 1000: 0.7, 1199: 0.7, 1200: 0.49, 1999: 0.7**5}),
    ],
)
def test_the_learning_rate_falls_as_published(mode, variant, steps, batch, rates):
    options = ulyanov_2016.training(mode, variant=variant)
    assert (options["num_steps"], options["batch_size"], options["crop_size"]) == (steps, batch, 256)
    assert options["optimizer"].keywords == {"lr": 0.1}
    for step, rate in rates.items():
        assert options["learning_rate"](step / (steps - 1)) == pytest.approx(rate)


def test_a_shorter_training_has_the_rates_of_its_own_steps():
    schedule = ulyanov_2016.training(num_steps=400)["learning_rate"]
    assert [schedule(step / 399) for step in (0, 299, 300, 399)] == [1.0, 1.0, 0.8, 0.8]


@pytest.mark.parametrize("options", [{}, {"inputs": "both", "pointwise": False}, {"inputs": "content"}])
def test_it_keeps_the_promises_of_a_stylizer(options):
    torch.manual_seed(0)
    check_stylizer(PyramidNetwork(num_scales=2, channels=2, style="bricks", **options))


def test_textures_are_trained_from_noise(encoder, picture):
    torch.manual_seed(0)
    network, seen = PyramidNetwork(num_scales=3, channels=2, style="bricks"), []
    network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    options = {**ulyanov_2016.training(num_steps=2), "crop_size": 64, "batch_size": 2}
    criterion = ulyanov_2016.criterion(encoder, style_layers="relu1_1")
    texture = picture(0, 64, 64, torch.float32)
    result = train(network, criterion, contents=NoiseImages(64), styles=texture, **options)
    assert result.stop_reason == "finished"
    noises = torch.cat(seen)
    assert len({float(noise.sum()) for noise in noises}) == 4
    assert sample(network, size=64).isfinite().all()


def test_styles_are_trained_from_photographs(encoder, picture):
    torch.manual_seed(0)
    network = PyramidNetwork(inputs="both", num_scales=2, channels=2)
    options = {**ulyanov_2016.training("style", num_steps=2), "crop_size": 64, "batch_size": 2}
    criterion = ulyanov_2016.criterion(encoder, mode="style", style_layers="relu1_1", content_layer="relu2_1")
    images = torch.cat([picture(seed, 64, 64, torch.float32) for seed in range(2)])
    result = train(network, criterion, contents=images, styles=images[:1], **options)
    assert result.stop_reason == "finished"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PyramidNetwork(inputs="image"), "`inputs` must be one of"),
        (lambda: PyramidNetwork(border="zeros"), "`border` must be one of"),
        (lambda: PyramidNetwork(normalization="layer"), "`normalization` must be"),
        (lambda: PyramidNetwork(num_scales=7), r"`num_scales` must be in \[1, 6\], got 7"),
        (lambda: PyramidNetwork(channels=0), "`channels` must be"),
        (lambda: ulyanov_2016.network("picture"), "`mode` must be one of"),
        (lambda: ulyanov_2016.training(variant="ours"), "`variant` must be"),
        (lambda: sample(small(inputs="both")), "`network` must see noise alone"),
        (lambda: sample(small(), 0), "`num_samples` must be"),
        (lambda: NoiseImages(0), "`size` must be"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_there_is_one_image_of_noise():
    assert len(NoiseImages(8)) == 1
    with pytest.raises(IndexError, match="There is one image"):
        NoiseImages(8)[1]
