"""Features of an image that wraps are those of the middle of many such images laid beside each other."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from pystyle.encoders import (
    BandPass,
    HypercolumnEncoder,
    LowPrecisionEncoder,
    ModuleEncoder,
    MultiEncoder,
    ScaledL2Pool2d,
    SequentialEncoder,
    StripPass,
    WrappedEncoder,
    alexnet,
    vgg11,
)

AXES = {"both": (2, 3), "horizontal": (3,)}


def noise(*size: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def sequential(*modules: nn.Module) -> SequentialEncoder:
    torch.manual_seed(0)
    return SequentialEncoder({f"layer{index}": module for index, module in enumerate(modules)}).double()


def small(padding: str, pool: nn.Module) -> SequentialEncoder:
    """A VGG of two blocks."""
    first, second = (nn.Conv2d(*channels, 3, 1, 1, padding_mode=padding) for channels in ((3, 4), (4, 5)))
    return sequential(first, nn.ReLU(inplace=True), pool, second, nn.ReLU(inplace=True))


class Residual(nn.Module):
    """Branches, a stride of a 1 x 1 convolution and windows that overlap, as residual networks have."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 7, 2, 3)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.wide = nn.Conv2d(4, 4, 3, 2, 1, padding_mode="reflect")
        self.narrow = nn.Conv2d(4, 4, 1, 2)
        self.last = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.first(x).relu())
        return self.last(self.wide(x) + self.narrow(x))


class Placed(nn.Module):
    """Knows where a position lies."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 2, 1)
        self.last = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x) + torch.linspace(0, 1, x.shape[3]).to(x))


class Sliced(nn.Module):
    """Takes neighbours by slices, which repeat the border."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 2, 1)
        self.last = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.last(x - torch.cat([x[..., :1], x[..., :-1]], 3))


class Convolved(nn.Module):
    def __init__(self, *modules: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*modules)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


CASES = {
    "zeros": lambda: small("zeros", nn.MaxPool2d(2)),
    "replicate": lambda: small("replicate", nn.MaxPool2d(3, 2, ceil_mode=True)),
    "reflect": lambda: small("reflect", ScaledL2Pool2d(2, stride=2)),
    "valid": lambda: sequential(nn.Conv2d(3, 4, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3)),
    "wide": lambda: sequential(nn.Conv2d(3, 4, 11, 4, 2, padding_mode="replicate"), nn.MaxPool2d(3, 2)),
    "dilated": lambda: sequential(nn.Conv2d(3, 4, 3, padding=2, dilation=2), nn.AvgPool2d(2)),
    "same": lambda: sequential(nn.Conv2d(3, 4, 5, padding="same"), nn.Conv2d(4, 4, 4, padding="same")),
}
# Of reflection pads the window is not known.
CASES["bordered"] = lambda: ModuleEncoder(
    Convolved(nn.ReflectionPad2d(2), nn.Conv2d(3, 4, 5), nn.AvgPool2d(3, 1, 1)).double(), {"last": "body.2"}
)
CASES["residual"] = lambda: ModuleEncoder(Residual().double(), {"last": "last"})


