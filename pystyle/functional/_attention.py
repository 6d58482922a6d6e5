import torch
from torch import Tensor

from pystyle.functional._moments import channel_means
from pystyle.functional._precision import at_least_float32, without_autocast
from pystyle.functional._softmax import softmax_of_rows
from pystyle.functional._vector_sets import blocks_of


def attention_features(
    content: Tensor,
    style: Tensor,
    *,
    content_weights: Tensor | None = None,
    style_weights: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    r"""Content features with the mean and deviation of the style features that each of them attends to.

    .. math:: A = \operatorname{softmax}(\bar F_c^\top \bar F_s) \qquad M = F_s A^\top \qquad
              S = \sqrt{(F_s \odot F_s) A^\top - M \odot M} \qquad F = S \odot \bar F_c + M

    where :math:`\bar F` are features less the mean of their channel, divided by its standard deviation.

    Args:
        content: What attends.
        style: What is attended to; its size may be another.
        content_weights: How much each position of the content counts in its mean and deviation; equal if
            not given.
        style_weights: The same for the style, and how much attention each position of it gets; none where
            they are 0.
        eps: Added to variances.

    Returns:
        One feature map per content, in float32 at least.

    Raises:
        ValueError: If the batch sizes or channels differ, or there are no positions.

    Shape:
        - content, output: (batch, channels, height, width)
        - style: (batch, channels, other height, other width)
        - content_weights, style_weights: (1 or batch, 1, height, width) of each

    Example:
        >>> import torch
        >>> content = torch.tensor([[[[-9.0, 9.0]]]])
        >>> style = torch.tensor([[[[0.0, 10.0, 20.0]]]])
        >>> attention_features(content, style).round()   # the darker one attends to the darker ones
        tensor([[[[-3., 23.]]]])

    Note:
        Only some rows of the matrix of attention exist at a time, and shares below e⁻⁴⁰ of the largest are
        zero. Deviations are divided by the number of positions where the authors' code takes one less.

    References:
        Liu et al. *AdaAttN: revisit attention mechanism in arbitrary neural style transfer*. ICCV 2021,
        section 3.2, without the learnt convolutions, as in the local feature loss of section 3.3.
    """
    if content.ndim != 4 or style.ndim != 4 or content.shape[:2] != style.shape[:2]:
        raise ValueError(
            "`content` and `style` must have the axes (batch, channels, height, width), and the same batch "
            f"size and channels, got {tuple(content.shape)} and {tuple(style.shape)}."
        )
    if 0 in (*content.shape, *style.shape):
        raise ValueError(f"There must be positions, got {tuple(content.shape)} and {tuple(style.shape)}.")
    queries = _normalized(content, content_weights, eps).flatten(2)
    keys = _normalized(style, style_weights, eps).flatten(2)
    # Squares of values about their mean: of large ones the differences would be rounding errors.
    center = channel_means(style).unsqueeze(2)
    values = at_least_float32(style).flatten(2) - center
    bias = None if style_weights is None else at_least_float32(style_weights).flatten(2).log()
    blocks = blocks_of(queries, len(queries) * keys.shape[2])
    found = torch.cat([_attended(block, keys, values, bias, eps) for block in blocks], dim=2)
    return (found + center).reshape(content.shape)


def _attended(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None, eps: float) -> Tensor:
    with without_autocast(queries):
        similarities = queries.mT @ keys
        attention = softmax_of_rows(similarities if bias is None else similarities + bias).mT
        mean = values @ attention
        variance = values.square() @ attention - mean.square()
    return (variance.clamp_min(0) + eps).sqrt() * queries + mean


def _normalized(features: Tensor, weights: Tensor | None, eps: float) -> Tensor:
    """The features less their mean, divided by their standard deviation."""
    features = at_least_float32(features)
    if weights is None:
        shares = features.new_ones(1, 1, *features.shape[2:]) / features.shape[2:].numel()
    else:
        shares = weights.to(features) / weights.to(features).sum((2, 3), keepdim=True).clamp_min(1e-12)
    centered = features - (features * shares).sum((2, 3), keepdim=True)
    variance = (centered.square() * shares).sum((2, 3), keepdim=True)
    return centered / (variance + eps).sqrt()
