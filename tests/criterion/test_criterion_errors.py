from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from pystyle import (
    ContentLoss,
    Criterion,
    Encoder,
    GramLoss,
    Loss,
    Pyramid,
    TotalVariationLoss,
    optimize_image,
)
from pystyle.encoders import SequentialEncoder


def noise(seed: int = 0, *, height: int = 12, width: int = 14, batch: int = 1) -> Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))


LOSSES: Mapping[str, Loss] = {"content": ContentLoss("relu1"), "style": GramLoss("relu2")}
REFERENCES = {"content": noise(1), "style": noise(2)}

WRONG_IMAGES = [
    (
        noise().mul(255).byte(),
        TypeError,
        r"floating tensor with values in \[0, 1\], got torch\.uint8\. Divide it by 255",
    ),
    (noise().double(), TypeError, r"of the encoder's type torch\.float32, got torch\.float64"),
    (noise().half(), TypeError, r"of the encoder's type torch\.float32, got torch\.float16"),
    (noise()[0], ValueError, r"shape \(batch, 3, height, width\), got \(3, 12, 14\)"),
    (noise()[:, :1], ValueError, r"shape \(batch, 3, height, width\), got \(1, 1, 12, 14\)"),
    (torch.rand(1, 4, 12, 14), ValueError, r"shape \(batch, 3, height, width\), got \(1, 4, 12, 14\)"),
    (noise().permute(0, 2, 3, 1), ValueError, r"shape \(batch, 3, height, width\), got \(1, 12, 14, 3\)"),
    (torch.zeros(0, 3, 12, 14), ValueError, r"not be empty, got the shape \(0, 3, 12, 14\)"),
    (torch.zeros(1, 3, 0, 14), ValueError, r"not be empty, got the shape \(1, 3, 0, 14\)"),
    (noise().to("meta"), ValueError, r"device of the encoder, got meta for an encoder on cpu.*\.to"),
    (
        noise(height=5),
        ValueError,
        "at least 6 pixels high and wide for the layer 'relu2', got 5 x 14.*Enlarge",
    ),
    (noise(width=5), ValueError, "at least 6 pixels high and wide for the layer 'relu2', got 12 x 5"),
]
IDS = [message[:30] for _, _, message in WRONG_IMAGES]


@pytest.mark.parametrize(("image", "error", "message"), WRONG_IMAGES, ids=IDS)
def test_an_objective_refuses_images_that_the_encoder_cannot_take(
    encoder: SequentialEncoder, image: Tensor, error: type[Exception], message: str
) -> None:
    objective = Criterion(encoder, LOSSES).bind(REFERENCES)
    with pytest.raises(error, match=f"`image` must .*{message}"):
        objective(image)


@pytest.mark.parametrize(("image", "error", "message"), WRONG_IMAGES, ids=IDS)
def test_bind_refuses_references_that_the_encoder_cannot_take(
    encoder: SequentialEncoder, image: Tensor, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=rf'`references\["style"\]` must .*{message}'):
        Criterion(encoder, LOSSES).bind({**REFERENCES, "style": image})


def test_an_image_on_the_meta_device_is_fine_for_an_encoder_there(encoder: SequentialEncoder) -> None:
    criterion = Criterion(encoder, LOSSES).to("meta")
    meta = {name: reference.to("meta") for name, reference in REFERENCES.items()}
    assert criterion.bind(meta)(noise().to("meta")).total.device.type == "meta"


def test_each_reference_has_to_be_large_enough_for_its_own_losses_only(encoder: SequentialEncoder) -> None:
    losses = {"content": ContentLoss("relu1"), "style": GramLoss("relu2")}
    small = noise(height=2, width=2)
    Criterion(encoder, losses).bind({"content": small, "style": noise()})
    with pytest.raises(ValueError, match="at least 6 pixels"):
        Criterion(encoder, losses).bind({"content": noise(), "style": small})


def test_images_of_the_smallest_size_are_taken(encoder: SequentialEncoder) -> None:
    smallest = noise(height=6, width=6)
    terms = Criterion(encoder, LOSSES).bind({"content": smallest, "style": smallest})(
        noise(3, height=6, width=6)
    )
    assert terms.total.isfinite()


def test_an_image_of_lower_precision_is_taken_under_autocast(encoder: SequentialEncoder) -> None:
    objective = Criterion(encoder, LOSSES).bind(REFERENCES)
    with torch.autocast("cpu", torch.bfloat16):
        terms = objective(noise().bfloat16())
    assert terms.total.isfinite()


def test_a_missing_reference_is_named(encoder: SequentialEncoder) -> None:
    criterion = Criterion(encoder, LOSSES)
    with pytest.raises(ValueError, match=r"must have the image 'content' .*, got 'style', 'extra'"):
        criterion.bind({"style": noise(), "extra": noise()})
    with pytest.raises(ValueError, match=r"must have the image 'content' .*, got none"):
        criterion.bind({})


@pytest.mark.parametrize("reference", ["photo.jpg", None, 3, noise()[0].numpy(), [noise(), noise()]])
def test_a_reference_that_is_no_image_is_refused(encoder: SequentialEncoder, reference: object) -> None:
    with pytest.raises(
        TypeError, match=r'`references\["content"\]` must be an image or a list of \(image, weight\)'
    ):
        Criterion(encoder, LOSSES).bind({**REFERENCES, "content": reference})  # type: ignore[dict-item]


