from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from pystyle._arguments import check_image, whole_number


class DiffusersAutoencoder(nn.Module):
    r"""An autoencoder of diffusers as a pair of functions of images in [0, 1].

    .. math:: E(x) = s \, (e(2 x - 1) - b) \qquad D(z) = (d(z / s + b) + 1) / 2

    e is the mode of the encoder's distribution, d the decoder; s and b are the model's own scaling factor and
    shift, with which diffusion models see latents of about unit variance. Where a model has a mean and a
    standard deviation for each channel, they are taken off and put back as well.

    Args:
        model: An `AutoencoderKL`, an `AutoencoderTiny`, or another model of diffusers whose `encode` gives a
            `latent_dist` or `latents`, and whose `decode` gives a `sample`. It is put into evaluation mode.
        factor: Pixels per position of the latents along each side; if not given, what the model's
            configuration says.

    Raises:
        TypeError: If the model is none of these.
        ValueError: If `factor` is not positive, not given and not in the configuration, or not that of the
            model.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1], any size: the border is repeated up to a multiple
          of the factor
        - latents: (batch, channels, ⌈height / factor⌉, ⌈width / factor⌉)

    Example:
        >>> from functools import partial
        >>> from diffusers import AutoencoderTiny                                 # doctest: +SKIP
        >>> from pystyle import stylize
        >>> from pystyle.parametrizations import Latent
        >>> autoencoder = DiffusersAutoencoder(AutoencoderTiny.from_pretrained("taesd"))    # doctest: +SKIP
        >>> in_latents = partial(Latent, autoencoder=autoencoder)                 # doctest: +SKIP
        >>> stylize("photo.jpg", "painting.jpg", parametrization=in_latents)      # doctest: +SKIP

    Note:
        The model works in its own type, and results have that of the input. `AutoencoderKL` of Stable
        Diffusion XL overflows in float16; load it in float32.

    References:
        Rombach, Blattmann, Lorenz, Esser, Ommer. *High-resolution image synthesis with latent diffusion
        models*. CVPR 2022, section 3.1.
    """

    def __init__(self, model: nn.Module, *, factor: int | None = None) -> None:
        super().__init__()
        if not isinstance(model, nn.Module) or not all(
            hasattr(model, name) for name in ("encode", "decode", "config")
        ):
            raise TypeError(
                "`model` must be an autoencoder of diffusers, which has `encode`, `decode` and `config`, "
                f"got a {type(model).__name__}. Of a pipeline it is `pipeline.vae`."
            )
        self.model = model.eval()
        self.factor = _factor(model) if factor is None else whole_number(factor, "`factor`", least=1)

    def encode(self, image: Tensor) -> Tensor:
        """The latents of images.

        Raises:
            TypeError: If `image` is not a floating tensor.
            ValueError: If it has another shape, or the factor is not that of the model.
        """
        check_image(image, "`image`")
        height, width = image.shape[2:]
        x = pad(image, (0, -width % self.factor, 0, -height % self.factor), mode="replicate")
        latents = _latents_of(self.model.encode(2 * x.to(self._like()) - 1))  # type: ignore[operator]
        expected = (x.shape[2] // self.factor, x.shape[3] // self.factor)
        if tuple(latents.shape[2:]) != expected:
            raise ValueError(
                f"`factor` must be the pixels per position of the latents, got {self.factor}: the model "
                f"makes {tuple(latents.shape[2:])} of {tuple(x.shape[2:])} pixels in place of {expected}."
            )
        mean, std = self._moments(latents)
        return ((latents - mean) / std).to(image.dtype)

    def decode(self, latents: Tensor) -> Tensor:
        """The images of latents, which may leave [0, 1] a little."""
        x = latents.to(self._like())
        mean, std = self._moments(x)
        decoded: Tensor = self.model.decode(x * std + mean).sample  # type: ignore[operator]
        return ((decoded + 1) / 2).to(latents.dtype)

    def _like(self) -> torch.dtype:
        return next(self.model.parameters()).dtype

    def _moments(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """What is subtracted from the latents of the model, and what they are divided by."""
        config: Any = self.model.config
        scale = getattr(config, "scaling_factor", None) or 1.0
        mean, std = getattr(config, "latents_mean", None), getattr(config, "latents_std", None)
        if mean is not None and std is not None:
            return _per_channel(mean, latents), _per_channel(std, latents) / scale
        shift = getattr(config, "shift_factor", None) or 0.0
        return latents.new_tensor(shift), latents.new_tensor(1 / scale)


def _factor(model: Any) -> int:
    config = model.config
    for name in ("block_out_channels", "encoder_block_out_channels"):
        channels = getattr(config, name, None)
        if channels is not None:
            return int(2 ** (len(channels) - 1))
    raise ValueError(
        f"`factor` must be given for a {type(model).__name__}, whose configuration does not say how many "
        "blocks it has: the pixels per position of the latents along each side."
    )


def _latents_of(output: Any) -> Tensor:
    if hasattr(output, "latent_dist"):
        mode: Tensor = output.latent_dist.mode()
        return mode
    if hasattr(output, "latents"):
        latents: Tensor = output.latents
        return latents
    raise TypeError(
        "`model` must encode to a `.latent_dist` or `.latents`, as autoencoders of diffusers do, got a "
        f"{type(output).__name__}."
    )


def _per_channel(values: Any, latents: Tensor) -> Tensor:
    return torch.as_tensor(values, dtype=latents.dtype, device=latents.device).reshape(1, -1, 1, 1)
