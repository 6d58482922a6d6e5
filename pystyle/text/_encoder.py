from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn


class TextImageEncoder(Protocol):
    """What puts images and texts into one space, where those that belong together lie side by side.

    Any object with these two methods is one; CLIP and SigLIP are by :func:`open_clip_encoder` and
    :func:`transformers_encoder`. If it is a module, the losses freeze it.

    Example:
        >>> import torch
        >>> class Colours:
        ...     '''The mean colour of an image, and three words.'''
        ...     words = {"red": [1.0, 0.0, 0.0], "green": [0.0, 1.0, 0.0], "blue": [0.0, 0.0, 1.0]}
        ...     def encode_images(self, images):
        ...         return torch.nn.functional.normalize(images.mean((2, 3)), dim=1)
        ...     def encode_texts(self, texts):
        ...         return torch.tensor([self.words[text] for text in texts])
        >>> encoder: TextImageEncoder = Colours()
        >>> encoder.encode_images(torch.rand(2, 3, 8, 8)).shape
        torch.Size([2, 3])
    """

    def encode_images(self, images: Tensor) -> Tensor:
        """The embeddings of images of any size, of length 1; gradients flow through.

        Shape:
            - images: (batch, 3, height, width), RGB in [0, 1]
            - output: (batch, entries)
        """

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """The embeddings of texts, of length 1.

        Shape:
            - output: (texts, entries)
        """


def checked_encoder(encoder: Any) -> TextImageEncoder:
    """An encoder; frozen and in evaluation mode, if it is a module.

    Raises:
        TypeError: If it lacks one of the methods.
    """
    methods = ("encode_images", "encode_texts")
    if isinstance(encoder, type) or not all(callable(getattr(encoder, name, None)) for name in methods):
        kind = f"the class {encoder.__name__}" if isinstance(encoder, type) else f"a {type(encoder).__name__}"
        raise TypeError(
            "`encoder` must have the methods `encode_images` and `encode_texts`, as "
            f"`transformers_encoder(folder)` has, got {kind}."
        )
    if isinstance(encoder, nn.Module):
        encoder.requires_grad_(False).eval()
    found: TextImageEncoder = encoder
    return found


def image_embeddings(encoder: TextImageEncoder, images: Tensor) -> Tensor:
    """The embeddings of images, in their type, or in float32 where that is more."""
    return encoder.encode_images(images).to(torch.promote_types(images.dtype, torch.float32))
