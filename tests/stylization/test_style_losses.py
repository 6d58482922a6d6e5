"""The style losses that `stylize` knows by name, and those that it is given."""

from functools import partial
from typing import get_args

import pytest
import torch
from torch import Tensor

from pystyle import GramLoss, MRFLoss, WassersteinLoss, stylize
from pystyle.checkpoints import CheckpointFolder
from pystyle.encoders import SequentialEncoder, alexnet, vgg11
from pystyle.evaluation import EagerEvaluation, StripEvaluation
from pystyle.parametrizations import LaplacianPyramid
from pystyle.stylization import stylization_criterion, stylization_pyramid
from pystyle.typing import StyleLossName


def smooth_image(seed: int, height: int, width: int) -> Tensor:
    coarse = torch.rand(1, 3, height // 8, width // 8, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")


CONTENT, STYLE = smooth_image(0, 40, 56), smooth_image(1, 56, 48).square()


@pytest.fixture(scope="module")
def encoder() -> SequentialEncoder:
    return alexnet(weights=None)


@pytest.fixture
def paint(encoder):
    return partial(stylize, CONTENT, STYLE, encoder=encoder, edge_size=32, num_steps=8, device="cpu")


@pytest.mark.slow
@pytest.mark.parametrize("name", get_args(StyleLossName))
def test_every_name_is_a_loss_that_brings_the_style_nearer(paint, name):
    deeper = vgg11(weights=None, ceil_mode=True)  # AlexNet has one position in the deep layers.
    history = paint(style_loss=name, strength=10.0, encoder=deeper, edge_size=40).history
    style = [column for term, column in history.items() if term.startswith("style.")]
    assert sum(column[-1] for column in style) < 0.9 * sum(column[0] for column in style)


@pytest.mark.parametrize("name", get_args(StyleLossName))
def test_every_name_takes_layers_and_strength(encoder, name):
    usual, other = (
        stylization_criterion(encoder, style_loss=name, strength=strength, style_layers=layers).losses[
            "style"
        ]
        for strength, layers in ((1.0, None), (2.5, ["relu2", "relu4"]))
    )
    assert type(usual) is type(other)
    assert other.layers == ("relu2", "relu4")
    assert other.weight == pytest.approx(2.5 * usual.weight)
    assert usual.relative
    assert other.relative


def test_without_a_name_it_is_the_wasserstein_loss_of_all_layers(encoder):
    loss = stylization_criterion(encoder).losses["style"]
    assert isinstance(loss, WassersteinLoss)
    assert loss.weight == 18
    assert loss.layers == ("relu1", "relu2", "relu3", "relu4", "relu5")
    assert list(loss.layer_weights.values()) == [0.17, 0.47, 0.32, 0.03, 0.01]
    patches = stylization_criterion(vgg11(weights=None), style_loss="mrf").losses["style"]
    assert isinstance(patches, MRFLoss)
    assert patches.layers == ("relu3_1", "relu4_1")


def test_a_layer_counts_as_much_as_the_usual_one_before_it():
    deep = vgg11(weights=None)
    layers = ["image", "conv1_1", "relu1_1", "pool1", "relu2_1", "relu3_2", "pool4", "relu5_2"]
    loss = stylization_criterion(deep, style_layers=layers).losses["style"]
    assert list(loss.layer_weights.values()) == [0.17, 0.17, 0.17, 0.17, 0.47, 0.32, 0.03, 0.01]
    patches = stylization_criterion(deep, style_loss="mrf", style_layers=["relu1_1", "relu5_1"])
    assert list(patches.losses["style"].layer_weights.values()) == [0.5, 0.5]


def test_a_loss_of_ones_own_is_taken_as_it_is(encoder):
    own = GramLoss(["relu1", "relu3"], weight=4.0)
    loss = stylization_criterion(encoder, style_loss=own, strength=0.5).losses["style"]
    assert isinstance(loss, GramLoss)
    assert (loss.layers, loss.weight, loss.relative) == (("relu1", "relu3"), 2.0, False)
    assert own.weight == 4


def test_stylize_passes_the_loss_and_its_layers_on(paint):
    history = paint(style_loss="gram", style_layers=["image", "relu2"]).history
    assert [name for name in history if name.startswith("style.")] == ["style.image", "style.relu2"]
    history = paint(style_loss=GramLoss("relu3", relative=True)).history
    assert [name for name in history if name.startswith("style.")] == ["style.relu3"]


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"style_loss": "gramm"}, ValueError, "`style_loss` must be a loss or one of .* got 'gramm'"),
        ({"style_loss": 3}, TypeError, "`style_loss` must be a name or a loss, got a int"),
        (
            {"style_loss": GramLoss("relu1"), "style_layers": ["relu2"]},
            ValueError,
            r"`style_layers` must be left out .* got \['relu2'\]. Give them to the GramLoss",
        ),
        ({"style_layers": ["relu9"]}, ValueError, "relu9"),
    ],
)
def test_impossible_losses_are_refused(encoder, arguments, error, match):
    with pytest.raises(error, match=match):
        stylization_criterion(encoder, **arguments)


def test_sizes_and_steps_of_ones_own_are_taken_as_they_are():
    assert stylization_pyramid([64, 96], num_steps=(3, 5)).num_steps == (3, 5)
    assert stylization_pyramid([64, 96]).edge_sizes == (64, 96)
    # Each level has 4/5 of the steps before, and all of them are done.
    assert stylization_pyramid((64, 96), num_steps=90).num_steps == (50, 40)
    assert stylization_pyramid(200, num_steps=[7, 2]).edge_sizes == (100, 200)
    with pytest.raises(ValueError, match="`num_steps` must be one number or one for each of 2 levels"):
        stylization_pyramid([64, 96], num_steps=[3])
    with pytest.raises(ValueError, match="`edge_size` must be positive and grow"):
        stylization_pyramid([96, 64])


def test_stylize_runs_the_sizes_of_ones_own(paint):
    result = paint(edge_size=[32, 40], num_steps=[2, 1])
    assert result.image.shape == (1, 3, 40, 56)
    assert result.history["edge_size"] == [32] * 3 + [40] * 2


@pytest.mark.parametrize("rows", [(None, None), (4, None), (None, 4), (6, 4), (4, 6)])
def test_the_largest_size_of_each_criterion_decides_on_strips(paint, monkeypatch, tmp_path, rows):
    sizes, choices = [], iter(rows)

    def choose(_, size, **__):
        sizes.append(size)
        chosen = next(choices)
        return EagerEvaluation() if chosen is None else StripEvaluation(chosen)

    monkeypatch.setattr("pystyle.stylization._evaluation.choose_evaluation", choose)
    paint(edge_size=[31, 32], num_steps=1, checkpoint=tmp_path)
    # The content is 31 x 43 and 32 x 45 then, the style less.
    assert sizes == [(32, 45), (31, 43)]
    needed = min((chosen for chosen in rows if chosen is not None), default=None)
    evaluation = CheckpointFolder(tmp_path).arguments()
    assert evaluation.get("evaluation.rows") == (None if needed is None else str(needed))


def test_stylize_optimises_what_it_is_told_to(paint):
    plain, pyramid = paint(), paint(parametrization=partial(LaplacianPyramid, num_levels=2))
    assert not torch.allclose(plain.image, pyramid.image, atol=1e-3)
    assert pyramid.history["total"][-1] < pyramid.history["total"][0]
