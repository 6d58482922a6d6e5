import torch
from torch import Tensor

from pystyle.losses import Loss
from pystyle.typing import IMAGE


class DifferencesLoss(Loss):
    """The lengths of all differences to the right, below, and along both diagonals, as the authors have it.

    They are lengths of vectors with an entry for each pixel and colour: they grow with the square root of the
    number of pixels, and have the gradient 0 where the image is flat.

    Args:
        weight: Factor of the loss.

    Example:
        >>> DifferencesLoss(weight=0.002)
        DifferencesLoss('image', weight=0.002)
    """

    reference = None
    spatial = "set"

    def __init__(self, *, weight: float = 1.0) -> None:
        super().__init__(IMAGE, weight=weight)

    def represent(self, features: Tensor) -> Tensor:
        """The sum of the four lengths, averaged over the batch."""
        wide = features if features.element_size() >= 4 else features.float()
        differences = (
            wide[..., :, 1:] - wide[..., :, :-1],
            wide[..., 1:, :] - wide[..., :-1, :],
            wide[..., 1:, :-1] - wide[..., :-1, 1:],
            wide[..., 1:, 1:] - wide[..., :-1, :-1],
        )
        squares = torch.stack([difference.square().sum((1, 2, 3)) for difference in differences])
        flat = squares == 0
        lengths = torch.where(flat, 0, torch.where(flat, 1, squares).sqrt())
        return lengths.sum(0).mean()
