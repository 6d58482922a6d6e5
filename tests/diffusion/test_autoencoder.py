import math
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from pystyle import Criterion, optimize_image
from pystyle.diffusion import DiffusersAutoencoder
from pystyle.losses import ContentLoss
from pystyle.parametrizations import Latent


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


class Model(nn.Module):
    """What the adapter knows of an autoencoder of diffusers; the latents are pixels in [-1, 1]."""

    def __init__(self, factor: int = 2, kind: str = "latents", **config: object) -> None:
        super().__init__()
        self.factor, self.kind = factor, kind
        self.unused = nn.Parameter(torch.zeros(1))
        self.config = SimpleNamespace(**config)
        self.seen: list[Tensor] = []

    def encode(self, image: Tensor) -> object:
        self.seen.append(image)
        latents = pixel_unshuffle(image, self.factor)
        if self.kind == "latent_dist":
            return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: latents))
        return SimpleNamespace(latents=latents) if self.kind == "latents" else latents

    def decode(self, latents: Tensor) -> object:
        self.seen.append(latents)
        return SimpleNamespace(sample=pixel_shuffle(latents, self.factor))


@pytest.mark.parametrize("kind", ["latents", "latent_dist"])
def test_the_model_sees_images_from_minus_one_to_one_and_latents_are_scaled_and_shifted(kind):
    model = Model(kind=kind, block_out_channels=(8, 16), scaling_factor=0.25, shift_factor=0.5)
    autoencoder = DiffusersAutoencoder(model)
    assert autoencoder.factor == 2
    image = torch.tensor([0.0, 0.25, 0.5, 1.0]).reshape(1, 1, 2, 2).expand(1, 3, 2, 2)
    latents = autoencoder.encode(image)
    assert model.seen[0][0, 0].flatten().tolist() == [-1, -0.5, 0, 1]
    # (x - 0.5) / 4 of these.
    assert latents[0, :4].flatten().tolist() == [-0.375, -0.25, -0.125, 0.125]
    assert torch.equal(autoencoder.decode(latents), image)
    assert model.seen[1][0, :4].flatten().tolist() == [-1, -0.5, 0, 1]


def test_means_and_deviations_of_channels_are_taken_off_and_put_back():
    mean, std = [0.5] * 6 + [-0.5] * 6, [2.0] * 6 + [0.5] * 6
    model = Model(block_out_channels=(8, 16), scaling_factor=3.0, latents_mean=mean, latents_std=std)
    autoencoder = DiffusersAutoencoder(model)
    latents = autoencoder.encode(torch.full((1, 3, 2, 2), 0.5))
    assert latents[0, [0, 11], 0, 0].tolist() == pytest.approx([-0.5 * 3 / 2, 0.5 * 3 / 0.5])
    torch.testing.assert_close(autoencoder.decode(latents), torch.full((1, 3, 2, 2), 0.5))


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (8, 9), (1, 13)])
@pytest.mark.parametrize("factor", [1, 4])
def test_the_border_is_repeated_up_to_a_multiple_of_the_factor(size, factor):
    autoencoder = DiffusersAutoencoder(Model(factor=factor), factor=factor)
    image = noise(2, 3, *size)
    latents = autoencoder.encode(image)
    assert latents.shape[2:] == (math.ceil(size[0] / factor), math.ceil(size[1] / factor))
    decoded = autoencoder.decode(latents)
    torch.testing.assert_close(decoded[:, :, : size[0], : size[1]], image)
    torch.testing.assert_close(decoded[:, :, : size[0], -1], image[:, :, :, -1])
    assert torch.equal(Latent(image, autoencoder=autoencoder)().detach(), decoded[:, :, : size[0], : size[1]])


def test_the_model_works_in_its_own_type_and_results_have_that_of_the_input():
    model = Model(block_out_channels=(8, 16), latents_mean=[0.5] * 12, latents_std=[2.0] * 12).bfloat16()
    autoencoder = DiffusersAutoencoder(model)
    latents = autoencoder.encode(noise(1, 3, 4, 4))
    assert latents.dtype == torch.float32
    assert autoencoder.decode(latents.double()).dtype == torch.float64
    assert [seen.dtype for seen in model.seen] == [torch.bfloat16] * 2


