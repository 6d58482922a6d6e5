import torch
from torch import Tensor

from pystyle._arguments import check_image, check_scale


def initial_values(image: Tensor) -> Tensor:
    """A copy of the image to make parameters of, after a look at its type, its shape and its scale."""
    check_image(image, "`image`")
    check_scale(image, "`image`")
    return image.detach().clone(memory_format=torch.contiguous_format)
