"""Improved texture networks: contrast does not matter to them, and their samples are to differ."""

import math

import pytest
import torch
import torch.nn.functional as F

from pystyle.functional import nearest_neighbor_entropy
from pystyle.networks import InstanceNormalization
from pystyle.papers import ulyanov_2017
from pystyle.papers.ulyanov_2016 import NoiseImages, PyramidNetwork, sample
from pystyle.papers.ulyanov_2017 import DiversityLoss, ResidualNetwork
from pystyle.testing import check_stylizer
from pystyle.training import train

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
MEAN = torch.tensor([103.939, 116.779, 123.68], dtype=torch.float64)[None, :, None, None]


def prepared(network):
    """In float64, with statistics of what it has just seen, and pixels that differ."""
    network = network.double().train()
    network.levels.mean.copy_(MEAN)
    last = network.output if isinstance(network, PyramidNetwork) else network.up[-1]
    with torch.no_grad():
        for module in network.modules():
            module.momentum = 1.0
        network(torch.rand(2, 3, 64, 64, dtype=torch.float64), None)
        last.weight.mul_(60)
    return network.eval()


def residual(**options):
    torch.manual_seed(0)
    return prepared(ResidualNetwork(width=2, **options))


def test_the_networks_have_the_layers_of_the_code():
    pyramid = ulyanov_2017.network("pyramid")
    assert (pyramid.num_scales, pyramid.pointwise, pyramid.channels) == (6, True, 8)
    assert (pyramid.inputs, pyramid.border, pyramid.negative_slope) == ("content", "replicate", 0.0)
    assert sum(parameter.numel() for parameter in pyramid.parameters()) == 116_915
    assert ulyanov_2017.network("pyramid", inputs="noise").border == "circular"
    # 1,679,235 of Johnson et al., whose last kernel has 9 x 9.
    johnson = ulyanov_2017.network("johnson")
    assert sum(parameter.numel() for parameter in johnson.parameters()) == 1_679_235 - 32 * 3 * (81 - 9)
    both = ulyanov_2017.network("johnson", inputs="both")
    assert both.down[0].in_channels == 6


def described(network, x):
    """``models/johnson.lua``."""

    def convolved(x, layer, stride=1):
        edge = layer.weight.shape[-1] // 2
        return F.conv2d(F.pad(x, (edge,) * 4, mode="replicate"), layer.weight, layer.bias, stride)

    def normalized(x, layer):
        if network.normalization == "instance":
            return F.instance_norm(x, weight=layer.weight, bias=layer.bias)
        return F.batch_norm(x, layer.running_mean, layer.running_var, layer.weight, layer.bias)

    for at, stride in ((0, 1), (3, 2), (6, 2)):
        x = normalized(convolved(x, network.down[at], stride), network.down[at + 1]).relu()
    for first, second, _, third, fourth in network.blocks:
        x = x + normalized(convolved(normalized(convolved(x, first), second).relu(), third), fourth)
    for at in (0, 3):
        layer = network.up[at]
        x = normalized(F.conv_transpose2d(x, layer.weight, layer.bias, 2, 1, 1), network.up[at + 1]).relu()
    return (convolved(x, network.up[6]) + MEAN)[:, [2, 1, 0]] / 255


@pytest.mark.parametrize("normalization", ["instance", "batch"])
def test_the_residual_network_is_that_of_the_description(picture, normalization):
    network, content = residual(normalization=normalization), picture(0)
    with torch.no_grad():
        painted = network(content, network.named_code("style"))
        torch.testing.assert_close(painted, described(network, content))
    assert float(painted.std((2, 3)).min()) > 0.01


@pytest.mark.parametrize("model", ["johnson", "pyramid"])
def test_contrast_does_not_matter_to_instance_normalisation_alone(picture, model):
    content, differences = picture(0, 64, 96), []
    for normalization in ("instance", "batch"):
        torch.manual_seed(0)
        options = {"normalization": normalization}
        network = prepared(
            ResidualNetwork(width=2, **options)
            if model == "johnson"
            else PyramidNetwork(
                inputs="content", num_scales=3, channels=3, negative_slope=0.0, border="replicate", **options
            )
        )
        for module in network.modules():
            if isinstance(module, InstanceNormalization):
                module.eps = 1e-12
        with torch.no_grad():
            one, other = (network(x, None) for x in (content, 0.3 * content + 0.1))
        differences.append(float((one - other).abs().mean() / one.std((2, 3)).mean()))
    assert differences[0] < 1e-4
    assert differences[1] > 0.1


def test_noise_beside_a_content_changes_in_training_alone(picture):
    network, content = residual(inputs="both"), picture(0).expand(2, -1, -1, -1)
    with torch.no_grad():
        one, other = (network(content, None) for _ in range(2))
        assert torch.equal(one, other)
        assert torch.equal(one[0], one[1])
        assert not torch.equal(network.painted(content, torch.Generator().manual_seed(1)), one)
        one = network.train()(content, None)
    assert not torch.equal(one[0], one[1])


def test_the_diversity_is_the_formula_by_hand():
    pictures = torch.zeros(3, 3, 4, 4, dtype=torch.float64)
    pictures[1, :, 0, 0] = torch.tensor([0.2, 0.1, 0.2])  # 0.3 from the first
    pictures[2, 0] = 0.5  # 2 from the first, a little less from the second
    to_second = math.sqrt(15 * 0.5**2 + 0.3**2 + 0.1**2 + 0.2**2)
    expected = -(math.log(0.3) + math.log(0.3) + math.log(to_second)) / 3
    assert float(DiversityLoss(eps=0.0).represent(pictures)) == pytest.approx(expected)


