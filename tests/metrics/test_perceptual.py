"""Distances through networks against the independent judge of the benchmarks, and by their definitions."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from pystyle.encoders import SequentialEncoder, vgg16
from pystyle.metrics import LPIPS, StructureDistance, StyleDistance

PATH = Path(__file__).parents[2] / "benchmarks" / "judge.py"
GENERATOR = torch.Generator().manual_seed(0)
IMAGES = torch.rand(2, 3, 40, 36, generator=GENERATOR)
CONTENTS = torch.rand(2, 3, 40, 36, generator=GENERATOR) ** 2
STYLE = torch.rand(1, 3, 33, 52, generator=GENERATOR) / 2


@pytest.fixture(scope="module")
def judging():
    spec = importlib.util.spec_from_file_location("pystyle_benchmarks_judge_of_metrics", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Dataclasses look their module up.
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def network():
    return vgg16(weights=None, seed=3)


@pytest.fixture(scope="module")
def judge(judging, network):
    """The judge with the weights of that network."""
    loss, stages, stage = LPIPS(network)._loss, [], []
    for name, module in network.stages.items():
        if isinstance(module, nn.Conv2d):
            stage.append(judging.Convolution(module.weight, module.bias))
        if name in loss.layers:
            stages.append(judging.Stage(tuple(stage), loss.at(name).head_0, 2 if stages else 0))
            stage = []
    return judging.Judge(stages, num_quantiles=4096)


def test_lpips_is_that_of_the_judge(judge, network):
    expected = [judge.lpips(IMAGES[i : i + 1], CONTENTS[i : i + 1]) for i in range(2)]
    found = LPIPS(network)(IMAGES, CONTENTS)
    assert found.tolist() == pytest.approx(expected, rel=1e-5)
    assert LPIPS(network)(IMAGES, CONTENTS[:1])[0].item() == pytest.approx(expected[0], rel=1e-5)


def test_lpips_takes_weights_of_ones_own():
    same = SequentialEncoder({"same": nn.Identity()})
    distance = LPIPS(same, {"same": torch.tensor([1.0, 2.0, 3.0])})
    red, green = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    red[:, 0], green[:, 1] = 0.5, 1.0
    assert distance(red, green).tolist() == pytest.approx([1 + 2], rel=1e-6)


def test_the_style_distance_is_that_of_the_judge(judge, network):
    distance = StyleDistance(network)
    for index in range(2):
        image, content = IMAGES[index : index + 1], CONTENTS[index : index + 1]
        # The judge compares at 4,096 quantiles, and this one exactly.
        assert distance(image, STYLE).item() == pytest.approx(judge.style_distance(image, STYLE), rel=0.01)
        expected = judge.style_distance(image, STYLE, content)
        assert distance(image, STYLE, content).item() == pytest.approx(expected, rel=0.01)


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


def test_structure_is_the_divergence_of_similarities(monkeypatch):
    monkeypatch.setattr("pystyle.metrics._structure_distance._ROWS", 5)
    same = SequentialEncoder({"same": nn.Identity()})
    images, contents = IMAGES[:, :, :4, :3], CONTENTS[:1, :, :4, :3]
    expected = []
    for image in images:
        first, second = (part.double().flatten(1).T / 3 for part in (image, contents[0]))
        found, wanted = ((part @ part.T).exp() for part in (first, second))
        found, wanted = (part / part.sum(1, keepdim=True) for part in (found, wanted))
        expected.append(float((wanted * (wanted / found).log()).sum(1).mean()))
    assert StructureDistance(same, "same")(images, contents).tolist() == pytest.approx(expected, rel=1e-3)


def test_structure_does_not_see_where_colours_are_turned():
    same = SequentialEncoder({"same": nn.Identity()})
    assert StructureDistance(same, "same")(IMAGES, IMAGES[:, [2, 0, 1]]).abs().max() < 1e-6
    assert StructureDistance(same, "same")(IMAGES, IMAGES.flip(3)).min() > 1e-5


def test_what_does_not_fit_is_refused(network):
    with pytest.raises(ValueError, match="`reference` must have the size of `image`"):
        LPIPS(network)(IMAGES, STYLE)
    with pytest.raises(ValueError, match="`content` must have the size of `image`"):
        StructureDistance(network)(IMAGES, STYLE)
    with pytest.raises(ValueError, match="`heads` must be one of"):
        LPIPS(network, "squeeze")
    with pytest.raises(ValueError, match="`layers` must be names of layers, at least one"):
        StyleDistance(network, [])
    with pytest.raises(ValueError, match="`style` must be one image or as many as `image`"):
        StyleDistance(network)(IMAGES[:1], STYLE.expand(2, -1, -1, -1))
    with pytest.raises(ValueError, match="`content` must be one image or as many as `image`"):
        StyleDistance(network)(IMAGES, STYLE, CONTENTS[:1].expand(3, -1, -1, -1))
    with pytest.raises(ValueError, match="`content` must be in"):
        StyleDistance(network)(IMAGES, STYLE, CONTENTS + 1)