def tiled_features(encoder, image: Tensor, layer: str, wrap: str) -> Tensor:
    """Of 3 x 3 or 1 x 3 images beside each other: those of the one in the middle."""
    rows = 3 if wrap == "both" else 1
    found = encoder(image.repeat(1, 1, rows, 3), [layer])[layer]
    for axis in AXES[wrap]:
        count = image.shape[axis] // encoder.stride(layer)
        found = found.narrow(axis, count, count)
    return found


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("wrap", ["both", "horizontal"])
@pytest.mark.parametrize("case", CASES)
def test_features_are_those_of_the_middle_of_many_images_beside_each_other(case, wrap):
    torch.manual_seed(0)
    encoder = CASES[case]()
    wrapped = WrappedEncoder(encoder, wrap)
    layers = list(encoder.layers)
    image = noise(24, 24)
    for layer in layers:
        expected = tiled_features(encoder, image, layer, wrap)
        torch.testing.assert_close(wrapped(image, layers)[layer], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("wrap", ["both", "horizontal"])
@pytest.mark.parametrize("make", [alexnet, vgg11])
def test_features_of_a_shifted_image_are_the_shifted_features_bit_by_bit(make, wrap):
    encoder = WrappedEncoder(make(weights=None).double(), wrap)
    layers = [layer for layer in encoder.layers if encoder.stride(layer) <= 8][:8]
    step, axes = encoder.multiple(layers), AXES[wrap]
    image = noise(3 * step, 4 * step)
    features = encoder(image, layers)
    moved = encoder(image.roll([step] * len(axes), axes), layers)
    for layer in layers:
        shift = step // encoder.stride(layer)
        assert torch.equal(moved[layer], features[layer].roll([shift] * len(axes), axes))


def test_an_image_may_be_smaller_than_what_a_position_sees():
    encoder = WrappedEncoder(sequential(nn.Conv2d(3, 2, 9, padding=4)), "both")
    image = noise(2, 3)
    large = image.repeat(1, 1, 9, 9)
    expected = encoder.encoder(large, ["layer0"])["layer0"][:, :, 8:10, 12:15]
    torch.testing.assert_close(encoder(image, ["layer0"])["layer0"], expected)


@pytest.mark.parametrize("wrap", ["both", "horizontal"])
@pytest.mark.parametrize("rows", [4, 20])
def test_strips_give_the_features_and_the_gradient_of_the_whole_image(wrap, rows):
    encoder = WrappedEncoder(vgg11(weights=None, padding="replicate").double(), wrap)
    layers = ["relu1_1", "relu3_1"]
    image = noise(32, 16).requires_grad_()
    features = encoder(image, layers)
    loss = torch.stack([feature.square().mean() for feature in features.values()]).sum()
    (expected,) = torch.autograd.grad(loss, image)
    strips = StripPass(encoder, layers, rows=rows)
    parts = [part for part in strips.forward(image) if part.layer == "relu3_1"]
    found = torch.cat([part.features for part in sorted(parts, key=lambda part: part.start)], 2)
    torch.testing.assert_close(found, features["relu3_1"].detach())
    gradient = strips.backward(lambda part: part.share * part.features.square().mean())
    torch.testing.assert_close(gradient, expected)


def test_workers_share_panoramas_and_no_tiles():
    encoder = vgg11(weights=None)
    with pytest.raises(ValueError, match="must not wrap in rows"):
        BandPass(WrappedEncoder(encoder, "both"), ["relu2_1"], rows=8, index=0, count=2)
    panorama, image = WrappedEncoder(encoder, "horizontal"), noise(32, 16, dtype=torch.float32)
    workers = [BandPass(panorama, ["relu2_1"], rows=8, index=index, count=2) for index in (0, 1)]
    parts = sorted(
        (part for worker in workers for part in worker.forward(image)), key=lambda part: part.start
    )
    found = torch.cat([part.features for part in parts], 2)
    torch.testing.assert_close(found, panorama(image, ["relu2_1"])["relu2_1"], rtol=1e-4, atol=1e-4)


def test_the_gradient_is_that_of_differences():
    encoder = WrappedEncoder(
        sequential(nn.Conv2d(3, 2, 3, padding=1), nn.Softplus(), nn.AvgPool2d(2)), "both"
    )
    image = noise(4, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: encoder(x, ["layer2"])["layer2"], (image,))


@pytest.mark.parametrize("size", [(16, 20), (20, 16)])
def test_a_side_that_is_no_multiple_of_the_stride_is_refused_with_the_nearest(size):
    encoder = WrappedEncoder(vgg11(weights=None), "both")
    with pytest.raises(ValueError, match=r"multiple of 8 pixels to wrap, got 20. Resize it to 16 or 24."):
        encoder(noise(*size, dtype=torch.float32), ["relu4_1"])
    assert encoder.nearest_size(size, ["relu4_1"]) == tuple(24 if side == 20 else 16 for side in size)


def test_the_height_of_a_panorama_is_free():
    encoder = WrappedEncoder(vgg11(weights=None), "horizontal")
    assert encoder(noise(19, 16, dtype=torch.float32), ["relu3_1"])["relu3_1"].shape[2:] == (4, 4)


@pytest.mark.parametrize("module", [Placed, Sliced])
def test_an_encoder_that_would_give_a_seam_is_refused(module):
    torch.manual_seed(0)
    encoder = ModuleEncoder(module(), ["first", "last"])
    with pytest.raises(ValueError, match="cannot wrap at the layer 'last'"):
        WrappedEncoder(encoder, "horizontal")
    WrappedEncoder(encoder, "horizontal", layers=["first"])


def test_interpolation_at_corners_and_sampling_are_refused():
    class Corners(Convolved):
        def forward(self, x: Tensor) -> Tensor:
            return self.body(interpolate(x, scale_factor=2, mode="bilinear", align_corners=True))

    encoder = ModuleEncoder(Corners(nn.Conv2d(3, 2, 3, 2, 1)), {"last": "body.0"})
    with pytest.raises(ValueError, match="cannot wrap"):
        WrappedEncoder(encoder, "both")


@pytest.mark.parametrize("wrap", [None, "vertical", 1])
def test_another_wrap_is_refused(wrap):
    with pytest.raises(ValueError, match="`wrap` must be 'both'"):
        WrappedEncoder(vgg11(weights=None), wrap)


def test_encoders_of_encoders_wrap():
    torch.manual_seed(0)
    vgg = vgg11(weights=None).double()
    columns = HypercolumnEncoder(vgg, {"columns": ["relu2_1", "relu1_1", "relu3_1"]})
    several = MultiEncoder({"vgg": columns})
    encoder = WrappedEncoder(several, "both", layers=["vgg.columns"])
    image = noise(40, 40)
    found = encoder(image, ["vgg.columns"])["vgg.columns"]
    expected = tiled_features(several, image, "vgg.columns", "both")
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def test_half_precision_wraps():
    encoder = WrappedEncoder(LowPrecisionEncoder(vgg11(weights=None), torch.bfloat16), "both")
    image = noise(16, 16, dtype=torch.float32)
    found, moved = (encoder(one, ["relu2_1"])["relu2_1"] for one in (image, image.roll(8, 3)))
    assert found.dtype == torch.bfloat16
    assert torch.equal(moved, found.roll(4, 3))


def test_the_encoder_itself_stays_as_it_was():
    encoder, image = vgg11(weights=None), noise(16, 16, dtype=torch.float32)
    before = encoder(image, ["relu3_1"])["relu3_1"]
    WrappedEncoder(encoder, "both")(image, ["relu3_1"])
    assert torch.equal(encoder(image, ["relu3_1"])["relu3_1"], before)


def test_a_module_that_wants_multiples_gets_them():
    encoder = ModuleEncoder(Residual(), {"last": "last"}, size_multiple=12)
    assert WrappedEncoder(encoder, "both").multiple(["last"]) == 24


def test_channels_stay_innermost():
    features = WrappedEncoder(vgg11(weights=None), "both")(noise(16, 16, dtype=torch.float32), ["relu2_1"])
    assert features["relu2_1"].is_contiguous(memory_format=torch.channels_last)
