from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import pad

from pystyle._arguments import number
from pystyle._wrapping import check_multiple, checked_wrap, wrapping
from pystyle.losses._representation import batch_size
from pystyle.networks._codes import check_picture, for_network
from pystyle.networks._modes import painting
from pystyle.typing import MaskedImage, PrecisionChoice, Representation, Wrap

if TYPE_CHECKING:
    from pystyle.networks._stylizer import Stylizer


class Painter:
    """A network with a style: a function of the content.

    It comes from :meth:`Stylizer.bind`, keeps no graph, and may be called from any number of threads. The
    network paints in evaluation mode, also if it is being trained.

    Args:
        network: The network.
        codes: The codes of its styles by region; of one for the whole picture under None.
        precision: What it computes in.
        wrap: The sides beyond which contents and pictures go on with their other side.

    Raises:
        ValueError: If the network cannot wrap.

    Example:
        >>> import torch
        >>> from pystyle.networks import AnyStyleNetwork
        >>> paint = AnyStyleNetwork(width=2).bind(torch.rand(1, 3, 32, 32))
        >>> paint(torch.rand(1, 3, 40, 61), strength=0.5).shape
        torch.Size([1, 3, 40, 61])
    """

    def __init__(
        self,
        network: "Stylizer",
        codes: Mapping[str | None, Representation],
        *,
        precision: PrecisionChoice = "float32",
        wrap: Wrap | None = None,
    ) -> None:
        if checked_wrap(wrap) is not None and not network.can_wrap:
            raise ValueError(
                f"`wrap` must be left out for a {type(network).__name__}, which takes borders in a way of "
                "its own: its pictures would have a seam. Use an AnyStyleNetwork or a TransformNetwork."
            )
        self.network = network
        self.wrap = wrap
        self.codes = dict(codes)
        self.precision = precision

    @torch.no_grad()
    def __call__(self, content: Tensor | MaskedImage, *, strength: float = 1.0) -> Tensor:
        """Paint the content.

        Args:
            content: The images, of any size from :attr:`Stylizer.smallest` on. With a style for each region,
                an image with masks of these regions; where no mask is, the image stays as it is.
            strength: How much of the style: 1 is the style alone, 0 the content as it is.

        Returns:
            The pictures, of the size, the type and the device of the content.

        Raises:
            ValueError: If the content is too small or leaves [0, 1], `strength` is not in [0, 1], there are
                not as many styles as contents, a region has no mask, or a side that wraps is no multiple of
                :attr:`Stylizer.stride`.
            TypeError: If the content is no floating tensor of this shape.

        Shape:
            - content, output: (batch, 3, height, width), RGB in [0, 1]
        """
        strength = number(strength, "`strength`", least=0, most=1)
        image = content.image if isinstance(content, MaskedImage) else content
        check_picture(image, "content", self.network)
        check_multiple(image.shape[2:], self.wrap, self.network.stride, "`content`")
        if None in self.codes:
            return self._painted(image, self.codes[None], strength)
        masks = self._masks(content)
        pictures = (self._painted(image, self.codes[name], strength) for name in masks)
        return composed(image, list(masks.values()), pictures)

    def _masks(self, content: Tensor | MaskedImage) -> dict[str, Tensor]:
        regions = ", ".join(map(repr, self.codes))
        if not isinstance(content, MaskedImage):
            raise ValueError(
                f"`content` must be a MaskedImage with masks of the regions {regions}: each has its "
                "own style."
            )
        missing = [name for name in self.codes if name not in content.masks]
        if missing:
            raise ValueError(
                f"`content` must have a mask for each of the regions {regions}, got none of {missing[0]!r}."
            )
        return {str(name): content.masks[str(name)] for name in self.codes}

    def _painted(self, image: Tensor, code: Representation, strength: float) -> Tensor:
        count, batch = batch_size(code), image.shape[0]
        if count not in (1, batch):
            raise ValueError(
                f"`content` must have as many images as there are styles, {count}, got {batch}. Bind one "
                "style to paint all images in it."
            )
        padded = _padded(for_network(self.network, image), self.network.stride)
        network = self.network
        with painting(network, padded.device, self.precision), wrapping(self.wrap):
            picture = network(padded, code) if strength == 1 else network.mixed(padded, code, strength)
        return picture[:, :, : image.shape[2], : image.shape[3]].clamp(0, 1).to(image)


def composed(image: Tensor, masks: Sequence[Tensor], pictures: Iterable[Tensor]) -> Tensor:
    """The image with a picture of its own for each region; where no mask is, it stays as it is."""
    result = image * (1 - torch.stack(list(masks)).sum(0).clamp(0, 1))
    for mask, picture in zip(masks, pictures, strict=True):
        result = result + mask * picture
    return result.clamp(0, 1)


def _padded(image: Tensor, stride: int) -> Tensor:
    """The image with its last rows and columns repeated up to a multiple of the stride."""
    height, width = image.shape[2:]
    return pad(image, (0, -width % stride, 0, -height % stride), mode="replicate")
