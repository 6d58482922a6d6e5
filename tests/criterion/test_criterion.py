import pickle

import pytest
import torch
from torch import Tensor, nn

from pystyle import (
    ContentLoss,
    Criterion,
    Encoder,
    GramLoss,
    Loss,
    MeanStdLoss,
    TotalVariationLoss,
    WassersteinLoss,
)
from pystyle.encoders import LayerGeometry, MultiEncoder, SequentialEncoder
from pystyle.functional import mean_std, raw_moments
from pystyle.typing import Reference


def noise(seed: int = 0, *, height: int = 12, width: int = 14, batch: int = 1) -> Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))


REFERENCES = {"content": noise(1), "style": noise(2, height=16, width=9)}
LOSSES = {
    "content": ContentLoss("relu2"),
    "style": GramLoss(["conv1", "relu1", "relu2"], weight=10.0),
    "smoothness": TotalVariationLoss(weight=0.1),
}


def test_terms_carry_the_names_of_loss_and_layer_and_add_up(encoder: SequentialEncoder) -> None:
    terms = Criterion(encoder, LOSSES).bind(REFERENCES)(noise())
    names = ["content.relu2", "style.conv1", "style.relu1", "style.relu2", "smoothness.image"]
    assert list(terms) == names
    assert float(terms.total) == pytest.approx(sum(float(value) for value in terms.values()), rel=1e-6)
    assert all(value.ndim == 0 and value > 0 for value in terms.values())


def test_every_term_is_multiplied_by_both_of_its_weights(encoder: SequentialEncoder) -> None:
    def style(**arguments: object) -> dict[str, float]:
        loss = GramLoss(["relu1", "relu2"], **arguments)  # type: ignore[arg-type]
        return {
            name: float(x) for name, x in Criterion(encoder, {"s": loss}).bind(REFERENCES)(noise()).items()
        }

    plain, weighted = style(layer_weights=[1, 1]), style(weight=5.0, layer_weights={"relu1": 2, "relu2": 3})
    assert weighted["s.relu1"] == pytest.approx(10 * plain["s.relu1"], rel=1e-5)
    assert weighted["s.relu2"] == pytest.approx(15 * plain["s.relu2"], rel=1e-5)
    assert style()["s.relu1"] == pytest.approx(plain["s.relu1"] / 2, rel=1e-5)


def test_a_criterion_knows_its_references_and_layers(encoder: SequentialEncoder) -> None:
    criterion = Criterion(encoder, {**LOSSES, "more": MeanStdLoss("relu2", reference="texture")})
    assert criterion.references == ("content", "style", "texture")
    assert criterion.layers == ("relu2", "conv1", "relu1")
    assert criterion.bind({**REFERENCES, "texture": noise()}).layers == ("relu2", "conv1", "relu1")


def test_losses_may_look_at_the_image_itself(encoder: SequentialEncoder) -> None:
    image, style = noise(), REFERENCES["style"]
    criterion = Criterion(encoder, {"colours": MeanStdLoss("image"), "smoothness": TotalVariationLoss(1.0)})
    terms = criterion.bind({"style": style})(image)
    assert list(terms) == ["colours.image", "smoothness.image"]
    difference = mean_std(raw_moments(image)) - mean_std(raw_moments(style))
    torch.testing.assert_close(terms["colours.image"], difference.square().mean())
    right, below = image[..., :-1, 1:] - image[..., :-1, :-1], image[..., 1:, :-1] - image[..., :-1, :-1]
    torch.testing.assert_close(terms["smoothness.image"], (right**2 + below**2).sqrt().mean())


def test_no_encoder_pass_is_made_if_only_the_image_counts(counting_encoder: Encoder) -> None:
    criterion = Criterion(counting_encoder, {"colours": MeanStdLoss("image")})
    criterion.bind({"style": noise()})(noise())
    assert counting_encoder.passes == []


def test_one_encoder_pass_serves_all_losses(counting_encoder: Encoder) -> None:
    losses = {"a": GramLoss(["one", "two"]), "b": MeanStdLoss(["two", "three"]), "c": ContentLoss("two")}
    objective = Criterion(counting_encoder, losses).bind({"style": noise(), "content": noise()})
    assert sorted(counting_encoder.passes) == [("one", "two", "three"), ("two",)]
    counting_encoder.passes.clear()
    objective(noise())
    assert counting_encoder.passes == [("one", "two", "three")]
    objective(noise())
    assert len(counting_encoder.passes) == 2


def test_references_that_no_loss_needs_are_ignored(counting_encoder: Encoder) -> None:
    criterion = Criterion(counting_encoder, {"style": GramLoss("one")})
    criterion.bind({"style": noise(), "content": noise(), "other": "not even an image"})  # type: ignore[dict-item]
    assert len(counting_encoder.passes) == 1


