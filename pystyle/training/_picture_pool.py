from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class PicturePool:
    """Pictures of earlier steps, so that a discriminator does not forget what it learned of them.

    Args:
        size: How many are kept; 0 for none.

    References:
        Shrivastava et al. *Learning from simulated and unsupervised images through adversarial training*.
        CVPR 2017, section 2.3; here in the form of CycleGAN's code.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._pictures: Tensor | None = None

    def exchange(self, pictures: Tensor) -> Tensor:
        """What is judged instead of these pictures: half of them, once the pool is full, are of before.

        It draws from torch's global generator.
        """
        if not self.size:
            return pictures
        if self._pictures is None or self._pictures.shape[1:] != pictures.shape[1:]:
            self._pictures = pictures[:0]
        judged = []
        for picture in torch.split(pictures, 1):
            if len(self._pictures) < self.size:
                self._pictures = torch.cat([self._pictures, picture])
                judged.append(picture)
            elif torch.rand((), device="cpu") < 0.5:
                place = int(torch.randint(self.size, (), device="cpu"))
                judged.append(self._pictures[place : place + 1].clone())
                self._pictures[place] = picture[0]
            else:
                judged.append(picture)
        return torch.cat(judged)

    def state_dict(self) -> dict[str, Any]:
        """What :meth:`load_state_dict` goes on from."""
        return {"pictures": self._pictures}

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Go on from the state of another pool, on this device."""
        pictures = state["pictures"]
        # The pool changes its pictures in place.
        self._pictures = None if pictures is None else pictures.to(device, copy=True)
