"""What ModuleEncoder refuses, and how it says so."""

import pytest
import torch
from torch import Tensor, nn

from pystyle.encoders import ModuleEncoder


class Stages(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
        self.pool = nn.MaxPool2d(2)

    def forward(self, image: Tensor) -> Tensor:
        return self.pool(self.stem(image))


class Odd(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.twice, self.unused = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.pair, self.mean = Pair(), nn.AdaptiveAvgPool2d(1)
        self.square, self.windows = nn.Identity(), nn.Identity()

    def forward(self, image: Tensor) -> Tensor:
        x, _ = self.pair(self.twice(self.twice(image)))
        if image.shape[2] == image.shape[3]:
            x = self.square(x)
        self.windows(nn.functional.unfold(x, 4, stride=4).mT.reshape(-1, 16, 3))
        return self.mean(x)


class Pair(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("twice", "'twice' cannot be a layer: it runs 2 times in one pass. Name the module around it"),
        ("unused", "'unused' cannot be a layer: the module does not call it"),
        ("pair", "'pair' cannot be a layer: it gives a tuple and no tensor. Wrap it"),
        (
            "mean",
            r"'mean' cannot be a layer: for 448 x 448 pixels .* shape \(1, 3, 1, 1\), which does not grow",
        ),
        ("square", "'square' cannot be a layer: the module does not call it for oblong images"),
        ("windows", r"'windows' cannot be a layer: .* the shape \(12544, 16, 3\), which does not grow"),
    ],
)
def test_a_submodule_that_gives_no_map_is_refused(path, message):
    with pytest.raises(ValueError, match=message):
        ModuleEncoder(Odd(), [path])


class Shared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(3, 3, 1)
        self.other = self.one

    def forward(self, image: Tensor) -> Tensor:
        return self.other(self.one(image))


def test_a_submodule_with_two_names_runs_twice():
    with pytest.raises(ValueError, match="'other' cannot be a layer: it runs 2 times"):
        ModuleEncoder(Shared(), ["other"])


def test_a_layer_that_only_some_images_pass_is_missed_at_the_call():
    class Sometimes(nn.Module):
        def __init__(self):
            super().__init__()
            self.large, self.always = nn.Identity(), nn.Identity()

        def forward(self, image):
            return self.always(self.large(image) if image.shape[2] > 8 else image)

    encoder = ModuleEncoder(Sometimes(), ["large", "always"])
    assert list(encoder(torch.rand(1, 3, 16, 24), ["large"])) == ["large"]
    with pytest.raises(RuntimeError, match="did not call 'large' for this image, though it did when"):
        encoder(torch.rand(1, 3, 4, 4), ["always", "large"])


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        ([], ValueError, "`layers` must name at least one submodule, got none"),
        ("stem", TypeError, "a mapping or a sequence of names, got the string 'stem'"),
        (["stem.7"], ValueError, r"submodules of Stages, such as stem, .*got 'stem\.7'\. Did you mean 'stem"),
        ({"image": "stem"}, ValueError, "must not be empty or 'image', got 'image'"),
        ({"": "stem"}, ValueError, "must not be empty or 'image', got ''"),
    ],
)
def test_impossible_layers_are_refused(layers, error, message):
    with pytest.raises(error, match=message):
        ModuleEncoder(Stages(), layers)


def test_impossible_sizes_are_refused():
    with pytest.raises(ValueError, match="`size_multiple` must be at least 1, got 0"):
        ModuleEncoder(Stages(), ["stem"], size_multiple=0)
    with pytest.raises(ValueError, match="`image_size` must be at least 1, got 0"):
        ModuleEncoder(Stages(), ["stem"], image_size=0)
