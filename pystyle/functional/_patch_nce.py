from torch import Tensor

from pystyle._arguments import number
from pystyle.functional._precision import without_autocast
from pystyle.functional._sets import position_sets
from pystyle.functional._vector_sets import directions_or_zero


def patch_nce(features: Tensor, target: Tensor, *, temperature: float = 0.07) -> Tensor:
    r"""How badly each position is told from the others by its feature: a cross entropy.

    .. math:: \operatorname{mean}_i - \log \frac{\exp(\cos(f_i, t_i) / \tau)}
              {\sum_j \exp(\cos(f_i, t_j) / \tau)}

    Args:
        features: One feature map per image.
        target: Maps of the same shape.
        temperature: The τ above: the smaller it is, the more the nearest confusions count.

    Returns:
        One number per image, in float32 at least; log(positions) if nothing can be told.

    Raises:
        ValueError: If the shapes differ or `temperature` is not positive.

    Shape:
        - features, target: (batch, channels, height, width), or any number of position axes
        - output: (batch)

    Example:
        >>> import torch
        >>> features = torch.eye(2)[None]                # two positions, orthogonal to each other
        >>> patch_nce(features, features, temperature=1.0)                 # log(1 + exp(-1))
        tensor([0.3133])

    References:
        Park, Efros, Zhang, Zhu. *Contrastive learning for unpaired image-to-image translation*.
        ECCV 2020.
    """
    temperature = number(temperature, "`temperature`", above=0)
    if features.shape != target.shape:
        raise ValueError(
            f"`features` and `target` must have the same shape, got {tuple(features.shape)} and "
            f"{tuple(target.shape)}. Give the image and its reference the same size."
        )
    vectors, targets = position_sets(features, target)
    with without_autocast(vectors):
        logits = directions_or_zero(vectors).mT @ directions_or_zero(targets) / temperature
    return (logits.logsumexp(2) - logits.diagonal(dim1=1, dim2=2)).mean(1)
