"""The generator of pix2pix: the published one, and what painters want of it."""

import pytest
import torch
from torch import nn

from pystyle.networks import Stylizer, UNetGenerator
from pystyle.testing import check_stylizer


def generator(width=2, num_layers=3, **options):
    """One whose weights are large enough to tell it from another."""
    torch.manual_seed(0)
    network = UNetGenerator(width=width, num_layers=num_layers, **options)
    for weight in network.parameters():
        weight.data.normal_(0, 0.3)
    return network


class Nested(nn.Module):
    """The authors' network of torch's own layers: each level holds the one below it."""

    def __init__(self, network, level=0):
        super().__init__()
        down, self.innermost = network.down[level], level == network.num_layers - 1
        self.level, self.dropped = level, network.num_layers - 1 - level < 3
        self.down = nn.Conv2d(down[0].in_channels, down[0].out_channels, 4, 2, 1, bias=False)
        self.down.weight = down[0].weight
        up = network.up[-level] if level else None
        outputs = 3 if up is None else up[0].out_channels
        inputs = self.down.out_channels * (1 if self.innermost else 2)
        self.up = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=not level)
        self.up.weight = network.output.weight if up is None else up[0].weight
        if up is None:
            self.up.bias = network.output.bias
        self.norms = nn.ModuleList()
        for layer in (down, up):
            if layer is not None and len(layer) == 2:
                # What batch normalisation does to a batch of one image.
                norm = nn.BatchNorm2d(layer[0].out_channels)
                norm.weight, norm.bias = layer[1].weight, layer[1].bias
                self.norms.append(norm)
        self.below = None if self.innermost else Nested(network, level + 1)

    def forward(self, x):
        if not self.level:
            return self.up(self.below(self.down(x)).relu()).tanh()
        inner = self.down(nn.functional.leaky_relu(x, 0.2))
        if not self.innermost:
            inner = self.below(self.norms[0](inner))
        found = self.norms[-1](self.up(inner.relu()))
        return torch.cat([found, x], 1)


@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "style": "waves"}, {"dropout": 0.0}])
def test_a_generator_keeps_the_promises_of_a_stylizer(options):
    check_stylizer(generator(**options))


def test_it_has_the_published_layers():
    with torch.device("meta"):
        network = UNetGenerator()
    # 256 pixels become one, and C64-C128-C256-C512-C512-C512-C512-C512 is the way.
    assert network.stride == 256
    assert [layer[0].out_channels for layer in network.down] == [64, 128, 256, 512, 512, 512, 512, 512]
    # CD512-CD1024-CD1024-C1024-C1024-C512-C256-C128, counted with what stands beside.
    joined = [layer[0].in_channels for layer in network.up]
    assert joined == [512, 1024, 1024, 1024, 1024, 512, 256]
    assert network.output.in_channels == 128
    assert sum(p.numel() for p in network.parameters()) == 54_413_955
    # All but the first and the innermost are normalised on the way down, and all on the way up.
    assert [len(layer) for layer in network.down] == [1, 2, 2, 2, 2, 2, 2, 1]
    assert [len(layer) for layer in network.up] == [2] * 7


@pytest.mark.parametrize("num_layers", [3, 5])
def test_it_is_the_published_network_between_pictures_of_0_to_1(num_layers):
    network = generator(width=3, num_layers=num_layers).double().eval()
    content = torch.rand(1, 3, 64, 96, dtype=torch.float64)
    expected = (Nested(network).double()(2 * content - 1) + 1) / 2
    torch.testing.assert_close(network(content, network.named_code("style")), expected)
    assert expected.std() > 0.05


@torch.no_grad()
def test_the_narrowest_place_is_one_pixel_that_matters():
    """The layer around it would be all that is left of it if it were normalised, which makes zeros."""
    network = generator(num_layers=4).double().eval()
    content = torch.rand(1, 3, 16, 16, dtype=torch.float64)
    before = network(content, network.named_code("style"))
    network.down[-1][0].weight.mul_(2.0)
    network.up[0][0].weight.mul_(-1.0)
    assert float((network(content, network.named_code("style")) - before).abs().max()) > 1e-3


@torch.no_grad()
def test_features_of_the_same_size_stand_beside():
    """What a pixel changes far from the middle of its patch comes through the outermost layers alone."""
    network = generator(num_layers=3).eval()
    network.up[-1][0].weight.zero_()
    network.up[-1][1].bias.zero_()
    content = torch.rand(1, 3, 32, 32)
    picture = network(content, network.named_code("style"))
    content[:, :, :4, :4] = 0.5
    changed = (network(content, network.named_code("style")) - picture).abs().amax((0, 1)) > 0
    # A kernel of 4 down and one up: three pixels beyond those that changed at most.
    assert changed[:4, :4].any()
    assert not changed[8:].any()
    assert not changed[:, 8:].any()


def test_features_drop_out_of_three_layers_in_a_training_alone():
    network = generator(num_layers=5)
    content = torch.rand(1, 3, 32, 32)
    code = network.named_code("style")
    dropped = []
    for layer in network.up:
        layer.register_forward_hook(lambda _, __, found: dropped.append(found.detach()))
    seen = []
    for layer in (*network.up[1:], network.output):
        layer.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    torch.manual_seed(1)
    first = network(content, code)
    # A layer gets the rectified features of the one before, some of them zero and the others doubled.
    for index, (found, given) in enumerate(zip(dropped, seen, strict=True)):
        given, found = given[:, : found.shape[1]], found.relu()
        lost = float(((given == 0) & (found > 0)).sum() / (found > 0).sum())
        assert 0.2 < lost < 0.8 if index < 3 else lost == 0
        kept = given > 0
        torch.testing.assert_close(given[kept], found[kept] * (2 if index < 3 else 1))
    assert not torch.equal(network(content, code), first)
    torch.manual_seed(1)
    assert torch.equal(network(content, code), first)
    network.eval()
    assert torch.equal(network(content, code), network(content, code))


def test_weights_begin_small_and_scales_near_one():
    torch.manual_seed(0)
    network = UNetGenerator(width=16, num_layers=4)
    for weight in (network.down[2][0].weight, network.up[0][0].weight):
        assert abs(float(weight.detach().std()) - 0.02) < 5e-4
    scales = torch.cat([layer[1].weight.detach() for layer in network.up])
    assert abs(float(scales.mean()) - 1) < 0.01
    assert abs(float(scales.std()) - 0.02) < 0.004
    assert not any(p.any() for name, p in network.named_parameters() if name.endswith("bias"))


def test_a_file_has_all_arguments(tmp_path):
    network = generator(num_layers=2, dropout=0.25, style="waves")
    network.save(tmp_path / "network.safetensors")
    loaded = Stylizer.load(tmp_path / "network.safetensors")
    assert loaded.configuration == network.configuration
    assert (loaded.stride, loaded.dropout, loaded.styles) == (4, 0.25, ("waves",))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"num_layers": 1}, "`num_layers` must"),
        ({"width": 0}, "`width` must"),
        ({"dropout": 1.0}, "`dropout` must"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        UNetGenerator(**{"width": 2, "num_layers": 3, **options})


def test_other_styles_are_refused_with_the_known_one():
    network = generator()
    with pytest.raises(
        ValueError, match="`style` must be the name 'style': a UNetGenerator paints in the style"
    ):
        network.bind(torch.rand(1, 3, 32, 32))
    with pytest.raises(ValueError, match=r"must be the learned style 'style', got 'wheat'"):
        network.named_code("wheat")
