import pytest
import torch
from torch import nn

from pystyle.encoders import WHOLE_IMAGE, SequentialEncoder, alexnet, vgg16_bn, vgg19

# Layer, stride, receptive field, smallest image, offset. A window of k adds (k - 1) * stride to the field,
# and its padding times the stride is how far the first field reaches over the border.
VGG19 = [
    ("conv1_1", 1, 3, 1, -1),
    ("relu1_1", 1, 3, 1, -1),
    ("conv1_2", 1, 5, 1, -2),
    ("pool1", 2, 6, 2, -2),
    ("conv2_1", 2, 10, 2, -4),
    ("relu2_2", 2, 14, 2, -6),
    ("pool2", 4, 16, 4, -6),
    ("relu3_1", 4, 24, 4, -10),
    ("relu3_4", 4, 48, 4, -22),
    ("pool3", 8, 52, 8, -22),
    ("relu4_1", 8, 68, 8, -30),
    ("relu4_2", 8, 84, 8, -38),
    ("relu4_4", 8, 116, 8, -54),
    ("pool4", 16, 124, 16, -54),
    ("relu5_1", 16, 156, 16, -70),
    ("relu5_4", 16, 252, 16, -118),
    ("pool5", 32, 268, 32, -118),
]
ALEXNET = [
    ("relu1", 4, 11, 7, -2),
    ("pool1", 8, 19, 15, -2),
    ("relu2", 8, 51, 15, -18),
    ("pool2", 16, 67, 31, -18),
    ("relu3", 16, 99, 31, -34),
    ("relu4", 16, 131, 31, -50),
    ("relu5", 16, 163, 31, -66),
    ("pool5", 32, 195, 63, -66),
]


@pytest.fixture(scope="module")
def vgg() -> SequentialEncoder:
    return vgg19(weights=None)


@pytest.mark.parametrize(("layer", "stride", "field", "smallest", "offset"), VGG19)
def test_vgg19_sees_the_image_as_worked_out_by_hand(vgg, layer, stride, field, smallest, offset):
    assert vgg.geometry(layer) == (stride, field, smallest, offset)
    assert (vgg.stride(layer), vgg.receptive_field(layer), vgg.minimum_size([layer])) == (
        stride,
        field,
        smallest,
    )


def test_alexnet_sees_the_image_as_worked_out_by_hand():
    encoder = alexnet(weights=None)
    assert [(layer, *encoder.geometry(layer)) for layer, *_ in ALEXNET] == ALEXNET


def test_batch_normalisation_does_not_change_the_geometry():
    encoder = vgg16_bn(weights=None)
    assert encoder.geometry("bn3_1") == encoder.geometry("conv3_1") == (4, 24, 4, -10)


def test_reflected_borders_need_one_pixel_more_than_they_reflect():
    encoder = vgg19(weights=None, padding="reflect")
    assert encoder.minimum_size(["conv1_1"]) == 2
    assert encoder.minimum_size(["conv2_1"]) == 4
    assert encoder.minimum_size(["relu5_1"]) == 32


def test_minimum_size_is_that_of_the_most_demanding_layer(vgg):
    assert vgg.minimum_size(["relu1_1", "relu5_1", "pool2"]) == 16
    assert vgg.minimum_size([]) == 1


def works(encoder: SequentialEncoder, side: int, layers: list[str]) -> bool:
    try:
        return all(min(x.shape) > 0 for x in encoder(torch.rand(1, 3, side, side + 5), layers).values())
    except RuntimeError:
        return False


@pytest.mark.parametrize("padding", ["zeros", "reflect"])
@pytest.mark.parametrize("side", range(1, 34))
def test_vgg19_works_from_its_minimum_size_on_and_not_below(side, padding, vgg):
    encoder = vgg if padding == "zeros" else SMALL_REFLECTING
    large_enough = [layer for layer in encoder.layers if encoder.minimum_size([layer]) <= side]
    too_small = [layer for layer in encoder.layers if encoder.minimum_size([layer]) > side]
    assert works(encoder, side, large_enough)
    assert not too_small or not works(encoder, side, too_small[:1])


def convolutions(*modules: nn.Module) -> SequentialEncoder:
    return SequentialEncoder({f"layer{index}": module for index, module in enumerate(modules)})


