import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate


class AnySizeVisionTransformer(nn.Module):
    """torchvision's vision transformer without its head, for images of any size.

    torchvision's own refuses every size but that of its training. Here the embeddings of the positions,
    which are a map, are resized to the grid of the image, in the way of torchvision's
    `interpolate_embeddings`, which makes weights for another size.

    Args:
        transformer: A `torchvision.models.VisionTransformer`, of which the parts are used.

    Shape:
        - image: (batch, 3, height, width), both multiples of the side of a patch
    """

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.conv_proj = transformer.get_submodule("conv_proj")
        self.class_token = transformer.get_parameter("class_token")
        self.encoder = transformer.get_submodule("encoder")

    def forward(self, image: Tensor) -> Tensor:
        """The tokens after the last block: the class token, then the patches row by row."""
        patches: Tensor = self.conv_proj(image)
        class_token = self.class_token.expand(len(patches), -1, -1)
        tokens = torch.cat([class_token, patches.flatten(2).mT], 1)
        tokens = tokens + self._positions(patches.shape[2], patches.shape[3])
        for name in ("dropout", "layers", "ln"):
            tokens = self.encoder.get_submodule(name)(tokens)
        return tokens

    def _positions(self, rows: int, columns: int) -> Tensor:
        positions = self.encoder.get_parameter("pos_embedding")
        side = round((positions.shape[1] - 1) ** 0.5)
        if rows == columns == side:
            return positions
        grid = positions[:, 1:].mT.reshape(1, -1, side, side)
        resized = interpolate(grid, size=(rows, columns), mode="bicubic", align_corners=True)
        return torch.cat([positions[:, :1], resized.flatten(2).mT], 1)
