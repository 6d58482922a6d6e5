from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pystyle.criterion._objective import Objective, Target
from pystyle.losses import Loss


@dataclass(frozen=True, eq=False)
class Targets:
    """A reference that was represented before: what the losses compare with.

    :meth:`Criterion.bind <pystyle.Criterion.bind>` takes it in the place of the images. So what is the
    same in many runs, such as the style, is computed once. It is right only for the encoder, the losses and
    the way of evaluation that it was computed with.

    Args:
        targets: Those of a loss at a layer, by the names of both.

    Example:
        >>> import torch
        >>> from pystyle import Criterion, GramLoss
        >>> from pystyle.encoders import vgg19
        >>> criterion = Criterion(vgg19(weights=None), {"style": GramLoss("relu1_1")})
        >>> painting, image = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)
        >>> objective = criterion.bind({"style": painting})
        >>> again = criterion.bind({"style": Targets.of(objective, "style")})
        >>> bool(again(image).total == objective(image).total)
        True
    """

    targets: Mapping[tuple[str, str], tuple[Target, ...]]

    @classmethod
    def of(cls, objective: Objective, reference: str) -> "Targets":
        """Those of an objective that come from the reference of this name."""
        return cls(
            {
                (part.loss_name, part.layer): part.targets
                for part in objective.parts
                if part.loss.references == (reference,)
            }
        )

    def at(
        self, losses: Sequence[tuple[tuple[str, str], Loss, str]], reference: str
    ) -> dict[tuple[str, str], tuple[Target, ...]]:
        """The targets of these losses.

        Raises:
            ValueError: If one is missing, or takes part in what a loss makes of several references.
        """
        for (name, _), loss, _ in losses:
            if len(loss.references) > 1:
                raise ValueError(
                    f'`references["{reference}"]` must be an image: the loss {name!r} makes its targets of '
                    f"it and others, {', '.join(map(repr, loss.references))}, got targets of it alone."
                )
        given = ", ".join(".".join(key) for key in self.targets) or "none"
        for (name, layer), _, _ in losses:
            if (name, layer) not in self.targets:
                raise ValueError(
                    f'`references["{reference}"]` must have the targets of the loss {name!r} at {layer!r}, '
                    f"got those of {given}. Give the image."
                )
        return {key: self.targets[key] for key, _, _ in losses}
