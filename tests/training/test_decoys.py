"""What a discriminator sees besides paintings and pictures, and how often it is said to be right."""

from functools import partial

import pytest
import torch
from torch import nn

from pystyle import AdversarialLoss, Criterion
from pystyle.networks import Stylizer
from pystyle.training import Adversary, train

SGD = partial(torch.optim.SGD, lr=1.0)


class Gray(Stylizer):
    """Paints a gray, whatever it sees."""

    stride, smallest = 1, 4

    def __init__(self, level=0.2):
        super().__init__()
        self.level = level
        self.styles = ("gray",)
        self.added = nn.Parameter(torch.zeros(1))

    def represent_style(self, style):
        raise NotImplementedError

    def named_code(self, name):  # noqa: ARG002
        return torch.zeros(1, 1)

    def forward(self, content, code):  # noqa: ARG002
        return torch.full_like(content, self.level) + self.added


class Brightness(nn.Module):
    """The score is the mean of the image, and a threshold below it."""

    def __init__(self, threshold=0.0):
        super().__init__()
        self.threshold = nn.Parameter(torch.tensor(threshold))

    def forward(self, image):
        return image.mean((1, 2, 3)) - self.threshold


def play(kind, num_steps=1, threshold=0.0, rate=1.0, **adversary):
    judge = Brightness(threshold)
    result = train(
        Gray(),
        Criterion(None, {"a": AdversarialLoss(judge, kind)}),
        contents=torch.full((1, 3, 8, 8), 0.4),
        styles=torch.full((1, 3, 8, 8), 0.9),
        num_steps=num_steps,
        batch_size=1,
        optimizer=partial(torch.optim.SGD, lr=0.0),
        learning_rate=lambda _: 1.0,
        adversaries={"a": Adversary(partial(SGD, lr=rate), **adversary)},
    )
    return judge.threshold.item(), {name: list(column) for name, column in result.history.items()}


def two_decoys(real, contents):
    return [(contents, 1.0), (real / 3, 0.1)]


@pytest.mark.parametrize(
    ("kind", "expected", "slope"),
    [
        # Scores of 0.9 for the painting, 0.2 for the picture, and 0.4 and 0.3 for the decoys.
        (
            "least-squares",
            (0.1**2 + 0.2**2 + 0.4**2 + 0.1 * 0.3**2) / 2,
            0.1 - 0.2 - 0.4 - 0.1 * 0.3,
        ),
        ("hinge", 0.1 + 1.2 + 1.4 + 0.1 * 1.3, 1 - 1 - 1 - 0.1),
        ("wasserstein", -0.9 + 0.2 + 0.4 + 0.1 * 0.3, 1 - 1 - 1 - 0.1),
    ],
)
def test_decoys_count_as_pictures_do_by_their_weights(kind, expected, slope):
    threshold, history = play(kind, decoys=two_decoys)
    assert history["a.discriminator"] == [pytest.approx(expected, rel=1e-5)]
    assert threshold == pytest.approx(-slope, rel=1e-5)


def test_it_is_right_about_each_kind_of_image_by_its_weight():
    # Above a threshold of 0.25 are the painting, and wrongly both decoys: 2 of 3.1 are right.
    _, history = play("hinge", threshold=0.25, decoys=two_decoys)
    assert history["a.accuracy"] == [pytest.approx(2 / 3.1)]


@pytest.mark.parametrize("decoys", [None, lambda _, contents: [(contents, 1.0)]])
def test_while_the_network_moves_it_is_only_asked_about_pictures(decoys):
    # At a threshold of 0.95 it takes the painting for none, and is right about all else. So the network goes
    # on moving, as it would not if the painting counted: (1 + 0) / 2, or (1 + 1 + 0) / 3.
    threshold, history = play("non-saturating", threshold=0.95, num_steps=5, most_success=0.9, decoys=decoys)
    assert threshold == pytest.approx(0.95)
    assert history["a.accuracy"] == [pytest.approx(0.5 if decoys is None else 2 / 3)] * 5


def test_decoys_are_a_function():
    with pytest.raises(TypeError, match="`decoys` must be a function of real images and contents"):
        Adversary(decoys=1.0)