def test_a_model_without_an_encoder_or_a_factor_is_refused_with_what_to_do():
    with pytest.raises(TypeError, match=r"`model` must be an autoencoder of diffusers.*, got a Identity"):
        DiffusersAutoencoder(nn.Identity())
    with pytest.raises(ValueError, match=r"`factor` must be given for a Model"):
        DiffusersAutoencoder(Model())
    with pytest.raises(ValueError, match=r"`factor` must be at least 1, got 0"):
        DiffusersAutoencoder(Model(), factor=0)
    with pytest.raises(
        ValueError, match=r"`factor` must be the pixels .*, got 4: the model makes \(4, 4\) of \(8, 8\)"
    ):
        DiffusersAutoencoder(Model(factor=2), factor=4).encode(noise(1, 3, 7, 6))
    with pytest.raises(
        TypeError, match=r"`model` must encode to a `\.latent_dist` or `\.latents`.*, got a Tensor"
    ):
        DiffusersAutoencoder(Model(kind="none"), factor=2).encode(noise(1, 3, 4, 4))
    with pytest.raises(ValueError, match=r"`image` must have the shape"):
        DiffusersAutoencoder(Model(), factor=2).encode(noise(3, 4, 4))


def test_the_model_is_put_into_evaluation_mode():
    model = Model(factor=2)
    DiffusersAutoencoder(model, factor=2)
    assert not model.training


def kl(**config: object) -> nn.Module:
    diffusers = pytest.importorskip("diffusers")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return diffusers.AutoencoderKL(
            block_out_channels=(8, 8, 16),
            down_block_types=("DownEncoderBlock2D",) * 3,
            up_block_types=("UpDecoderBlock2D",) * 3,
            norm_num_groups=4,
            **config,
        )


def tiny() -> nn.Module:
    diffusers = pytest.importorskip("diffusers")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return diffusers.AutoencoderTiny(
            encoder_block_out_channels=(8, 8, 8),
            decoder_block_out_channels=(8, 8, 8),
            num_encoder_blocks=(1, 1, 1),
            num_decoder_blocks=(1, 1, 1),
        )


@pytest.mark.slow
def test_an_autoencoder_kl_is_called_as_its_pipelines_call_it():
    model = kl(scaling_factor=0.3, shift_factor=0.1)
    autoencoder = DiffusersAutoencoder(model)
    assert autoencoder.factor == 4
    image = noise(1, 3, 12, 16)
    with torch.no_grad():
        latents = autoencoder.encode(image)
        expected = (model.encode(2 * image - 1).latent_dist.mean - 0.1) * 0.3
        torch.testing.assert_close(latents, expected)
        pixels = model.decode(latents / 0.3 + 0.1, return_dict=False)[0] / 2 + 0.5
        torch.testing.assert_close(autoencoder.decode(latents), pixels)


@pytest.mark.slow
def test_an_autoencoder_tiny_is_called_as_its_pipelines_call_it():
    model = tiny()
    autoencoder = DiffusersAutoencoder(model)
    assert autoencoder.factor == 4
    image = noise(1, 3, 12, 16)
    with torch.no_grad():
        latents = autoencoder.encode(image)
        torch.testing.assert_close(latents, model.encode(2 * image - 1).latents)
        torch.testing.assert_close(
            autoencoder.decode(latents), model.decode(latents, return_dict=False)[0] / 2 + 0.5
        )


@pytest.mark.slow
@pytest.mark.parametrize("make", [kl, tiny])
def test_a_run_over_latents_of_a_real_model_lowers_the_loss_and_goes_on_from_a_checkpoint(make, tmp_path):
    autoencoder = DiffusersAutoencoder(make())
    criterion = Criterion(None, {"content": ContentLoss("image")})
    references = {
        "content": noise(1, 3, 4, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)[:, :, :14, :13]
    }
    options = {
        "parametrization": partial(Latent, autoencoder=autoencoder),
        "init": noise(1, 3, 14, 13, seed=1),
    }
    whole = optimize_image(criterion, references, num_steps=12, **options)
    assert whole.image.shape == (1, 3, 14, 13)
    assert whole.history["total"][-1] < 0.9 * whole.history["total"][0]
    optimize_image(criterion, references, num_steps=5, checkpoint=tmp_path / "run", **options)
    resumed = optimize_image(
        criterion, references, num_steps=12, checkpoint=tmp_path / "run", resume=True, **options
    )
    assert torch.equal(resumed.image, whole.image)
