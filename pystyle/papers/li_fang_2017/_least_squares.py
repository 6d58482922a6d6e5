import copy
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import unfold

from pystyle.networks._convolution import bordered
from pystyle.papers.li_fang_2017._training import Reconstruction

_RIDGE = 1e-9
"""What is added to the diagonal, as a share of its mean: few images leave directions open."""


@torch.no_grad()
def least_squares(part: Reconstruction, images: Sequence[Tensor]) -> Reconstruction:
    """A level whose last convolution is solved for: it has the least squared error of all pixels.

    At level 1 it is the whole decoder, which needs no training then. At the others it comes after one:
    colours are what a gradient finds last, because the eigenvalues of the equations reach from 1e-5 to 1e3.

    Args:
        part: The level.
        images: What is reconstructed; some dozens are enough. Sides are cropped to multiples of 16.

    Returns:
        A copy with another last convolution.

    Raises:
        ValueError: If there are no images, or one has another shape.

    Shape:
        - images: (3, height, width) each, at least 32 pixels, RGB in [0, 1]

    Example:
        >>> image = torch.rand(3, 48, 48)
        >>> part = least_squares(Reconstruction(level=1, weights=None), [image])
        >>> bool((part(image[None], None) - image).square().mean() < 0.01)
        True

    Note:
        This is ours. The paper trains all of a decoder by gradients, and counts features besides pixels;
        where the pixels are right, the features are.
    """
    if not len(images):
        raise ValueError("`images` must have an image at least, got none.")
    part = copy.deepcopy(part)
    *_, last = part.decoder.convolutions
    like = next(part.parameters())
    products, moments = (torch.zeros((), dtype=torch.float64, device=like.device) for _ in range(2))
    for image in images:
        if image.ndim != 3 or len(image) != 3 or min(image.shape[1:]) < part.smallest:
            raise ValueError(
                f"`images` must be RGB, (3, height, width), with sides of at least {part.smallest} pixels, "
                f"got the shape {tuple(image.shape)}."
            )
        height, width = (side // part.stride * part.stride for side in image.shape[1:])
        wanted = image[:, :height, :width].to(like)
        (features,) = part.encoder(wanted[None])
        seen = unfold(bordered(part.decoder.hidden(features), 1, "reflect"), 3)[0].double()
        rows = torch.cat([seen, torch.ones_like(seen[:1])])
        products, moments = products + rows @ rows.T, moments + rows @ wanted.flatten(1).double().T
    products.diagonal().add_(_RIDGE * products.diagonal().mean())
    found = torch.linalg.solve(products, moments).T
    last.load_state_dict({"weight": found[:, :-1].reshape(3, -1, 3, 3), "bias": found[:, -1]})
    return part
