"""Weights that change from level to level, and schedules through all levels of a pyramid."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from pystyle import ContentLoss, Criterion, GramLoss, Pyramid
from pystyle.encoders import SequentialEncoder


def random_image(seed: int, height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


REFERENCES = {"content": random_image(0, 30, 40), "style": random_image(1, 50, 36).square()}


def pixels(*modules: nn.Module) -> SequentialEncoder:
    return SequentialEncoder({"pixels": nn.Sequential(nn.Identity(), *modules)})


def by_pixels() -> Criterion:
    losses = {"content": ContentLoss("pixels"), "style": GramLoss("pixels", weight=0.1)}
    return Criterion(pixels(), losses)


def test_schedules_count_the_steps_of_all_levels():
    fractions = []

    def schedule(fraction):
        fractions.append(fraction)
        return 1 + fraction

    still = torch.full((1, 3, 30, 40), 0.5)
    references = {"content": torch.full((1, 3, 30, 40), 0.25), "style": torch.full((1, 3, 30, 40), 0.75)}
    losses = {"content": ContentLoss("pixels"), "other": ContentLoss("pixels", reference="style")}
    result = Pyramid([10, 20, 30], num_steps=[3, 1, 2]).optimize(
        Criterion(pixels(), losses),
        references,
        init=still,
        optimizer=partial(torch.optim.SGD, lr=1e-30),
        schedules={"content": schedule},
        level_weights={"content": (1.0, 0.5, 0.25), "other": [0, 2, 1]},
    )
    # Each level also evaluates its picture, with the weight of its last step.
    factors = [1, 1.2, 1.4, 1.4, 0.8, 0.8, 0.45, 0.5, 0.5]
    assert result.history["content.pixels"] == pytest.approx([0.0625 * factor for factor in factors])
    assert result.history["other.pixels"] == pytest.approx([0] * 4 + [0.125] * 2 + [0.0625] * 3)
    assert max(fractions) == 1
    assert min(fractions) == 0


def test_weights_belong_to_their_levels_where_the_first_ones_are_too_small():
    encoder = pixels(nn.AvgPool2d(16))
    references = {"content": torch.full((1, 3, 32, 32), 0.25)}
    result = Pyramid([8, 16, 32], num_steps=0).optimize(
        Criterion(encoder, {"content": ContentLoss("pixels")}),
        references,
        init=torch.full((1, 3, 32, 32), 0.75),
        level_weights={"content": (1, 2, 3)},
    )
    assert result.history["edge_size"] == [16, 32]
    assert result.history["content.pixels"] == pytest.approx([0.5, 0.75])


def test_factors_of_ones_change_nothing():
    pyramid = Pyramid([20, 30], num_steps=3)
    plain = pyramid.optimize(by_pixels(), REFERENCES)
    ones = pyramid.optimize(by_pixels(), REFERENCES, level_weights={"style": (1, 1)})
    assert torch.equal(plain.image, ones.image)
    assert plain.history["total"] == ones.history["total"]


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (
            {"level_weights": {"content": (1.0,)}},
            r"`level_weights\['content'\]` must have one factor for each of the 2",
        ),
        ({"level_weights": {"content": (1.0, -1.0)}}, r"\[1\]` must not be negative, got -1\.0"),
        ({"level_weights": {"content": (1.0, float("nan"))}}, "got .*nan"),
        (
            {"level_weights": {"kontent": (1.0, 1.0)}},
            "`level_weights` must name losses .* Did you mean 'content'",
        ),
        ({"schedules": {"kontent": lambda _: 1.0}}, "`schedules` must name losses .* Did you mean 'content'"),
        ({"schedules": {"content": lambda fraction: 0.9 - fraction}}, "at the fraction 1 of the run"),
    ],
)
def test_impossible_weights_are_refused_before_the_first_level(arguments, match):
    steps = []
    with pytest.raises(ValueError, match=match):
        Pyramid([20, 30], num_steps=3).optimize(
            by_pixels(), REFERENCES, callbacks=[steps.append], **arguments
        )
    assert steps == []
