from torch import Tensor

from pystyle.functional import grid_positions
from pystyle.losses import SelfSimilarityLoss
from pystyle.losses._representation import tensors_of
from pystyle.typing import Representation


class MeanSelfSimilarityLoss(SelfSimilarityLoss):
    """The mean of the paper, which :class:`pystyle.SelfSimilarityLoss` multiplies by its positions."""

    def compare(self, representation: Representation, target: Representation) -> Tensor:
        """The difference at the positions of the grid, over their number."""
        height, width = tensors_of(representation)[0].shape[2:]
        # A grid may have fewer than the most that are wanted.
        return super().compare(representation, target) / len(grid_positions(height, width, self.num_samples))
