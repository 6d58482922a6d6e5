"""CLIPstyler against its formulas and numbers."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.functional import cosine_similarity, mse_loss, normalize
from torchvision.transforms.functional import adjust_contrast

from pystyle.encoders import SequentialEncoder
from pystyle.networks import AnyStyleNetwork
from pystyle.papers import kwon_2022
from pystyle.parametrizations import Pixels
from pystyle.testing import check_loss
from pystyle.text import RandomCrops

CROPS = RandomCrops(count=3, size=12, resample=False)


class Colours:
    """The mean of each colour, squeezed; texts by whether they are of a photo."""

    def encode_images(self, images):
        return normalize(images.mean((2, 3)), dim=1)

    def encode_texts(self, texts):
        photo = torch.tensor([[0.5, 0.5, 0.6]])
        fire = torch.tensor([[0.9, 0.3, 0.1]])
        found = [(photo if "Photo" in text else fire) + len(text) / 500 for text in texts]
        return normalize(torch.cat(found), dim=1)


def small_encoder():
    """Named like the layers that are compared."""
    stages = {}
    for layer in ("4_2", "5_2"):
        stages[f"conv{layer}"] = nn.Conv2d(3, 3, 3, padding=1)
        nn.init.orthogonal_(stages[f"conv{layer}"].weight, gain=3, generator=torch.Generator().manual_seed(0))
        stages[f"relu{layer}"] = nn.ReLU()
    return SequentialEncoder(stages).double()


def mean_of(texts):
    return normalize(Colours().encode_texts(texts).mean(0, keepdim=True), dim=1).double()


@pytest.mark.parametrize("network", ["torchvision", "caffe"])
@pytest.mark.parametrize("variant", ["paper", "code"])
def test_the_loss_is_that_of_the_code(picture, check_formula, variant, network):
    encoder = small_encoder()
    content, image = picture(0), picture(1)
    layers = ["conv4_2", "conv5_2"] if variant == "paper" else ["relu4_2", "relu5_2"]
    scale = {"conv4_2": 0.006894, "conv5_2": 0.04112, "relu4_2": 0.004964, "relu5_2": 0.04873}
    way = mean_of([t.format("fire") for t in kwon_2022.TEMPLATES]) - mean_of(
        [t.format("a Photo") for t in kwon_2022.TEMPLATES]
    )
    start = Colours().encode_images(content)
    features = encoder(content, layers)

    def formula(image):
        crops = CROPS(image, generator=torch.Generator().manual_seed(0))[:, 0]
        seen = torch.cat([Colours().encode_images(each) for each in (image, crops)])
        losses = 1 - cosine_similarity(seen - start, way)
        patches = torch.where(losses[1:] <= 0.7, 0, losses[1:])
        kept = sum(
            mse_loss(found, features[layer]) * (scale[layer] ** 2 if network == "caffe" else 1)
            for layer, found in encoder(image, layers).items()
        )
        rough = [image[..., 1:] - image[..., :-1], image[..., 1:, :] - image[..., :-1, :]]
        rough += [image[..., 1:, :-1] - image[..., :-1, 1:], image[..., :-1, :-1] - image[..., 1:, 1:]]
        smooth = sum(each.norm() for each in rough)
        return 9000 * patches.mean() + 500 * losses[0] + 150 * kept + 2e-3 * smooth

    criterion = kwon_2022.criterion("fire", Colours(), encoder, variant=variant, network=network, crops=CROPS)
    check_formula(criterion, {"content": content}, image, formula)


def test_the_crops_are_those_of_the_paper():
    loss = kwon_2022.criterion("fire", Colours(), small_encoder()).losses["patches"]
    assert (loss.crops.count, loss.crops.size, loss.crops.distortion, loss.threshold) == (64, 128, 0.5, 0.7)
    assert len(loss.templates) == 79


def test_the_network_has_the_numbers_of_the_authors():
    assert sum(parameter.numel() for parameter in kwon_2022.UNet(16).parameters()) == 615_267
    picture = kwon_2022.UNet(2)(torch.rand(1, 3, 16, 24))
    assert picture.shape == (1, 3, 16, 24)


@pytest.mark.parametrize("size", [(16, 16), (21, 30), (1, 1), (3, 40)])
def test_a_photograph_of_any_size_has_a_network_of_its_seed(size):
    photo = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    network = partial(kwon_2022.PhotographNetwork, width=2)
    picture = network(photo)()
    assert picture.shape == photo.shape
    assert bool(((picture > 0) & (picture < 1)).all())
    assert torch.equal(picture, network(photo, seed=0)())
    assert not torch.equal(picture, network(photo, seed=1)())


def test_the_learning_rate_is_halved_also_after_a_stop():
    def optimizer(weight):
        return kwon_2022.HalvedAdam([weight], every=3)

    rates = []
    weight = torch.ones(1, requires_grad=True)
    first = optimizer(weight)
    for _ in range(4):
        rates.append(first.param_groups[0]["lr"])
        first.step(lambda: weight.square().sum())
    second = optimizer(weight)
    second.load_state_dict(first.state_dict())
    for _ in range(3):
        rates.append(second.param_groups[0]["lr"])
        second.step(lambda: weight.square().sum())
    assert rates == [5e-4] * 3 + [2.5e-4] * 3 + [1.25e-4]


def test_saved_pictures_are_stretched_as_torchvision_does():
    image = 0.3 + 0.4 * torch.rand(1, 3, 8, 9, generator=torch.Generator().manual_seed(0))
    contrast = adjust_contrast(image, 1.5)
    expected = (contrast - contrast.min()) / (contrast.max() - contrast.min())
    torch.testing.assert_close(kwon_2022.stretched(image), expected, atol=1e-5, rtol=0)
    flat = torch.full((1, 3, 4, 4), 0.25)
    torch.testing.assert_close(kwon_2022.stretched(flat), flat)


def test_differences_are_lengths():
    image = torch.zeros(1, 3, 2, 2)
    image[:, 0, 0, 0] = 3.0  # seen from the right, from below, and along one of the diagonals
    assert float(kwon_2022.DifferencesLoss(weight=2.0).represent(image)) == pytest.approx(9.0)
    check_loss(kwon_2022.DifferencesLoss(), channels=3)


@pytest.mark.parametrize(
    "options", [{}, {"parametrization": Pixels, "optimizer": partial(kwon_2022.HalvedAdam, lr=0.01)}]
)
def test_a_photograph_becomes_what_the_text_says(picture, options):
    photo = picture(0, 16, 24, torch.float32)
    result = kwon_2022.style_transfer(
        photo,
        "fire",
        Colours(),
        encoder=small_encoder().float(),
        crops=RandomCrops(count=2, size=12),
        edge_size=16,
        num_steps=12,
        **options,
    )
    assert result.image.shape == (1, 3, 16, 24)
    red, _, blue = (result.image - photo).mean((0, 2, 3)).tolist()
    assert red > blue
    assert min(result.history["total"][-3:]) < 0.9 * result.history["total"][0]


def test_a_painter_paints_other_photographs_as_the_text_says(picture):
    network = AnyStyleNetwork(width=2, features="light").eval()
    photo, painting = picture(0, 32, 32, torch.float32), picture(1, 32, 32, torch.float32)
    paint = kwon_2022.painter(
        photo,
        "fire",
        Colours(),
        stylizer=network,
        style=painting,
        encoder=small_encoder().float(),
        crops=RandomCrops(count=2, size=16),
        edge_size=32,
        num_steps=8,
    )
    other = picture(5, 40, 36, torch.float32)
    before, after = (found(other).mean((0, 2, 3)) for found in (network.bind(painting), paint))
    assert float((after - before)[0]) > 0.02  # redder,
    assert float((after - before)[2]) < -0.02  # and less blue


def test_impossible_arguments_are_refused():
    with pytest.raises(ValueError, match="`variant` must be"):
        kwon_2022.criterion("fire", Colours(), small_encoder(), variant="mine")
    with pytest.raises(ValueError, match="`network` must be"):
        kwon_2022.criterion("fire", Colours(), small_encoder(), network="resnet")
    with pytest.raises(ValueError, match=r"`content` must be in \[0, 1\]"):
        kwon_2022.style_transfer(torch.full((1, 3, 16, 16), 9.0), "fire", Colours())
