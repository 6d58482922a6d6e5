from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from pystyle._arguments import whole_number
from pystyle.functional import mean_squared_error
from pystyle.losses import GramLoss


class _Reduced(NamedTuple):
    axes: Tensor
    gram: Tensor


class ReducedGramLoss(GramLoss):
    """The mean squared difference of Gram matrices of the first principal components of the texture.

    A Gram matrix of 512 channels has 131,328 numbers, one of 64 components has 2,080: with five layers the
    10,400 parameters of the paper's figure 3.

    Args:
        layers: One layer or several.
        num_components: How many components of the texture's features are kept; all, if a layer has fewer.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        reference: The name of the image to compare with.

    Raises:
        ValueError: If `num_components` is not positive.

    Example:
        >>> ReducedGramLoss("pool4", num_components=64)
        ReducedGramLoss('pool4', num_components=64)

    Note:
        The components are the eigenvectors of the texture's Gram matrix with the largest eigenvalues: no mean
        is subtracted, as none is from the Gram matrix. The paper does not say.
    """

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        num_components: int,
        weight: float = 1.0,
        layer_weights: Sequence[float] | None = None,
        reference: str | None = None,
    ) -> None:
        super().__init__(layers, weight=weight, layer_weights=layer_weights, reference=reference)
        self.num_components = whole_number(num_components, "`num_components`", least=1)

    def prepare(self, representation: Tensor) -> _Reduced:
        """The components of the texture, and its Gram matrix in them."""
        _, axes = torch.linalg.eigh(representation)
        axes = axes[..., -self.num_components :]
        return _Reduced(axes, axes.mT @ representation @ axes)

    def compare(self, representation: Tensor, target: _Reduced) -> Tensor:
        """The mean squared difference in the components of the texture."""
        return mean_squared_error(target.axes.mT @ representation @ target.axes, target.gram)

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        return f"{super().extra_repr()}, num_components={self.num_components}"
