"""torch's default type and device change neither what is built nor what a run gives."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from pystyle import Criterion, MultiLayerGramLoss, TotalVariationLoss, colors, optimize_image, stylize
from pystyle.encoders import (
    SequentialEncoder,
    alexnet,
    timm_encoder,
    torchvision_encoder,
    vgg11,
    vgg11_bn,
    vgg19,
)
from pystyle.functional import differentiable_augmentation, gradient_penalty
from pystyle.images import read_image, write_image
from pystyle.losses import MMDLoss, NearestNeighborLoss, PatchNCELoss, SlicedWassersteinLoss
from pystyle.papers import gatys_2015, heitz_2021
from pystyle.parametrizations import Fourier, LaplacianPyramid
from pystyle.runner import estimate_memory, initial_image

PHOTO = torch.rand(1, 3, 40, 44, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
BOTH = {"content": PHOTO, "style": PHOTO.flip(2)}
SMALL = SequentialEncoder({"conv": nn.Conv2d(3, 4, 3, padding=1)})

ENCODERS = {
    "vgg11": lambda: vgg11(weights=None),
    "vgg11_bn": lambda: vgg11_bn(weights=None),
    "alexnet": lambda: alexnet(weights=None),
    "vgg19": vgg19,
    "normalised": lambda: vgg19("caffe_normalized"),
    "torchvision": lambda: torchvision_encoder("resnet18", weights=None),
    "timm": lambda: timm_encoder("vit_tiny_patch16_224", weights=None, layers=["blocks.2"]),
}


def tensors_of(encoder):
    return {**dict(encoder.named_parameters()), **dict(encoder.named_buffers())}


BUILT = {name: tensors_of(build()) for name, build in ENCODERS.items() if name in ("vgg11", "vgg19")}


@pytest.mark.slow
@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_are_built_in_single_precision_at_least(dtype, name):
    wanted = torch.float64 if dtype == torch.float64 else torch.float32
    found = tensors_of(ENCODERS[name]())
    assert {tensor.dtype for tensor in found.values() if tensor.is_floating_point()} == {wanted}
    for key, expected in BUILT.get(name, {}).items():
        torch.testing.assert_close(found[key].float(), expected, rtol=0, atol=0)
    assert torch.get_default_dtype() == dtype


def test_encoders_that_threads_build_at_the_same_time_leave_the_default_type(monkeypatch):
    built, dtypes = nn.Conv2d.reset_parameters, []

    def slowly(module):
        dtypes.append(module.weight.dtype)
        time.sleep(0.003)
        built(module)

    monkeypatch.setattr(nn.Conv2d, "reset_parameters", slowly)
    torch.set_default_dtype(torch.bfloat16)
    try:
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(lambda delay: (time.sleep(delay), alexnet(weights=None)), (0, 0.005)))
        assert set(dtypes) == {torch.float32}
        assert torch.get_default_dtype() == torch.bfloat16
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.usefixtures("no_device")
def test_encoders_are_moved_to_the_default_device(name):
    assert {tensor.device.type for tensor in tensors_of(ENCODERS[name]()).values()} == {"meta"}


@pytest.mark.usefixtures("no_device")
def test_an_encoder_wraps_whatever_the_default_device_is():
    criterion = Criterion(SMALL, {"style": MMDLoss("conv", kernel="linear")}, wrap="both")
    assert criterion.bind(BOTH)(PHOTO).total.device.type == "cpu"


def test_files_are_read_in_the_type_of_the_encoders(dtype, tmp_path):
    write_image(PHOTO, tmp_path / "photo.png")
    image = read_image(tmp_path / "photo.png")
    assert image.dtype == next(vgg11(weights=None).parameters()).dtype
    assert (
        optimize_image(
            Criterion(vgg11(weights=None), {"style": MultiLayerGramLoss(["relu1_1"])}),
            {"content": image, "style": image},
            num_steps=1,
        ).image.dtype
        == image.dtype
    )
    assert torch.get_default_dtype() == dtype


def drawn_for_a_discriminator():
    yield differentiable_augmentation(PHOTO, generator=torch.Generator("cpu").manual_seed(0))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        yield gradient_penalty(lambda images: (images**2).flatten(1).sum(1), PHOTO, PHOTO.flip(2))


DRAWN = list(drawn_for_a_discriminator())


def test_what_a_discriminator_sees_is_the_same_whatever_the_default_type_is(dtype):
    assert all(map(torch.equal, drawn_for_a_discriminator(), DRAWN))
    assert torch.get_default_dtype() == dtype


@pytest.mark.usefixtures("no_device")
def test_what_a_discriminator_sees_is_the_same_whatever_the_default_device_is():
    assert all(map(torch.equal, drawn_for_a_discriminator(), DRAWN))


def everything(encoder):
    """What draws, builds and runs, as tensors."""
    losses = {
        "sliced": SlicedWassersteinLoss("relu1_1", num_directions=2),
        "nce": PatchNCELoss("relu1_1", num_samples=8, reference="content"),
        "mmd": MMDLoss("relu2_1"),
        "matches": NearestNeighborLoss("relu2_1", max_candidates=20),
        "smoothness": TotalVariationLoss(),
    }
    criterion = Criterion(encoder, losses)
    yield optimize_image(criterion, BOTH, num_steps=2).image
    for init in ("uniform", "normal", "style_colours", "grey", (8, 9)):
        yield initial_image(init, BOTH, seed=0)
    for parametrization in (Fourier, LaplacianPyramid):
        yield optimize_image(criterion, BOTH, num_steps=1, parametrization=parametrization).image
    yield stylize(PHOTO, PHOTO.flip(2), encoder=encoder, edge_size=32, num_steps=2, device="cpu").image
    for method in ("symmetric", "cholesky", "pca", "histogram"):
        for space in ("rgb", "linear_rgb", "yiq", "oklab", "principal"):
            yield colors.match_colors(PHOTO, 0.5 * PHOTO.flip(2), method=method, space=space)
    yield colors.ycbcr_to_rgb(colors.rgb_to_ycbcr(PHOTO))
    yield from drawn_for_a_discriminator()
    yield gatys_2015.normal_noise((8, 9), like=PHOTO)
    yield heitz_2021.texture_synthesis(PHOTO, encoder=encoder, num_steps=1).image
    yield torch.tensor(estimate_memory(criterion, (64, 64)), device="cpu")


@pytest.fixture(scope="module")
def expected():
    encoder = vgg19()
    return encoder, list(everything(encoder))


@pytest.mark.slow
def test_a_run_gives_the_same_bytes_whatever_the_default_type_is(expected, dtype):
    encoder, results = expected
    for found, result in zip(everything(encoder), results, strict=True):
        assert torch.equal(found, result)
    assert torch.get_default_dtype() == dtype


@pytest.mark.slow
@pytest.mark.usefixtures("no_device")
def test_a_run_gives_the_same_bytes_whatever_the_default_device_is(expected):
    encoder, results = expected
    for found, result in zip(everything(encoder), results, strict=True):
        assert torch.equal(found, result)
