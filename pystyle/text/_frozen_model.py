from typing import Self

from torch import Tensor, nn


class FrozenModel(nn.Module):
    """A model of another package, without gradients of its weights and always in evaluation mode.

    Args:
        model: The model.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode, whatever `mode` is."""
        del mode
        return super().train(False)

    @property
    def _like(self) -> Tensor:
        return next(self.model.parameters())

    def __repr__(self) -> str:
        """The class of the model, in one line."""
        return f"{type(self).__name__}({type(self.model).__name__})"
