"""What all calls of a pipeline have in common."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from pystyle._arguments import check_mapping, number, seed_number


def generators(seed: int | None, count: int) -> list[torch.Generator]:
    """A generator for each image of a batch, all with the same seed: each image gets what it gets alone."""
    found = [torch.Generator("cpu") for _ in range(count)]
    for generator in found:
        if seed is None:
            generator.seed()
        else:
            generator.manual_seed(seed_number(seed))
    return found


def call_options(
    prompt: str, negative_prompt: str | None, guidance: float | None, options: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The arguments that text needs; what is None is left to the pipeline."""
    if not isinstance(prompt, str):
        raise TypeError(f"`prompt` must be text, got a {type(prompt).__name__}.")
    check_mapping(options or {}, "`options`", "options={'clip_skip': 1}")
    found: dict[str, Any] = dict(options or {})
    if negative_prompt is not None:
        if not isinstance(negative_prompt, str):
            raise TypeError(f"`negative_prompt` must be text, got a {type(negative_prompt).__name__}.")
        found["negative_prompt"] = negative_prompt
    if guidance is not None:
        found["guidance_scale"] = number(guidance, "`guidance`", least=0)
    return found


def picture_of(output: Any) -> Tensor:
    """The images of a pipeline, (batch, 3, height, width) in [0, 1].

    Raises:
        RuntimeError: If its safety checker has blackened one, or it has NaN.
    """
    if any(getattr(output, "nsfw_content_detected", None) or ()):
        raise RuntimeError(
            "The safety checker of the pipeline has blackened the picture. Take another seed or prompt, or a "
            "pipeline without one (`pipeline.safety_checker = None`)."
        )
    images: Tensor = output.images
    if not bool(images.isfinite().all()):
        raise RuntimeError(
            "The pipeline gave a picture with NaN. Some autoencoders overflow in float16: put that one in "
            "float32 with `pipeline.vae.float()`, or load all with `load_pipeline(..., "
            "precision='bfloat16')`."
        )
    return images.clamp(0, 1)


def size_multiple(pipeline: Any) -> int:
    """What the sides of an image must be a multiple of."""
    processor = getattr(pipeline, "image_processor", None)
    config = getattr(processor, "config", None)
    factor = getattr(config, "vae_scale_factor", None) or getattr(pipeline, "vae_scale_factor", None) or 8
    # Pipelines ask for multiples of 8 whatever their autoencoder does.
    return math.lcm(int(factor), 8)