SMALL_REFLECTING = convolutions(
    *[
        module
        for _ in range(5)
        for module in (nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"), nn.ReLU(), nn.MaxPool2d(2))
    ]
)

# Modules, stride, receptive field, smallest image, offset.
STACKS = {
    "unpadded": ([nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 5)], (1, 7, 7, 0)),
    "dilated": ([nn.Conv2d(3, 3, 3, dilation=2), nn.Conv2d(3, 3, 3, dilation=4, padding=4)], (1, 13, 5, -4)),
    "ceil": ([nn.MaxPool2d(2, ceil_mode=True), nn.MaxPool2d(3, stride=2, ceil_mode=True)], (4, 6, 3, 0)),
    "ceil with gaps": ([nn.MaxPool2d(2, stride=3, ceil_mode=True), nn.Conv2d(3, 3, 2)], (3, 5, 4, 0)),
    "ceil, padded": (
        [nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True), nn.Conv2d(3, 3, 3)],
        (2, 7, 4, -1),
    ),
    "same": (
        [nn.Conv2d(3, 3, 5, padding="same"), nn.Conv2d(3, 3, 3, padding="same", dilation=3)],
        (1, 11, 1, -5),
    ),
    "valid": ([nn.Conv2d(3, 3, 4, padding="valid", stride=2)], (2, 4, 4, 0)),
    "reflected": ([nn.Conv2d(3, 3, 7, padding=3, padding_mode="reflect", stride=2)], (2, 7, 4, -3)),
    "reflected same": ([nn.Conv2d(3, 3, 5, padding="same", padding_mode="reflect")], (1, 5, 3, -2)),
    "circular": (
        [nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 7, padding=3, padding_mode="circular", stride=2)],
        (2, WHOLE_IMAGE, 3, None),
    ),
    "circular same": (
        [nn.Conv2d(3, 3, 5, padding="same", padding_mode="circular")],
        (1, WHOLE_IMAGE, 2, None),
    ),
    "circular in name only": ([nn.Conv2d(3, 3, 3, padding_mode="circular")], (1, 3, 3, 0)),
    "reflected in name only": ([nn.Conv2d(3, 3, 1, padding_mode="reflect")], (1, 1, 1, 0)),
    "overlapping": (
        [nn.Conv2d(3, 3, 11, stride=4, padding=2), nn.MaxPool2d(3, 2), nn.ReLU6()],
        (8, 19, 15, -2),
    ),
    "nested": ([nn.Sequential(nn.Conv2d(3, 3, 3), nn.Sequential(nn.ELU(), nn.AvgPool2d(2)))], (2, 4, 4, 0)),
    "pointwise": (
        [nn.Identity(), nn.Dropout(), nn.BatchNorm2d(3), nn.PReLU(), nn.Conv2d(3, 3, 1)],
        (1, 1, 1, 0),
    ),
}


@pytest.mark.parametrize("name", STACKS)
def test_geometry_of_any_windows_is_true(name):
    modules, expected = STACKS[name]
    encoder = convolutions(*modules)
    last = encoder.layers[-1]
    assert encoder.geometry(last) == expected
    assert [works(encoder, side, [last]) for side in range(1, 20)] == [
        side >= expected[2] for side in range(1, 20)
    ]


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_an_even_window_with_same_padding_takes_any_image():
    encoder = convolutions(nn.Conv2d(3, 3, 4, padding="same"))
    assert encoder.geometry("layer0") == (1, 4, 1, -1)
    assert works(encoder, 1, ["layer0"])


def test_the_larger_side_of_a_window_counts():
    encoder = convolutions(nn.Conv2d(3, 3, (1, 5), stride=(1, 2), padding=(0, 2)))
    assert encoder.geometry("layer0") == (2, 5, 5, 0)


class Doubling(nn.Module):
    def forward(self, x):
        return 2 * x


@pytest.mark.parametrize(
    "module",
    [
        nn.AdaptiveAvgPool2d(2),
        nn.ConvTranspose2d(3, 3, 2),
        nn.InstanceNorm2d(3),
        nn.GroupNorm(1, 3),
        nn.Upsample(scale_factor=2),
        Doubling(),
    ],
    ids=lambda module: type(module).__name__,
)
def test_a_module_whose_window_is_unknown_says_what_to_do(module):
    encoder = convolutions(nn.Conv2d(3, 3, 3), module)
    assert len(encoder(torch.rand(1, 3, 8, 8), encoder.layers)) == 2
    assert encoder.receptive_field("layer0") == 3
    with pytest.raises(TypeError, match=rf"{type(module).__name__} cannot be derived\. .*subclass `Encoder`"):
        encoder.receptive_field("layer1")
