import torch
from torch import Tensor

from pystyle._arguments import check_kind


def deception_rate(scores: Tensor, artists: Tensor) -> float:
    """The share of pictures that a classifier of paintings takes for work of the artist they imitate.

    1 is the best. What the classifier looks at is up to it: one that goes by colours is deceived by colours.
    Tell the share of real paintings that it knows beside it.

    Args:
        scores: What the classifier, any network, gives each picture for each artist; the most wins.
        artists: The index of the artist whose style each picture is in.

    Raises:
        TypeError: If one is no tensor.
        ValueError: If there is no picture, the shapes do not fit, a score is NaN, or an index is none.

    Shape:
        - scores: (number, artists)
        - artists: (number)

    Example:
        >>> import torch
        >>> scores = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]])
        >>> deception_rate(scores, torch.tensor([0, 1, 1, 0]))
        0.75

    References:
        Sanakoyeu, Kotovenko, Lang and Ommer, *A Style-Aware Content Loss for Real-Time HD Style Transfer*,
        ECCV 2018, section 4.1; their classifier is a VGG-16 of 624 artists.
    """
    check_kind(scores, Tensor, "`scores`", "torch.as_tensor(scores)")
    check_kind(artists, Tensor, "`artists`", "torch.as_tensor(artists)")
    if scores.ndim != 2 or not len(scores) or artists.shape != scores.shape[:1]:
        raise ValueError(
            "`scores` must be of the shape (number, artists) and `artists` of (number), at least 1, got "
            f"{tuple(scores.shape)} and {tuple(artists.shape)}."
        )
    if bool(scores.isnan().any()):
        raise ValueError("`scores` must be numbers, got NaN.")
    if artists.is_floating_point() or int(artists.min()) < 0 or int(artists.max()) >= scores.shape[1]:
        raise ValueError(
            f"`artists` must be integers from 0 to {scores.shape[1] - 1}, got {artists.min()} to "
            f"{artists.max()} of {artists.dtype}."
        )
    return float((scores.argmax(1) == artists.to(scores.device)).to(torch.float64).mean())
