from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, cast, get_args

import torch
from torch import Tensor

from pystyle._arguments import number
from pystyle.criterion import Criterion, Targets, Terms
from pystyle.criterion._blend import blend_of, image_of
from pystyle.evaluation import EagerEvaluation, EagerEvaluator
from pystyle.evaluation._precision import known_precision
from pystyle.surfaces._mesh import Mesh
from pystyle.surfaces._sheet import Sheet, sheets_of
from pystyle.surfaces._views import Views
from pystyle.typing import MaskedImage, Precision, Reference, References

Weighting: TypeAlias = Literal["facing", "silhouette"]

SURFACE = "surface"
"""The region of a sheet where the mesh is. Losses that are confined to it do not see the background."""


@dataclass(frozen=True)
class ViewEvaluation:
    """An evaluation of a texture through pictures of a mesh that wears it.

    The image that is optimised is the texture, and so is the reference ``"content"``. What the criterion sees
    of both are sheets: several views side by side. The other references it sees as they are. So any criterion
    can be evaluated, in :func:`~pystyle.optimize_image` and in a :class:`~pystyle.Pyramid`: content is
    compared at the same views, and what losses average over positions they average over all views of a sheet.

    A sheet has one region, ``"surface"``, for :meth:`pystyle.Loss.within`: it weights each position by the
    cosine of the angle at which the surface is seen there. So a place counts most in the views that see it
    from the front, and neither the background nor what is foreshortened gets into the statistics.

    Views are rasterised, and the content is represented in all of them, when the criterion is bound: features
    of the content at all sheets are in memory during the run.

    Args:
        mesh: The mesh; its own texture is not looked at.
        views: From where it is seen.
        scale: The height of a view in pixels, relative to the short edge of the texture.
        background: What is behind the mesh, RGB in [0, 1]; the mean colour of the first style if not given.
        weighting: How much a position of the surface counts: ``"facing"``, as above, or ``"silhouette"``,
            all the same.
        precision: Of the encoder; see :class:`~pystyle.evaluation.EagerEvaluation`.

    Raises:
        ValueError: If `scale` is not positive, or there is no such weighting or precision. When bound, if the
            content has masks or is a blend.

    Example:
        >>> import torch
        >>> from pystyle import Criterion, GramLoss
        >>> from pystyle.encoders import vgg19
        >>> from pystyle.surfaces import Views, sphere
        >>> mesh = sphere(8, texture=torch.rand(1, 3, 32, 64))
        >>> evaluation = ViewEvaluation(mesh, Views(sheets=2, views=2))
        >>> criterion = Criterion(vgg19(weights=None), {"style": GramLoss("relu1_1")})
        >>> references = {"content": mesh.texture, "style": torch.rand(1, 3, 16, 16)}
        >>> evaluator = evaluation.bind(criterion, references)
        >>> terms, gradient = evaluator.at(0)(mesh.texture)
        >>> gradient.shape
        torch.Size([1, 3, 32, 64])
    """

    mesh: Mesh
    views: Views = Views()
    scale: float = 0.5
    background: tuple[float, float, float] | None = None
    weighting: Weighting = "facing"
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", number(self.scale, "`scale`", above=0))
        if self.weighting not in get_args(Weighting):
            raise ValueError(f"`weighting` must be 'facing' or 'silhouette', got {self.weighting!r}.")
        object.__setattr__(self, "precision", known_precision(self.precision))

    @torch.inference_mode(False)
    def bind(self, criterion: Criterion, references: References) -> "ViewEvaluator":
        """Look at the mesh from all sides, and represent what is compared with that."""
        if "content" not in references:
            raise ValueError(
                '`references` must have the original texture as "content", which says how large the texture '
                f"is, got {', '.join(map(repr, references)) or 'none'}."
            )
        texture = references["content"]
        if not isinstance(texture, Tensor):
            raise ValueError(
                '`references["content"]` must be the original texture as a tensor, without masks, got a '
                f"{type(texture).__name__}. Regions of a surface cannot be named yet."
            )
        height = max(round(min(texture.shape[2:]) * self.scale), 1)
        sheets = sheets_of(self.mesh, self.views, height, texture)
        background = self._background(references, texture)
        others = {name: one for name, one in references.items() if name != "content"}
        evaluators = []
        for sheet in sheets:
            mask = sheet.facing if self.weighting == "facing" else sheet.coverage
            picture = MaskedImage(sheet.picture(texture, background).clamp(0, 1), {SURFACE: mask})
            evaluator = EagerEvaluation(self.precision).bind(criterion, {**others, "content": picture})
            # What does not depend on the sheet is represented once; a criterion takes targets as well.
            for name in _apart_from_content(criterion, others):
                others[name] = cast(Reference, Targets.of(evaluator.objective, name))
            evaluators.append(SheetEvaluator(sheet, evaluator, background))
        return ViewEvaluator(evaluators, self.views)

    def _background(self, references: References, texture: Tensor) -> Tensor:
        if self.background is not None:
            return texture.new_tensor(self.background).view(1, 3, 1, 1)
        name = next((name for name in references if name != "content"), "content")
        image = image_of(blend_of(references[name], name)[0][0])
        return image.detach().mean((0, 2, 3), keepdim=True).to(texture)


