import copy
from collections.abc import Callable
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn

from pystyle.parametrizations._clamp import clamp_with_gradient
from pystyle.parametrizations._initial import initial_values
from pystyle.parametrizations._parametrization import Parametrization


class Autoencoder(Protocol):
    """A pair of functions: from images to smaller maps, their latents, and back.

    Any object with these two methods is one. Images are RGB in [0, 1]. `encode` takes them in any size, which
    it rounds up as it needs, so that `decode` gives an image that is at least as large; what is beyond the
    right and lower border is cut off.
    :class:`~pystyle.diffusion.DiffusersAutoencoder` makes one of a model of diffusers.

    Example:
        >>> import torch
        >>> from torch.nn.functional import interpolate
        >>> class Halves:
        ...     def encode(self, image):
        ...         return interpolate(image, scale_factor=0.5)
        ...
        ...     def decode(self, latents):
        ...         return interpolate(latents, scale_factor=2)
        >>> pair: Autoencoder = Halves()
        >>> pair.decode(pair.encode(torch.rand(1, 3, 8, 12))).shape
        torch.Size([1, 3, 8, 12])
    """

    def encode(self, image: Tensor) -> Tensor:
        """The latents of images in [0, 1], in any number of channels; the same for the same images."""
        ...

    def decode(self, latents: Tensor) -> Tensor:
        """The images of latents, differentiably."""
        ...


class Latent(Parametrization):
    r"""The latents of an autoencoder, whose decoder makes the image.

    .. math:: x = D(z) \qquad z_0 = E(x_0)

    What is optimised are the latents z, in Stable Diffusion 48 times fewer numbers than pixels, and all that
    comes out is what the decoder can paint: an image of a decoder of photographs has no noise for an encoder
    to hide in.

    Args:
        image: What to start from. What the autoencoder loses of it is lost before the first step.
        autoencoder: The pair; its two methods work in its own type and on the device of the image. The
            weights of a module are frozen (`requires_grad_(False)`), and are neither parameters nor in a
            checkpoint.

    Raises:
        TypeError: If `image` is not a floating tensor, or `autoencoder` lacks a method or encodes to
            something else than one.
        ValueError: If `image` has another shape, or the latents are not finite.

    Shape:
        - image: (batch, 3, height, width)
        - latents: (batch, channels, rows, columns), in the type of the image

    Example:
        >>> import torch
        >>> from functools import partial
        >>> from torch.nn.functional import pixel_shuffle, pixel_unshuffle
        >>> class Shuffled:
        ...     def encode(self, image):
        ...         return pixel_unshuffle(image - 0.5, 2)
        ...
        ...     def decode(self, latents):
        ...         return pixel_shuffle(latents, 2) + 0.5
        >>> image = torch.rand(1, 3, 8, 12)
        >>> latent = Latent(image, autoencoder=Shuffled())
        >>> latent.latents.shape, torch.allclose(latent(), image)
        (torch.Size([1, 12, 4, 6]), True)
        >>> from pystyle import stylize
        >>> from pystyle.encoders import vgg11
        >>> in_latents = partial(Latent, autoencoder=Shuffled())
        >>> options = {"edge_size": 24, "num_steps": 2, "encoder": vgg11(weights=None)}
        >>> photo, painting = torch.rand(2, 1, 3, 24, 32)
        >>> stylize(photo, painting, parametrization=in_latents, **options).image.shape
        torch.Size([1, 3, 24, 32])

    Note:
        Each step decodes and goes back through the decoder, whatever the evaluation of the losses: strips
        save memory of the encoder only.
    """

    def __init__(self, image: Tensor, *, autoencoder: Autoencoder) -> None:
        super().__init__()
        _check_autoencoder(autoencoder)
        pixels = initial_values(image)
        self.size = (pixels.shape[2], pixels.shape[3])
        # Not a submodule: its weights are no parameters of the image, and belong in no checkpoint.
        self._held = (autoencoder,)
        if isinstance(autoencoder, nn.Module):
            autoencoder.requires_grad_(False)
        with torch.no_grad():
            latents = autoencoder.encode(pixels)
        self.latents = nn.Parameter(_checked(latents, pixels))

    def forward(self) -> Tensor:
        """What is decoded, cut to the size of the image and clamped by :func:`clamp_with_gradient`.

        Raises:
            ValueError: If it is smaller than the image.
        """
        decoded = self._held[0].decode(self.latents)
        height, width = self.size
        if (
            decoded.ndim != 4
            or decoded.shape[1] != 3
            or decoded.shape[2] < height
            or decoded.shape[3] < width
        ):
            raise ValueError(
                "`autoencoder` must decode to images of (batch, 3, height, width) that are at least as "
                f"large as the image it encoded, {height} x {width}, got the shape {tuple(decoded.shape)}. "
                "Round sizes up in `encode`, by repeating the border."
            )
        return clamp_with_gradient(decoded[:, :, :height, :width].to(self.latents.dtype))

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Self:
        # What `.to()` and `.double()` do to a submodule, to a copy: the autoencoder is the user's.
        (autoencoder,) = self._held
        if isinstance(autoencoder, nn.Module):
            self._held = (copy.deepcopy(autoencoder)._apply(fn, recurse),)  # type: ignore[no-untyped-call]
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self


def _check_autoencoder(autoencoder: Any) -> None:
    if isinstance(autoencoder, type) or not all(
        callable(getattr(autoencoder, name, None)) for name in ("encode", "decode")
    ):
        kind = autoencoder.__name__ if isinstance(autoencoder, type) else f"a {type(autoencoder).__name__}"
        raise TypeError(
            "`autoencoder` must be an object with the methods `encode` and `decode`, such as "
            f"`pystyle.diffusion.DiffusersAutoencoder(model)`, got {kind}."
        )


def _checked(latents: Any, pixels: Tensor) -> Tensor:
    if not isinstance(latents, Tensor) or not latents.is_floating_point() or len(latents) != len(pixels):
        got = (
            f"one of {tuple(latents.shape)}" if isinstance(latents, Tensor) else f"a {type(latents).__name__}"
        )
        raise TypeError(
            f"`autoencoder` must encode {len(pixels)} images to a floating tensor with as many rows, got "
            f"{got}. Around a model of diffusers put `pystyle.diffusion.DiffusersAutoencoder`."
        )
    if not latents.is_meta and not bool(latents.isfinite().all()):
        raise ValueError(
            f"`autoencoder` must encode to finite latents, got NaN or infinite ones of {latents.dtype}. Some "
            "autoencoders overflow in half precision: load it in float32."
        )
    return latents.detach().to(pixels.dtype).clone(memory_format=torch.contiguous_format)
