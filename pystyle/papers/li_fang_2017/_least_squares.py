import os
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import unfold

from pystyle.networks._convolution import bordered
from pystyle.papers.li_fang_2017._training import Reconstruction

_RIDGE = 1e-9
"""What is added to the diagonal, as a share of its mean: few images leave directions open."""


@torch.no_grad()
def least_squares(
    images: Sequence[Tensor], *, weights: str | os.PathLike[str] | None = "caffe_normalized"
) -> Reconstruction:
    """The level that paints from relu1_1, whose decoder is a single convolution: its weights are solved for.

    They have the least squared error of all pixels of the images. A gradient hardly gets there: the
    eigenvalues of the equations reach from 1e-5 to 1e3.

    Args:
        images: What is reconstructed; some dozens of any sizes are enough.
        weights: Those of VGG-19.

    Returns:
        The level, to be joined with others.

    Raises:
        ValueError: If there are no images.

    Shape:
        - images: (3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> image = torch.rand(3, 40, 48)
        >>> part = least_squares([image], weights=None)
        >>> bool((part(image[None], None) - image).square().mean() < 0.01)
        True

    Note:
        This is ours. The paper trains all decoders by gradients, and counts features besides pixels; where
        the pixels are right, the features are.
    """
    if not len(images):
        raise ValueError("`images` must have an image at least, got none.")
    part = Reconstruction(level=1, weights=weights)
    products, moments = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    for image in images:
        (features,) = part.encoder(image[None])
        seen = unfold(bordered(features, 1, "reflect"), 3)[0].double()
        rows = torch.cat([seen, torch.ones_like(seen[:1])])
        products, moments = products + rows @ rows.T, moments + rows @ image.flatten(1).double().T
    products.diagonal().add_(_RIDGE * products.diagonal().mean())
    found = torch.linalg.solve(products, moments).T
    weight = found[:, :-1].reshape(3, -1, 3, 3)
    part.decoder.load_state_dict({"convolutions.0.weight": weight, "convolutions.0.bias": found[:, -1]})
    return part
