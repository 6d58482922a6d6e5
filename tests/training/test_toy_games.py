"""Games whose best moves are known: two Gaussians, a shift, and the mean colour of paintings."""

import math
from functools import partial

import pytest
import torch
from torch import nn
from torch.optim import Adam

from pystyle import Criterion
from pystyle.functional import (
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    real_gradient_penalty,
)
from pystyle.losses import AdversarialLoss
from pystyle.networks import Stylizer
from pystyle.training import Adversary, train

CENTRES = torch.tensor([[-1.0, 0.5], [1.0, -0.5]])
SPREAD = 0.2


def points(number):
    """Of two Gaussians, each as often."""
    return CENTRES[torch.randint(2, (number,))] + SPREAD * torch.randn(number, 2)


def layers(outputs):
    return nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, outputs))


def played(kind, *, num_steps, critic_steps, penalty):
    """Points of a generator after a game with these losses; the average of its last weights makes them."""
    generator, discriminator = layers(2), layers(1)
    average = torch.optim.swa_utils.AveragedModel(
        generator, avg_fn=lambda mean, now, _: torch.lerp(now, mean, 0.98)
    )
    movers = [Adam(one.parameters(), lr=1e-3, betas=(0.0, 0.9)) for one in (generator, discriminator)]
    for step in range(num_steps):
        for mover in movers:
            mover.param_groups[0]["lr"] = 1e-3 * (1 - step / num_steps)
        for _ in range(critic_steps):
            real, painted = points(128), generator(torch.randn(128, 2)).detach()
            loss = discriminator_loss(discriminator(real), discriminator(painted), kind)
            loss = loss + penalty(discriminator, real, painted)
            movers[1].zero_grad()
            loss.backward()
            movers[1].step()
        movers[0].zero_grad()
        generator_loss(discriminator(generator(torch.randn(128, 2))), kind).backward()
        movers[0].step()
        average.update_parameters(generator)
    with torch.no_grad():
        return average(torch.randn(20_000, 2))


GAMES = {
    "non-saturating": {
        "num_steps": 600,
        "critic_steps": 1,
        "penalty": lambda judge, real, _: 0.1 * real_gradient_penalty(judge, real),
    },
    # The penalty of the authors' own toys is 0.1.
    "wasserstein": {
        "num_steps": 240,
        "critic_steps": 5,
        "penalty": lambda *given: 0.1 * gradient_penalty(*given),
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", GAMES)
def test_a_generator_learns_two_gaussians(kind):
    """Both of them, where they are, as wide as they are, and each as often."""
    torch.manual_seed(0)
    found = played(kind, **GAMES[kind])
    # Those of both together: 0, and the roots of 1 + 0.04 and of 0.25 + 0.04.
    torch.testing.assert_close(found.mean(0), torch.zeros(2), atol=0.1, rtol=0)
    torch.testing.assert_close(found.std(0), torch.tensor([1.04, 0.29]).sqrt(), atol=0.1, rtol=0)
    nearest = torch.cdist(found, CENTRES).argmin(1)
    for index, centre in enumerate(CENTRES):
        own = found[nearest == index]
        assert 0.4 < len(own) / len(found) < 0.6
        torch.testing.assert_close(own.mean(0), centre, atol=0.15, rtol=0)
        assert float(own.std(0).max()) < 2 * SPREAD


@pytest.mark.parametrize("shift", [(1.0, 0.0), (-1.2, 1.6)])
def test_the_gap_of_a_critic_is_the_wasserstein_distance_of_a_shift(shift):
    r"""Its length W, by which everything is to be moved; with a penalty of 10, W (1 + W / 20).

    A critic whose slope is s along the shift has s W - 10 (s - 1)², which is largest at s = 1 + W / 20.
    """
    torch.manual_seed(0)
    critic, moved = layers(1), torch.tensor(shift)
    mover = Adam(critic.parameters(), lr=2e-3, betas=(0.0, 0.9))
    num_steps = 400
    for step in range(num_steps):
        mover.param_groups[0]["lr"] = 2e-3 * (1 - step / num_steps)
        real, painted = points(128), points(128) + moved
        loss = discriminator_loss(critic(real), critic(painted), "wasserstein")
        mover.zero_grad()
        (loss + 10 * gradient_penalty(critic, real, painted)).backward()
        mover.step()
    with torch.no_grad():
        real = points(20_000)
        gap = -float(discriminator_loss(critic(real), critic(real + moved), "wasserstein"))
    distance = math.hypot(*shift)
    assert gap == pytest.approx(distance * (1 + distance / 20), rel=0.05)


class Shift(Stylizer):
    """Adds a colour, which it learns."""

    stride = 1
    smallest = 1

    def __init__(self):
        super().__init__()
        self.colour = nn.Parameter(torch.zeros(3))
        self.styles = ("style",)

    def represent_style(self, style):
        raise NotImplementedError

    def named_code(self, _):
        return torch.zeros(1, 1)

    def forward(self, content, _):
        return content + self.colour[:, None, None]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("wasserstein", {"num_steps": 3, "gradient_penalty": 0.1}),
        ("non-saturating", {"num_steps": 1, "real_penalty": 1.0}),
    ],
)
def test_a_training_learns_the_mean_colour_of_the_styles(kind, settings):
    """Contents are shifted until no pixel tells them from the styles, against a judge of single pixels."""
    torch.manual_seed(0)
    mean = torch.tensor([0.7, 0.45, 0.25])
    contents, styles = (0.05 * torch.randn(2, 16, 3, 8, 8)).unbind()
    network = Shift()
    judge = nn.Sequential(nn.Conv2d(3, 16, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 1, 1))
    slow, fast = (partial(Adam, lr=rate, betas=(0.0, 0.9)) for rate in (5e-3, 2e-2))
    result = train(
        network,
        Criterion(None, {"adversarial": AdversarialLoss(judge, kind)}),
        contents=(0.5 + contents).clamp(0, 1),
        styles=(mean[:, None, None] + styles).clamp(0, 1),
        num_steps=150,
        batch_size=2,
        optimizer=slow,
        averaging=0.9,
        adversaries={"adversarial": Adversary(fast, **settings)},
    )
    assert result.skipped == 0
    torch.testing.assert_close(network.colour.detach(), mean - 0.5, atol=0.05, rtol=0)
