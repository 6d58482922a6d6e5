import copy
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad, pixel_shuffle, pixel_unshuffle

from pystyle import ContentLoss, Criterion, TotalVariationLoss, optimize_image, stylize
from pystyle.encoders import vgg11
from pystyle.parametrizations import Latent
from pystyle.testing import check_parametrization


def noise(*shape: int, seed: int = 0, dtype: torch.dtype | None = None) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


class Turned(nn.Module):
    """Squares of two by two pixels, turned by an orthogonal matrix, whose inverse is known."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.linalg.qr(noise(12, 12, dtype=torch.float64) - 0.5).Q.float())
        self._encoded = 0

    def encode(self, image: Tensor) -> Tensor:
        self._encoded += 1
        height, width = image.shape[2:]
        even = pad(image, (0, width % 2, 0, height % 2), mode="replicate")
        return self.turned(pixel_unshuffle(even, 2) - 0.5, self.matrix)

    def decode(self, latents: Tensor) -> Tensor:
        return pixel_shuffle(self.turned(latents, self.matrix.mT) + 0.5, 2)

    def turned(self, maps: Tensor, matrix: Tensor) -> Tensor:
        return torch.einsum("ij,bjhw->bihw", matrix.to(maps), maps)


class Plain:
    """Half of the size, by functions that are no module."""

    def encode(self, image: Tensor) -> Tensor:
        return interpolate(image, scale_factor=0.5, mode="bilinear", antialias=True)

    def decode(self, latents: Tensor) -> Tensor:
        return interpolate(latents, scale_factor=2.0, mode="bilinear")


def test_latents_keep_the_promises_of_a_parametrization():
    check_parametrization(partial(Latent, autoencoder=Turned()), tolerance=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (8, 8), (9, 14), (31, 2)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_image_of_any_size_comes_back_if_nothing_is_lost(size, dtype):
    image = noise(2, 3, *size).to(dtype)
    latent = Latent(image, autoencoder=Turned())
    assert latent.latents.dtype == dtype
    assert latent.latents.shape == (2, 12, -(-size[0] // 2), -(-size[1] // 2))
    torch.testing.assert_close(latent(), image, rtol=0, atol=1e-5)


def test_the_gradient_at_the_latents_is_that_of_the_image_turned():
    autoencoder = Turned()
    latent = Latent(0.2 + 0.6 * noise(1, 3, 6, 8), autoencoder=autoencoder)
    weights = noise(1, 3, 6, 8, seed=1)
    (weights * latent()).sum().backward()
    # Of an orthogonal matrix the inverse is the transposed one, so that gradients are turned as images are.
    expected = autoencoder.turned(pixel_unshuffle(weights, 2), autoencoder.matrix)
    torch.testing.assert_close(latent.latents.grad, expected.detach(), rtol=0, atol=1e-5)


def test_the_latents_are_the_only_parameters_and_all_of_the_state():
    autoencoder = Turned()
    latent = Latent(noise(1, 3, 4, 6), autoencoder=autoencoder)
    assert [name for name, _ in latent.named_parameters()] == ["latents"]
    assert list(latent.state_dict()) == ["latents"]
    assert not any(parameter.requires_grad for parameter in autoencoder.parameters())
    latent().sum().backward()
    assert autoencoder.matrix.grad is None


def test_another_type_changes_a_copy_of_the_autoencoder():
    autoencoder = Turned()
    image = noise(1, 3, 4, 6)
    latent = Latent(image, autoencoder=autoencoder)
    before = copy.deepcopy(autoencoder.state_dict())
    assert latent.double()().dtype == torch.float64
    assert autoencoder.matrix.dtype == torch.float32
    assert all(torch.equal(value, before[name]) for name, value in autoencoder.state_dict().items())
    assert latent.to("meta")().device.type == "meta"
    assert autoencoder.matrix.device.type == "cpu"


def test_functions_that_are_no_module_are_an_autoencoder():
    latent = Latent(torch.full((1, 3, 8, 6), 0.3), autoencoder=Plain())
    torch.testing.assert_close(latent(), torch.full((1, 3, 8, 6), 0.3))
    assert latent.double()().dtype == torch.float64


def test_the_image_is_encoded_once():
    autoencoder = Turned()
    latent = Latent(noise(1, 3, 4, 6), autoencoder=autoencoder)
    latent()
    latent()
    assert autoencoder._encoded == 1


def test_latents_far_outside_are_clamped_and_find_back():
    latent = Latent(noise(1, 3, 4, 6), autoencoder=Turned())
    with torch.no_grad():
        latent.latents.mul_(100)
    image = latent()
    assert image.min() == 0
    assert image.max() == 1
    (image - 0.5).square().sum().backward()
    assert (latent.latents.grad.abs().sum((2, 3)) > 0).all()


def test_a_run_over_latents_lowers_the_loss_and_goes_on_from_a_checkpoint(tmp_path):
    criterion = Criterion(
        vgg11(weights=None, seed=1), {"content": ContentLoss("relu1_1"), "smoothness": TotalVariationLoss()}
    )
    references = {"content": noise(1, 3, 12, 15)}
    options = {
        "parametrization": partial(Latent, autoencoder=Turned()),
        "init": noise(1, 3, 12, 15, seed=2),
    }
    whole = optimize_image(criterion, references, num_steps=8, **options)
    assert whole.image.shape == (1, 3, 12, 15)
    assert whole.history["total"][-1] < 0.5 * whole.history["total"][0]
    folder = tmp_path / "run"
    optimize_image(criterion, references, num_steps=4, checkpoint=folder, **options)
    resumed = optimize_image(criterion, references, num_steps=8, checkpoint=folder, resume=True, **options)
    assert torch.equal(resumed.image, whole.image)


def test_a_picture_is_painted_through_latents_level_by_level():
    photo, painting = noise(1, 3, 21, 27), noise(1, 3, 30, 24, seed=1)
    result = stylize(
        photo,
        painting,
        edge_size=[15, 21],
        num_steps=[3, 3],
        encoder=vgg11(weights=None, seed=1),
        parametrization=partial(Latent, autoencoder=Turned()),
    )
    assert result.image.shape == (1, 3, 21, 27)
    assert result.history["total"][-1] < result.history["total"][0]


class Broken(Turned):
    """An autoencoder whose results are changed."""

    def __init__(self, encode=lambda latents: latents, decode=lambda image: image) -> None:
        super().__init__()
        self.after_encode, self.after_decode = encode, decode

    def encode(self, image: Tensor) -> Tensor:
        return self.after_encode(super().encode(image))

    def decode(self, latents: Tensor) -> Tensor:
        return self.after_decode(super().decode(latents))


@pytest.mark.parametrize(
    ("autoencoder", "kind", "message"),
    [
        (Turned, TypeError, r"`autoencoder` must be an object with the methods .*, got Turned"),
        (nn.Identity(), TypeError, r"with the methods `encode` and `decode`.*, got a Identity"),
        (
            Broken(encode=lambda latents: [latents]),
            TypeError,
            r"encode 2 images .*, got a list\. Around a model",
        ),
        (
            Broken(encode=lambda latents: latents[:1]),
            TypeError,
            r"with as many rows, got one of \(1, 12, 2, 3\)",
        ),
        (Broken(encode=lambda latents: latents / 0), ValueError, r"must encode to finite latents, got NaN"),
    ],
)
def test_what_is_no_autoencoder_is_refused_with_what_came(autoencoder, kind, message):
    with pytest.raises(kind, match=message):
        Latent(noise(2, 3, 4, 6), autoencoder=autoencoder)


@pytest.mark.parametrize(
    "decode", [lambda image: image[:, :, 1:], lambda image: image[:, :1], lambda image: image[0]]
)
def test_a_decoded_image_that_is_too_small_is_refused(decode):
    latent = Latent(noise(1, 3, 4, 6), autoencoder=Broken(decode=decode))
    with pytest.raises(
        ValueError, match=r"at least as large as the image it encoded, 4 x 6, got the shape \("
    ):
        latent()


def test_what_is_no_image_is_refused():
    with pytest.raises(TypeError, match=r"`image` must be a floating tensor .*, got torch\.uint8"):
        Latent(torch.zeros(1, 3, 4, 4, dtype=torch.uint8), autoencoder=Turned())
    with pytest.raises(ValueError, match=r"`image` must have the shape"):
        Latent(torch.zeros(3, 4, 4), autoencoder=Turned())


class Learned(nn.Module):
    """A quarter of the size in eight channels: a fourth of the numbers."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.encoder = nn.Sequential(
                nn.Conv2d(3, 24, 4, 4), nn.SiLU(), nn.Conv2d(24, 24, 3, 1, 1), nn.SiLU(), nn.Conv2d(24, 12, 1)
            )
            self.decoder = nn.Sequential(
                nn.Conv2d(12, 24, 3, 1, 1), nn.SiLU(), nn.Conv2d(24, 48, 1), nn.PixelShuffle(4)
            )

    def encode(self, image: Tensor) -> Tensor:
        height, width = image.shape[2:]
        return self.encoder(pad(image, (0, -width % 4, 0, -height % 4), mode="replicate") - 0.5)

    def decode(self, latents: Tensor) -> Tensor:
        return self.decoder(latents) + 0.5


