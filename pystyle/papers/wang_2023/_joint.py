from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pystyle.criterion import Criterion, Terms
from pystyle.evaluation import EagerEvaluation, Evaluation, Evaluator
from pystyle.evaluation._evaluation import weighted
from pystyle.papers.wang_2023._signals import LAYER, ContrastiveStyleLoss, SignalEncoder
from pystyle.typing import References

LOSS = "contrast"
"""The name of the contrastive loss in the criterion."""
ENCODER = "network"
"""The name of the encoder of the signals."""


@dataclass(frozen=True)
class JointEvaluation:
    """An evaluation by which the contrast trains what makes the signals, as in the authors' code.

    A criterion gives the gradient at the pictures, and so the weights of the style encoder and of the
    modulator learn of the contrast through the pictures alone. With this evaluation they also get the
    gradient of the signals themselves, of the pictures and of the styles: it is added to their ``.grad``.

    Args:
        evaluation: How the criterion is computed otherwise.

    Example:
        >>> from pystyle.encoders import vgg19
        >>> from pystyle.papers import wang_2023
        >>> network = wang_2023.network(width=2)
        >>> criterion, images = wang_2023.criterion(network, vgg19(weights=None)), torch.rand(2, 3, 32, 32)
        >>> evaluator = JointEvaluation().bind(criterion, {"content": images, "style": images})
        >>> terms, gradient = evaluator(images)
        >>> network.style_encoder.convolutions[0].weight.grad.shape
        torch.Size([2, 3, 9, 9])

    Note:
        It is for :func:`pystyle.training.train` in one process, and without its `balance`, which evaluates
        several times in the first step.
    """

    evaluation: Evaluation = EagerEvaluation()

    def bind(self, criterion: Criterion, references: References) -> Evaluator:
        """Represent the references.

        Raises:
            ValueError: If the criterion is not one of :func:`pystyle.papers.wang_2023.criterion`.
            TypeError: If the style is no tensor.
        """
        evaluator = self.evaluation.bind(criterion, references)
        loss, style = criterion.named_losses.get(LOSS), references.get("style")
        if loss is None:
            # A phase without it.
            return evaluator
        encoder = getattr(criterion.encoder, "encoders", {ENCODER: None})[ENCODER]
        if not isinstance(encoder, SignalEncoder) or not isinstance(loss, ContrastiveStyleLoss):
            raise ValueError(
                "`criterion` must be one of `wang_2023.criterion`, with the signals of a network and their "
                f"contrast, got {type(criterion.encoder).__name__} and {type(loss).__name__}."
            )
        if not isinstance(style, Tensor):
            raise TypeError(f'`references["style"]` must be a batch of images, got a {type(style).__name__}.')
        return _JointEvaluator(evaluator, encoder, loss, style, loss.weight)


@dataclass(frozen=True, eq=False)
class _JointEvaluator:
    """What :class:`JointEvaluation` binds; the weight is that of the contrast."""

    evaluator: Evaluator
    encoder: SignalEncoder
    loss: ContrastiveStyleLoss
    style: Tensor
    weight: float | Tensor

    def weighted(self, factors: Mapping[str, float | Tensor]) -> "_JointEvaluator":
        """The evaluator with other weights."""
        weight = self.weight * factors.get(LOSS, 1.0)
        return _JointEvaluator(weighted(self.evaluator, factors), self.encoder, self.loss, self.style, weight)

    def __call__(self, image: Tensor) -> tuple[Terms, Tensor]:
        """The terms and the gradient at the image; that of the signals goes to the weights."""
        with torch.enable_grad():
            own, theirs = (
                self.loss.represent(self.encoder(seen.detach(), [LAYER])[LAYER])
                for seen in (image, self.style)
            )
            pairs = zip(torch.split(own, 1), torch.split(theirs, 1), strict=True)
            value = torch.stack([self.loss.compare(*pair) for pair in pairs]).mean()
            (self.weight * value).backward()  # type: ignore[no-untyped-call]
        return self.evaluator(image)

    def terms(self, image: Tensor) -> Terms:
        """The terms of an image without their graph."""
        return self.evaluator.terms(image)
