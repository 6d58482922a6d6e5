"""Every loss of the library on images and activations at the edge of what there is: finite, or one error."""

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d

import pystyle.losses
from pystyle import Criterion, Loss
from pystyle.encoders import Encoder, LayerGeometry
from pystyle.evaluation import EagerEvaluator
from pystyle.losses import LayerMask

OF_THE_IMAGE = {
    "MattingLaplacianLoss",
    "PNormLoss",
    "TemporalLoss",
    "TotalVariationLoss",
    "ValueRangeLoss",
    "WaveletLoss",
}
NAMES = sorted({*pystyle.losses.__all__} - {Loss.__name__, LayerMask.__name__})


def make(name):
    """The loss with as few arguments as it takes, at the layer `features` if it can be at one."""
    cls = getattr(pystyle.losses, name)
    if name == "AdversarialLoss":
        torch.manual_seed(0)
        return cls(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 1, 1)))
    if name in OF_THE_IMAGE:
        return cls()
    return cls({"features": torch.tensor([1.0, 0.5, 2.0])}) if name == "LPIPSLoss" else cls(["features"])


class Scaled(Encoder):
    """The means of squares of the image, so many times as large."""

    layers = ("features",)

    def __init__(self, factor=1.0, side=1):
        super().__init__()
        self.factor, self.side = factor, side

    def forward(self, image, layers):
        return {layer: avg_pool2d(self.factor * image, self.side) for layer in layers}

    def geometry(self, layer):
        del layer
        return LayerGeometry(stride=self.side, receptive_field=self.side, minimum_size=self.side)


def evaluator(name, reference, **arguments):
    loss = make(name)
    references = dict.fromkeys(loss.references, reference)
    return EagerEvaluator(Criterion(Scaled(**arguments), {"loss": loss}).bind(references))


def noise(seed, *shape):
    return torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(seed))


def flat(*colour):
    return torch.tensor(colour).reshape(1, -1, 1, 1).expand(1, 3, 12, 10)


FLAT = {"black": flat(0.0), "white": flat(1.0), "grey": flat(0.5), "red": flat(1.0, 0.0, 0.0)}


@pytest.mark.parametrize("kind", FLAT)
@pytest.mark.parametrize("name", NAMES)
def test_flat_images_give_finite_values_and_gradients(name, kind):
    for image, reference in (
        (FLAT[kind], FLAT[kind]),
        (FLAT[kind], noise(0, 12, 10)),
        (noise(0, 12, 10), FLAT[kind]),
        (FLAT[kind], FLAT["black"]),
    ):
        terms, gradient = evaluator(name, reference)(image)
        assert terms.total.isfinite()
        assert gradient.isfinite().all()


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (1, 30)])
@pytest.mark.parametrize("name", NAMES)
def test_one_pixel_is_evaluated_or_refused_with_the_reason(name, size):
    message = ""
    for image, reference in ((noise(0, *size), noise(1, *size)), (torch.zeros(1, 3, *size), noise(1, *size))):
        try:
            terms, gradient = evaluator(name, reference)(image)
            assert terms.total.isfinite()
            assert gradient.isfinite().all()
        except ValueError as error:
            message = str(error)
    assert not message or ("`features` must" in message and message.endswith("."))


@pytest.mark.slow
@pytest.mark.parametrize("size", [(16, 4000), (4000, 16)])
@pytest.mark.parametrize("name", NAMES)
def test_very_long_images_give_finite_values_and_gradients(name, size):
    terms, gradient = evaluator(name, noise(0, *size), side=4)(noise(1, *size))
    assert terms.total.isfinite()
    assert gradient.isfinite().all()
    assert gradient.shape == (1, 3, *size)


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", NAMES)
def test_activations_of_ten_thousand_in_half_precision_give_finite_numbers_of_float32(name, precision):
    image, reference = (noise(seed, 12, 10).to(precision) for seed in (0, 1))
    half, _ = evaluator(name, reference, factor=1e4)(image)
    exact, _ = evaluator(name, reference.double(), factor=1e4)(image.double())
    assert half.total.dtype == torch.float32
    assert half.total.isfinite()
    # What the features themselves were rounded to.
    assert float(half.total) == pytest.approx(float(exact.total), rel=0.1, abs=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_autocast_makes_no_statistic_coarse(name):
    image, reference = noise(0, 12, 10), noise(1, 12, 10)
    terms, gradient = evaluator(name, reference, factor=1e4)(image)
    with torch.autocast("cpu", torch.bfloat16):
        cast, cast_gradient = evaluator(name, reference, factor=1e4)(image)
    assert cast.total.dtype == torch.float32
    torch.testing.assert_close(cast.total, terms.total, rtol=1e-5, atol=0)
    torch.testing.assert_close(cast_gradient, gradient, rtol=1e-3, atol=1e-6 * float(gradient.abs().max()))


def in_inference_mode(x):
    with torch.inference_mode():
        return x.clone()


KINDS = {
    "channels_last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "transposed": lambda x: x.mT.contiguous().mT,
    "sliced": lambda x: torch.cat([x, x], 3)[..., : x.shape[3]],
    "every second": lambda x: x.repeat_interleave(2, 2)[:, :, ::2],
    "reversed twice": lambda x: x.flip(2).flip(2),
    "wants a gradient": lambda x: x.clone().requires_grad_(),
    "of inference mode": in_inference_mode,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_tensors_of_every_kind_give_the_same_value_and_gradient(name, kind):
    image, reference = noise(0, 12, 10), noise(1, 12, 10)
    terms, gradient = evaluator(name, reference)(image)
    others, other_gradient = evaluator(name, KINDS[kind](reference))(KINDS[kind](image))
    torch.testing.assert_close(others.total, terms.total, rtol=1e-5, atol=1e-7)
    # Sums in another order tell on what depends on which of two is nearer.
    torch.testing.assert_close(other_gradient, gradient, rtol=1e-3, atol=1e-3 * float(gradient.abs().max()))


@pytest.mark.parametrize("name", NAMES)
def test_expanded_tensors_give_the_value_and_gradient_of_their_copies(name):
    image, reference = noise(0, 12, 10)[:, :1].expand(2, 3, 12, 10), noise(1, 12, 1).expand(1, 3, 12, 10)
    terms, gradient = evaluator(name, reference)(image)
    copied, copied_gradient = evaluator(name, reference.clone())(image.clone())
    torch.testing.assert_close(terms.total, copied.total, rtol=1e-5, atol=1e-7)
    tolerance = 1e-3 * float(copied_gradient.abs().max())
    torch.testing.assert_close(gradient, copied_gradient, rtol=1e-3, atol=tolerance)
