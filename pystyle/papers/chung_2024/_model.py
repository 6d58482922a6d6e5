"""The diffusion model of a pipeline, looked at before it is used."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from pystyle.diffusion import DiffusersAutoencoder


class NoiseModel:
    """The parts of a pipeline that predict noise without a prompt.

    Args:
        pipeline: A pipeline of Stable Diffusion 1.x, or whatever has its parts.

    Attributes:
        autoencoder: From images to latents and back.
        unet: The network.

    Raises:
        TypeError: If a part is missing.
        ValueError: If the network predicts something else than noise, or needs more than text.
    """

    def __init__(self, pipeline: Any) -> None:
        missing = [
            name for name in ("unet", "vae", "scheduler", "encode_prompt") if not hasattr(pipeline, name)
        ]
        if missing or isinstance(pipeline, type):
            kind = pipeline.__name__ if isinstance(pipeline, type) else f"a {type(pipeline).__name__}"
            raise TypeError(
                "`pipeline` must be a pipeline of Stable Diffusion 1.x with `unet`, `vae`, `scheduler` and "
                f"`encode_prompt`, got {kind}{f' without `{missing[0]}`' if missing else ''}."
            )
        self.unet: Any = pipeline.unet
        self.autoencoder = DiffusersAutoencoder(pipeline.vae)
        self._alphas = _alphas_of(pipeline.scheduler)
        _check_unet(self.unet, int(pipeline.vae.config.latent_channels))
        embedding, *_ = pipeline.encode_prompt(
            "", device=self.unet.device, num_images_per_prompt=1, do_classifier_free_guidance=False
        )
        self._embedding: Tensor = embedding.to(self.unet.dtype)

    @property
    def num_train_timesteps(self) -> int:
        """How many timesteps the model was trained with."""
        return len(self._alphas)

    def alphas(self, timesteps: Sequence[int]) -> list[float]:
        """The cumulative products of α: of the image, then of each timestep."""
        return [self._alphas[0], *(self._alphas[timestep] for timestep in timesteps)]

    def predict(self, latents: Tensor, timestep: int) -> Tensor:
        """The noise in the latents, in their type."""
        embedding = self._embedding.expand(len(latents), -1, -1)
        found: Tensor = self.unet(
            latents.to(self.unet.dtype), timestep, encoder_hidden_states=embedding, return_dict=False
        )[0]
        return found.to(latents.dtype)


def _alphas_of(scheduler: Any) -> list[float]:
    kind = getattr(scheduler.config, "prediction_type", None)
    alphas = getattr(scheduler, "alphas_cumprod", None)
    if kind not in (None, "epsilon") or not isinstance(alphas, Tensor):
        predicts = f"predicts {kind!r}" if isinstance(alphas, Tensor) else f"has a {type(scheduler).__name__}"
        raise ValueError(
            "`pipeline` must have a model that predicts noise ('epsilon'), such as Stable Diffusion 1.4 or "
            f"1.5, got one that {predicts}. Stable Diffusion 2.0 and 2.1 at 768 pixels predict velocities, "
            "and models of flow matching have no such schedule: neither was meant by the method."
        )
    return [float(alpha) for alpha in alphas]


def _check_unet(unet: Any, latent_channels: int) -> None:
    config = unet.config
    if not hasattr(unet, "up_blocks"):
        raise ValueError(
            f"`pipeline` must have a U-Net with `up_blocks`, got a {type(unet).__name__}. Take Stable "
            "Diffusion 1.x."
        )
    for name in ("addition_embed_type", "class_embed_type", "encoder_hid_dim_type"):
        if getattr(config, name, None) is not None:
            raise ValueError(
                "`pipeline` must have a U-Net that is told nothing but a prompt, as in Stable Diffusion "
                f"1.x, got one whose `{name}` is {getattr(config, name)!r} (in Stable Diffusion XL it is "
                "'text_time')."
            )
    if config.in_channels != latent_channels:
        raise ValueError(
            f"`pipeline` must have a U-Net that sees {latent_channels} channels of latents, got one with "
            f"{config.in_channels}: it is one for inpainting or for another task."
        )
