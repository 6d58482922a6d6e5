"""diffusers, which is imported when a pipeline is loaded or converted."""

import os
from types import ModuleType
from typing import Any, Literal, get_args

import torch

from pystyle._arguments import best_device, device_of, is_lack_of_memory

Precision = Literal["float32", "float16", "bfloat16"]


def diffusers_module() -> ModuleType:
    """The package diffusers.

    Raises:
        ImportError: If it, or what it needs, is missing; the message names the extra.
    """
    try:
        import diffusers
    except ImportError as error:
        raise ImportError(
            "Diffusion models need the package diffusers. Install it with "
            '`pip install "pystyle-nst[diffusion]"`.'
        ) from error
    module: ModuleType = diffusers
    return module


def load_pipeline(
    source: str | os.PathLike[str],
    *,
    device: torch.device | str | int | None = None,
    precision: Precision | None = None,
) -> Any:
    """A pipeline of diffusers from this machine; it needs the extra ``diffusion``.

    Args:
        source: A folder in the format of diffusers (with ``model_index.json``), or the name of a repository
            that lies in the cache of the hub. Nothing is downloaded.
        device: Where it is put; the accelerator if there is one, else the CPU.
        precision: The type of the weights. If not given, ``"float16"`` on an accelerator and ``"float32"`` on
            the CPU, where half precision is slow or missing.

    Returns:
        The pipeline, of the class that its folder names.

    Raises:
        ImportError: If diffusers is missing.
        OSError: If there is no such pipeline on this machine, or a file of it is damaged.
        ValueError: If an argument has an impossible value.

    Example:
        >>> pipeline = load_pipeline("stable-diffusion-v1-5")             # doctest: +SKIP
        >>> pipeline = load_pipeline("/models/sd15", device="cuda:1")     # doctest: +SKIP
    """
    diffusers = diffusers_module()
    if precision is not None and precision not in get_args(Precision):
        raise ValueError(f"`precision` must be one of {get_args(Precision)}, got {precision!r}.")
    device = best_device() if device is None else device_of(device)
    if precision is None:
        precision = "float32" if device.type == "cpu" else "float16"
    name = os.fspath(source)
    try:
        pipeline = diffusers.DiffusionPipeline.from_pretrained(
            name, dtype=getattr(torch, precision), local_files_only=True
        )
    except Exception as error:
        if isinstance(error, RuntimeError | MemoryError) and is_lack_of_memory(error):
            raise
        # diffusers, the hub and safetensors complain in their own ways.
        raise OSError(
            f"`source` must be a pipeline of diffusers on this machine, and {name!r} could not be loaded: "
            f"{_brief(error)} Give the folder that has its `model_index.json`, or download it first: "
            f"`hf download {name}`."
        ) from error
    return pipeline.to(device)


def _brief(error: Exception) -> str:
    """The first line of an error, as a sentence."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return line if line.endswith((".", "!", "?")) else f"{line}."