class SheetEvaluator(NamedTuple):
    """An evaluator of textures through the views of one sheet.

    Attributes:
        sheet: The views.
        evaluator: What is made of their picture.
        background: What is behind the mesh, (1, 3, 1, 1).
    """

    sheet: Sheet
    evaluator: EagerEvaluator
    background: Tensor

    @torch.inference_mode(False)
    def __call__(self, texture: Tensor) -> tuple[Terms, Tensor]:
        """The terms of a texture without their graph, and the gradient of their total."""
        leaf = (texture.clone() if texture.is_inference() else texture).detach().requires_grad_()
        with torch.enable_grad():
            picture = self.sheet.picture(leaf, self.background)
        terms, gradient = self.evaluator(picture.detach())
        (back,) = torch.autograd.grad(picture, leaf, gradient)
        return terms, back

    @torch.no_grad()
    def terms(self, texture: Tensor) -> Terms:
        """The terms of a texture without their graph."""
        return self.evaluator.terms(self.sheet.picture(texture.detach(), self.background))

    def weighted(self, factors: Mapping[str, float | Tensor]) -> "SheetEvaluator":
        """The evaluator with other weights."""
        return self._replace(evaluator=self.evaluator.weighted(factors))


class ViewEvaluator:
    """An evaluator of textures: the mean over all sheets, or, for a step, through one of them.

    Args:
        evaluators: Those of the sheets.
        views: Which of them is whose turn.

    Example:
        >>> from pystyle.surfaces import ViewEvaluation  # whose `bind` makes one
    """

    def __init__(self, evaluators: Sequence[SheetEvaluator], views: Views) -> None:
        self.evaluators = tuple(evaluators)
        self.views = views

    def at(self, step: int) -> SheetEvaluator:
        """The evaluator of a step, the first of which is 0."""
        return self.evaluators[self.views.sheet_at(step)]

    def __call__(self, texture: Tensor) -> tuple[Terms, Tensor]:
        """The means over all sheets of the terms, and of the gradient of their total."""
        found = [evaluator(texture) for evaluator in self.evaluators]
        gradient = torch.stack([gradient for _, gradient in found]).mean(0)
        return _mean([terms for terms, _ in found]), gradient

    def terms(self, texture: Tensor) -> Terms:
        """The means of the terms over all sheets."""
        return _mean([evaluator.terms(texture) for evaluator in self.evaluators])

    def weighted(self, factors: Mapping[str, float | Tensor]) -> "ViewEvaluator":
        """The evaluator with other weights; see :meth:`Objective.weighted <pystyle.Objective.weighted>`."""
        return ViewEvaluator([evaluator.weighted(factors) for evaluator in self.evaluators], self.views)


def _mean(all_terms: Sequence[Terms]) -> Terms:
    names = all_terms[0]
    return Terms({name: torch.stack([terms[name] for terms in all_terms]).mean() for name in names})


def _apart_from_content(criterion: Criterion, others: References) -> list[str]:
    """The references of which all losses make their targets without another one."""
    losses = criterion.named_losses.values()
    return [
        name
        for name in criterion.references
        if name in others and all(loss.references == (name,) for loss in losses if name in loss.references)
    ]
