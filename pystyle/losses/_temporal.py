from typing import NamedTuple

from torch import Tensor

from pystyle.functional import mean_squared_error
from pystyle.images import resize
from pystyle.losses._layer_mask import LayerMask
from pystyle.losses._loss import Loss
from pystyle.typing import IMAGE


class _Frame(NamedTuple):
    image: Tensor
    reliability: Tensor | None


class TemporalLoss(Loss):
    """The mean squared difference to the previous frame, warped into this one, where that is reliable.

    The reference is the stylised previous frame after :func:`pystyle.functional.warp` with the backward flow,
    the weights are those of :func:`pystyle.functional.reliability`. They belong to one frame, so a video has
    a loss and a criterion for each; both cost nothing to build. For frames further back add losses with
    other `reference` names.

    Args:
        reliability: How much each pixel counts, from 0 to 1; all the same if not given. At another size of
            the image, as in a pyramid, the weights are resized with it.
        weight: Factor of the loss.
        reference: The name of the image to compare with.

    Raises:
        ValueError: If `reliability` has not the shape (1, 1, height, width) or is not in [0, 1].

    Shape:
        The image and its reference must have the same size.

    Example:
        >>> import torch
        >>> from pystyle.functional import reliability, warp
        >>> forward = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 16, 16)   # to the right
        >>> loss = TemporalLoss(reliability(forward, -forward), weight=10.0)
        >>> loss
        TemporalLoss('image', weight=10, reliability=(1, 1, 16, 16))
        >>> previous = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
        >>> references = {"warped": warp(previous, -forward)}   # and content and style

    Note:
        The sum is divided by the number of all values and not of the reliable ones, as in the paper. Its
        weight of 1000 is for colours from 0 to 255: that is 6.5e7 here, beside a content loss of weight 5 and
        Gram losses of weight 100 (``normalization="chw"``) on the Caffe VGG-19. The authors' program
        computes a gradient that is too large where weights are between 0 and 1; this one is exact.

    References:
        Ruder, Dosovitskiy, Brox. *Artistic style transfer for videos*. GCPR 2016, section 4.
    """

    reference = "warped"
    spatial = "dense"
    reliability: Tensor | None

    def __init__(
        self, reliability: Tensor | None = None, *, weight: float = 1.0, reference: str | None = None
    ) -> None:
        super().__init__(IMAGE, weight=weight, reference=reference)
        if reliability is not None:
            if reliability.ndim != 4 or reliability.shape[:2] != (1, 1):
                raise ValueError(
                    "`reliability` must have the shape (1, 1, height, width), the weights of one frame, "
                    f"got {tuple(reliability.shape)}."
                )
            if not bool(((reliability >= 0) & (reliability <= 1)).all()):
                raise ValueError("`reliability` must be in [0, 1], got values outside. Clamp it.")
            reliability = reliability.detach().clone()
        self.register_buffer("reliability", reliability)

    def represent(self, features: Tensor) -> Tensor:
        """The image as it is."""
        return features

    def represent_within(self, features: Tensor, mask: LayerMask) -> Tensor:
        """The image times what makes the mean of the squares that of the region."""
        return features * mask.weights.sqrt()

    def prepare(self, representation: Tensor) -> _Frame:
        """The warped frame and the weights at its size."""
        weights = self.reliability
        if weights is not None and weights.shape[2:] != representation.shape[2:]:
            height, width = representation.shape[2:]
            weights = resize(weights, (height, width), interpolation="bilinear")
        return _Frame(representation, weights)

    def compare(self, representation: Tensor, target: _Frame) -> Tensor:
        """The mean of the weighted squared differences."""
        return mean_squared_error(representation, target.image, target.reliability)

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        shape = "" if self.reliability is None else f", reliability={tuple(self.reliability.shape)}"
        return super().extra_repr() + shape