def scenes(count: int, size: int, seed: int) -> Tensor:
    """Soft colours with discs in front of them."""
    generator = torch.Generator().manual_seed(seed)
    ground = interpolate(torch.rand(count, 3, 4, 4, generator=generator), (size, size), mode="bilinear")
    rows, columns = torch.meshgrid(*[torch.linspace(0, 1, size)] * 2, indexing="ij")
    for _ in range(4):
        y, x, radius = torch.rand(3, count, 1, 1, 1, generator=generator)
        colour = torch.rand(count, 3, 1, 1, generator=generator)
        inside = ((rows - y).square() + (columns - x).square() < (0.1 + 0.2 * radius).square()).float()
        ground = ground + inside * (colour - ground)
    return ground


@pytest.fixture(scope="module")
def learned() -> Learned:
    """An autoencoder that has learnt scenes for some seconds."""
    autoencoder = Learned()
    optimizer = torch.optim.Adam(autoencoder.parameters(), lr=3e-3)
    for step in range(300):
        pictures = scenes(8, 32, seed=step)
        loss = (autoencoder.decode(autoencoder.encode(pictures)) - pictures).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return autoencoder.eval()


@pytest.mark.slow
def test_a_learned_autoencoder_gives_a_new_scene_back(learned):
    scene = scenes(1, 37, seed=10_000)
    latent = Latent(scene, autoencoder=learned)
    assert latent.latents.numel() < 0.3 * scene.numel()
    error = (latent().detach() - scene).abs().mean()
    assert error < 0.2 * (scene - scene.mean((2, 3), keepdim=True)).abs().mean()


@pytest.mark.slow
def test_a_run_over_learned_latents_finds_another_scene(learned):
    start, goal = scenes(1, 30, seed=10_001), scenes(1, 30, seed=10_002)
    criterion = Criterion(vgg11(weights=None, seed=1), {"content": ContentLoss("image")})
    result = optimize_image(
        criterion,
        {"content": goal},
        init=start,
        num_steps=40,
        parametrization=partial(Latent, autoencoder=learned),
    )
    assert result.history["total"][-1] < 0.05 * result.history["total"][0]
    assert (result.image - goal).abs().mean() < 0.2 * (start - goal).abs().mean()
