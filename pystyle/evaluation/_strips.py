from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pystyle._arguments import whole_number
from pystyle.criterion import Criterion, Objective, Terms
from pystyle.criterion._gradient_norms import image_norms
from pystyle.criterion._objective import Part
from pystyle.criterion._represent import add_share, check_strips
from pystyle.encoders import BandPass, LayerRows, StripPass
from pystyle.evaluation._eager import EagerEvaluator, differentiable
from pystyle.evaluation._precision import in_precision, known_precision
from pystyle.evaluation._products import products_in
from pystyle.evaluation._workers import Workers, all_workers
from pystyle.functional._precision import without_autocast
from pystyle.losses._representation import changed, tensors_of
from pystyle.typing import IMAGE, Precision, References, Representation


@dataclass(frozen=True)
class StripEvaluation:
    """The image in strips of rows, exactly, for images whose features do not fit into memory.

    A first pass without gradients adds up the representations, a second one computes each strip
    again and hands it its part of the gradient. Criteria that normalise gradients take one more
    pass forward between them, for the norms. The numbers are those of the whole image, up to
    the order of sums. Losses at the layer ``"image"`` see the whole image.

    Args:
        rows: Height of a strip, in rows of each block of the encoder. Lower ones need less memory
            and compute more rows twice.
        precision: Of the encoder; see :class:`EagerEvaluation`.
        distributed: Share the work among the processes of `torch.distributed`, one for each GPU, say.
            All of them run the same program with the same images and get the same numbers.

    Raises:
        ValueError: If there is no such precision or `rows` is not positive.

    Example:
        >>> import torch
        >>> from pystyle import Criterion, GramLoss
        >>> from pystyle.encoders import vgg19
        >>> from pystyle.evaluation import EagerEvaluation
        >>> criterion = Criterion(vgg19(weights=None), {"style": GramLoss("relu2_1", relative=True)})
        >>> style, image = torch.rand(1, 3, 48, 48), torch.rand(1, 3, 64, 32)
        >>> _, whole = EagerEvaluation().bind(criterion, {"style": style})(image)
        >>> _, strips = StripEvaluation(rows=16).bind(criterion, {"style": style})(image)
        >>> bool((whole - strips).abs().max() < 1e-5 * whole.abs().max())
        True

    References:
        The idea of two passes: Galerne, Raad, Lezama, Morel. *Scaling painting style transfer*.
        Computer Graphics Forum, 2024. They overlap tiles of the image; strips between the poolings
        overlap by one to four rows.
    """

    rows: int = 36
    precision: Precision = "float32"
    distributed: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "precision", known_precision(self.precision))
        object.__setattr__(self, "rows", whole_number(self.rows, "`rows`", least=1))

    @torch.inference_mode(False)
    def bind(self, criterion: Criterion, references: References) -> "StripEvaluator":
        """Represent the references in strips and in the same precision."""
        with products_in(self.precision):
            objective = in_precision(criterion, self.precision).bind(references, strip_rows=self.rows)
        return StripEvaluator(
            objective, rows=self.rows, precision=self.precision, distributed=self.distributed
        )


