import os
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from pystyle._arguments import whole_number
from pystyle.encoders import WeightsError
from pystyle.encoders._construction import construction
from pystyle.encoders._weights import load_weights_file

_SMALLEST = 128
"""The sides below which torchvision's network does not work."""


class RAFTFlow(nn.Module):
    """The optical flow between two images, by torchvision's RAFT.

    Nothing is downloaded: the weights must be there.

    Args:
        weights: The file of the weights. If not given, it is looked for in the cache of ``torch.hub`` under
            torchvision's name for it.
        network: Which network: ``"large"``, of 21 MB, or ``"small"``, of 4 MB.
        num_updates: How often the network improves its estimate.

    Raises:
        WeightsError: If the file is missing or is not that of the network.
        ValueError: If `network` is unknown or `num_updates` not positive.

    Shape:
        - image, other: (batch, 3, height, width), RGB in [0, 1]
        - output: (batch, 2, height, width): to the right and down, in pixels

    Example:
        >>> raft = RAFTFlow("raft_large_C_T_SKHT_V2-ff5fadd5.pth")  # doctest: +SKIP
        >>> flow = lambda i, j: raft(frames[i], frames[j])  # doctest: +SKIP

    Note:
        Images are padded to multiples of 8 and to 128 pixels by repeating the border.

    References:
        Teed, Deng. *RAFT: recurrent all-pairs field transforms for optical flow*. ECCV 2020.
    """

    def __init__(
        self,
        weights: str | os.PathLike[str] | None = None,
        *,
        network: Literal["large", "small"] = "large",
        num_updates: int = 12,
    ) -> None:
        super().__init__()
        if network not in ("large", "small"):
            raise ValueError(f"`network` must be 'large' or 'small', got {network!r}.")
        num_updates = whole_number(num_updates, "`num_updates`", least=1)
        # Imported here: torchvision takes long, and most users have no video.
        from torchvision.models import optical_flow

        build, published = (
            (optical_flow.raft_large, optical_flow.Raft_Large_Weights.DEFAULT)
            if network == "large"
            else (optical_flow.raft_small, optical_flow.Raft_Small_Weights.DEFAULT)
        )
        if weights is None:
            name = published.url.rpartition("/")[2]
            folder = Path(torch.hub.get_dir()) / "checkpoints"
            weights = folder / name
            if not (folder / name).is_file():
                raise WeightsError(
                    f"RAFT needs the file '{name}', which is not in '{folder}'. Download it from "
                    f"{published.url}, or give the path of a file with `weights=`."
                )
        state = load_weights_file(weights)
        with construction():
            self.network = build(weights=None)
        try:
            self.network.load_state_dict(state)
        except RuntimeError as error:
            raise WeightsError(
                f"The file '{os.fspath(weights)}' is not that of the {network} network of RAFT."
            ) from error
        self.num_updates = num_updates
        self.requires_grad_(False).to(torch.get_default_device()).eval()

    @torch.no_grad()
    def forward(self, image: Tensor, other: Tensor) -> Tensor:
        """The flow from the image to the other one."""
        if image.ndim != 4 or image.shape[1] != 3 or image.shape != other.shape:
            raise ValueError(
                "`image` and `other` must have the same shape (batch, 3, height, width), got "
                f"{tuple(image.shape)} and {tuple(other.shape)}."
            )
        height, width = image.shape[2:]
        missing = [max(-(-side // 8) * 8, _SMALLEST) - side for side in (height, width)]
        padded = [
            pad(2 * each - 1, (0, missing[1], 0, missing[0]), mode="replicate") for each in (image, other)
        ]
        flow: Tensor = self.network(*padded, num_flow_updates=self.num_updates)[-1]
        return flow[:, :, :height, :width].contiguous()