def test_a_blend_of_what_is_no_image_is_refused(encoder: SequentialEncoder) -> None:
    with pytest.raises(TypeError, match=r"must be a tensor, got a str\. Read files with `read_image`"):
        Criterion(encoder, LOSSES).bind({**REFERENCES, "style": [("a.jpg", 1.0)]})  # type: ignore[list-item]


@pytest.mark.parametrize(
    "weights", [[], [0.0, 0.0], [1.0, -0.5], [float("nan")], [float("inf"), 1.0], [float("nan"), 1.0]]
)
def test_the_weights_of_a_blend_have_to_make_sense(encoder: SequentialEncoder, weights: list[float]) -> None:
    with pytest.raises(
        ValueError,
        match=r"finite and not all 0|Each weight of `references.* must (not be negative|be finite)",
    ):
        Criterion(encoder, LOSSES).bind({**REFERENCES, "style": [(noise(), weight) for weight in weights]})


def test_blended_contents_have_to_be_of_the_same_size(encoder: SequentialEncoder) -> None:
    blend = [(noise(), 1.0), (noise(height=10), 1.0)]
    with pytest.raises(ValueError, match=r"must fit each other, got \(1, 4, 12, 14\), \(1, 4, 10, 14\)"):
        Criterion(encoder, LOSSES).bind({**REFERENCES, "content": blend})


def test_a_content_of_another_size_is_reported_with_the_name_of_the_loss(encoder: SequentialEncoder) -> None:
    objective = Criterion(encoder, {"photo": ContentLoss("relu1")}).bind(REFERENCES)
    message = (
        r"The loss 'photo\.relu1' cannot be computed\. .*got \(1, 4, 12, 10\) and \(1, 4, 12, 14\).*same size"
    )
    with pytest.raises(ValueError, match=message):
        objective(noise(width=10))


def test_references_of_another_batch_size_are_refused(encoder: SequentialEncoder) -> None:
    objective = Criterion(encoder, {"style": GramLoss("relu1")}).bind({"style": noise(batch=2)})
    with pytest.raises(ValueError, match=r"The loss 'style\.relu1' cannot be computed"):
        objective(noise(batch=3))


def test_an_unknown_layer_is_refused_with_the_most_similar_one(encoder: SequentialEncoder) -> None:
    with pytest.raises(ValueError, match=r"conv1, relu1, .*; got 'relu_2'\. Did you mean 'relu2'\?"):
        Criterion(encoder, {"style": GramLoss(["relu1", "relu_2"])})


def test_a_criterion_needs_a_loss(encoder: SequentialEncoder) -> None:
    with pytest.raises(ValueError, match="`losses` must have at least one loss, got none"):
        Criterion(encoder, {})


@pytest.mark.parametrize("name", ["", ".", "style.fine"])
def test_names_of_losses_have_no_dots(encoder: SequentialEncoder, name: str) -> None:
    with pytest.raises(ValueError, match=f"must not be empty or contain a dot, got {name!r}"):
        Criterion(encoder, {name: GramLoss("relu1")})


@pytest.mark.parametrize("loss", [nn.MSELoss(), GramLoss, "GramLoss", None])
def test_a_criterion_takes_losses_only(encoder: SequentialEncoder, loss: object) -> None:
    with pytest.raises(TypeError, match=r"`losses` must hold losses, got (a|the class) .* named 'style'"):
        Criterion(encoder, {"style": loss})  # type: ignore[dict-item]


def test_a_refused_criterion_leaves_the_encoder_as_it_was(counting_encoder: Encoder) -> None:
    counting_encoder.register_parameter("scale", nn.Parameter(torch.ones(())))
    with pytest.raises(ValueError, match="got 'four'"):
        Criterion(counting_encoder, {"style": GramLoss("four")})
    assert next(counting_encoder.parameters()).requires_grad


def test_a_criterion_without_references_binds_to_nothing(encoder: SequentialEncoder) -> None:
    criterion = Criterion(encoder, {"smoothness": TotalVariationLoss()})
    assert criterion.references == ()
    assert criterion.bind({})(noise()).total > 0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_reference_that_is_not_finite_is_refused_by_its_name(value):
    image = noise()
    image[0, 1, 2, 3] = value
    criterion = Criterion(
        SequentialEncoder({"relu1": nn.ReLU(), "relu2": nn.ReLU()}), {"style": GramLoss("relu2")}
    )
    with pytest.raises(ValueError, match=r'`references\["style"\]` must be finite'):
        criterion.bind({"style": image})


RUNS = {
    "optimize_image": lambda criterion, references: optimize_image(criterion, references, num_steps=1),
    "Pyramid": lambda criterion, references: Pyramid([12], 1).optimize(criterion, references),
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("name", ["content", "style"])
@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("a.png", r"must be an image or a list of \(image, weight\), got a str\. Read files with"),
        (["a.png"], r"must be an image or a list of \(image, weight\), got a list"),
        ([("a.png", 1.0)], r"must be a tensor, got a str\. Read files with"),
        ([(noise(), "a")], "must be a number, got 'a'"),
        ([], ".*weights that are not negative, finite and not all 0"),
    ],
)
def test_a_run_refuses_references_that_are_no_images(encoder, run, name, reference, message):
    with pytest.raises((TypeError, ValueError), match=rf'`references\["{name}"\]` {message}'):
        run(Criterion(encoder, LOSSES), REFERENCES | {name: reference})


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_references_without_names_are_refused(encoder, run):
    with pytest.raises(TypeError, match=r"`references` must be images by their names, got a Tensor\. Write"):
        run(Criterion(encoder, LOSSES), noise())
