"""Images and networks that are not where, or not what, they should be: one error that says so.

The device `meta`, whose tensors have no values, stands for an accelerator.
"""

from functools import partial

import pytest
import torch

from pystyle import ContentLoss, Criterion, GramLoss, MaskedImage, Pyramid, optimize_image, stylize

OTHERS = {
    "meta": torch.device("meta"),
    "float64": torch.float64,
    "float16": torch.float16,
    "uint8": torch.uint8,
}
NOT_FITTING = (
    r"`(image|references\[\"(content|style)\"\])` must be (on the device|of the encoder's type|a floating)"
)
WITHOUT_VALUES = r"(`(content|style|references\[\"(content|style)\"\])`|The initial image) must have values"


def image(seed):
    return torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def criterion(small_vgg):
    losses = {"content": ContentLoss("relu2_1"), "style": GramLoss("relu1_1")}
    return Criterion(small_vgg(), losses)


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("place", ["content", "style", "both", "encoder"])
def test_binding_says_which_image_does_not_fit_the_encoder(criterion, place, kind):
    references = {"content": image(0), "style": image(1)}
    if place == "encoder":
        if kind == "uint8":
            pytest.skip("Modules have no such type.")
        criterion.encoder.to(OTHERS[kind])
    else:
        for name in ("content", "style") if place == "both" else (place,):
            references[name] = references[name].to(OTHERS[kind])
    with pytest.raises((ValueError, TypeError), match=NOT_FITTING) as caught:
        criterion.bind(references)
    assert (
        "Divide it" in str(caught.value) or "Move one" in str(caught.value) or "Convert" in str(caught.value)
    )


def test_an_objective_says_that_the_image_does_not_fit_the_encoder(criterion):
    objective = criterion.bind({"content": image(0), "style": image(1)})
    for other, kind in zip(OTHERS.values(), (ValueError, TypeError, TypeError, TypeError), strict=True):
        with pytest.raises(kind, match=NOT_FITTING):
            objective(image(2).to(other))


INITS = ["content", "recoloured", "style", "uniform", "normal", "grey", "style_colours", "image"]
RUNS = {
    "optimize_image": partial(optimize_image, num_steps=1),
    "Pyramid": Pyramid([16, 20], num_steps=1).optimize,
}


@pytest.mark.parametrize("place", ["content", "style", "encoder", "everything"])
@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("name", RUNS)
def test_a_run_without_values_is_one_clear_error(criterion, name, init, place):
    references, start = {"content": image(0), "style": image(1)}, init if init != "image" else image(2)
    if place in ("encoder", "everything"):
        criterion.encoder.to("meta")
    for key in references:
        if place in (key, "everything"):
            references[key] = references[key].to("meta")
    if init == "image" and place == "everything":
        start = image(2).to("meta")
    with pytest.raises(ValueError, match=f"{NOT_FITTING}|{WITHOUT_VALUES}") as caught:
        RUNS[name](criterion, references, init=start)
    assert "device" in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", RUNS)
def test_an_initial_image_without_values_is_one_clear_error(criterion, name):
    with pytest.raises(ValueError, match=r"The initial image must have values, .* on the device meta"):
        RUNS[name](criterion, {"content": image(0), "style": image(1)}, init=image(2).to("meta"))


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("place", ["init", "content", "style", "encoder"])
@pytest.mark.parametrize("colors", ["style", "content", "luminance"])
def test_stylize_says_what_does_not_fit(small_vgg, colors, place, kind):
    arguments = {"content": image(0), "style": image(1), "encoder": small_vgg(), "init": image(2)}
    if place == "encoder" and kind == "uint8":
        pytest.skip("Modules have no such type.")
    arguments[place] = arguments[place].to(OTHERS[kind])
    wanted = f"{NOT_FITTING}|{WITHOUT_VALUES}|`(encoder|reference|image|init|content|style)` must"
    with pytest.raises((ValueError, TypeError), match=wanted) as caught:
        stylize(**arguments, colors=colors, edge_size=20, num_steps=1)
    assert not isinstance(caught.value, NotImplementedError)
    assert caught.value.__cause__ is None


def test_stylize_names_the_region_whose_style_has_no_values(small_vgg):
    mask = torch.zeros(1, 1, 20, 24)
    mask[..., :12] = 1
    content = MaskedImage(image(0), {"sky": mask, "sea": 1 - mask})
    run = partial(stylize, encoder=small_vgg(), edge_size=20, num_steps=1)
    with pytest.raises(ValueError, match=r"`style\['sea'\]` must have values.* on the device meta"):
        run(content, {"sky": image(1), "sea": image(2).to("meta")})
    with pytest.raises(ValueError, match="`content` must have values"):
        run(MaskedImage(image(0).to("meta"), {"sky": mask}), {"sky": image(1)})


def test_an_encoder_and_images_in_float64_make_a_run_in_float64(criterion):
    criterion.encoder.double()
    references = {"content": image(0).double(), "style": image(1).double()}
    assert optimize_image(criterion, references, num_steps=2).image.dtype == torch.float64
