"""The receptive fields of modules: worked out by hand, and against what gradients reach."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models

from pystyle.encoders import WHOLE_IMAGE, ModuleEncoder


class Function(nn.Module):
    """A function of the image, with a module of which the weights may be used."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Sum(nn.Module):
    """The sum of what several modules give."""

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(modules)

    def forward(self, x: Tensor) -> Tensor:
        return sum(branch(x) for branch in self.branches)


def field(*modules: nn.Module) -> int:
    path = str(len(modules) - 1)
    return ModuleEncoder(nn.Sequential(*modules), [path]).receptive_field(path)


def conv(kernel: int | tuple[int, int] = 3, **options: object) -> nn.Conv2d:
    return nn.Conv2d(3, 3, kernel, **options)


# A window of k at stride s adds (k - 1) s, dilation makes it d (k - 1) + 1 wide.
LOCAL = {
    "convolutions": ([conv(), conv(5)], 7),
    "strides": ([conv(3, stride=2), conv(3, stride=4), conv(3)], 1 + 2 + 2 * 2 + 2 * 8),
    "dilation": ([conv(3, dilation=4, padding=4)], 9),
    "the longer side": ([conv((1, 7), padding=(0, 3)), conv((3, 1), padding=(1, 0))], 7),
    "same padding": ([conv(5, padding="same", dilation=2)], 9),
    "other borders": ([conv(5, padding=2, padding_mode="reflect"), conv(3, padding_mode="replicate")], 7),
    "poolings": ([nn.MaxPool2d(3, 2, padding=1), nn.AvgPool2d(2), nn.MaxPool2d(2, dilation=3)], 3 + 2 + 12),
    "pooling whose stride is its side": ([nn.AvgPool2d(4), conv(2)], 4 + 4),
    "functional poolings": ([Function(lambda x: F.avg_pool2d(F.max_pool2d(x, 2), 2)), conv()], 4 + 2 * 4),
    "rounded up": ([nn.MaxPool2d(3, 2, ceil_mode=True)], 3),
    "activations": ([conv(), nn.ReLU(True), nn.GELU(), nn.Hardswish(), nn.Sigmoid(), nn.BatchNorm2d(3)], 3),
    "residual": ([Sum(conv(3, padding=1), conv(7, padding=3), nn.Identity())], 7),
    # Of two branches that look to different sides both count: -4 to 0 and 0 to 2.
    "branches to both sides": ([Sum(Function(lambda x: F.pad(x, (4, -4, 0, 0))), conv(5, padding=2))], 7),
    "concatenation": ([Function(lambda x: torch.cat([x, F.max_pool2d(x, 5, 1, 2)], 1))], 5),
    "one side padded": ([nn.ZeroPad2d((0, 1, 0, 1)), conv(3, stride=2), conv(3)], 3 + 4),
    "channels last": (
        [
            *(Function(lambda x: x.permute(0, 2, 3, 1)), nn.LayerNorm(3), nn.Linear(3, 5), nn.GELU()),
            *(Function(lambda x: x.permute(0, 3, 1, 2)), nn.Conv2d(5, 5, 7, groups=5)),
        ],
        7,
    ),
    "transposed": ([conv((1, 5)), Function(lambda x: x.transpose(2, 3)), Function(lambda x: x.mul(2))], 5),
    "shuffled channels": (
        [conv(), Function(lambda x: x.view(1, 1, 3, *x.shape[2:]).transpose(1, 2).flatten(1, 2)), conv()],
        5,
    ),
    "split channels": ([conv(), Function(lambda x: torch.cat(x.chunk(3, 1)[:2], 1)), nn.Conv2d(2, 2, 3)], 5),
    "constants": ([conv(), Function(lambda x: x * torch.linspace(0, 1, 3).reshape(3, 1, 1))], 3),
    "a position": ([Function(lambda x: (x.square() + 1).sqrt() - x.abs().clamp(max=3))], 1),
}


@pytest.mark.parametrize("name", LOCAL)
def test_local_modules_see_what_is_worked_out_by_hand(name):
    modules, expected = LOCAL[name]
    assert field(*modules) == expected


def excited(x: Tensor) -> Tensor:
    return x * F.adaptive_avg_pool2d(x, 1).sigmoid()


def attended(x: Tensor) -> Tensor:
    tokens = x.flatten(2).mT
    return F.scaled_dot_product_attention(tokens, tokens, tokens).mT.reshape(x.shape)


def overwritten(x: Tensor) -> Tensor:
    y = torch.zeros(x.shape, device=x.device)
    y[:, :, 1:] = x.mean((2, 3), keepdim=True)
    return x + y


