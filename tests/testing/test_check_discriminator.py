"""Our discriminators keep their promises, and the check finds those that do not."""

import pytest
import torch
from torch import nn

from pystyle.networks import MinibatchDeviation, MultiScaleDiscriminator, PatchDiscriminator, SelfAttention
from pystyle.testing import check_discriminator


def judge(**options):
    return PatchDiscriminator(width=2, num_layers=2, **options)


def with_attention():
    return nn.Sequential(nn.Conv2d(3, 8, 4, 2), nn.LeakyReLU(0.2), SelfAttention(8), nn.Conv2d(8, 1, 3))


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (judge, {}),
        (lambda: judge(spectral=True), {}),
        (lambda: judge(normalization=None), {}),
        (lambda: judge(antialias=True), {}),
        (lambda: judge(normalization="batch"), {"batches": False}),
        (lambda: PatchDiscriminator(6, width=2, num_layers=2), {"channels": 6}),
        (lambda: MultiScaleDiscriminator([judge(), judge(), judge()]), {"size": 96}),
        (with_attention, {}),
        (
            lambda: nn.Sequential(nn.Conv2d(3, 4, 3), MinibatchDeviation(), nn.Conv2d(5, 1, 3)),
            {"batches": False},
        ),
    ],
)
def test_our_discriminators_keep_their_promises(make, options):
    torch.manual_seed(0)
    discriminator = make()
    before = {name: value.clone() for name, value in discriminator.state_dict().items()}
    check_discriminator(discriminator, **options)
    assert all(torch.equal(value, before[name]) for name, value in discriminator.state_dict().items())


class Broken(nn.Module):
    """A mean of some channels, broken in one way."""

    def __init__(self, way):
        super().__init__()
        self.way = way
        self.weight = nn.Parameter(torch.ones(3))
        self.forgotten = nn.Parameter(torch.ones(1)) if way == "forgotten" else None
        self.hidden = torch.ones(1)

    def forward(self, image):
        if self.way == "changes":
            image.mul_(0.5)
        if self.way == "whitens":
            image = image / image.std()
        if self.way == "pools":
            image = image - image.mean(0)
        scores = image.tanh().mean((2, 3)) @ self.weight
        if self.way == "counts":
            self.hidden = self.hidden + 1
            scores = scores * self.hidden
        if self.way == "rounds":
            scores = scores.detach().round() + 0 * self.weight.sum()
        return scores.mean() if self.way == "one" else scores


@pytest.mark.parametrize(
    ("way", "promise"),
    [
        ("changes", "the images are not changed"),
        ("whitens", "of one colour"),
        ("pools", "an image has the same scores alone and in a batch"),
        ("forgotten", "the scores depend on forgotten"),
        ("counts", "`state_dict` holds all that it has learned|the same scores alone"),
        ("rounds", "the scores depend on the images"),
        ("one", "each image of a batch has scores"),
    ],
)
def test_a_broken_promise_is_found(way, promise):
    check_discriminator(Broken("none"))
    with pytest.raises(AssertionError, match=promise):
        check_discriminator(Broken(way))


def test_one_with_nothing_to_learn_is_refused():
    with pytest.raises(AssertionError, match="it has something to be trained"):
        check_discriminator(Broken("none").requires_grad_(False))
