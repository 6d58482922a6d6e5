"""torch's default type and device change neither the networks of files nor what is drawn for them."""

import pytest
import torch

from pystyle import Criterion, GramLoss
from pystyle.checkpoints import decode, encode
from pystyle.encoders import alexnet, vgg11
from pystyle.images import read_image, write_image
from pystyle.metrics import kernel_distance
from pystyle.networks import AnyStyleNetwork, Stylizer, TransformNetwork, pretrained, pruned
from pystyle.parametrizations import Fourier
from pystyle.surfaces import Views, render, sphere, stylize_texture
from pystyle.testing import check_encoder, check_loss, check_parametrization, check_stylizer
from pystyle.training import CropFile, ImageFolder, SteadyTask, train

PHOTO = torch.rand(1, 3, 40, 44, generator=torch.Generator().manual_seed(0), dtype=torch.float32)


@pytest.fixture
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def light_network():
    torch.manual_seed(0)
    return AnyStyleNetwork(width=2, features="light").eval()


LIGHT, MASTERS = light_network(), pretrained("masters")


def test_the_noise_of_networks_is_the_same_in_each_type(dtype):
    assert torch.equal(light_network().noise.tile, LIGHT.noise.tile.to(dtype))


@pytest.mark.parametrize("features", ["vgg19", "light"])
def test_networks_are_made_in_one_type_and_paint_in_it(dtype, features):
    torch.manual_seed(0)
    network = AnyStyleNetwork(width=1, features=features)
    tensors = [*network.parameters(), *network.buffers()]
    assert {tensor.dtype for tensor in tensors if tensor.is_floating_point()} == {dtype}
    assert network.bind(PHOTO.flip(2))(PHOTO).dtype == torch.float32


@pytest.mark.parametrize("how", [{}, {"half": True}, {"bits": 4}], ids=["whole", "half", "bits"])
def test_a_file_paints_the_same_pictures_whatever_the_default_type_is(dtype, how, tmp_path):
    torch.set_default_dtype(torch.float32)
    LIGHT.save(tmp_path / "net.safetensors", **how)
    torch.set_default_dtype(dtype)
    wide = torch.promote_types(dtype, torch.float32)
    found = Stylizer.load(tmp_path / "net.safetensors")
    assert {weight.dtype for weight in found.state_dict().values()} == {wide}
    torch.set_default_dtype(torch.float32)
    usual = Stylizer.load(tmp_path / "net.safetensors")
    assert torch.equal(found.noise.tile.float(), usual.noise.tile)
    expected = usual.bind(PHOTO.flip(2))(PHOTO)
    picture = found.bind(PHOTO.flip(2).to(wide))(PHOTO.to(wide))
    if wide == torch.float32:
        assert torch.equal(picture, expected)
    assert float((picture - expected).abs().max()) < 1e-3


def test_the_networks_of_the_library_are_loaded_in_single_precision_at_least(dtype):
    found = pretrained("masters").state_dict()
    for name, weight in MASTERS.state_dict().items():
        assert torch.equal(found[name], weight.to(torch.promote_types(dtype, torch.float32)))


@pytest.mark.usefixtures("double")
def test_a_network_of_float64_comes_back_as_it_was_where_that_is_the_default():
    check_stylizer(light_network())
    check_stylizer(TransformNetwork(width=2))


@pytest.mark.slow
@pytest.mark.usefixtures("double")
def test_a_network_of_float64_is_exported(tmp_path):
    network = TransformNetwork(width=1, styles=["waves", "wheat"])
    assert network.export(tmp_path / "net.onnx", size=(32, 32)) == (tmp_path / "net.onnx",)


@pytest.mark.usefixtures("dtype")
def test_training_data_have_the_type_of_images_from_files(tmp_path):
    write_image(PHOTO, tmp_path / "photo.png")
    image = read_image(tmp_path / "photo.png")
    for kept in (False, True):
        photos = ImageFolder(tmp_path, crop_size=None, mirror=False, in_memory=kept)
        assert torch.equal(photos[0], image[0])
    assert CropFile.write(tmp_path / "crops.npy", image, count=1, crop_size=40)[0].dtype == image.dtype


def test_surfaces_are_made_and_rendered_whatever_the_default_type_is(dtype):
    mesh = sphere(8)
    assert render(mesh, size=8).dtype == torch.float32
    assert torch.get_default_dtype() == dtype


@pytest.mark.slow
@pytest.mark.usefixtures("double")
def test_surfaces_are_painted_in_float64():
    mesh = sphere(8)
    painted = stylize_texture(
        mesh,
        PHOTO,
        texture_size=32,
        views=Views(sheets=1, views=1),
        num_steps=1,
        encoder=vgg11(weights=None),
        device="cpu",
    )
    assert painted.mesh.texture.dtype == torch.float64


@pytest.mark.slow
@pytest.mark.usefixtures("double")
def test_components_of_float64_are_checked_in_it():
    check_encoder(alexnet(weights=None))
    check_loss(GramLoss("relu1_1"))
    check_parametrization(Fourier)


@pytest.mark.usefixtures("no_device")
def test_networks_in_files_are_moved_to_the_default_device(tmp_path):
    LIGHT.save(tmp_path / "net.safetensors", bits=4)
    network = Stylizer.load(tmp_path / "net.safetensors")
    assert {weight.device.type for weight in network.state_dict().values()} == {"meta"}
    assert decode(b"".join(encode({"photo": PHOTO})))["photo"].equal(PHOTO)


def learned(folder):
    """What depends on what is drawn, read, kept and resumed, as tensors of the CPU."""
    folder.mkdir()
    with torch.device("cpu"):
        torch.manual_seed(0)
        network, light = TransformNetwork(width=1), AnyStyleNetwork(width=1, features="light")
        criterion = Criterion(vgg11(weights=None), {"style": GramLoss("relu1_1")})
    write_image(PHOTO, folder / "photo.png")
    photos = ImageFolder(folder, crop_size=16, in_memory=True)
    crops = CropFile.write(folder / "crops.npy", photos, count=3, crop_size=24)
    yield crops[2]
    how = {"num_steps": 2, "batch_size": 1, "crop_size": 16}
    train(network, criterion, contents=crops, styles=PHOTO, tasks={"steady": SteadyTask()}, **how)
    for resume in (False, True):
        kept = {"checkpoint": folder / "kept", "resume": resume}
        train(light, criterion, contents=photos, styles=PHOTO, **how, **kept)
    yield light.bind(PHOTO)(PHOTO)
    fewer = pruned(network.with_styles_of(network.for_new_styles(["new"])), 0.2)
    yield fewer.bind([("style", 0.5), ("new", 0.5)])(PHOTO)
    yield torch.tensor(kernel_distance(PHOTO[0, 0], PHOTO[0, 1], num_subsets=2, subset_size=8), device="cpu")
    yield render(sphere(8), size=8)


def test_trainings_and_what_is_drawn_are_the_same_whatever_the_default_device_is(tmp_path):
    expected = list(learned(tmp_path / "first"))
    torch.set_default_device("meta")
    try:
        found = list(learned(tmp_path / "second"))
    finally:
        torch.set_default_device(None)
    assert len(found) == 5
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
