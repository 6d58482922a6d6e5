from collections.abc import Callable, Sequence
from typing import get_args

import torch
from torch import Tensor, nn

from pystyle.functional import generator_loss
from pystyle.functional._precision import without_autocast
from pystyle.losses._loss import Loss
from pystyle.typing import IMAGE, AdversarialKind

Augmentation = Callable[[Tensor], Tensor]


class AdversarialLoss(Loss):
    """What a discriminator thinks of the image: small if it takes it for one of the style's.

    The discriminator is part of the loss, and stays as it is here. What makes it better at its work is an
    :class:`~pystyle.training.Adversary` of :func:`~pystyle.training.train`. Without one, it is a judge that
    was trained before: an image can be optimised against it as against any other loss.

    Args:
        discriminator: A module that gives scores for images: a tensor, or one for each of several scales,
            which count alike. It is frozen; an adversary trains the parameters that were trainable. Call
            its ``requires_grad_(True)`` before you put it into another loss. It computes in the type of its
            parameters, also under `torch.autocast`.
        kind: Which game it plays: ``"minimax"``, ``"non-saturating"``, ``"least-squares"``, ``"hinge"`` or
            ``"wasserstein"``; see :func:`~pystyle.functional.generator_loss`.
        weight: Factor of the loss.
        conditional: Whether the discriminator sees the content as well, in three channels before those of the
            image. The batch is then judged image by image.
        augmentation: What is done to all images before they are judged, such as
            :func:`~pystyle.functional.differentiable_augmentation`, so that the discriminator cannot learn a
            small collection by heart.

    Raises:
        TypeError: If the discriminator is no module.
        ValueError: If there is no such kind, or both `conditional` and `augmentation` are given.

    Example:
        >>> import torch
        >>> from pystyle import Criterion
        >>> from pystyle.networks import PatchDiscriminator
        >>> loss = AdversarialLoss(PatchDiscriminator(width=4), kind="hinge")
        >>> terms = Criterion(None, {"adversarial": loss}).bind({})(torch.rand(1, 3, 70, 70))
        >>> list(terms)
        ['adversarial.image']

    References:
        Goodfellow et al. *Generative adversarial nets*. NeurIPS 2014. Of patches, and conditional: Isola et
        al. *Image-to-image translation with conditional adversarial networks*. CVPR 2017.
    """

    reference = None
    spatial = "set"

    def __init__(
        self,
        discriminator: nn.Module,
        kind: AdversarialKind = "least-squares",
        *,
        weight: float = 1.0,
        conditional: bool = False,
        augmentation: Augmentation | None = None,
    ) -> None:
        super().__init__(IMAGE, weight=weight)
        if not isinstance(discriminator, nn.Module):
            raise TypeError(
                "`discriminator` must be a module that gives scores, such as `PatchDiscriminator()`, got a "
                f"{type(discriminator).__name__}."
            )
        if kind not in get_args(AdversarialKind):
            raise ValueError(f"`kind` must be one of {get_args(AdversarialKind)}, got {kind!r}.")
        if conditional and augmentation is not None:
            raise ValueError(
                "`augmentation` must be left out with `conditional`: it would move the image and its content "
                "apart."
            )
        self.kind, self.conditional, self.augmentation = kind, conditional, augmentation
        if conditional:
            self.reference = "content"
        self.trainable = tuple(
            name for name, parameter in discriminator.named_parameters() if parameter.requires_grad
        )
        self.discriminator = discriminator.requires_grad_(False)

    def scores(self, image: Tensor, content: Tensor | None = None) -> list[Tensor]:
        """The scores that the discriminator gives, for each of its scales.

        Args:
            image: The images.
            content: Their contents, if it sees them.

        Shape:
            - image, content: (batch, 3, height, width), RGB in [0, 1]
        """
        seen = image if self.augmentation is None else self.augmentation(image)
        if content is not None:
            seen = torch.cat([content, seen], 1)
        # Slopes of a discriminator, and penalties of them, are too coarse in half precision.
        with without_autocast(seen):
            found = self.discriminator(seen.to(self._dtype(seen)))
        # A judge of float32 can be asked by a run in float64, or in half precision.
        dtype = torch.promote_types(image.dtype, torch.float32)
        return [scores.to(dtype) for scores in ([found] if isinstance(found, Tensor) else found)]

    def represent(self, features: Tensor) -> Tensor:
        """The judgement; the image itself if the discriminator sees the content, too."""
        return features if self.conditional else self._judgement(self.scores(features))

    def compare(self, representation: Tensor, target: Tensor | None) -> Tensor:
        """The judgement."""
        return representation if target is None else self._judgement(self.scores(representation, target))

    def magnitude(self, representation: Tensor, target: Tensor | None) -> Tensor:
        """One: a judgement has no size to be divided by."""
        del target
        return representation.new_ones(())

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        parts = [f"kind={self.kind!r}"]
        if self.weight != 1:
            parts.append(f"weight={self.weight:g}")
        if self.conditional:
            parts.append("conditional=True")
        return ", ".join(parts)

    def _judgement(self, scores: Sequence[Tensor]) -> Tensor:
        return torch.stack([generator_loss(each, self.kind) for each in scores]).mean()

    def _dtype(self, image: Tensor) -> torch.dtype:
        return next((parameter.dtype for parameter in self.discriminator.parameters()), image.dtype)
