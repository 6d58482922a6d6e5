"""What the text losses share: how they look at an image, and how they describe themselves."""

import torch
from torch import Tensor

from pystyle.losses._sampling import Draws, with_options
from pystyle.text._crops import RandomCrops
from pystyle.text._encoder import TextImageEncoder, image_embeddings
from pystyle.text._prompts import Prompt


def embeddings_of(
    encoder: TextImageEncoder, images: Tensor, crops: RandomCrops | None, draws: Draws
) -> Tensor:
    """The embeddings of images, or of crops of them.

    Shape:
        - images: (batch, 3, height, width), RGB in [0, 1]
        - output: (crops or 1, batch, entries)
    """
    if crops is None:
        return image_embeddings(encoder, images)[None]
    seen = crops(images, generator=draws.generator())
    embeddings = image_embeddings(encoder, seen.flatten(0, 1))
    return embeddings.reshape(*seen.shape[:2], -1)


def without_small(distances: Tensor, threshold: float) -> Tensor:
    """The distances; those below the threshold are 0."""
    return torch.where(distances < threshold, 0, distances) if threshold else distances


def with_looks(text: Prompt, weight: float, crops: RandomCrops | None, threshold: float) -> str:
    """The text of a loss and those arguments that are not the default."""
    options: dict[str, tuple[object, object]] = {"crops": (crops, None), "threshold": (threshold, 0.0)}
    shown = described(text) + ("" if weight == 1 else f", weight={weight:g}")
    return with_options(shown, options)


def described(text: Prompt) -> str:
    """A prompt in a line: paintings by their size."""
    if isinstance(text, str):
        return repr(text)
    if isinstance(text, Tensor):
        return f"image of {text.shape[2]} x {text.shape[3]}"
    return "[" + ", ".join(f"({described(part)}, {weight:g})" for part, weight in text) + "]"
