"""CLIP and SigLIP of the package transformers, which is imported when an encoder is made."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from pystyle.text._folders import weights_folder
from pystyle.text._frozen_model import FrozenModel
from pystyle.text._preparation import Fit, Preparation, missing

_KINDS = ("clip", "siglip")
_INTERPOLATIONS = {2: "bilinear", 3: "bicubic"}


class TransformersEncoder(FrozenModel):
    """A CLIP or SigLIP model of transformers as an encoder of images and texts.

    Args:
        model: The model: a ``CLIPModel`` or ``SiglipModel``. It is frozen.
        tokenizer: What makes numbers of texts, as the model learnt them.
        image_processor: What says which size and which colours the model wants. Its numbers are read; images
            are prepared by torch, so that gradients flow through.
        fit: ``"whole"`` squeezes all of an image into what the model sees, so that each pixel counts;
            ``"center"`` takes the square in the middle, as the processor of CLIP does. That of SigLIP
            squeezes images, and so does this with both.

    Raises:
        ValueError: If it is another kind of model, or the processor does something else.

    Shape:
        - images: (batch, 3, height, width), RGB in [0, 1], of any size

    Example:
        >>> encoder = transformers_encoder("clip-vit-base-patch32")  # doctest: +SKIP
        >>> encoder.encode_texts(["a woodcut", "a photo"]).shape  # doctest: +SKIP
        torch.Size([2, 512])
    """

    def __init__(self, model: nn.Module, tokenizer: Any, image_processor: Any, *, fit: Fit = "whole") -> None:
        kind = getattr(getattr(model, "config", None), "model_type", type(model).__name__)
        if kind not in _KINDS:
            raise ValueError(f"`model` must be one of CLIP or SigLIP, got {kind!r}.")
        super().__init__(model)
        self.preparation = _preparation(image_processor, fit)
        self._tokenizer = tokenizer
        # SigLIP learnt texts that were filled up to its full length, CLIP looks at the last word.
        self._length: int = model.config.text_config.max_position_embeddings  # type: ignore[union-attr,assignment]
        self._padding = "max_length" if kind == "siglip" else True

    def encode_images(self, images: Tensor) -> Tensor:
        """The embeddings of images: (batch, entries)."""
        prepared = self.preparation(images.to(self._like.dtype))
        return _unit(self.model.get_image_features(pixel_values=prepared))  # type: ignore[operator]

    @torch.no_grad()
    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """The embeddings of texts: (texts, entries). What is too long for the model is cut off."""
        tokens = self._tokenizer(
            list(texts), padding=self._padding, max_length=self._length, truncation=True, return_tensors="pt"
        )
        known = {name: tokens[name].to(self._like.device) for name in tokens if name != "token_type_ids"}
        return _unit(self.model.get_text_features(**known))  # type: ignore[operator]


def transformers_encoder(name: str | os.PathLike[str], *, fit: Fit = "whole") -> TransformersEncoder:
    """A CLIP or SigLIP model of transformers, from a folder or the cache of the hub.

    Args:
        name: A folder as ``save_pretrained`` of transformers writes it, with the model, its tokenizer and
            its image processor; or a repository of the hub, such as ``"openai/clip-vit-base-patch32"``, that
            was downloaded before. Nothing is downloaded.
        fit: What of an image the model sees; see :class:`TransformersEncoder`.

    Returns:
        The encoder, in float32 and on the default device.

    Raises:
        ImportError: If transformers is missing.
        OSError: If there is no such folder, or it lacks a file.
        ValueError: If it holds another kind of model, or weights are missing.

    Example:
        >>> encoder = transformers_encoder("openai/clip-vit-base-patch32")  # doctest: +SKIP
    """
    try:
        import transformers
    except ImportError as error:
        raise ImportError(missing("transformers_encoder", "transformers")) from error
    folder = weights_folder(name)
    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    except ValueError as error:
        raise ValueError(
            f"`name` must be a folder with a CLIP or SigLIP model, got '{folder}': {error}"
        ) from error
    if config.model_type not in _KINDS:
        raise ValueError(
            f"`name` must be a folder with a CLIP or SigLIP model, got one with {config.model_type!r}: "
            f"'{folder}'."
        )
    model = _loaded(transformers.AutoModel, folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    processor = transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True)
    return TransformersEncoder(model.to(torch.get_default_device()), tokenizer, processor, fit=fit)


@contextmanager
def _without_bars() -> Iterator[None]:
    """A context in which transformers draws no bars on stderr, which programs may read."""
    from transformers.utils import logging

    enabled = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if enabled:
            logging.enable_progress_bar()


def _loaded(auto: Any, folder: Path) -> nn.Module:
    with _without_bars():
        model, found = auto.from_pretrained(
            folder, local_files_only=True, dtype=torch.float32, output_loading_info=True
        )
    # transformers makes up what a file lacks.
    if found["missing_keys"]:
        raise ValueError(
            f"`name` must be a folder with all weights of its model, got one without "
            f"{sorted(found['missing_keys'])[0]!r}: '{folder}'."
        )
    loaded: nn.Module = model
    return loaded


def _preparation(processor: Any, fit: Fit) -> Preparation:
    if getattr(processor, "image_mean", None) is None or processor.do_resize is False:
        raise ValueError(
            "`image_processor` must resize and normalise images, as those of CLIP and SigLIP do."
        )
    size, crop = processor.size, getattr(processor, "crop_size", None)
    cuts = bool(getattr(processor, "do_center_crop", False)) and crop is not None
    wanted = crop if cuts else size
    if wanted is None or "height" not in wanted:
        raise ValueError(f"`image_processor` must give all images one size, got {size}.")
    interpolation = _INTERPOLATIONS.get(int(processor.resample))
    if interpolation is None:
        raise ValueError(
            f"`image_processor` must resize by a bilinear or bicubic kernel, got {processor.resample}."
        )
    return Preparation(
        (wanted["height"], wanted["width"]),
        processor.image_mean,
        processor.image_std,
        fit=fit if cuts else "whole" if fit == "center" else fit,
        interpolation=interpolation,  # type: ignore[arg-type]
    )


def _unit(output: Any) -> Tensor:
    # Since version 5 the projected embedding comes with all that it was made of.
    features: Tensor = output if isinstance(output, Tensor) else output.pooler_output
    return normalize(features, dim=-1)
