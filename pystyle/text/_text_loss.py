from collections.abc import Sequence

from torch import Generator, Tensor

from pystyle._arguments import number
from pystyle.functional import spherical_distance
from pystyle.functional._precision import without_autocast
from pystyle.losses import Loss
from pystyle.losses._sampling import Draws
from pystyle.text._crops import RandomCrops
from pystyle.text._encoder import TextImageEncoder, checked_encoder
from pystyle.text._looks import embeddings_of, with_looks, without_small
from pystyle.text._prompts import Prompt, checked_templates, text_embedding
from pystyle.typing import IMAGE


class TextLoss(Loss):
    """How far an image is from a text: half the squared angle between their embeddings.

    The encoder is part of the loss, and the text is encoded once, when it is made. It looks at the image
    itself and needs no reference, so ``Criterion(None, {"text": TextLoss(...)})`` is a criterion.

    Args:
        encoder: What knows images and texts.
        text: A text, a painting, or several of both with weights; see :func:`text_embedding`.
        weight: Factor of the loss.
        templates: Sentences with ``{}`` in which the text is put; see :data:`IMAGENET_TEMPLATES`.
        crops: Look at these parts of the image, and average over them; at the whole image if not given.
        threshold: Distances below it count as 0, so that parts that say enough are left alone.

    Raises:
        TypeError: If the encoder lacks a method, or the prompt is something else.
        ValueError: If the text is blank, or a weight or the threshold is negative.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1], of any size that the encoder takes

    Example:
        >>> import torch
        >>> from pystyle import Criterion
        >>> class Colours:
        ...     def encode_images(self, images):
        ...         return torch.nn.functional.normalize(images.mean((2, 3)), dim=1)
        ...     def encode_texts(self, texts):
        ...         return torch.eye(3)[["red green blue".split().index(text) for text in texts]]
        >>> objective = Criterion(None, {"text": TextLoss(Colours(), "red")}).bind({})
        >>> green = torch.tensor([0.0, 1.0, 0.0]).reshape(1, 3, 1, 1).expand(1, 3, 8, 8)
        >>> objective(green)   # (π / 2)² / 2
        text.image  1.234
        total       1.234

    Note:
        Networks such as CLIP put pictures and texts into two narrow cones of their space, some 75 degrees
        apart. So the loss never comes near 0, and what counts is how it falls.

    References:
        Crowson et al. *VQGAN-CLIP*. ECCV 2022, whose code has this distance.
    """

    reference = None
    spatial = "set"
    target: Tensor

    def __init__(
        self,
        encoder: TextImageEncoder,
        text: Prompt,
        *,
        weight: float = 1.0,
        templates: Sequence[str] = ("{}",),
        crops: RandomCrops | None = None,
        threshold: float = 0.0,
    ) -> None:
        super().__init__(IMAGE, weight=weight)
        self.encoder = checked_encoder(encoder)
        self.text = text
        self.templates = checked_templates(templates)
        self.crops = crops
        self.threshold = number(threshold, "`threshold`", least=0)
        self._draws = Draws(0 if crops is None else crops.seed, resample=crops is not None and crops.resample)
        self.register_buffer("target", text_embedding(encoder, text, templates=templates))

    def represent(self, features: Tensor) -> Tensor:
        """The distance itself, averaged over the batch and the crops."""
        with without_autocast(features):
            embeddings = embeddings_of(self.encoder, features, self.crops, self._draws)
            distances = spherical_distance(embeddings, self.target.to(embeddings))
        return without_small(distances, self.threshold).mean()

    def generators(self) -> Sequence[Generator]:
        """The generator of the crops that are drawn anew each time."""
        return self._draws.running

    def extra_repr(self) -> str:
        """The text, and the arguments that are not the default."""
        return with_looks(self.text, self.weight, self.crops, self.threshold)
