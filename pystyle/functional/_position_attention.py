import torch
from torch import Tensor

from pystyle.functional._precision import at_least_float32, without_autocast
from pystyle.functional._softmax import softmax_of_rows
from pystyle.functional._vector_sets import blocks_of


def position_attention(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    r"""What positions see of others: the mean of their values, weighted by how like the keys are to a query.

    .. math:: v_i = \sum_j a_{ij} V_j \qquad
              a_{ij} = \frac{\exp(Q_i^\top K_j)}{\sum_{j'} \exp(Q_i^\top K_{j'})}

    Args:
        queries: What is looked for.
        keys: What is looked at.
        values: What is seen there.

    Returns:
        The mean for each query, in float32 at least.

    Raises:
        ValueError: If queries and keys differ in channels, keys and values in positions, batch sizes do not
            fit each other, or there are no keys.

    Shape:
        - queries: (batch or 1, channels, height, width), or any number of position axes
        - keys: (batch or 1, channels, other height, other width)
        - values: (batch or 1, value channels, as the keys)
        - output: (batch, value channels, as the queries)

    Example:
        >>> import torch
        >>> keys, values = torch.tensor([[[-9.0, 0.0, 9.0]]]), torch.tensor([[[1.0, 2.0, 3.0]]])
        >>> position_attention(torch.tensor([[[-5.0, 0.0, 5.0]]]), keys, values)
        tensor([[[1., 2., 3.]]])

    Note:
        Only some rows of the matrix of weights exist at a time, unless a gradient is wanted, which needs
        all. Shares below e⁻⁴⁰ of the largest are zero. Products are not divided by the root of the number of
        channels, as those of transformers are.

    References:
        Wang et al. *Non-local neural networks*. CVPR 2018 (the embedded Gaussian). Park and Lee. *Arbitrary
        style transfer with style-attentional networks*. CVPR 2019, section 3.2.
    """
    _check(queries, keys, values)
    with without_autocast(queries):
        wide, keys, values = (at_least_float32(one).flatten(2) for one in (queries, keys, values))
        batch = max(len(wide), len(keys), len(values))
        seen = [
            values @ softmax_of_rows(block.mT @ keys).mT for block in blocks_of(wide, batch * keys.shape[2])
        ]
        return torch.cat(seen, dim=2).reshape(batch, values.shape[1], *queries.shape[2:])


def _check(queries: Tensor, keys: Tensor, values: Tensor) -> None:
    tensors = (queries, keys, values)
    got = f"got the shapes {', '.join(str(tuple(tensor.shape)) for tensor in tensors)}."
    if min(tensor.ndim for tensor in tensors) < 3 or 0 in (*queries.shape[2:], *keys.shape[2:]):
        raise ValueError(
            f"`queries`, `keys` and `values` must have the axes (batch, channels, positions), {got}"
        )
    if queries.shape[1] != keys.shape[1] or keys.shape[2:] != values.shape[2:]:
        raise ValueError(
            f"`keys` must have the channels of the queries, and the positions of the values, {got}"
        )
    if len({len(tensor) for tensor in tensors} - {1}) > 1:
        raise ValueError(f"`queries`, `keys` and `values` must be of as many images, or of one, {got}")