class StripEvaluator:
    """An objective whose value and gradient are computed in strips; see :class:`StripEvaluation`.

    Args:
        objective: What is minimised.
        rows: Height of a strip.
        precision: Whether GPUs may use ``"tf32"``.
        distributed: Share the work among the processes of `torch.distributed`.

    Raises:
        ValueError: If a loss needs all positions at once.

    Example:
        >>> import torch
        >>> from pystyle import Criterion, TotalVariationLoss
        >>> from pystyle.encoders import vgg19
        >>> objective = Criterion(vgg19(weights=None), {"smoothness": TotalVariationLoss()}).bind({})
        >>> StripEvaluator(objective, rows=4).terms(torch.zeros(1, 3, 8, 8))
        smoothness.image  0
        total             0
    """

    def __init__(
        self, objective: Objective, *, rows: int, precision: Precision = "float32", distributed: bool = False
    ) -> None:
        precision = known_precision(precision)
        check_strips((part.loss, part.layer) for part in objective.parts)
        self.objective = objective
        self.rows = rows
        self.precision = precision
        self.workers = all_workers() if distributed else Workers()
        at_image = tuple(part for part in objective.parts if part.layer == IMAGE)
        self._whole = EagerEvaluator(Objective(objective.encoder, at_image), precision=precision)

    def weighted(self, factors: Mapping[str, float | Tensor]) -> "StripEvaluator":
        """The evaluator with other weights; see :meth:`Objective.weighted <pystyle.Objective.weighted>`."""
        return StripEvaluator(
            self.objective.weighted(factors),
            rows=self.rows,
            precision=self.precision,
            distributed=self.workers.count > 1,
        )

    @torch.inference_mode(False)
    def __call__(self, image: Tensor) -> tuple[Terms, Tensor]:
        """The terms of an image without their graph, and the gradient of their total."""
        image = differentiable(image).detach()
        self.objective.check(image)
        if not self.objective.layers:
            return self._whole(image)
        terms: dict[str, Tensor] = {}
        with products_in(self.precision):
            strips, workers = self._pass(image)
            sums, _ = self._representations(strips, workers, image)
            pulls, dense_terms = {}, self._zeros(image)
            for part in self.objective.parts:
                if part.name in sums:
                    terms[part.name], pulls[part.name] = _slope(part, sums[part.name], len(image))

            norms = self._gradient_norms(strips, workers, image, pulls)

            def loss(rows: LayerRows) -> Tensor:
                values = []
                for part in self._parts(rows.layer):
                    seen = rows
                    if part.normalizes:
                        seen = rows._replace(features=part.normalized(rows.features, norms[part.name]))
                    values.append(_share(part, seen, pulls))
                    if part.name in dense_terms:
                        dense_terms[part.name] += values[-1].detach()
                return torch.stack(values).sum()

            gradient = strips.backward(loss)
            workers.add_up([gradient, *dense_terms.values()])
        # When the features are gone.
        if self._whole.objective.parts:
            image_terms, image_gradient = self._whole(image)
            terms.update(image_terms)
            gradient += image_gradient
        return self._in_order({**terms, **dense_terms}), gradient

    @torch.no_grad()
    def terms(self, image: Tensor) -> Terms:
        """The terms of an image without their graph."""
        image = image.detach()
        self.objective.check(image)
        terms = dict(self._whole.terms(image)) if self._whole.objective.parts else {}
        if not self.objective.layers:
            return Terms(terms)
        with products_in(self.precision):
            strips, workers = self._pass(image)
            sums, dense_terms = self._representations(strips, workers, image)
            workers.add_up(list(dense_terms.values()))
            for part in self.objective.parts:
                if part.name in sums:
                    terms[part.name] = part.score(sums[part.name], len(image))
        return self._in_order({**terms, **dense_terms})

    def _pass(self, image: Tensor) -> tuple[StripPass | BandPass, Workers]:
        encoder, layers = self.objective.encoder, self.objective.layers
        # Each process needs a row of every layer; where the image has too few, each does all of the work.
        enough = image.shape[2] >= self.workers.count * max(map(encoder.stride, layers))
        if self.workers.count == 1 or not enough:
            return StripPass(encoder, layers, rows=self.rows), Workers()
        index, count = self.workers.index, self.workers.count
        return BandPass(encoder, layers, rows=self.rows, index=index, count=count), self.workers

    def _representations(
        self, strips: StripPass | BandPass, workers: Workers, image: Tensor
    ) -> tuple[dict[str, Representation], dict[str, Tensor]]:
        """The representations of the pooled parts, and what the dense ones of this process add up to."""
        sums: dict[str, Representation] = {}
        dense_terms = self._zeros(image)
        for rows in strips.forward(image):
            for part in self._parts(rows.layer):
                if part.name in dense_terms:
                    dense_terms[part.name] += _dense(part, rows)
                else:
                    representation = _of_rows(part, rows).represent(rows.features)
                    sums[part.name] = add_share(sums.get(part.name), representation, rows.share)
        for part in self.objective.parts:
            if part.name in sums:
                workers.add_up(tensors_of(sums[part.name]))
        return sums, dense_terms

    def _gradient_norms(
        self,
        strips: StripPass | BandPass,
        workers: Workers,
        image: Tensor,
        pulls: dict[str, tuple[Tensor, ...]],
    ) -> dict[str, Tensor]:
        """The norms of the gradients at whole layers of those parts that normalise them."""
        norms: dict[str, Tensor] = {}
        if not any(part.normalizes and part.layer != IMAGE for part in self.objective.parts):
            return norms
        for rows in strips.forward(image):
            for part in self._parts(rows.layer):
                if part.normalizes:
                    with torch.enable_grad():
                        leaf = rows.features.detach().requires_grad_()
                        value = _share(part, rows._replace(features=leaf), pulls)
                    with without_autocast(leaf):
                        (gradient,) = torch.autograd.grad(value, leaf, materialize_grads=True)
                    norm = image_norms(gradient)
                    norms[part.name] = norms[part.name] + norm if part.name in norms else norm
        workers.add_up([norms[part.name] for part in self.objective.parts if part.name in norms])
        return norms

    def _zeros(self, image: Tensor) -> dict[str, Tensor]:
        dense = (
            part for part in self.objective.parts if part.layer != IMAGE and part.loss.spatial == "dense"
        )
        return {part.name: torch.zeros((), dtype=image.dtype, device=image.device) for part in dense}

    def _parts(self, layer: str) -> list[Part]:
        return [part for part in self.objective.parts if part.layer == layer]

    def _in_order(self, terms: dict[str, Tensor]) -> Terms:
        return Terms({part.name: terms[part.name] for part in self.objective.parts})


def _slope(part: Part, representation: Representation, batch: int) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The value of a pooled part, and its gradient with respect to the representation."""
    with torch.enable_grad():
        leaves = changed(representation, lambda tensor: tensor.detach().requires_grad_())
        value = part.score(leaves, batch)
    with without_autocast(value):
        gradients = torch.autograd.grad(value, tensors_of(leaves), allow_unused=True, materialize_grads=True)
    return value.detach(), gradients


def _inner(gradients: tuple[Tensor, ...], representation: Representation) -> Tensor:
    pairs = zip(gradients, tensors_of(representation), strict=True)
    return torch.stack([(gradient * tensor).sum() for gradient, tensor in pairs]).sum()


def _share(part: Part, rows: LayerRows, pulls: dict[str, tuple[Tensor, ...]]) -> Tensor:
    """What these rows add to a term, or, of a pooled part, to something with the gradient of the term."""
    if part.name not in pulls:
        return _dense(part, rows)
    return rows.share * _inner(pulls[part.name], _of_rows(part, rows).represent(rows.features))


def _dense(part: Part, rows: LayerRows) -> Tensor:
    """What these rows add to the mean over all positions."""
    return rows.share * replace(_of_rows(part, rows), normalizes=False).value(rows.features)


def _of_rows(part: Part, rows: LayerRows) -> Part:
    return part.rows(rows.start, rows.start + rows.features.shape[2], rows.height)
