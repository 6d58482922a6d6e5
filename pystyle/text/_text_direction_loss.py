from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from pystyle._arguments import number
from pystyle.functional import cosine_distance
from pystyle.functional._precision import without_autocast
from pystyle.losses import Loss
from pystyle.losses._sampling import Draws
from pystyle.text._crops import RandomCrops
from pystyle.text._encoder import TextImageEncoder, checked_encoder, image_embeddings
from pystyle.text._looks import described, embeddings_of, with_looks, without_small
from pystyle.text._prompts import (
    Prompt,
    checked_templates,
    encoded_painting,
    encoded_text,
    parts_of,
    text_embedding,
    unit,
)
from pystyle.typing import IMAGE


class _Way(NamedTuple):
    content: Tensor
    direction: Tensor


class TextDirectionLoss(Loss):
    r"""Whether an image differs from its content as one text differs from another: one less the cosine.

    .. math:: 1 - \cos\bigl(E(x) - E(\text{content}),\; E(\text{text}) - E(\text{source})\bigr)

    What is asked for is a change and not a picture, so the content stays where the text says nothing of it.
    The encoder is part of the loss; the texts are encoded once, when it is made, and the content when it is
    bound. With `crops` each part of the image is compared with the whole content.

    Args:
        encoder: What knows images and texts.
        text: What the image becomes: a text, a painting, or several of both with weights. The direction of
            a painting is that from the content to it; directions of several are averaged.
        source: What the content is. If it says the same as `text`, there is no direction, and the loss is 1
            for every image.
        weight: Factor of the loss.
        templates: Sentences with ``{}`` in which texts are put; see :data:`IMAGENET_TEMPLATES`.
        crops: Look at these parts of the image, and average over them; at the whole image if not given.
        threshold: Losses below it count as 0, so that parts that are far enough on the way are left alone;
            Kwon and Ye take 0.7.
        reference: The name of the content.

    Raises:
        TypeError: If the encoder lacks a method, or a prompt is something else.
        ValueError: If a text is blank, or a weight or the threshold is negative.

    Shape:
        - image, content: (batch, 3, height, width), RGB in [0, 1], each of its own size

    Example:
        >>> import torch
        >>> from pystyle import Criterion
        >>> class Colours:
        ...     def encode_images(self, images):
        ...         return torch.nn.functional.normalize(images.mean((2, 3)), dim=1)
        ...     def encode_texts(self, texts):
        ...         return torch.eye(3)[["red green blue".split().index(text) for text in texts]]
        >>> red, green, blue = (each.reshape(1, 3, 1, 1).expand(1, 3, 8, 8) for each in torch.eye(3))
        >>> loss = TextDirectionLoss(Colours(), "red", source="green")
        >>> objective = Criterion(None, {"text": loss}).bind({"content": green})
        >>> [round(float(objective(image).total), 4) for image in (red, green, blue)]
        [0.0, 1.0, 0.5]

    Note:
        At an image that is the content itself there is no direction yet. There the loss is 1, and its
        gradient leads towards the text; see :func:`~pystyle.functional.cosine_distance`.

    References:
        Gal et al. *StyleGAN-NADA: CLIP-guided domain adaptation of image generators*. SIGGRAPH 2022,
        section 4.1. With crops and the threshold: Kwon, Ye. *CLIPstyler: image style transfer with a single
        text condition*. CVPR 2022, equations 2 to 4.
    """

    reference = "content"
    spatial = "set"
    direction: Tensor
    paintings: Tensor

    def __init__(
        self,
        encoder: TextImageEncoder,
        text: Prompt,
        *,
        source: Prompt = "a photo",
        weight: float = 1.0,
        templates: Sequence[str] = ("{}",),
        crops: RandomCrops | None = None,
        threshold: float = 0.0,
        reference: str | None = None,
    ) -> None:
        super().__init__(IMAGE, weight=weight, reference=reference)
        self.encoder = checked_encoder(encoder)
        self.text, self.source = text, source
        self.templates = checked_templates(templates)
        self.crops = crops
        self.threshold = number(threshold, "`threshold`", least=0)
        self._draws = Draws(0 if crops is None else crops.seed, resample=crops is not None and crops.resample)
        parts = parts_of(text)
        texts = [(part, share) for part, share in parts if isinstance(part, str)]
        paintings = [(part, share) for part, share in parts if isinstance(part, Tensor)]
        start = text_embedding(encoder, source, templates=templates)
        ends = [(encoded_text(encoder, each, templates), share) for each, share in texts]
        # What texts ask for is known; what paintings do depends on the content.
        self.register_buffer("direction", torch.zeros_like(start))
        for end, share in ends:
            self.direction += share * unit(end.to(start) - start)
        self.register_buffer("paintings", torch.zeros_like(start[:0]))
        self.shares = [share for _, share in paintings]
        if paintings:
            self.paintings = torch.cat([encoded_painting(encoder, each) for each, _ in paintings]).to(start)

    def represent(self, features: Tensor) -> Tensor:
        """The image as it is."""
        return features

    def prepare(self, representation: Tensor) -> _Way:
        """The embedding of the content, and the direction that leads away from it."""
        with without_autocast(representation):
            content = image_embeddings(self.encoder, representation)
            direction = self.direction.to(content)
            for painting, share in zip(self.paintings.to(content), self.shares, strict=True):
                direction = direction + share * unit(painting - content)
        return _Way(content, unit(direction))

    def compare(self, representation: Tensor, target: _Way) -> Tensor:
        """One less the cosine, averaged over the batch and the crops."""
        with without_autocast(representation):
            embeddings = embeddings_of(self.encoder, representation, self.crops, self._draws)
            distances = cosine_distance(embeddings - target.content, target.direction)
        return without_small(distances, self.threshold).mean()

    def magnitude(self, representation: Tensor, target: _Way) -> Tensor:
        """One: a direction has no size to be divided by."""
        del target
        return representation.new_ones(())

    def generators(self) -> Sequence[Generator]:
        """The generator of the crops that are drawn anew each time."""
        return self._draws.running

    def extra_repr(self) -> str:
        """The texts, and the arguments that are not the default."""
        source = f", source={described(self.source)}"
        reference = "" if self.reference == "content" else f", reference={self.reference!r}"
        return with_looks(self.text, self.weight, self.crops, self.threshold) + source + reference
