"""The code of a style in the place of pixels."""

from functools import partial
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Adam

from pystyle import Criterion, Pyramid, optimize_image
from pystyle.losses import ContentLoss
from pystyle.networks import AnyStyleNetwork, StyleCode, Stylizer, TransformNetwork
from pystyle.runner import Runner


class Code(NamedTuple):
    """The mean colour, and the covariance of the colours."""

    mean: Tensor
    covariance: Tensor


class Shift(Stylizer):
    """Adds the mean colour of the style, and a hundredth of the covariance of red and green, to a content."""

    stride = 4

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))

    def represent_style(self, style: Tensor) -> Code:
        rows = style.flatten(2)
        mean = rows.mean(2)
        rows = rows - mean[:, :, None]
        return Code(mean, rows @ rows.mT / rows.shape[2])

    def forward(self, content: Tensor, code: Code) -> Tensor:
        return self.factor * content / 2 + code.mean[:, :, None, None] / 2 + code.covariance[:, 0, 1] / 100


def noise(seed, *size, batch=1):
    return torch.rand(batch, 3, *size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("network", [Shift(), AnyStyleNetwork(width=2, features="light")])
@pytest.mark.parametrize("style", [noise(1, 20, 24), [(noise(1, 20, 24), 0.5), (noise(2, 16, 16), 0.5)]])
def test_it_starts_with_what_the_network_paints(network, style):
    photo = noise(0, 21, 18, batch=2)
    code = StyleCode(photo, stylizer=network, style=style)
    torch.testing.assert_close(code(), network.bind(style)(photo), atol=1e-4, rtol=0)
    torch.testing.assert_close(code.painter(photo), network.bind(style)(photo), atol=1e-4, rtol=0)


def test_only_the_code_is_moved():
    network = Shift()
    code = StyleCode(noise(0, 16, 16), stylizer=network, style=noise(1, 16, 16))
    assert [tuple(parameter.shape) for parameter in code.parameters()] == [(1, 3), (1, 3, 3)]
    code().sum().backward()
    assert network.factor.grad is None
    assert network.factor.requires_grad
    assert all(parameter.grad is not None for parameter in code.parameters())


def test_of_any_style_the_means_are_moved():
    # With weights of some seeds it paints one colour, whatever the means are.
    torch.manual_seed(3)
    network, style = AnyStyleNetwork(width=2, features="light"), noise(1, 16, 16)
    code = StyleCode(noise(0, 16, 16), stylizer=network, style=style)
    assert [tuple(parameter.shape) for parameter in code.parameters()] == [(1, 3), (1, 4), (1, 8)]
    # An untrained network begins without modulation by the style.
    for parameter in network.modulation.parameters():
        nn.init.normal_(parameter, generator=torch.Generator().manual_seed(0))
    # Mean and covariance of the colours are those of the style, whatever the decoder paints.
    code()[..., :8].pow(3).sum().backward()
    assert all(bool(parameter.grad.abs().sum() > 0) for parameter in code.parameters())


def test_tensors_of_a_code_may_be_fixed():
    code = StyleCode(noise(0, 16, 16), stylizer=Shift(), style=noise(1, 16, 16), fixed=["covariance"])
    assert [tuple(parameter.shape) for parameter in code.parameters()] == [(1, 3)]
    for fixed, got in [(["size"], "got 'size'"), (["mean", "covariance"], "got all of them")]:
        with pytest.raises(ValueError, match=f"`fixed` must name some of mean, covariance, {got}"):
            StyleCode(noise(0, 16, 16), stylizer=Shift(), style=noise(1, 16, 16), fixed=fixed)


def test_a_covariance_stays_one_whatever_the_steps_are():
    code = StyleCode(noise(0, 16, 16), stylizer=Shift(), style=noise(1, 16, 16))
    with torch.no_grad():
        for parameter in code.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(3)))
    covariance = code.code.covariance[0].detach()
    torch.testing.assert_close(covariance, covariance.mT)
    values = torch.linalg.eigvalsh(covariance.double())
    assert float(values.min()) >= -1e-6 * float(values.max())


def test_a_run_finds_the_code_of_a_picture_and_paints_others_with_it():
    network, photo = Shift(), noise(0, 16, 16)
    wanted = network.bind(torch.full((1, 3, 16, 16), 0.8))
    runner = Runner(
        _pixels(wanted(photo)),
        photo,
        parametrization=partial(StyleCode, stylizer=network, style=noise(1, 16, 16)),
        optimizer=partial(Adam, lr=0.05),
    )
    result = runner.run(120)
    assert result.history["total"][-1] < 1e-3 * result.history["total"][0]
    other = noise(5, 16, 20)
    torch.testing.assert_close(runner.parametrization.painter(other), wanted(other), atol=0.02, rtol=0)


def _pixels(image):
    from pystyle.evaluation import EagerEvaluator

    return EagerEvaluator(Criterion(None, {"pixels": ContentLoss("image")}).bind({"content": image}))


def test_a_run_with_a_code_is_resumed_with_the_same_bytes(tmp_path):
    target, photo = noise(3, 16, 16), noise(0, 16, 16)
    criterion = Criterion(None, {"pixels": ContentLoss("image")})

    def paint(steps, **options):
        # The content of the loss is not the photograph here.
        return optimize_image(
            criterion,
            {"content": target},
            init=photo,
            parametrization=partial(StyleCode, stylizer=Shift(), style=noise(1, 16, 16)),
            optimizer="adam",
            num_steps=steps,
            **options,
        )

    paint(3, checkpoint=tmp_path / "run")
    resumed = paint(6, checkpoint=tmp_path / "run", resume=True)
    assert torch.equal(resumed.image, paint(6).image)


def test_a_pyramid_of_several_levels_is_refused():
    # The second level would put the style on the picture of the first.
    how = {
        "parametrization": partial(StyleCode, stylizer=Shift(), style=noise(1, 16, 16)),
        "optimizer": "adam",
        "init": "content",
    }
    criterion, photo = Criterion(None, {"pixels": ContentLoss("image")}), noise(0, 32, 32)
    with pytest.raises(ValueError, match=r"`parametrization` must start with the image .* of 2 levels"):
        Pyramid([16, 32], [1, 1]).optimize(criterion, {"content": photo}, **how)
    assert Pyramid([32], [1]).optimize(criterion, {"content": photo}, **how).image.shape == photo.shape


def test_impossible_arguments_are_refused():
    with pytest.raises(ValueError, match="`image` must have sides of at least 16"):
        StyleCode(noise(0, 4, 4), stylizer=Shift(), style=noise(1, 16, 16))
    with pytest.raises(ValueError, match="`style` must be"):
        StyleCode(noise(0, 16, 16), stylizer=Shift(), style="monet")
    with pytest.raises(ValueError, match="`style` must be one of the names"):
        StyleCode(noise(0, 16, 16), stylizer=TransformNetwork(width=1, styles=["a"]), style="b")
    with pytest.raises(ValueError, match=r"`style` must be one for the whole picture.*'sky'"):
        StyleCode(noise(0, 16, 16), stylizer=Shift(), style={"sky": noise(1, 16, 16)})