def test_the_encoder_is_frozen_and_in_evaluation_mode() -> None:
    class Pixels(Encoder):
        layers = ("grey",)

        def __init__(self) -> None:
            super().__init__()
            self.mix = nn.Sequential(nn.Conv2d(3, 1, 1), nn.BatchNorm2d(1))

        def forward(self, image, layers):  # type: ignore[no-untyped-def]
            return {layer: self.mix(image) for layer in layers}

        def geometry(self, layer):  # type: ignore[no-untyped-def]
            del layer
            return LayerGeometry(stride=1, receptive_field=1, minimum_size=1)

    encoder = Pixels()
    assert any(parameter.requires_grad for parameter in encoder.parameters())
    criterion = Criterion(encoder, {"style": GramLoss("grey")}).train()
    assert not any(parameter.requires_grad for parameter in criterion.parameters())
    assert not any(module.training for module in criterion.encoder.modules())
    terms = criterion.bind({"style": noise()})(noise())
    assert not terms.total.requires_grad


def test_an_objective_changes_neither_the_image_nor_the_references(encoder: SequentialEncoder) -> None:
    image, references = noise(), {name: reference.clone() for name, reference in REFERENCES.items()}
    before = image.clone()
    objective = Criterion(encoder, LOSSES).bind(references)
    objective(image.requires_grad_()).total.backward()
    assert torch.equal(image, before)
    assert all(torch.equal(references[name], REFERENCES[name]) for name in references)
    assert image.grad is not None
    assert image.grad.abs().sum() > 0


def test_an_objective_gives_the_same_again(encoder: SequentialEncoder) -> None:
    objective = Criterion(encoder, LOSSES).bind(REFERENCES)
    first, second = objective(noise()), objective(noise())
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("loss", [ContentLoss("image"), ContentLoss("relu2"), WassersteinLoss("relu1")])
def test_no_graph_is_kept_for_the_references(encoder: SequentialEncoder, loss: Loss) -> None:
    assert loss.reference is not None
    reference = noise(1).requires_grad_()
    objective = Criterion(encoder, {"loss": loss}).bind({loss.reference: reference})
    assert not objective(noise()).total.requires_grad
    objective(noise().requires_grad_()).total.backward()
    assert reference.grad is None


@pytest.mark.parametrize("layer", ["image", "one"])
def test_an_objective_does_not_follow_later_changes_of_a_reference(
    counting_encoder: Encoder, layer: str
) -> None:
    # Whoever optimises the content image in place must not move the target along.
    content = noise(1)
    objective = Criterion(counting_encoder, {"content": ContentLoss(layer)}).bind({"content": content})
    expected = objective(noise()).total
    content.zero_()
    assert torch.equal(objective(noise()).total, expected)


def test_a_criterion_is_bound_again_without_a_trace_of_the_first_time(encoder: SequentialEncoder) -> None:
    criterion = Criterion(encoder, LOSSES)
    first = criterion.bind(REFERENCES)
    before = first(noise()).total
    second = criterion.bind({"content": noise(5), "style": noise(6)})
    assert torch.equal(first(noise()).total, before)
    assert not torch.equal(second(noise()).total, before)


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("make", [ContentLoss, GramLoss, MeanStdLoss, WassersteinLoss])
def test_a_batch_costs_the_mean_of_its_images(
    encoder: SequentialEncoder, make: type[Loss], relative: bool
) -> None:
    losses = {"loss": make("relu2", relative=relative), "smoothness": TotalVariationLoss()}
    objective = Criterion(encoder, losses).bind({"content": noise(1), "style": noise(1)})
    batch = noise(batch=3)
    single = torch.stack([objective(image[None]).total for image in batch])
    torch.testing.assert_close(objective(batch).total, single.mean(), rtol=1e-4, atol=0)


def test_each_image_of_a_batch_may_have_its_own_reference(encoder: SequentialEncoder) -> None:
    criterion = Criterion(encoder, {"content": ContentLoss("relu1"), "style": GramLoss("relu2")})
    images, references = noise(batch=2), noise(1, batch=2)
    together = criterion.bind({"content": references, "style": references})(images).total
    pairs = zip(images.split(1), references.split(1), strict=True)
    single = [criterion.bind({"content": r, "style": r})(image).total for image, r in pairs]
    torch.testing.assert_close(together, torch.stack(single).mean())


