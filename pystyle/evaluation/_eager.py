from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor

from pystyle.criterion import Criterion, Objective, Terms
from pystyle.criterion._objective import Part
from pystyle.criterion._represent import encode
from pystyle.evaluation._precision import in_precision, known_precision
from pystyle.evaluation._products import products_in
from pystyle.functional._precision import without_autocast
from pystyle.functional._root import root
from pystyle.typing import Precision, References


@dataclass(frozen=True)
class EagerEvaluation:
    """The whole image in one pass, operation by operation.

    Args:
        precision: Of the encoder: ``"float32"``; ``"tf32"``, which lets GPUs round the factors of products
            to 10 bits; ``"bfloat16"``; or ``"float16"``, for devices without bfloat16. Statistics and
            comparisons have float32 at least. An encoder in float64 stays in float64 with ``"float32"``.

    Raises:
        ValueError: If there is no such precision.

    Example:
        >>> import torch
        >>> from pystyle import Criterion, TotalVariationLoss
        >>> from pystyle.encoders import vgg19
        >>> criterion = Criterion(vgg19(weights=None), {"smoothness": TotalVariationLoss()})
        >>> evaluator = EagerEvaluation().bind(criterion, {})
        >>> terms, gradient = evaluator(torch.zeros(1, 3, 8, 8))
        >>> gradient.shape
        torch.Size([1, 3, 8, 8])

    Note:
        PyTorch lets the convolutions of a GPU use TF32 by default; here it is off unless asked for.
    """

    precision: Precision = "float32"

    def __post_init__(self) -> None:
        object.__setattr__(self, "precision", known_precision(self.precision))

    @torch.inference_mode(False)
    def bind(self, criterion: Criterion, references: References) -> "EagerEvaluator":
        """Represent the references in the same precision."""
        with products_in(self.precision):
            objective = in_precision(criterion, self.precision).bind(references)
        return EagerEvaluator(objective, precision=self.precision)


class EagerEvaluator:
    """An objective whose value and gradient are computed for the whole image in one pass.

    Args:
        objective: What is minimised.
        precision: Whether GPUs may use ``"tf32"``; half precision is a matter of the objective's encoder.

    Example:
        >>> import torch
        >>> from pystyle import Criterion, TotalVariationLoss
        >>> from pystyle.encoders import vgg19
        >>> objective = Criterion(vgg19(weights=None), {"smoothness": TotalVariationLoss()}).bind({})
        >>> terms, gradient = EagerEvaluator(objective)(torch.zeros(1, 3, 8, 8))
        >>> terms
        smoothness.image  0
        total             0
    """

    def __init__(self, objective: Objective, *, precision: Precision = "float32") -> None:
        precision = known_precision(precision)
        self.objective = objective
        self.precision = precision

    def weighted(self, factors: Mapping[str, float | Tensor]) -> "EagerEvaluator":
        """The evaluator with other weights; see :meth:`Objective.weighted <pystyle.Objective.weighted>`."""
        return EagerEvaluator(self.objective.weighted(factors), precision=self.precision)

    @torch.inference_mode(False)
    def __call__(self, image: Tensor) -> tuple[Terms, Tensor]:
        """The terms of an image without their graph, and the gradient of their total.

        The image is not changed and gets no ``.grad``.
        """
        self.objective.check(image)
        with torch.enable_grad(), products_in(self.precision):
            image = differentiable(image)
            groups: dict[tuple[str, ...], list[Part]] = {}
            for part in self.objective.parts:
                groups.setdefault(part.inputs(self.objective.encoder), []).append(part)
            inputs = [name for names in groups for name in names]
            features = encode(self.objective.encoder, image, inputs)
            terms: dict[str, Tensor] = {}
            for names, parts in groups.items():
                _attach([features[name] for name in names], parts, terms)
            # Zeros that take no memory: what is differentiated comes from the features themselves.
            outputs = _last([feature for feature in features.values() if feature.requires_grad])
            zeros = [feature.new_zeros(()).expand_as(feature) for feature in outputs]
            with without_autocast(image):
                (gradient,) = torch.autograd.grad(root(outputs, zeros), image)
        return Terms({part.name: terms[part.name] for part in self.objective.parts}), gradient

    @torch.no_grad()
    def terms(self, image: Tensor) -> Terms:
        """The terms of an image without their graph."""
        with products_in(self.precision):
            return self.objective(image.detach())


def differentiable(image: Tensor) -> Tensor:
    """The image as the leaf of a graph."""
    # A tensor of inference mode can never be one; its copy outside of it can.
    return (image.clone() if image.is_inference() else image).detach().requires_grad_()


def _attach(features: Sequence[Tensor], parts: Sequence[Part], terms: dict[str, Tensor]) -> None:
    """Compute the terms of some features, whose gradient is added when the backward pass comes to them.

    In one graph, autograd would compute the gradients of all layers before it frees any activation.
    """
    leaves = [feature.detach().requires_grad_() for feature in features]
    values = {part.name: part.value(*leaves) for part in parts}
    terms.update({name: value.detach() for name, value in values.items()})
    total = torch.stack(list(values.values())).sum()
    own: list[Tensor | None] = []

    def add(gradient: Tensor, index: int) -> Tensor:
        if not own:
            own.extend(torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True))
        added, own[index] = own[index], None
        return gradient + cast(Tensor, added)

    for index, feature in enumerate(features):
        if feature.requires_grad:
            feature.register_hook(partial(add, index=index))  # type: ignore[no-untyped-call]


def _last(tensors: list[Tensor]) -> list[Tensor]:
    """Those of the tensors that none of the others was computed from."""
    before: set[Any] = set()
    pending = [node for tensor in tensors for node, _ in _parents(tensor.grad_fn)]
    while pending:
        node = pending.pop()
        if node is not None and node not in before:
            before.add(node)
            pending += [parent for parent, _ in _parents(node)]
    return [tensor for tensor in tensors if tensor.grad_fn not in before and not tensor.is_leaf] or tensors


def _parents(node: Any) -> tuple[tuple[Any, int], ...]:
    return () if node is None else node.next_functions
