"""Contents and styles of any size and type, as a painter takes them, for networks without one."""

from collections.abc import Mapping

from torch import Tensor
from torch.nn.functional import pad

from pystyle.networks import Stylizer
from pystyle.networks._codes import check_picture, for_network


def style_for(network: Stylizer, style: Tensor, name: str) -> Tensor:
    """A style in the type and on the device of the network.

    Raises:
        TypeError: If it is no floating-point image.
        ValueError: If it is too small or leaves [0, 1].
    """
    check_picture(style, name, network)
    return for_network(network, style)


def content_for(network: Stylizer, content: Tensor) -> Tensor:
    """The same of a content, with its last rows and columns repeated up to multiples of the stride."""
    return _repeated(style_for(network, content, "content"), network)


def masks_for(network: Stylizer, masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The masks of such a content."""
    return {name: _repeated(mask, network) for name, mask in masks.items()}


def picture_for(picture: Tensor, content: Tensor) -> Tensor:
    """The part of a picture that is the content, in its type and on its device, clamped to [0, 1]."""
    return picture[:, :, : content.shape[2], : content.shape[3]].clamp(0, 1).to(content)


def _repeated(image: Tensor, network: Stylizer) -> Tensor:
    height, width = image.shape[2:]
    return pad(image, (0, -width % network.stride, 0, -height % network.stride), mode="replicate")
