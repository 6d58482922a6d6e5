"""Networks with fewer channels, by what the scales and shifts of their instance norms let through."""

import math

import torch
from torch import Tensor

from pystyle._arguments import number
from pystyle.networks._transform_network import TransformNetwork, remade

_LEAST = 4
"""A layer keeps at least one of so many of its channels."""


@torch.no_grad()
def pruned(network: TransformNetwork, share: float) -> TransformNetwork:
    r"""A smaller network that paints nearly the same: the channels that matter least are cut out.

    Behind an instance norm with the scale :math:`\gamma` and the shift :math:`\beta` and a ReLU, a channel is
    about :math:`\max(\gamma n + \beta, 0)` of a normal :math:`n`. Its variance times the squares of the
    weights that it meets in the next layer is what it matters, relative to its layer, in the style to which
    it matters the most. The least of all layers go. A channel that does not vary matters nothing, whether it
    is zero or not: the next norm takes constants away. In front of the last layer, which has none, its mean
    over the styles goes into the bias.

    Args:
        network: The network, which is left as it is.
        share: The share of all channels that goes; each layer keeps a quarter of its own at least.

    Returns:
        The network, whose ``width`` has the channels of each layer. Where channels went that matter, the
        picture is another one until it is trained again, as :func:`pystyle.training.train` does.

    Raises:
        TypeError: If the network is of another class.
        ValueError: If the share is not from 0 to below 1.

    Example:
        >>> network = TransformNetwork(width=8)
        >>> small = pruned(network, 0.25)
        >>> sum(small.width), sum(pruned(network, 0.0).width)
        (180, 240)

    Note:
        Beyond a border of zeros constants end, and matter a little there. Liu et al. train with a penalty on
        the scales, and rank channels by them alone. Here nothing is trained, and the shifts and the next
        weights count. Channels that residual blocks are added up in are one group, whose variances are added
        up.

    References:
        Liu et al., *Learning Efficient Convolutional Networks through Network Slimming*, ICCV 2017.
    """
    if not isinstance(network, TransformNetwork):
        raise TypeError(
            f"`network` must be a TransformNetwork, got a {type(network).__name__}, whose layers have no "
            "instance norms with scales of their own. `Stylizer.save` can store all in few bits."
        )
    share = number(share, "`share`", least=0, below=1)
    return _without(network, _kept(_importances(network), share))


def _ways(network: TransformNetwork) -> list[tuple[str, int | None, int | None]]:
    """Each convolution, with the numbers of the layers that it reads and writes, in the order of `width`."""
    last = len(network.blocks) // 2 + 3
    inside = [
        way
        for block in range(len(network.blocks) // 2)
        for way in ((f"blocks.{2 * block}", 2, 3 + block), (f"blocks.{2 * block + 1}", 3 + block, 2))
    ]
    return [
        ("down.0", None, 0),
        ("down.1", 0, 1),
        ("down.2", 1, 2),
        *inside,
        ("up.0", 2, last),
        ("up.1", last, last + 1),
        ("output", last + 1, None),
    ]


def _importances(network: TransformNetwork) -> list[Tensor]:
    """For each layer how much its channels matter, relative to its mean."""
    state, ways = network.state_dict(), _ways(network)
    variances: dict[int, Tensor] = {}
    norms = [(name, written) for name, _, written in ways if written is not None]
    for (name, layer), code in zip(norms, torch.split(network.codes, list(network.channels), 2), strict=True):
        added = name.startswith("blocks") and layer == 2
        variance = code[:, 0].square() if added else _rectified(code)[1]
        variances[layer] = variances.get(layer, 0) + variance
    found: dict[int, list[Tensor]] = {}
    for name, read, _ in ways:
        if read is not None:
            met = variances[read] * state[f"{name}.weight"].square().sum((0, 2, 3))
            share = met / met.mean(1, keepdim=True).clamp_min(torch.finfo(met.dtype).tiny)
            # What one style needs must stay, whatever the others do.
            found.setdefault(read, []).append(share.amax(0))
    return [torch.stack(found[layer]).mean(0) for layer in sorted(found)]


def _rectified(code: Tensor) -> tuple[Tensor, Tensor]:
    """The mean and the variance of what a ReLU leaves of a normal with these deviations and means."""
    scale, mean = code.double().unbind(1)
    # A deviation of zero is one that is too small to matter.
    deviation = scale.abs().clamp_min(1e-12)
    distance = mean / deviation
    share, density = torch.special.ndtr(distance), (-distance.square() / 2).exp() / math.sqrt(2 * math.pi)
    first = mean * share + deviation * density
    second = (mean.square() + deviation.square()) * share + mean * deviation * density
    return first.to(code), (second - first.square()).clamp_min(0).to(code)


def _kept(importances: list[Tensor], share: float) -> list[Tensor]:
    """For each layer the numbers of the channels that stay."""
    ranked = sorted(
        (float(value), layer, channel)
        for layer, values in enumerate(importances)
        for channel, value in enumerate(values)
    )
    left = [len(values) for values in importances]
    least = [math.ceil(count / _LEAST) for count in left]
    gone: list[set[int]] = [set() for _ in left]
    to_go = round(share * len(ranked))
    for _, layer, channel in ranked:
        if to_go and left[layer] > least[layer]:
            gone[layer].add(channel)
            left[layer] -= 1
            to_go -= 1
    return [
        torch.tensor([channel for channel in range(len(values)) if channel not in lost], device=values.device)
        for values, lost in zip(importances, gone, strict=True)
    ]


def _without(network: TransformNetwork, kept: list[Tensor]) -> TransformNetwork:
    """The network with these channels of its layers alone."""
    state, ways = network.state_dict(), _ways(network)
    cut = dict(state)
    for name, read, written in ways:
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        if written is not None:
            weight, bias = weight[kept[written]], bias[kept[written]]
        elif read is not None:
            bias = bias + _lost_constant(network, kept[read])
        cut[f"{name}.weight"], cut[f"{name}.bias"] = weight if read is None else weight[:, kept[read]], bias
    layers = [written for _, _, written in ways if written is not None]
    codes = torch.split(network.codes, list(network.channels), 2)
    cut["codes"] = torch.cat([code[:, :, kept[layer]] for code, layer in zip(codes, layers, strict=True)], 2)
    return remade(network, cut, width=[len(one) for one in kept], styles=network.styles)


def _lost_constant(network: TransformNetwork, kept: Tensor) -> Tensor:
    """What the channels that go from the last layer add to the colours, in the mean over the styles."""
    means = _rectified(network.codes[:, :, -network.channels[-1] :])[0].mean(0)
    means = means.index_fill(0, kept, 0)
    return network.output.weight.sum((2, 3)) @ means
