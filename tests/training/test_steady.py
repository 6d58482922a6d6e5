"""What moves is painted in its new place: by hand for known networks, and learned by a small one."""

import math

import pytest
import torch
from torch import nn

from pystyle import Criterion
from pystyle.encoders import SequentialEncoder
from pystyle.functional import warp
from pystyle.losses import ContentLoss
from pystyle.networks import Stylizer, TransformNetwork
from pystyle.training import Painted, SteadyTask, train


class Ramp(Stylizer):
    """Adds something to each column that does not move with the image."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope, dtype=torch.float64))

    def represent_style(self, style):
        return style.mean((2, 3))

    def forward(self, content, code):
        del code
        return content + self.slope * torch.arange(content.shape[3], dtype=content.dtype)


def painted(network, size=(1, 3, 24, 40)):
    torch.manual_seed(1)
    contents = torch.rand(size, dtype=torch.float64)
    return Painted(contents, None, None, network(contents, None))


def drawn_shift(task, seed):
    """The motion to the right and down that a task draws first."""
    torch.manual_seed(seed)
    return (task.shift * (2 * torch.rand(1, 2, 1, 1) - 1)).flatten().tolist()


@pytest.mark.parametrize("seed", range(4))
def test_what_stays_where_it_was_counts_by_how_far_the_image_moved(seed):
    network = Ramp(0.003)
    task = SteadyTask(noise=0, shift=5, bend=0)
    right, _ = drawn_shift(task, seed)
    step = painted(network)
    torch.manual_seed(seed)
    found = task(network, step).terms["difference"]
    assert found.item() == pytest.approx(0.003 * abs(right), rel=1e-6)


def test_places_from_outside_of_the_image_do_not_count():
    class Middle(Ramp):
        """Is right everywhere but where the content continues beyond its border."""

        def forward(self, content, code):
            del code
            return content + self.slope * (content == content[..., :1])

    network = Middle(1.0)
    torch.manual_seed(1)
    contents = torch.rand(1, 3, 8, 12, dtype=torch.float64)
    contents[..., 0] = 0.5
    step = Painted(contents, None, None, contents)
    task = SteadyTask(noise=0, shift=4, bend=0)
    seed = next(seed for seed in range(50) if drawn_shift(task, seed)[0] < -2)
    torch.manual_seed(seed)
    found = task(network, step).terms["difference"].item()
    flow = torch.tensor(drawn_shift(task, seed), dtype=torch.float64).view(1, 2, 1, 1).expand(1, 2, 8, 12)
    everywhere = (network(warp(contents, flow), None) - warp(contents, flow)).abs().mean()
    assert found == 0
    assert everywhere > 0.1


def test_without_a_motion_it_is_the_noise():
    network = Ramp(0.0)
    task = SteadyTask(noise=0.01, shift=0, bend=0)
    contents = torch.full((2, 3, 64, 64), 0.5, dtype=torch.float64)
    torch.manual_seed(0)
    found = task(network, Painted(contents, None, None, contents)).terms["difference"]
    assert found.item() == pytest.approx(0.01 * math.sqrt(2 / math.pi), rel=0.02)


def test_what_the_network_is_shown_stays_in_the_range_of_images():
    seen = []

    class Looks(Ramp):
        def forward(self, content, code):
            del code
            seen.append(content)
            return content

    network = Looks(0.0)
    contents = torch.ones(1, 3, 16, 16, dtype=torch.float64)
    SteadyTask(noise=0.5)(network, Painted(contents, None, None, contents))
    assert seen[0].amin() >= 0
    assert seen[0].amax() == 1


def test_a_motion_is_smooth_and_each_image_has_its_own():
    task = SteadyTask(noise=0, shift=10, bend=8, cell=50)
    torch.manual_seed(3)
    flow = task._flow(torch.rand(2, 3, 100, 200, dtype=torch.float64))
    assert flow.shape == (2, 2, 100, 200)
    assert flow.dtype == torch.float64
    assert not torch.equal(flow[0], flow[1])
    steps = torch.cat([flow.diff(dim=2).flatten(), flow.diff(dim=3).flatten()])
    # Between points at a distance of 50 pixels with a deviation of 8 each.
    assert 0.01 < steps.abs().max() < 8 * 8 / 49


def test_both_pictures_teach():
    network = Ramp(0.01)
    step = painted(network)
    task = SteadyTask(noise=0, shift=5, bend=0)
    torch.manual_seed(2)
    task(network, step).terms["difference"].backward()
    right, _ = drawn_shift(task, 2)
    # Of slope times distance. Through one picture alone it would be the mean column.
    assert float(network.slope.grad) == pytest.approx(abs(right), rel=1e-6)


@pytest.mark.slow
def test_a_network_learns_to_be_steadier():
    def steadiness(weight):
        torch.manual_seed(0)
        network = TransformNetwork(width=4)
        encoder = SequentialEncoder({"conv": nn.Conv2d(3, 4, 3, padding=1)})
        images = torch.rand(8, 3, 32, 32)
        result = train(
            network,
            Criterion(encoder, {"content": ContentLoss("conv")}),
            contents=images,
            styles=images[:1],
            num_steps=30,
            batch_size=2,
            crop_size=32,
            tasks={"steady": SteadyTask(shift=2, bend=1, weight=weight)},
        )
        assert "steady.difference" in result.history
        torch.manual_seed(5)
        code = result.network.named_code(result.network.styles[0])
        with torch.no_grad():
            step = Painted(images, None, code, result.network(images, code))
            return float(SteadyTask(shift=2, bend=1)(result.network, step).terms["difference"])

    assert steadiness(30.0) < 0.7 * steadiness(0.0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"noise": -1}, "`noise`"),
        ({"shift": -1}, "`shift`"),
        ({"bend": float("nan")}, "`bend`"),
        ({"cell": 0}, "`cell`"),
        ({"weight": "much"}, "`weight`"),
    ],
)
def test_impossible_numbers_are_refused(options, words):
    with pytest.raises((ValueError, TypeError), match=words):
        SteadyTask(**options)
