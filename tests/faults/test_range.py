"""Images and masks of another range than [0, 1] are refused wherever they enter."""

import inspect
import io

import pytest
import torch
from torch.nn.functional import interpolate

from pystyle import (
    ContentLoss,
    Criterion,
    GramLoss,
    MaskedImage,
    Pyramid,
    Runner,
    TotalVariationLoss,
    colors,
    images,
    optimize_image,
    papers,
    stylize,
)
from pystyle.encoders import vgg11
from pystyle.evaluation import EagerEvaluator
from pystyle.parametrizations import Fourier, LaplacianPyramid, LowResolution, Pixels
from pystyle.runner import initial_image
from pystyle.stylization import feature_contrast
from pystyle.surfaces import sphere

PHOTO = torch.rand(1, 3, 32, 40, generator=torch.Generator().manual_seed(0))
MASK = torch.zeros(1, 1, 32, 40)
MASK[..., :20] = 1
MEAN = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)
ENCODER = vgg11(weights=None)
CRITERION = Criterion(ENCODER, {"content": ContentLoss("relu1_1"), "style": GramLoss("relu1_1")})
BOTH = {"content": PHOTO, "style": PHOTO}
FEW = {"num_steps": 1}

WRONG = {
    "levels": (255 * PHOTO, r"must be in \[0, 1\], got values from .* to 25\d.*divide them by 255"),
    "16 bits": (65535 * PHOTO, "divide them by 65535"),
    "normalised": ((PHOTO - MEAN) / STD, "got values from -2.* to 2.*ImageNet"),
    "around 0": (2 * PHOTO - 1, r"\[-1, 1\].*\(image \+ 1\) / 2"),
    "Caffe": (255 * (PHOTO - MEAN), "without their mean"),
    "bytes": ((255 * PHOTO).byte(), r"got torch\.uint8\. Divide it by 255"),
}


def runner(image):
    objective = Criterion(ENCODER, {"smoothness": TotalVariationLoss()}).bind({})
    return Runner(EagerEvaluator(objective), image)


