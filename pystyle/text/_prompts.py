"""Prompts: texts, paintings, and blends of both."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from pystyle._arguments import check_image, check_range, number
from pystyle.text._encoder import TextImageEncoder, checked_encoder, image_embeddings

Prompt: TypeAlias = str | Tensor | Sequence[tuple[str | Tensor, float]]
"""A text, a painting, or several of both with weights."""

Part: TypeAlias = tuple[str | Tensor, float]
"""A text or a painting, and its share of a prompt."""


def text_embedding(encoder: TextImageEncoder, text: Prompt, *, templates: Sequence[str] = ("{}",)) -> Tensor:
    """The embedding of a prompt.

    Args:
        encoder: The encoder.
        text: A text; a painting; or several of both as a list of ``(prompt, weight)``, whose embeddings are
            averaged. Weights count relative to their sum.
        templates: Sentences with ``{}``, in whose place each text is put. The embeddings of all are
            averaged; see :data:`IMAGENET_TEMPLATES`.

    Returns:
        A vector of length 1.

    Raises:
        ValueError: If a text is blank, a template has no ``{}``, or weights are negative or sum to zero.
        TypeError: If the prompt is something else.

    Shape:
        - painting: (1, 3, height, width), RGB in [0, 1]
        - output: (1, entries)

    Example:
        >>> import torch
        >>> class Lengths:
        ...     def encode_images(self, images):
        ...         return torch.eye(1, 2).expand(len(images), -1)
        ...     def encode_texts(self, texts):
        ...         return torch.tensor([[0.6, 0.8] if len(text) > 5 else [0.8, 0.6] for text in texts])
        >>> text_embedding(Lengths(), [("fire", 1), ("a woodcut", 1)])
        tensor([[0.7071, 0.7071]])

    References:
        Radford et al. *Learning transferable visual models from natural language supervision*. ICML 2021,
        section 3.1.4: prompts are put into templates, and their embeddings averaged.
    """
    encoder = checked_encoder(encoder)
    parts = parts_of(text)
    checked_templates(templates)
    embeddings = [_embedding(encoder, part, templates) for part, _ in parts]
    return blended(embeddings, [share for _, share in parts])


def parts_of(text: Any, name: str = "text") -> list[Part]:
    """The texts and paintings of a prompt, with shares that sum to one; those without weight are left out.

    Raises:
        ValueError: If a text is blank, or weights are negative or sum to zero.
        TypeError: If it is something else.
    """
    given = [(text, 1.0)] if isinstance(text, str | Tensor) else text
    if not isinstance(given, Sequence) or not all(isinstance(each, tuple | list) for each in given):
        raise TypeError(
            f"`{name}` must be a text, an image, or a list of (prompt, weight), got a {type(text).__name__}."
        )
    if any(len(each) != 2 for each in given):
        raise ValueError(f"`{name}` must have a weight for each prompt: [('fire', 0.7), (painting, 0.3)].")
    weights = [number(weight, f"A weight of `{name}`", least=0) for _, weight in given]
    if not sum(weights) > 0:
        raise ValueError(f"The weights of `{name}` must have a sum above 0, got {weights}.")
    for part, _ in given:
        _check_part(part, name)
    return [(part, each / sum(weights)) for (part, _), each in zip(given, weights, strict=True) if each]


def _check_part(part: Any, name: str) -> None:
    if isinstance(part, str):
        if not part.strip():
            raise ValueError(f"`{name}` must say something, got a blank text.")
    elif isinstance(part, Tensor):
        check_image(part, f"An image of `{name}`")
        check_range(part, f"An image of `{name}`")
        if part.shape[0] != 1:
            raise ValueError(f"An image of `{name}` must be a single one, got a batch of {part.shape[0]}.")
    else:
        raise TypeError(f"`{name}` must have texts and images as its prompts, got a {type(part).__name__}.")


def checked_templates(templates: Sequence[str]) -> tuple[str, ...]:
    """The templates as a tuple.

    Raises:
        TypeError: If they are no texts, or a single one.
        ValueError: If there are none, or one has no place for a prompt.
    """
    if isinstance(templates, str):
        raise TypeError(f"`templates` must be a sequence of texts, got one. Use [{templates!r}].")
    found = tuple(templates)
    if not found:
        raise ValueError("`templates` must have at least one template, got none. ('{}',) changes nothing.")
    for template in found:
        if not isinstance(template, str):
            raise TypeError(f"`templates` must be texts, got a {type(template).__name__}.")
        if "{}" not in template:
            raise ValueError(f"`templates` must have {{}} where the prompt belongs, got {template!r}.")
    return found


@torch.no_grad()
def encoded_text(encoder: TextImageEncoder, text: str, templates: Sequence[str]) -> Tensor:
    """The mean of the embeddings of a text in all templates, of length 1: (1, entries)."""
    found = encoder.encode_texts([template.replace("{}", text) for template in templates])
    found = found.to(torch.promote_types(found.dtype, torch.float32))
    return unit(found.mean(0, keepdim=True))


@torch.no_grad()
def encoded_painting(encoder: TextImageEncoder, painting: Tensor) -> Tensor:
    """The embedding of a painting: (1, entries)."""
    return image_embeddings(encoder, painting.detach())


def _embedding(encoder: TextImageEncoder, part: str | Tensor, templates: Sequence[str]) -> Tensor:
    if isinstance(part, str):
        return encoded_text(encoder, part, templates)
    return encoded_painting(encoder, part)


def blended(vectors: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """The weighted mean of vectors, of length 1; 0 where they cancel."""
    weighted = [share * vector.to(vectors[0]) for vector, share in zip(vectors, shares, strict=True)]
    return unit(torch.stack(weighted).sum(0))


def unit(vectors: Tensor) -> Tensor:
    """The vectors along the last axis with length 1; those that are rounding error become 0."""
    lengths = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return torch.where(lengths > 1e-6, vectors / lengths.clamp_min(1e-6), 0.0)
