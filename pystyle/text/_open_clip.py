"""Models of the package open_clip, which is imported when an encoder is made."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pystyle.encoders._construction import construction
from pystyle.text._folders import weights_folder
from pystyle.text._frozen_model import FrozenModel
from pystyle.text._preparation import Fit, Preparation, missing

_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth")


class OpenClipEncoder(FrozenModel):
    """A model of open_clip as an encoder of images and texts.

    Args:
        model: The model, such as one of ``open_clip.create_model``. It is frozen. How it wants images is read
            from its ``preprocess_cfg``.
        tokenizer: What makes numbers of texts, as ``open_clip.get_tokenizer`` gives it.
        fit: ``"whole"`` squeezes all of an image into what the model sees, so that each pixel counts;
            ``"center"`` takes the square in the middle, as open_clip does with most models. Those that
            squeeze images by their configuration are given them squeezed with both.

    Raises:
        ValueError: If the model does not say how it wants images.

    Shape:
        - images: (batch, 3, height, width), RGB in [0, 1], of any size

    Example:
        >>> import open_clip  # doctest: +SKIP
        >>> model = open_clip.create_model("ViT-B-32", pretrained="weights.bin")  # doctest: +SKIP
        >>> encoder = OpenClipEncoder(model, open_clip.get_tokenizer("ViT-B-32"))  # doctest: +SKIP
    """

    def __init__(
        self, model: nn.Module, tokenizer: Callable[[list[str]], Tensor], *, fit: Fit = "whole"
    ) -> None:
        visual: Any = getattr(model, "visual", None)
        config = getattr(visual, "preprocess_cfg", None)
        if config is None:
            raise ValueError(
                "`model` must have `visual.preprocess_cfg`, as models of `open_clip.create_model` have, got "
                f"a {type(model).__name__}."
            )
        super().__init__(model)
        self.preparation = _preparation(config, fit)
        self._tokenizer = tokenizer

    def encode_images(self, images: Tensor) -> Tensor:
        """The embeddings of images: (batch, entries)."""
        prepared = self.preparation(images.to(self._like.dtype))
        found: Tensor = self.model.encode_image(prepared, normalize=True)  # type: ignore[operator]
        return found

    @torch.no_grad()
    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """The embeddings of texts: (texts, entries). What is too long for the model is cut off."""
        tokens = self._tokenizer(list(texts)).to(self._like.device)
        found: Tensor = self.model.encode_text(tokens, normalize=True)  # type: ignore[operator]
        return found


def open_clip_encoder(name: str | os.PathLike[str], *, fit: Fit = "whole") -> OpenClipEncoder:
    """A model of open_clip, from a folder or the cache of the hub.

    Args:
        name: A folder with ``open_clip_config.json`` and weights; or a repository of the hub, such as
            ``"laion/CLIP-ViT-B-32-laion2B-s34B-b79K"``, that was downloaded before. Nothing is downloaded.
        fit: What of an image the model sees; see :class:`OpenClipEncoder`.

    Returns:
        The encoder, in float32 and on the default device.

    Raises:
        ImportError: If open_clip is missing.
        OSError: If there is no such folder, or it lacks a file.
        ValueError: If the model is one that open_clip does not know.

    Example:
        >>> encoder = open_clip_encoder("laion/CLIP-ViT-B-32-laion2B-s34B-b79K")  # doctest: +SKIP
    """
    try:
        import open_clip
    except ImportError as error:
        raise ImportError(missing("open_clip_encoder", "open_clip_torch")) from error
    folder = weights_folder(name)
    if not (folder / "open_clip_config.json").is_file():
        raise OSError(f"`name` must be a folder with the file open_clip_config.json, got '{folder}'.")
    # open_clip makes up weights where it finds none.
    if not any(path.suffix in _WEIGHTS for path in folder.iterdir()):
        raise OSError(
            f"`name` must be a folder with weights, such as open_clip_model.safetensors, got '{folder}'."
        )
    source = f"local-dir:{folder}"
    device = torch.get_default_device()
    try:
        with construction():
            model = open_clip.create_model(source, device=device, require_pretrained=True)
    except RuntimeError as error:
        raise ValueError(
            f"`name` must be a folder with a model of open_clip, got '{folder}': {error}"
        ) from error
    return OpenClipEncoder(model, open_clip.get_tokenizer(source), fit=fit)


def _preparation(config: Any, fit: Fit) -> Preparation:
    size = config["size"]
    height, width = (size, size) if isinstance(size, int) else size[-2:]
    mode = config.get("resize_mode") or "shortest"
    if fit == "center" and mode == "longest":
        raise ValueError("`fit` must be 'whole' for this model, which pads images instead of cutting them.")
    return Preparation(
        (height, width),
        config["mean"],
        config["std"],
        fit="whole" if mode == "squash" and fit == "center" else fit,
        interpolation="bilinear" if config.get("interpolation") == "bilinear" else "bicubic",
    )
