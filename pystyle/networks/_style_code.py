from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from pystyle.losses._representation import changed, tensors_of
from pystyle.networks._any_style_network import StyleMoments
from pystyle.networks._codes import check_picture, for_network
from pystyle.networks._modes import evaluating
from pystyle.networks._painter import Painter, _padded
from pystyle.networks._stylizer import Style, Stylizer
from pystyle.parametrizations import Parametrization, clamp_with_gradient
from pystyle.typing import Representation

_WITHOUT_GRADIENT = ("color_covariance", "fine_covariance", "coarse_covariance")
"""Of the moments. The map that is made of them is a constant for gradients; the decoder sees them, too."""


class StyleCode(Parametrization):
    """The code of a style, with which a network paints a photograph, in the place of its pixels.

    A run moves the code and not the network, so whatever losses ask for, the picture stays one that the
    network can paint. The code that was found paints other photographs in no time: :attr:`painter`.

    Unlike other parametrizations it does not start with the image that it is made from. That is the
    photograph, and the first picture is what the network makes of it in the style to start from. So it is for
    :func:`pystyle.optimize_image`, and for pyramids of one level: a further level would take the picture of
    the one before for the photograph.

    Args:
        image: The photograph; a :func:`functools.partial` with the other arguments is what a run takes.
        stylizer: The network. Its weights are neither moved nor given gradients.
        style: What to start from: an image, a name that the network knows, or several of both with weights;
            see :meth:`Stylizer.bind`.
        fixed: The names of tensors of the code that stay as they are. If not given, those through which the
            network gives no gradient, or only a part of it: the covariances of :class:`AnyStyleNetwork`.

    Raises:
        ValueError: If the photograph or the style is too small or leaves [0, 1], or there is a style for each
            region,
            or the code has no tensor of a name in `fixed`, or no other.
        TypeError: If the style is something else.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> from functools import partial
        >>> from pystyle import Criterion, TotalVariationLoss, optimize_image
        >>> from pystyle.networks import AnyStyleNetwork
        >>> network, images = AnyStyleNetwork(width=2), torch.rand(2, 1, 3, 32, 32)
        >>> result = optimize_image(
        ...     Criterion(None, {"smoothness": TotalVariationLoss()}),
        ...     {"content": images[0]},
        ...     parametrization=partial(StyleCode, stylizer=network, style=images[1]),
        ...     optimizer="adam",
        ...     num_steps=2,
        ... )
        >>> result.image.shape
        torch.Size([1, 3, 32, 32])

    Note:
        Each tensor of the code is moved in units of its own root mean square, so that one learning rate suits
        them all. Covariances are moved by a root of theirs, and so stay covariances.
    """

    starts_with_image = False
    content: Tensor

    def __init__(
        self, image: Tensor, *, stylizer: Stylizer, style: Style, fixed: Sequence[str] | None = None
    ) -> None:
        super().__init__()
        check_picture(image, "image", stylizer)
        codes = stylizer.bind(style).codes
        if None not in codes:
            raise ValueError(f"`style` must be one for the whole picture, got one for each of {list(codes)}.")
        code = changed(codes[None], lambda tensor: tensor.detach().clone())
        # Outside of the tree of modules: what it has is not to be moved.
        self._network = (stylizer,)
        self._weights = {name: weight.detach() for name, weight in stylizer.named_parameters()}
        self._code = code
        self.fixed = _checked_names(code, fixed)
        self._covariances = [is_covariance(tensor) for tensor in tensors_of(code)]
        self.size, self.dtype = (image.shape[2], image.shape[3]), image.dtype
        self.register_buffer("content", _padded(for_network(stylizer, image.detach()), stylizer.stride))
        self._starts = [
            _root(tensor) if covariance else tensor
            for tensor, covariance in zip(tensors_of(code), self._covariances, strict=True)
        ]
        self._moving = [name not in self.fixed for name in _names(code)]
        moving = zip(self._starts, self._moving, strict=True)
        self.moves = nn.ParameterList([torch.zeros_like(start) for start, moves in moving if moves])

    @property
    def code(self) -> Representation:
        """The code so far, as the network has it."""
        values = iter(self._values())
        found: Representation = changed(self._code, lambda _: next(values))
        return found

    @property
    def painter(self) -> Painter:
        """The network with a copy of the code so far: a function of photographs."""
        code = changed(self.code, lambda tensor: tensor.detach().clone())
        return Painter(self._network[0], {None: code})

    def forward(self) -> Tensor:
        """What the network paints, in [0, 1]."""
        (network,) = self._network
        with evaluating(network):
            picture = functional_call(network, self._weights, (self.content, self.code))
        cut = picture[:, :, : self.size[0], : self.size[1]]
        return clamp_with_gradient(cut).to(self.dtype)

    def _values(self) -> list[Tensor]:
        found, moves = [], iter(self.moves)
        rows = zip(tensors_of(self._code), self._starts, self._moving, self._covariances, strict=True)
        for given, start, moving, covariance in rows:
            if not moving:
                found.append(given)
                continue
            value = start + _unit(start) * next(moves)
            found.append(value @ value.mT if covariance else value)
        return found


def _names(code: Representation) -> Sequence[str]:
    """The names of the tensors of a code; their numbers, if they have none."""
    fields: Sequence[str] | None = getattr(code, "_fields", None)
    return [str(index) for index in range(len(tensors_of(code)))] if fields is None else fields


def _checked_names(code: Representation, fixed: Sequence[str] | None) -> tuple[str, ...]:
    if fixed is None:
        return _WITHOUT_GRADIENT if isinstance(code, StyleMoments) else ()
    unknown = [name for name in fixed if name not in _names(code)]
    if unknown or set(fixed) == set(_names(code)):
        got = repr(unknown[0]) if unknown else "all of them"
        raise ValueError(f"`fixed` must name some of {', '.join(_names(code))}, got {got}.")
    return tuple(fixed)


def is_covariance(tensor: Tensor) -> bool:
    """Whether these are symmetric matrices without negative directions, up to rounding."""
    if tensor.ndim < 3 or tensor.shape[-1] != tensor.shape[-2] or tensor.shape[-1] < 2:
        return False
    if not torch.allclose(tensor, tensor.mT, rtol=1e-4, atol=1e-6 * float(tensor.abs().max())):
        return False
    values = torch.linalg.eigvalsh(tensor.detach().cpu().double())
    return bool((values >= -1e-4 * values.abs().amax(-1, keepdim=True)).all())


def _root(tensor: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(tensor.cpu().double())
    root: Tensor = (vectors * values.clamp_min(0).sqrt().unsqueeze(-2)) @ vectors.mT
    return root.to(tensor)


def _unit(tensor: Tensor) -> Tensor:
    size = tensor.square().mean().sqrt()
    return torch.where(size > 0, size, 1.0)
