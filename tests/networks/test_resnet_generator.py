"""The generator of CycleGAN and CUT: the published one, without checkerboards, and its features."""

import itertools

import pytest
import torch
from torch import nn

from pystyle.networks import ResNetGenerator, Stylizer
from pystyle.testing import check_stylizer

PUBLISHED = {"upsampling": "transposed", "border": "zeros"}
OPTIONS = {
    "default": {},
    "CycleGAN": PUBLISHED,
    "CUT": {"antialias": True, "border": "zeros"},
    "blurred and transposed": {"antialias": True, "upsampling": "transposed", "style": "waves"},
}
LAYERS = ("pixels", "down1", "down2", "block1", "block5")


def generator(name="default", width=2, num_blocks=2):
    """One whose weights, biases too, are large enough to tell it from another."""
    torch.manual_seed(0)
    network = ResNetGenerator(width=width, num_blocks=num_blocks, **OPTIONS[name])
    for weight in network.parameters():
        weight.data.normal_(0, 0.2)
    return network


def sequence(network):
    """The authors' order of parts, of torch's own layers, with the weights of a network."""
    width, blurred = network.width, network.antialias

    def normalized(*layers):
        return [*layers, nn.InstanceNorm2d(layers[-1].out_channels), nn.ReLU()]

    class Block(nn.Sequential):
        def forward(self, x):
            return x + super().forward(x)

    class Half(nn.Module):
        def forward(self, x):
            kernel = torch.tensor([1.0, 2.0, 1.0])
            kernel = (kernel[:, None] * kernel / 16).expand(x.shape[1], 1, 3, 3)
            padded = nn.functional.pad(x, [1] * 4, mode="reflect")
            return nn.functional.conv2d(padded, kernel, stride=2, groups=x.shape[1])

    class Double(nn.Module):
        """By a transposed convolution with (1, 3, 3, 1); what is beyond the border falls away."""

        def forward(self, x):
            kernel = torch.tensor([1.0, 3.0, 3.0, 1.0])
            kernel = (kernel[:, None] * kernel / 16).expand(x.shape[1], 1, 4, 4)
            padded = nn.functional.pad(x, [1] * 4, mode="replicate")
            enlarged = nn.functional.conv_transpose2d(padded, kernel, stride=2, padding=1, groups=x.shape[1])
            return enlarged[:, :, 2:-2, 2:-2]

    layers = [nn.ReflectionPad2d(3), *normalized(nn.Conv2d(3, width, 7))]
    for inputs in (width, 2 * width):
        layers += normalized(nn.Conv2d(inputs, 2 * inputs, 3, 1 if blurred else 2, 1))
        layers += [Half()] if blurred else []
    for _ in range(network.num_blocks):
        first, second = (nn.Conv2d(4 * width, 4 * width, 3) for _ in range(2))
        inner = [nn.ReflectionPad2d(1), *normalized(first), nn.ReflectionPad2d(1), *normalized(second)]
        layers.append(Block(*inner[:-1]))
    for inputs in (4 * width, 2 * width):
        if blurred:
            layers += [Double(), nn.ReplicationPad2d(1), *normalized(nn.Conv2d(inputs, inputs // 2, 3))]
        else:
            layers += normalized(nn.ConvTranspose2d(inputs, inputs // 2, 3, 2, 1, output_padding=1))
    model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh())
    for own, other in zip(model.parameters(), network.parameters(), strict=True):
        own.data.copy_(other)
    return model


@pytest.mark.parametrize("name", OPTIONS)
def test_a_generator_keeps_the_promises_of_a_stylizer(name):
    check_stylizer(generator(name))


def test_it_has_the_published_number_of_weights():
    assert sum(p.numel() for p in ResNetGenerator(upsampling="transposed").parameters()) == 11_378_179
    assert sum(p.numel() for p in ResNetGenerator(antialias=True).parameters()) == 11_378_179


@pytest.mark.parametrize("name", ["CycleGAN", "CUT"])
def test_it_is_the_published_network_between_pictures_of_0_to_1(name):
    network = generator(name, width=3)
    content = torch.rand(2, 3, 24, 32)
    expected = (sequence(network)(2 * content - 1) + 1) / 2
    torch.testing.assert_close(network(content, network.named_code("style")), expected)
    assert expected.std() > 0.05


def test_features_are_what_the_authors_of_cut_contrast():
    network = generator("CUT", num_blocks=6)
    content = torch.rand(1, 3, 24, 32)
    parts = itertools.accumulate(sequence(network), lambda x, part: part(x), initial=2 * content - 1)
    seen = list(parts)[1:]
    for index, found in zip([0, 4, 8, 12, 16], network.features(content, LAYERS), strict=True):
        torch.testing.assert_close(found, seen[index])


def test_features_come_in_the_order_of_their_names():
    network = generator(num_blocks=5)
    content = torch.rand(1, 3, 16, 16)
    forth, back = network.features(content, LAYERS), network.features(content, LAYERS[::-1])
    assert all(torch.equal(one, other) for one, other in zip(forth, back[::-1], strict=True))
    assert network.features(content, ()) == []
    assert network.layers == ("pixels", "down1", "down2", *(f"block{n}" for n in range(1, 6)))


def test_nothing_behind_the_last_feature_is_computed():
    network = generator(num_blocks=3)
    used = []
    for name, module in network.named_modules():
        module.register_forward_hook(lambda *_, name=name: used.append(name))
    network.features(torch.rand(1, 3, 16, 16), ["down1"])
    assert used == ["first", "down.0"]
    used.clear()
    network.features(torch.rand(1, 3, 16, 16), ["block2", "pixels"])
    assert used[-1] == "blocks.1"
    assert "blocks.2" not in used


def test_gradients_flow_through_features_to_images_and_weights():
    network = generator(num_blocks=5)
    content = torch.rand(1, 3, 16, 16, requires_grad=True)
    for name, found in zip(LAYERS, network.features(content, LAYERS), strict=True):
        (gradient,) = torch.autograd.grad(found.square().sum(), content, retain_graph=True)
        assert gradient.any(), name
    network.features(content, ["down2"])[0].square().sum().backward()
    reached = {name.partition(".")[0] for name, p in network.named_parameters() if p.grad is not None}
    assert reached == {"first", "down"}


@torch.no_grad()
def test_doubled_features_have_checkerboards_only_if_transposed():
    """What the layers that double the size make of one number everywhere, away from the border."""
    spread = {}
    for name in ("default", "CUT", "CycleGAN"):
        enlarged = torch.ones(1, 8, 8, 8)
        for layer in generator(name).up:
            enlarged = layer(enlarged)
        inner = enlarged[:, :, 8:-8, 8:-8]
        spread[name] = float((inner - inner.mean((2, 3), keepdim=True)).abs().max())
    assert spread["default"] < 1e-5
    assert spread["CUT"] < 1e-5
    assert spread["CycleGAN"] > 0.1


@pytest.mark.parametrize("antialias", [False, True])
def test_an_even_picture_is_painted_without_a_frame(antialias):
    network = ResNetGenerator(width=2, num_blocks=2, antialias=antialias)
    for weight in network.parameters():
        weight.data.normal_(0, 0.2)
    picture = network.bind("style")(torch.full((1, 3, 32, 32), 0.25))
    assert float((picture - picture[:, :, :1, :1]).abs().max()) < 1e-3


@torch.no_grad()
def test_blurred_halves_hardly_move_when_the_picture_moves():
    """A shift by one pixel and back is a smaller change for features that were blurred first."""
    torch.manual_seed(0)
    content = torch.nn.functional.interpolate(torch.rand(1, 3, 9, 9), (72, 72), mode="bicubic").clamp(0, 1)
    changes = []
    for antialias in (False, True):
        network = ResNetGenerator(width=4, num_blocks=1, antialias=antialias)
        before, after = (
            network.features(part, ["block1"])[0]
            for part in (content[..., :64, :64], content[..., :64, 1:65])
        )
        changes.append(float((before - after).square().mean() / before.var()))
    assert changes[1] < changes[0]


def test_weights_begin_small_and_biases_at_zero():
    torch.manual_seed(0)
    network = ResNetGenerator(width=16, num_blocks=1, upsampling="transposed")
    for weight in (network.blocks[0].first.weight, network.up[0].weight):
        assert abs(float(weight.detach().std()) - 0.02) < 5e-4
    assert not any(p.any() for name, p in network.named_parameters() if name.endswith("bias"))


def test_a_file_has_all_arguments(tmp_path):
    network = generator("blurred and transposed")
    network.save(tmp_path / "network.safetensors")
    loaded = Stylizer.load(tmp_path / "network.safetensors")
    assert loaded.configuration == network.configuration
    assert loaded.styles == ("waves",)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"style": ("waves", "wheat")}, TypeError, "`style` must be the name of the style, got a tuple"),
        ({"upsampling": "nearest"}, ValueError, r"`upsampling` must be one of \('resize', 'transposed'\)"),
        ({"border": "wrap"}, ValueError, "`border` must be one of"),
        ({"num_blocks": 0}, ValueError, "`num_blocks` must"),
        ({"width": 1.5}, ValueError, "`width` must"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, error, text):
    with pytest.raises(error, match=text):
        ResNetGenerator(**options)


def test_other_styles_and_layers_are_refused_with_the_known_ones():
    network = generator()
    with pytest.raises(ValueError, match="`style` must be the name 'style': a ResNetGenerator paints in the"):
        network.bind(torch.rand(1, 3, 32, 32))
    with pytest.raises(ValueError, match=r"must be the learned style 'style', got 'wheat'"):
        network.named_code("wheat")
    for layers in (["block3"], "pixels", [0]):
        with pytest.raises(ValueError, match=r"`layers` must be some of the names .*'block2'.*, got"):
            network.features(torch.rand(1, 3, 16, 16), layers)
