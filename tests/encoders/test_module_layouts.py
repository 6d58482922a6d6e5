"""Any module as an encoder: the layouts that it understands, and modules that do not take every size."""

import threading
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from pystyle.encoders import WHOLE_IMAGE, ModuleEncoder
from pystyle.testing import check_encoder


def fill(module: nn.Module, seed: int = 0) -> nn.Module:
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        parameter.data.uniform_(-0.5, 0.5, generator=generator)
    return module.eval().requires_grad_(False)


def picture(height: int = 16, width: int = 24, seed: int = 0) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


class Patches(nn.Module):
    """Gives the patches of an image in a layout, after some tokens that are no patches."""

    def __init__(self, arrange: Callable[[Tensor], Tensor], side: int = 4) -> None:
        super().__init__()
        self.project = fill(nn.Conv2d(3, 5, side, stride=side))
        self.arrange = arrange
        self.out = nn.Identity()

    def forward(self, image: Tensor) -> Tensor:
        return self.out(self.arrange(self.project(image)))


def prefixed(num_tokens: int, x: Tensor) -> Tensor:
    tokens = x.flatten(2).mT
    return torch.cat([tokens.new_full((len(x), num_tokens, x.shape[1]), 7.0), tokens], 1)


LAYOUTS = {
    "channels first": lambda x: x,
    "channels last": lambda x: x.permute(0, 2, 3, 1),
    "rows last": lambda x: x.permute(0, 1, 3, 2),
    "tokens": partial(prefixed, 0),
    "class token": partial(prefixed, 1),
    "registers": partial(prefixed, 5),
    "many prefix tokens": partial(prefixed, 40),
    "channels before tokens": lambda x: x.flatten(2),
    "tokens before the batch": lambda x: x.flatten(2).permute(2, 0, 1),
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("shape", [(1, 16, 16), (2, 16, 24), (3, 8, 40), (2, 18, 23)])
def test_every_layout_becomes_a_map_with_the_channels_first(name, shape):
    module = Patches(LAYOUTS[name])
    num_images, height, width = shape
    image = torch.rand(num_images, 3, height, width, generator=torch.Generator().manual_seed(1))
    encoder = ModuleEncoder(module, ["out"])
    torch.testing.assert_close(encoder(image, ["out"])["out"], module.project(image))
    assert encoder.stride("out") == 4


def test_tokens_of_rounded_up_sizes_are_a_grid():
    # Overlapping patches: of 10 x 15 pixels, 4 x 5 positions at a stride of 3.
    module = nn.Sequential(nn.Conv2d(3, 5, 5, stride=3, padding=2), nn.Flatten(2))
    encoder = ModuleEncoder(fill(module), {"tokens": "1"})
    image = picture(10, 15)
    torch.testing.assert_close(encoder(image, ["tokens"])["tokens"], module[0](image))


def test_tokens_that_are_no_grid_are_refused():
    class Truncated(nn.Module):
        def forward(self, x):
            return x.flatten(2)[:, :, :20]

    class Cut(nn.Module):
        def __init__(self):
            super().__init__()
            self.flatten, self.truncated, self.out = nn.Flatten(2), Truncated(), nn.Identity()

        def forward(self, image):
            return self.out(self.flatten(image) if image.shape[2] > 8 else self.truncated(image))

    encoder = ModuleEncoder(Cut(), ["out"])
    with pytest.raises(ValueError, match=r"a grid of stride 1, got 20 for 8 x 8 pixels.*size_multiple=1"):
        encoder(torch.rand(1, 3, 8, 8), ["out"])


class Divisible(Patches):
    def forward(self, image: Tensor) -> Tensor:
        if image.shape[2] % 4 or image.shape[3] % 4:
            raise RuntimeError("The sides must be multiples of 4.")
        return super().forward(image)


def test_sides_are_rounded_up_by_repeating_the_border():
    module = Divisible(partial(prefixed, 1))
    encoder = ModuleEncoder(module, ["out"], size_multiple=4)
    image = picture(6, 9)
    padded = torch.cat([image, image[:, :, -1:].expand(1, 3, 2, 9)], 2)
    padded = torch.cat([padded, padded[:, :, :, -1:].expand(1, 3, 8, 3)], 3)
    torch.testing.assert_close(encoder(image, ["out"])["out"], module.project(padded))
    assert encoder.geometry("out")[:3] == (4, WHOLE_IMAGE, 1)
    check_encoder(encoder)


def test_the_smallest_size_counts_in_multiples():
    # Two poolings of 3 at a stride of 2 need 7 pixels: 8 once rounded up, so that 5 are enough.
    module = nn.Sequential(nn.MaxPool2d(3, 2), nn.MaxPool2d(3, 2))
    assert ModuleEncoder(module, ["0", "1"]).minimum_size(["1"]) == 7
    encoder = ModuleEncoder(module, ["0", "1"], size_multiple=4)
    assert (encoder.minimum_size(["0"]), encoder.minimum_size(["1"])) == (1, 5)
    check_encoder(encoder)


class OneSize(nn.Module):
    def __init__(self, arrange: Callable[[Tensor], Tensor], side: int = 32) -> None:
        super().__init__()
        self.patches, self.side = Patches(arrange), side

    def forward(self, image: Tensor) -> Tensor:
        if tuple(image.shape[2:]) != (self.side, self.side):
            raise RuntimeError(f"Only {self.side} pixels.")
        return self.patches(image)


@pytest.mark.parametrize("name", ["channels first", "channels last", "tokens", "class token", "registers"])
def test_a_module_of_one_size_takes_that_size_only(name):
    module = OneSize(LAYOUTS[name])
    encoder = ModuleEncoder(module, {"out": "patches.out"}, image_size=32)
    image = picture(32, 32)
    torch.testing.assert_close(encoder(image, ["out"])["out"], module.patches.project(image))
    assert (encoder.stride("out"), encoder.minimum_size(["out"])) == (4, 32)
    with pytest.raises(ValueError, match=r"`image` must be 32 x 32 pixels, the only size .* got 32 x 48"):
        encoder(picture(32, 48), ["out"])


def test_a_module_of_one_size_that_is_not_given_says_so():
    with pytest.raises(ValueError, match=r"448 x 448 pixels, got RuntimeError: Only 32 pixels.*`image_size`"):
        ModuleEncoder(OneSize(LAYOUTS["tokens"]), ["patches"])


def test_a_head_that_takes_one_size_only_does_no_harm():
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4 * 8 * 8, 10)
    )
    encoder = ModuleEncoder(module, {"conv": "0", "pool": "1"})
    assert encoder.geometry("pool")[:3] == (2, 4, 2)
    check_encoder(encoder)


class NeedsData(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.sides = fill(nn.Conv2d(3, 4, 3, stride=2)), []

    def forward(self, image: Tensor) -> Tensor:
        self.sides.append(image.shape[2])
        return self.conv(image + 1 if image.mean().item() < 0 else image)


def test_a_module_that_needs_data_is_run_itself():
    module = NeedsData()
    assert ModuleEncoder(module, ["conv"]).geometry("conv")[:3] == (2, 3, 3)
    assert len(module.sides) > 3


def test_a_module_that_needs_no_data_is_not_run():
    module = Divisible(LAYOUTS["tokens"])
    module.project.register_forward_hook(
        lambda module, _inputs, output: module.seen.append(output.device.type)
    )
    module.project.seen = []
    ModuleEncoder(module, ["out"])
    assert module.project.seen == []


def test_a_module_that_cannot_be_copied_is_run_itself():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2))
    module.lock = threading.Lock()
    assert ModuleEncoder(module, ["1"]).geometry("1")[:3] == (2, 4, 4)