def test_two_encoders_serve_one_criterion(encoder: SequentialEncoder, counting_encoder: Encoder) -> None:
    both = MultiEncoder({"net": encoder, "raw": counting_encoder})
    losses = {"style": GramLoss(["net.relu2", "raw.two"]), "content": ContentLoss("raw.one")}
    terms = Criterion(both, losses).bind(REFERENCES)(noise())
    assert list(terms) == ["style.net.relu2", "style.raw.two", "content.raw.one"]
    alone = Criterion(encoder, {"style": GramLoss("relu2", weight=0.5)}).bind(REFERENCES)(noise())
    torch.testing.assert_close(terms["style.net.relu2"], alone.total)
    assert set(terms.by_loss()) == {"style", "content"}
    # One pass for each reference and one for the image.
    assert counting_encoder.passes == [("two",), ("one",), ("two", "one")]


def test_a_criterion_and_its_objective_survive_pickling(encoder: SequentialEncoder) -> None:
    criterion = Criterion(encoder, {**LOSSES, "w2": WassersteinLoss("relu1")})
    objective = criterion.bind(REFERENCES)
    expected = objective(noise())
    for copy in (
        pickle.loads(pickle.dumps(criterion)).bind(REFERENCES),
        pickle.loads(pickle.dumps(objective)),
    ):
        terms = copy(noise())
        assert list(terms) == list(expected)
        assert torch.equal(terms.total, expected.total)


def test_a_criterion_of_float64_is_moved_as_a_module(encoder: SequentialEncoder) -> None:
    single = Criterion(encoder, LOSSES).bind(REFERENCES)(noise()).total
    references = {name: reference.double() for name, reference in REFERENCES.items()}
    double = Criterion(encoder, LOSSES).double().bind(references)(noise().double()).total
    assert double.dtype == torch.float64
    torch.testing.assert_close(double.float(), single, rtol=1e-4, atol=0)


def test_an_objective_has_the_gradient_of_finite_differences() -> None:
    kernel = nn.Conv2d(3, 4, 3)
    kernel.weight.data = noise(3, height=3, width=3, batch=4) - 0.5
    encoder = SequentialEncoder({"conv": kernel, "soft": nn.Softplus()}).double()
    losses = {"content": ContentLoss("conv"), "style": GramLoss("soft"), "w2": WassersteinLoss("soft")}
    references = {"content": noise(1, height=5, width=5).double(), "style": noise(2).double()}
    objective = Criterion(encoder, losses).bind(references)
    image = noise(height=5, width=5).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: objective(x).total, image, atol=1e-6)


def test_a_criterion_reads_as_a_description_of_the_experiment(encoder: SequentialEncoder) -> None:
    text = repr(Criterion(encoder, LOSSES))
    assert "(content): ContentLoss('relu2')" in text
    assert "(style): GramLoss(['conv1', 'relu1', 'relu2'], weight=10)" in text


class ScaledLoss(Loss):
    """Multiplies the features of each layer, and the loss of each layer, by a factor of the layer's own."""

    reference, spatial = "style", "pooled"

    def __init__(self, factors: dict[str, float], *, relative: bool = False) -> None:
        super().__init__(list(factors), relative=relative, layer_weights=dict.fromkeys(factors, 1.0))
        self.factors = factors

    def at(self, layer: str) -> "ScaledLoss":
        return ScaledLoss({layer: self.factors[layer]}, relative=self.relative)

    def represent(self, features: Tensor) -> Tensor:
        (factor,) = self.factors.values()
        return factor * features.mean((2, 3))

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        (factor,) = self.factors.values()
        return factor * super().compare(representation, target)


FACTORS = {"relu1": 2.0, "relu2": 3.0}
ONES = dict.fromkeys(FACTORS, 1.0)


@pytest.mark.parametrize("style", [REFERENCES["style"], [(REFERENCES["style"], 1.0), (noise(5), 1.0)]])
def test_every_layer_may_have_parameters_of_its_own(encoder: SequentialEncoder, style: Reference) -> None:
    scaled, plain = (
        Criterion(encoder, {"s": ScaledLoss(factors)}).bind({"style": style})(noise())
        for factors in (FACTORS, ONES)
    )
    for layer, factor in FACTORS.items():
        assert float(scaled[f"s.{layer}"]) == pytest.approx(factor**3 * float(plain[f"s.{layer}"]), rel=1e-5)


def test_a_relative_loss_is_divided_by_the_magnitude_of_its_own_layer(encoder: SequentialEncoder) -> None:
    scaled, plain = (
        Criterion(encoder, {"s": ScaledLoss(factors, relative=True)}).bind(REFERENCES)(noise())
        for factors in (FACTORS, ONES)
    )
    for name, value in plain.items():
        assert float(scaled[name]) == pytest.approx(float(value), rel=1e-5)
