import inspect
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from pystyle._arguments import check_image, check_range, number, whole_number
from pystyle.diffusion._call import call_options, generators, picture_of, size_multiple
from pystyle.diffusion._load import diffusers_module


@torch.no_grad()
def refine_image(
    image: Tensor,
    pipeline: Any,
    *,
    prompt: str = "",
    negative_prompt: str | None = None,
    strength: float = 0.3,
    num_steps: int = 50,
    guidance: float | None = None,
    seed: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> Tensor:
    """A picture that a diffusion model has gone over: noise is added to its latents, and taken off again.

    The model paints anew what the noise has hidden, and keeps what is coarser. So a painted picture gets the
    details that the model knows, and loses noise and half-painted strokes.

    Args:
        image: The picture, such as `Result.image` of a run.
        pipeline: A pipeline of diffusers that goes from image to image, or one that goes from text to image,
            of which the other is made with the same weights; see :func:`load_pipeline`.
        prompt: What is to be seen, and how it is painted.
        negative_prompt: What is not to be seen; the pipeline's own if not given.
        strength: The share of the noise that is added, and of the steps that are taken: about 0.2 changes
            texture, 0.5 objects, and 1 forgets the picture.
        num_steps: Steps from pure noise; the integer part of `strength` times as many are taken.
        guidance: How much the prompt counts; the pipeline's own factor if not given.
        seed: Of the noise; None for another one each time. Each image of a batch gets the same.
        options: Further arguments of the pipeline's call.

    Returns:
        The picture, in the size, the type and on the device of `image`.

    Raises:
        TypeError: If `pipeline` does not go from image to image, or `image` is not a floating tensor.
        ValueError: If an argument has an impossible value, or no step would be taken.
        RuntimeError: If the safety checker blackened the picture, or it has NaN.

    Shape:
        - image, output: (batch, 3, height, width), RGB in [0, 1], any size: the border is repeated up to a
          multiple of the model's factor

    Example:
        >>> from pystyle import stylize
        >>> painted = stylize("photo.jpg", "painting.jpg").image                     # doctest: +SKIP
        >>> pipeline = load_pipeline("stable-diffusion-v1-5")                        # doctest: +SKIP
        >>> refined = refine_image(painted, pipeline, prompt="an oil painting", seed=0)  # doctest: +SKIP

    References:
        Meng, He, Song, Song, Wu, Zhu, Ermon. *SDEdit: guided image synthesis and editing with stochastic
        differential equations*. ICLR 2022.
    """
    check_image(image, "`image`")
    check_range(image, "`image`")
    strength = number(strength, "`strength`", above=0, most=1)
    num_steps = whole_number(num_steps, "`num_steps`", least=1)
    if int(num_steps * strength) < 1:
        raise ValueError(
            f"`num_steps` must be at least {math.ceil(1 / strength)} for a step at the "
            f"strength {strength:g}, got {num_steps}: their product is the number of steps that are taken."
        )
    arguments = call_options(prompt, negative_prompt, guidance, options)
    refiner = _image_to_image(pipeline)
    multiple = size_multiple(refiner)
    height, width = image.shape[2:]
    padded = pad(image, (0, -width % multiple, 0, -height % multiple), mode="replicate")
    if "negative_prompt" in arguments:
        arguments["negative_prompt"] = [arguments["negative_prompt"]] * len(image)
    output = refiner(
        prompt=[prompt] * len(image),
        image=padded.float(),
        strength=strength,
        num_inference_steps=num_steps,
        generator=generators(seed, len(image)),
        output_type="pt",
        **arguments,
    )
    return picture_of(output)[:, :, :height, :width].to(image)


def _image_to_image(pipeline: Any) -> Any:
    """The pipeline itself if it goes from image to image, or one with the same weights that does."""
    if isinstance(pipeline, type) or not callable(pipeline):
        kind = pipeline.__name__ if isinstance(pipeline, type) else f"a {type(pipeline).__name__}"
        raise TypeError(
            "`pipeline` must be a pipeline of diffusers, got "
            f"{kind}. `pystyle.diffusion.load_pipeline` reads one from a folder."
        )
    parameters = inspect.signature(pipeline.__call__).parameters
    if "image" in parameters and "strength" in parameters:
        return pipeline
    try:
        refiner = diffusers_module().AutoPipelineForImage2Image.from_pipe(pipeline)
    except (AttributeError, ValueError) as error:
        raise TypeError(
            "`pipeline` must go from image to image, or have weights of which diffusers knows such a "
            f"pipeline, got a {type(pipeline).__name__}."
        ) from error
    # The new one has the weights and the scheduler, but not what was said about the bar.
    refiner.set_progress_bar_config(**getattr(pipeline, "_progress_bar_config", {}))
    return refiner
