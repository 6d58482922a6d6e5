import torch
from torch import Tensor, nn

from pystyle.encoders._weights import CAFFE_MEAN_RGB


class BGRLevels(nn.Module):
    """Levels of 0 to 255 less their means, blue first: what networks of Torch and Caffe take and give.

    Shape:
        - image, levels: (batch, 3, height, width)
    """

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        mean = torch.tensor(CAFFE_MEAN_RGB[::-1])[None, :, None, None]
        self.register_buffer("mean", mean, persistent=False)

    def of(self, image: Tensor) -> Tensor:
        """The levels of an RGB image in [0, 1]."""
        return 255 * image.flip(1) - self.mean

    def forward(self, levels: Tensor) -> Tensor:
        """The RGB image of levels, in [0, 1] where they are between 0 and 255."""
        return (levels + self.mean).flip(1) / 255