def test_different_pictures_have_less_of_the_loss_and_more_entropy():
    pictures = torch.rand(4, 3, 16, 16, dtype=torch.float64)
    equal = pictures[:1].expand(4, -1, -1, -1)
    alike = equal + 0.01 * pictures
    losses = [float(DiversityLoss().represent(x)) for x in (pictures, alike, equal)]
    assert losses == sorted(losses)
    assert losses[2] == pytest.approx(-math.log(0.1 / 255**2) / 2)
    entropies = [float(nearest_neighbor_entropy(x)) for x in (pictures, alike)]
    size = 3 * 16 * 16
    per_entry = [float(DiversityLoss(eps=0.0).represent(x)) for x in (pictures, alike)]
    assert entropies[0] - entropies[1] == pytest.approx(size * (per_entry[1] - per_entry[0]))


def test_the_weight_of_the_code_is_converted_as_its_docstring_says():
    pictures = torch.rand(4, 3, 8, 8, dtype=torch.float64, requires_grad=True)
    loss = ulyanov_2017.criterion(diversity=2 * 4 * 5000).losses["diversity"]
    (ours,) = torch.autograd.grad(loss.weight * loss.represent(pictures), pictures)
    levels = (255 * pictures).flatten(1)
    squares = (levels[:, None] - levels[None]).square().sum(2)
    squares = squares + torch.diag(torch.full((4,), torch.inf, dtype=torch.float64))
    (theirs,) = torch.autograd.grad(-5000 * (squares.min(1).values + 0.1).log().sum(), pictures)
    torch.testing.assert_close(ours, theirs)


def gram(features):
    x = features.flatten(1)
    return x @ x.T / x.numel()


@pytest.mark.parametrize("diversity", [0.0, 3.0])
def test_the_losses_of_a_batch_are_those_of_the_paper(exact_encoder, picture, check_formula, diversity):
    content, style = picture(0), picture(1, 48, 40)
    images = torch.cat([picture(2), picture(3), picture(4)])
    with torch.no_grad():
        target = exact_encoder(content, ["relu4_2"])["relu4_2"][0]
        wanted = exact_encoder(style, LAYERS)

    def formula(images):
        total = 0
        for index in range(3):
            found = exact_encoder(images[index : index + 1], [*LAYERS, "relu4_2"])
            total = total + ((found["relu4_2"][0] - target) ** 2).mean()
            for layer in LAYERS:
                total = total + ((gram(found[layer][0]) - gram(wanted[layer][0])) ** 2).mean()
            others = [(images[index] - images[other]).norm() for other in range(3) if other != index]
            total = total - diversity * torch.stack(others).min().log()
        return total / 3

    criterion = ulyanov_2017.criterion(exact_encoder, diversity=diversity)
    check_formula(criterion, {"content": content, "style": style}, images, formula)


def test_it_is_trained_as_published():
    options = ulyanov_2017.training()
    assert (options["num_steps"], options["batch_size"], options["crop_size"]) == (50_000, 1, 256)
    assert options["optimizer"].keywords == {"lr": 1e-3}
    rates = {0: 1.0, 1999: 1.0, 2000: 0.8, 3999: 0.8, 4000: 0.64, 49_999: 0.8**24}
    for step, rate in rates.items():
        assert options["learning_rate"](step / 49_999) == pytest.approx(rate)


@pytest.mark.parametrize("options", [{}, {"inputs": "both", "normalization": "batch"}, {"inputs": "noise"}])
def test_it_keeps_the_promises_of_a_stylizer(options):
    torch.manual_seed(0)
    check_stylizer(ResidualNetwork(width=2, style="bricks", **options))


def test_diverse_textures_are_trained_from_noise(encoder, picture):
    torch.manual_seed(0)
    network = PyramidNetwork(num_scales=3, channels=2, normalization="instance", negative_slope=0.0)
    criterion = ulyanov_2017.criterion(encoder, style_layers="relu1_1", content_weight=0, diversity=10.0)
    options = {**ulyanov_2017.training(num_steps=2), "crop_size": 64, "batch_size": 2}
    texture = picture(0, 64, 64, torch.float32)
    result = train(network, criterion, contents=NoiseImages(64), styles=texture, **options)
    assert result.stop_reason == "finished"
    assert "diversity.image" in result.history
    assert sample(network, size=64).isfinite().all()


def test_diverse_pictures_are_trained_from_one_photograph(encoder, picture):
    torch.manual_seed(0)
    network = ResidualNetwork(inputs="both", width=2)
    criterion = ulyanov_2017.criterion(
        encoder, style_layers="relu1_1", content_layer="relu2_1", diversity=1.0
    )
    options = {**ulyanov_2017.training(num_steps=2), "crop_size": None, "batch_size": 3}
    image = picture(0, 32, 32, torch.float32)
    assert train(network, criterion, contents=image, styles=image, **options).stop_reason == "finished"


def test_a_batch_of_one_has_no_diversity(encoder, picture):
    image = picture(0, 32, 32, torch.float32)
    objective = ulyanov_2017.criterion(encoder, diversity=1.0).bind({"content": image, "style": image})
    with pytest.raises(
        ValueError, match=r"'diversity\.image' cannot be computed\. `features` must be those of at least two"
    ):
        objective(image)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ulyanov_2017.network("unet"), "`model` must be one of"),
        (lambda: ulyanov_2017.network("johnson", inputs="image"), "`inputs` must be one of"),
        (lambda: ResidualNetwork(normalization="layer"), "`normalization` must be"),
        (lambda: ResidualNetwork(width=0), "`width` must be"),
        (lambda: DiversityLoss(eps=-1.0), "`eps`"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
