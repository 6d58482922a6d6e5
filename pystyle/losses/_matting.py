from torch import Tensor

from pystyle._arguments import number
from pystyle.functional import matting_energy, matting_laplacian
from pystyle.losses._layer_mask import LayerMask
from pystyle.losses._loss import Loss
from pystyle.typing import IMAGE


class MattingLaplacianLoss(Loss):
    """The photorealism regulariser: locally, the image is to be a recolouring of the content.

    It is 0 if in every window of 3 x 3 pixels each colour of the image is an affine function of the content's
    colours. So lines stay lines and flat regions stay flat, whatever the style does to the colours.

    Args:
        eps: How much a steep local map of colours costs; see :func:`pystyle.functional.matting_laplacian`.
        weight: Factor of the loss.
        reference: The name of the image to compare with.

    Raises:
        ValueError: If `eps` is not positive.

    Shape:
        The image and its reference must have the same size.

    Example:
        >>> MattingLaplacianLoss(weight=100.0)
        MattingLaplacianLoss('image', weight=100)

    Note:
        The quadratic form is divided by the number of pixels, so that the weight keeps its meaning when the
        size changes. The paper's is not: its weight of 1e4 is 1e4 x height x width here, 3e9 for its pictures
        of 700 x 470 pixels, beside a content loss of weight 5 and Gram losses of weight 100
        (``normalization="chw"``) on the Caffe VGG-19.

    References:
        Luan, Paris, Shechtman, Bala. *Deep photo style transfer*. CVPR 2017, equation 2. The matrix: Levin,
        Lischinski, Weiss. *A closed-form solution to natural image matting*. IEEE Transactions on Pattern
        Analysis and Machine Intelligence 30 (2), 2008.
    """

    reference = "content"
    spatial = "dense"
    can_wrap = False

    def __init__(self, *, eps: float = 1e-7, weight: float = 1.0, reference: str | None = None) -> None:
        super().__init__(IMAGE, weight=weight, reference=reference)
        self.eps = number(eps, "`eps`", above=0)

    def represent(self, features: Tensor) -> Tensor:
        """The image as it is."""
        return features

    def represent_within(self, features: Tensor, mask: LayerMask) -> Tensor:
        """Refuse: it has no meaning for a part of the image."""
        del features, mask
        raise ValueError(
            "MattingLaplacianLoss judges how the colours of neighbouring pixels depend on each other and "
            "cannot be confined to a region. Let it see the whole image."
        )

    def prepare(self, representation: Tensor) -> Tensor:
        """The matting Laplacian of the content, (batch, 12, height, width)."""
        return matting_laplacian(representation, eps=self.eps)

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The quadratic form of the Laplacian, per pixel."""
        return matting_energy(representation, target)

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        return super().extra_repr() + ("" if self.eps == 1e-7 else f", eps={self.eps:g}")
