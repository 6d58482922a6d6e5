from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from pystyle._arguments import whole_number
from pystyle.images import resize
from pystyle.papers._images import check_images
from pystyle.papers.chung_2024._ddim import ddim_step, ddim_timesteps, inversion
from pystyle.papers.chung_2024._injection import StyleInjection, adain, injection
from pystyle.papers.chung_2024._model import NoiseModel

LAYERS = (6, 7, 8, 9, 10, 11)


@torch.no_grad()
def style_transfer(
    content: Tensor,
    style: Tensor,
    pipeline: Any,
    *,
    edge_size: int = 512,
    num_steps: int = 50,
    gamma: float = 0.75,
    temperature: float = 1.5,
    layers: Sequence[int] = LAYERS,
    match_statistics: bool = True,
    num_corrections: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    """A photograph that a diffusion model paints anew in the style of a painting.

    There is no noise to draw: the same arguments give the same picture.

    Args:
        content: The photograph; several are painted together.
        style: The painting, of which the middle in the shape of the photograph is seen.
        pipeline: A pipeline of Stable Diffusion 1.x, see :func:`pystyle.diffusion.load_pipeline`; of it the
            `unet`, the `vae`, the `scheduler`'s levels of noise and `encode_prompt` are used.
        edge_size: The short side of the picture in pixels. The models were trained at 512.
        num_steps: Steps of DDIM, in each direction.
        gamma: The share of the content in the queries, γ: at 1 most of the photograph is kept.
        temperature: τ.
        layers: The layers of the decoder with injection, counted from the deepest.
        match_statistics: Whether the noise of the content gets the means and deviations of that of the style.
        num_corrections: How often the noise of a step of the inversion is predicted again; 0 as published.
        progress: Called with the number of steps that are done and that of all, after each.

    Returns:
        The picture, in the type and on the device of `content`.

    Raises:
        TypeError: If `pipeline` lacks a part, or an image is not a floating tensor.
        ValueError: If the model does not predict noise, an argument has an impossible value, or the picture
            is not finite.

    Shape:
        - content: (batch, 3, height, width), RGB in [0, 1]
        - style: (1 or batch, 3, other height, other width)

    Example:
        >>> from pystyle.diffusion import load_pipeline
        >>> from pystyle.images import read_image, write_image
        >>> photo, painting = read_image("photo.jpg"), read_image("painting.jpg")   # doctest: +SKIP
        >>> pipeline = load_pipeline("stable-diffusion-v1-4")                       # doctest: +SKIP
        >>> write_image(style_transfer(photo, painting, pipeline), "painted.png")   # doctest: +SKIP
    """
    check_images({"content": content, "style": style})
    if len(style) not in (1, len(content)):
        raise ValueError(
            f"`style` must be one painting, or one for each of the {len(content)} contents, got {len(style)}."
        )
    num_corrections = whole_number(num_corrections, "`num_corrections`", least=0)
    processor = StyleInjection(gamma=gamma, temperature=temperature)
    model = NoiseModel(pipeline)
    timesteps = ddim_timesteps(num_steps, num_train_timesteps=model.num_train_timesteps)
    alphas = model.alphas(timesteps)
    with injection(model.unet, layers, processor):
        pass
    count = _Count(len(timesteps) * (2 + num_corrections), progress)
    photo = resize(content, edge_size)
    size = (photo.shape[2], photo.shape[3])
    painting = middle(style, size).expand(len(photo), -1, -1, -1)
    latents = model.autoencoder.encode(torch.cat((photo, painting)).float().to(model.unet.device))
    levels = inversion(
        latents, model.predict, timesteps, alphas, num_corrections=num_corrections, passed=count.step
    )
    content_latents, style_latents = levels[-1].chunk(2)
    picture = adain(content_latents, style_latents) if match_statistics else content_latents
    with injection(model.unet, layers, processor):
        for index in reversed(range(len(timesteps))):
            noise = model.predict(torch.cat((levels[index + 1], picture)), timesteps[index]).chunk(3)[2]
            picture = ddim_step(picture, noise, alphas[index + 1], alphas[index])
            count.step()
    decoded = model.autoencoder.decode(picture)[:, :, : size[0], : size[1]]
    if not bool(decoded.isfinite().all()):
        raise ValueError(
            "`pipeline` gave a picture with NaN, or infinite values. Load it in another precision than "
            "float16: `load_pipeline(..., precision='bfloat16')`."
        )
    return decoded.clamp(0, 1).to(content)


def middle(image: Tensor, size: tuple[int, int]) -> Tensor:
    """The middle of an image in the shape of a size, scaled to it.

    Args:
        image: What is cut.
        size: Height and width of what comes back.
    """
    height, width = image.shape[2:]
    scale = min(height / size[0], width / size[1])
    rows, columns = (
        max(1, min(side, round(scale * wanted))) for side, wanted in zip((height, width), size, strict=True)
    )
    top, left = (height - rows) // 2, (width - columns) // 2
    return resize(image[:, :, top : top + rows, left : left + columns], size)


class _Count:
    """Counts steps for whoever wants to know."""

    def __init__(self, total: int, progress: Callable[[int, int], None] | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def step(self) -> None:
        """One more is done."""
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total)
