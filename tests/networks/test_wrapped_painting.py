"""Pictures of contents that wrap wrap: a shifted content gives the shifted picture."""

import inspect

import pytest
import torch

from pystyle._wrapping import wrapping
from pystyle.networks import AnyStyleNetwork, ResNetGenerator, Stylizer, TransformNetwork, UNetGenerator
from pystyle.networks._noise import Noise
from pystyle.papers.chen_2018 import CartoonNetwork
from pystyle.papers.huang_2017 import AdaINNetwork
from pystyle.papers.johnson_2016 import ImageTransformNetwork
from pystyle.papers.liu_2021 import AdaAttNNetwork
from pystyle.papers.park_lee_2019 import StyleAttentionalNetwork
from pystyle.papers.ulyanov_2017 import ResidualNetwork
from pystyle.papers.wang_2023 import MicroASTNetwork
from pystyle.papers.yoo_2019 import WCT2Network

AXES = {"both": (2, 3), "horizontal": (3,)}
NETWORKS = {
    "transform": lambda: TransformNetwork(width=2),
    "transform, zeros": lambda: TransformNetwork(width=2, border="zeros"),
    "resnet": lambda: ResNetGenerator(width=2, num_blocks=1),
    "resnet, transposed": lambda: ResNetGenerator(width=2, num_blocks=1, upsampling="transposed"),
    "resnet, antialias": lambda: ResNetGenerator(width=2, num_blocks=1, antialias=True),
    "unet": lambda: UNetGenerator(width=2, num_layers=3),
    "cartoon": lambda: CartoonNetwork(width=2, num_blocks=1),
    "residual": lambda: ResidualNetwork(width=2),
    "micro": lambda: MicroASTNetwork(width=2),
    "adain": lambda: AdaINNetwork(weights=None),
    "adaattn": lambda: AdaAttNNetwork(weights=None),
    "sanet": lambda: StyleAttentionalNetwork(weights=None),
    "wct2": lambda: WCT2Network(weights=None),
}
SLOW = ("adain", "adaattn", "sanet", "wct2")


def noise(*size, seed=0):
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("wrap", ["both", "horizontal"])
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in NETWORKS]
)
def test_a_shifted_content_gives_the_shifted_picture(name, wrap):
    torch.manual_seed(0)
    network = NETWORKS[name]().double()
    stride, axes = network.stride, AXES[wrap]
    side = max(3 * stride, -(-network.smallest // stride) * stride)
    content = noise(side, side + stride)
    paint = network.bind(network.styles[0] if network.styles else noise(32, 32, seed=1), wrap=wrap)
    picture = paint(content)
    moved = paint(content.roll([stride] * len(axes), axes))
    difference = (moved - picture.roll([stride] * len(axes), axes)).abs().max()
    assert difference < 1e-6 * picture.std()
    assert picture.shape == content.shape


@pytest.mark.parametrize("wrap", ["both", "horizontal"])
def test_the_noise_of_a_network_for_any_style_stays_in_its_place(wrap):
    torch.manual_seed(0)
    network = AnyStyleNetwork(width=2, features="light").double()
    # Its noise comes back after 128 positions of a quarter of the size.
    content = noise(16, 1024)
    paint = network.bind(noise(32, 32, seed=1), wrap=wrap)
    picture, moved = paint(content), paint(content.roll(512, 3))
    torch.testing.assert_close(moved, picture.roll(512, 3), rtol=0, atol=1e-6)
    assert not torch.allclose(network.bind(noise(32, 32, seed=1))(content), picture, atol=1e-3)


def test_smooth_noise_is_as_smooth_across_the_border_and_the_same_inside():
    noise, size = Noise(8), (1, 40, 44)
    plain = noise.smooth(size)
    for wrap, axes in AXES.items():
        with wrapping(wrap):
            wrapped = noise.smooth(size)
        assert wrapped.shape == plain.shape
        torch.testing.assert_close(wrapped[:, :, 1:-1, 1:-1], plain[:, :, 1:-1, 1:-1])
        for axis in axes:
            # Each neighbour has a correlation of 2/3; what is independent differs by more.
            across = (wrapped.select(axis, 0) - wrapped.select(axis, -1)).square().mean()
            inside = (wrapped - wrapped.roll(1, axis)).square().mean()
            assert 0.6 < float(across / inside) < 1.6


def test_a_large_tile_is_painted_as_a_whole():
    torch.manual_seed(0)
    network = TransformNetwork(width=2)
    content = noise(16, 16).float()
    torch.testing.assert_close(
        network.bind("style", wrap="both")(content.repeat(1, 1, 2, 2))[:, :, :16, :16],
        network.bind("style", wrap="both")(content),
        rtol=0,
        atol=1e-5,
    )


@pytest.mark.parametrize("size", [(16, 18), (18, 16)])
def test_a_side_that_is_no_multiple_of_the_stride_is_refused(size):
    paint = TransformNetwork(width=2).bind("style", wrap="both")
    with pytest.raises(
        ValueError, match=r"`content` must have a \w+ that is a multiple of 4 pixels to wrap, got 18"
    ):
        paint(noise(*size).float())
    panorama = TransformNetwork(width=2).bind("style", wrap="horizontal")
    assert panorama(noise(18, 16).float()).shape[2:] == (18, 16)


def test_a_network_that_crops_at_borders_is_refused():
    with pytest.raises(ValueError, match="`wrap` must be left out for a ImageTransformNetwork"):
        ImageTransformNetwork().bind("style", wrap="both")


def test_an_unknown_wrap_is_refused():
    with pytest.raises(ValueError, match="`wrap` must be 'both'"):
        TransformNetwork(width=2).bind("style", wrap="vertical")


@pytest.mark.slow
def test_every_network_that_says_it_can_is_tested():
    def below(kind):
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    claimed = {
        kind
        for kind in below(Stylizer)
        if kind.can_wrap and not inspect.isabstract(kind) and kind.__module__.startswith("pystyle.")
    }
    assert claimed == {type(make()) for make in NETWORKS.values()} | {AnyStyleNetwork}
