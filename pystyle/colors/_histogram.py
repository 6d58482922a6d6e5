import torch
from torch import Tensor


@torch.no_grad()
def with_histogram(image: Tensor, reference: Tensor) -> Tensor:
    """The image with the distribution of the reference in each channel.

    A pixel gets the value of the reference that as many pixels are below. Pixels of the same value, of which
    a picture of 8 bits has many, share their place in the order, so that a flat area stays flat.

    Shape:
        - image: (batch, channels, height, width)
        - reference: (batch, channels, any height, any width)
    """
    values = image.flatten(0, 1).flatten(1).contiguous()
    ordered, wanted = values.sort().values, reference.flatten(0, 1).flatten(1).sort().values
    count, wanted_count = values.shape[1], wanted.shape[1]
    below = torch.searchsorted(ordered, values)
    not_above = torch.searchsorted(ordered, values, right=True)
    # A pixel stands at (below + not_above) / (2 count) of the order, and the k-th value of the reference at
    # (k + 1/2) / wanted_count. Times 2 count, k is a whole number, which is exact for images of any size.
    place = ((below + not_above) * wanted_count - count).clamp_min(0)
    lower = place // (2 * count)
    fraction = (place - lower * (2 * count)).to(values) / (2 * count)
    upper = (lower + 1).clamp_max(wanted_count - 1)
    return torch.lerp(wanted.gather(1, lower), wanted.gather(1, upper), fraction).reshape(image.shape)