ENTRIES = {
    "bind, content": lambda image: CRITERION.bind({**BOTH, "content": image}),
    "bind, style": lambda image: CRITERION.bind({**BOTH, "style": image}),
    "bind, a blend": lambda image: CRITERION.bind({**BOTH, "style": [(PHOTO, 1.0), (image, 1.0)]}),
    "optimize_image": lambda image: optimize_image(CRITERION, {**BOTH, "style": image}, **FEW),
    "optimize_image, init": lambda image: optimize_image(CRITERION, BOTH, init=image, **FEW),
    "optimize_image, init without bounds": lambda image: optimize_image(
        CRITERION, BOTH, init=image, bounds=None, **FEW
    ),
    "initial_image, reference": lambda image: initial_image("recoloured", {**BOTH, "style": image}),
    "initial_image": lambda image: initial_image(image, BOTH),
    "Runner": runner,
    "Pyramid": lambda image: Pyramid([24, 32], 1).optimize(CRITERION, {**BOTH, "style": image}),
    "Pyramid, init": lambda image: Pyramid([24, 32], 1).optimize(CRITERION, BOTH, init=image),
    "stylize, content": lambda image: stylize(image, PHOTO, encoder=ENCODER, edge_size=32, **FEW),
    "stylize, style": lambda image: stylize(PHOTO, image, encoder=ENCODER, edge_size=32, **FEW),
    "stylize, styles": lambda image: stylize(PHOTO, [PHOTO, image], encoder=ENCODER, edge_size=32, **FEW),
    "stylize, init": lambda image: stylize(PHOTO, PHOTO, init=image, encoder=ENCODER, edge_size=32, **FEW),
    "feature_contrast": lambda image: feature_contrast(ENCODER, {**BOTH, "style": image}),
    "MaskedImage": lambda image: MaskedImage(image, {"left": MASK}),
    "match_colors": lambda image: colors.match_colors(image, PHOTO),
    "match_colors, reference": lambda image: colors.match_colors(PHOTO, image),
    "match_luminance": lambda image: colors.match_luminance(image, PHOTO),
    "match_luminance, reference": lambda image: colors.match_luminance(PHOTO, image),
    "transfer_luminance": lambda image: colors.transfer_luminance(image, PHOTO),
    "transfer_luminance, colors": lambda image: colors.transfer_luminance(PHOTO, image),
    "resize": lambda image: images.resize(image, 20),
    "rotate": lambda image: images.rotate(image, 20),
    "write_image": lambda image: images.write_image(image, io.BytesIO()),
    "to_pil": images.to_pil,
    "quantise": images.quantise,
    "show_image": images.show_image,
    "contact_sheet": lambda image: images.contact_sheet([PHOTO, image]),
    "masks_from_segmentation": lambda image: images.masks_from_segmentation(image, {"a": (0, 0, 0)}),
    "Pixels": Pixels,
    "Fourier": Fourier,
    "LaplacianPyramid": LaplacianPyramid,
    "LowResolution": LowResolution,
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("entry", ENTRIES)
def test_an_image_of_another_range_is_refused_with_what_it_looks_like(entry, kind):
    image, message = WRONG[kind]
    with pytest.raises((TypeError, ValueError), match=message):
        ENTRIES[entry](image)


PAPERS = {
    f"{name}.{function}": getattr(module, function)
    for name, module in inspect.getmembers(papers, inspect.ismodule)
    for function in ("style_transfer", "high_resolution", "texture_synthesis", "mixed_scales", "multi_pass")
    if hasattr(module, function)
}


class Colors:
    """Knows no texts."""

    def encode_images(self, images):
        return torch.nn.functional.normalize(images.mean((2, 3)), dim=1)

    def encode_texts(self, texts):
        return torch.eye(1, 3).expand(len(texts), -1)


NO_PICTURES = {"flow": PHOTO, "mesh": sphere(8), "text": "red", "text_encoder": Colors()}


@pytest.mark.parametrize("name", PAPERS)
def test_every_paper_refuses_levels_by_the_name_of_the_argument(name, request):
    function = PAPERS[name]
    given = [p.name for p in inspect.signature(function).parameters.values() if p.kind is not p.KEYWORD_ONLY]
    others = dict(NO_PICTURES)
    if "pipeline" in given:
        others["pipeline"] = request.getfixturevalue("tiny_pipeline")()
    pictures = [argument for argument in given if argument not in others]
    assert pictures
    for wrong in pictures:
        arguments = {argument: others.get(argument, PHOTO) for argument in given} | {wrong: 255 * PHOTO}
        if "frames" in arguments:
            arguments["frames"] = [arguments["frames"]]
        with pytest.raises(ValueError, match=rf"`{wrong}.*must be in \[0, 1\]"):
            function(**arguments)


def test_the_papers_are_found():
    assert len(PAPERS) >= 15


@pytest.mark.parametrize("scale", [255.0, -1.0, 1.5])
def test_a_mask_of_another_range_is_refused(scale):
    with pytest.raises(ValueError, match=r"The mask 'left' must be in \[0, 1\], got values from"):
        MaskedImage(PHOTO, {"left": scale * MASK})


def test_what_an_unclamped_cubic_kernel_adds_is_accepted_everywhere():
    corner = torch.zeros(1, 3, 8, 10)
    corner[:, :, 4:, 5:] = 1
    image = interpolate(corner, (32, 40), mode="bicubic")
    assert image.min() < -0.1
    assert image.max() > 1.2
    for name, entry in ENTRIES.items():
        if name != "show_image":
            entry(image)


def test_masks_are_clamped_to_the_range():
    soft = interpolate(MASK, (64, 80), mode="bicubic")
    assert soft.min() < 0
    assert soft.max() > 1
    mask = MaskedImage(interpolate(PHOTO, (64, 80)), {"left": soft}).masks["left"]
    assert torch.equal(mask, soft.clamp(0, 1))


def test_references_within_the_tolerance_are_left_as_they_are():
    image = 1.1 * PHOTO
    assert float(CRITERION.bind({"content": image, "style": image})(image).total) == 0


@pytest.mark.parametrize("init", ["normal", "style_colours"])
@pytest.mark.parametrize("bounds", [(0.0, 1.0), None])
def test_noise_with_tails_is_still_a_start(init, bounds):
    black_and_white = (PHOTO > 0.5).float()
    start = initial_image(init, {**BOTH, "style": black_and_white}, seed=0)
    assert start.min() < -0.25
    assert start.max() > 1.25
    for run in (optimize_image, Pyramid([24, 32], 1).optimize):
        steps = FEW if run is optimize_image else {}
        result = run(CRITERION, {**BOTH, "style": black_and_white}, init=init, bounds=bounds, seed=0, **steps)
        assert result.stop_reason == "finished"


def test_noise_of_ones_own_may_leave_the_range_where_nothing_keeps_the_image_in_it():
    noise = MEAN + STD * torch.randn(PHOTO.shape, generator=torch.Generator().manual_seed(0))
    assert optimize_image(CRITERION, BOTH, init=noise, bounds=None, **FEW).stop_reason == "finished"
    with pytest.raises(ValueError, match=r"`init` must be in \[0, 1\]"):
        optimize_image(CRITERION, BOTH, init=noise, **FEW)


def test_an_objective_takes_images_of_any_range():
    objective = CRITERION.bind(BOTH)
    image = (5 * PHOTO - 2).requires_grad_()
    objective(image).total.backward()
    assert image.grad.isfinite().all()


def test_an_image_that_is_being_optimised_can_be_resized_whatever_its_values():
    image = (5 * PHOTO - 2).requires_grad_()
    assert images.resize(image, 20).shape == (1, 3, 20, 25)


def test_noise_can_be_written():
    noise = 0.5 + 0.25 * torch.randn(PHOTO.shape, generator=torch.Generator().manual_seed(0))
    images.write_image(noise, io.BytesIO())