def folded(x: Tensor) -> Tensor:
    rows, columns = x.shape[2:]
    return F.max_pool2d(x.reshape(1, -1, rows // 2, columns), 3, 1, 1).reshape(x.shape)


def windowed(x: Tensor) -> Tensor:
    rows, columns = x.shape[2:]
    ones = torch.ones(1, 3, 2 * rows - 1, 2 * columns - 1, device=x.device)
    return torch.cat([F.conv2d(ones, x)] * 3, 1)


WHOLE = {
    "squeeze and excitation": excited,
    "attention": attended,
    "instance norm": lambda x: F.instance_norm(x),
    "group norm": lambda x: F.group_norm(x, 1),
    "layer norm over positions": lambda x: F.layer_norm(x, x.shape[1:]),
    "batch norm of the image": lambda x: F.batch_norm(x, None, None, training=True),
    "linear along the columns": lambda x: F.linear(x, torch.eye(x.shape[3], device=x.device)),
    "borders from the other side": lambda x: F.pad(x, (1, 1, 1, 1), mode="circular"),
    "resizing": lambda x: F.interpolate(x, scale_factor=0.5),
    "rolling": lambda x: x.roll(3, 2),
    "transposed convolution": lambda x: F.conv_transpose2d(x, x.new_ones(3, 3, 2, 2)),
    "written into": overwritten,
    "convolution with itself": lambda x: F.conv2d(x, x.mean((0, 2, 3)).diag()[:, :, None, None]),
    "swapped halves": lambda x: torch.cat(x.chunk(2, 2)[::-1], 2),
    "windows": lambda x: (
        x.unflatten(2, (-1, 4)).mean(3, keepdim=True).expand(-1, -1, -1, 4, -1).flatten(2, 3)
    ),
    "one pixel added to all": lambda x: x + F.pad(x, (0, 1 - x.shape[3], 0, 1 - x.shape[2])),
    "reshaped rows": folded,
    "the image as a window": windowed,
    "Fourier": lambda x: torch.fft.fft2(x).real,
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_not_local_sees_the_whole_image(name):
    assert field(conv(padding=1), Function(WHOLE[name])) == WHOLE_IMAGE
    assert field(Function(WHOLE[name]), conv()) == WHOLE_IMAGE


def test_batch_normalisation_without_statistics_sees_the_whole_image():
    assert field(conv(), nn.BatchNorm2d(3, track_running_stats=False)) == WHOLE_IMAGE


def test_layers_before_a_look_at_the_whole_image_are_local():
    encoder = ModuleEncoder(nn.Sequential(conv(), nn.ReLU(), Function(excited), conv()), ["0", "1", "2", "3"])
    assert [encoder.receptive_field(layer) for layer in encoder.layers] == [3, 3, WHOLE_IMAGE, WHOLE_IMAGE]


def extent(encoder: ModuleEncoder, layer: str, shape: tuple[int, int]) -> tuple[int, int]:
    """The rows and columns that a gradient from one position reaches.

    NaN instead of a number: it does not fade on the way, and does not cancel.
    """
    image = torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
    feature = encoder(image, [layer])[layer]
    seed = torch.zeros_like(feature)
    seed[:, :, feature.shape[2] // 2, feature.shape[3] // 2] = torch.nan
    (gradient,) = torch.autograd.grad(feature, image, seed)
    seen = gradient.isnan().any(1)[0].nonzero()
    rows, columns = (seen.amax(0) - seen.amin(0) + 1).tolist()
    return rows, columns


NETWORKS = [
    ("resnet18", "layer2", 99),
    ("resnet50", "layer1", 35),
    ("squeezenet1_1", "features.12", 207),
    ("mobilenet_v2", "features.6", 59),
    ("convnext_tiny", "features.3", 224),
    ("inception_v3", "Mixed_5d", 127),
    ("googlenet", "inception3b", 59),
    ("densenet121", "features.transition1", 63),
    ("shufflenet_v2_x0_5", "stage2", 63),
    ("regnet_x_400mf", "trunk_output.block2", 31),
    ("efficientnet_v2_s", "features.2", 39),
]


def network(name: str, layers: list[str]) -> ModuleEncoder:
    options = {"init_weights": False} if name in ("inception_v3", "googlenet") else {}
    with torch.random.fork_rng(devices=[]):
        return ModuleEncoder(models.get_model(name, weights=None, **options), layers)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "layer", "expected"), NETWORKS)
def test_gradients_reach_exactly_the_receptive_field(name, layer, expected):
    encoder = network(name, [layer])
    assert encoder.receptive_field(layer) == expected
    smallest = 2 * max(32, encoder.minimum_size([layer]))
    assert extent(encoder, layer, (smallest, expected + 2 * encoder.stride(layer)))[1] == expected


@pytest.mark.parametrize(
    ("name", "layer"), [("mobilenet_v3_small", "features.1"), ("efficientnet_b0", "features.1")]
)
def test_gradients_of_excited_layers_reach_the_whole_image(name, layer):
    encoder = network(name, [layer])
    assert encoder.receptive_field(layer) == WHOLE_IMAGE
    rows, columns = extent(encoder, layer, (64, 160))
    assert rows > 60
    assert columns > 156


def test_receptive_fields_grow_with_the_depth():
    encoder = network("resnet18", ["relu", "maxpool", "layer1", "layer2", "layer3", "layer4"])
    # By hand: 7; 7 + 2 * 2; + 4 * 2 * 4; + 2 * 4 + 3 * 2 * 8; + 2 * 8 + 3 * 2 * 16; + 2 * 16 + 3 * 2 * 32.
    fields = [encoder.receptive_field(layer) for layer in encoder.layers]
    assert fields == [7, 11, 43, 99, 211, 435]
    assert all(before < after for before, after in pairwise(fields))
