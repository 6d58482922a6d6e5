from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from pystyle._arguments import pixel_size, whole_number
from pystyle.diffusion._call import call_options, generators, picture_of, size_multiple


@torch.no_grad()
def generate_image(
    pipeline: Any,
    prompt: str,
    *,
    size: tuple[int, int],
    negative_prompt: str | None = None,
    num_steps: int = 50,
    guidance: float | None = None,
    seed: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> Tensor:
    """A picture of a diffusion model, for example as the `init` or the content of a run.

    Args:
        pipeline: A pipeline of diffusers that goes from text to image; see :func:`load_pipeline`.
        prompt: What is to be seen.
        size: Height and width in pixels. It is made in the next larger size that the model knows, and cut.
        negative_prompt: What is not to be seen; the pipeline's own if not given.
        num_steps: Steps from pure noise.
        guidance: How much the prompt counts; the pipeline's own factor if not given.
        seed: Of the noise; None for another one each time.
        options: Further arguments of the pipeline's call.

    Returns:
        One picture in float32, on the device of the pipeline.

    Raises:
        TypeError: If `pipeline` cannot be called, or `prompt` is not text.
        ValueError: If an argument has an impossible value.
        RuntimeError: If the safety checker blackened the picture, or it has NaN.

    Shape:
        - output: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> from pystyle import stylize
        >>> pipeline = load_pipeline("stable-diffusion-v1-5")                              # doctest: +SKIP
        >>> boat = generate_image(pipeline, "a boat at sea", size=(512, 640), seed=0)      # doctest: +SKIP
        >>> stylize(boat, "painting.jpg").image.shape                                      # doctest: +SKIP
        torch.Size([1, 3, 512, 640])
    """
    height, width = pixel_size(size, "`size`")
    num_steps = whole_number(num_steps, "`num_steps`", least=1)
    arguments = call_options(prompt, negative_prompt, guidance, options)
    if isinstance(pipeline, type) or not callable(pipeline):
        kind = pipeline.__name__ if isinstance(pipeline, type) else f"a {type(pipeline).__name__}"
        raise TypeError(
            f"`pipeline` must be a pipeline of diffusers that goes from text to image, got {kind}."
        )
    multiple = size_multiple(pipeline)
    output = pipeline(
        prompt=prompt,
        height=height + -height % multiple,
        width=width + -width % multiple,
        num_inference_steps=num_steps,
        generator=generators(seed, 1),
        output_type="pt",
        **arguments,
    )
    return picture_of(output)[:, :, :height, :width].float()
