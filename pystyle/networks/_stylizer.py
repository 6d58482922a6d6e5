import inspect
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, TypeAlias

import torch
from torch import Tensor, nn

from pystyle.networks._codes import code_of, mean_code
from pystyle.networks._file import read_network, write_network
from pystyle.networks._hub import HubMixin
from pystyle.networks._layout import channels_last
from pystyle.networks._painter import Painter
from pystyle.typing import PrecisionChoice, Representation, Wrap

Style: TypeAlias = Tensor | str | Sequence[tuple[Tensor | str, float]]
"""An image, the name of a style that the network has learned, or several of both with weights."""


class Stylizer(HubMixin, nn.Module, ABC):
    """A network that paints in one pass: the base class.

    As a criterion is bound to its references, a stylizer is bound to a style. What it keeps of the style is
    its *code*: a tensor or a named tuple of tensors, the batch first. Codes are numbers that blend.

    A subclass implements :meth:`represent_style` and :meth:`forward`, and keeps each argument of its
    constructor as an attribute of the same name, so that :meth:`save` can write them down.
    :func:`pystyle.testing.check_stylizer` holds the promises.

    Attributes:
        stride: Contents come to :meth:`forward` with sides that are multiples of it.
        smallest: The smallest side of a content or a style, in pixels.
        can_wrap: Whether pictures of contents that wrap wrap, too; see :meth:`bind`. It is so where all that
            looks at neighbours are convolutions, poolings and interpolations of torch that keep the size, or
            divide or multiply it, and nothing is cut off at borders.
        styles: The names of the styles that the network has learned, if any.
        card: What :meth:`load` found in the file beside the network: where it comes from, its licence, its
            figures.

    Example:
        >>> import torch
        >>> from pystyle.functional import mean_std, raw_moments
        >>> from pystyle.networks import instance_normalization
        >>> class Recolor(Stylizer):
        ...     stride = 1
        ...
        ...     def represent_style(self, style):
        ...         return mean_std(raw_moments(style))
        ...
        ...     def forward(self, content, code):
        ...         mean, std = code.unbind(1)
        ...         return instance_normalization(content, std, mean)
        >>> paint = Recolor().bind(torch.rand(1, 3, 16, 16))
        >>> paint(torch.rand(2, 3, 20, 24)).shape
        torch.Size([2, 3, 20, 24])
    """

    stride: int = 4
    smallest: ClassVar[int] = 16
    can_wrap: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.styles: tuple[str, ...] = ()
        self.card: dict[str, Any] = {}

    @abstractmethod
    def represent_style(self, style: Tensor) -> Representation:
        """The code of a style.

        Shape:
            - style: (batch, 3, height, width), RGB in [0, 1]
        """

    @abstractmethod
    def forward(self, content: Tensor, code: Any) -> Tensor:
        """The picture: a content, in the style of a code.

        Args:
            content: The images, with sides that are multiples of :attr:`stride`.
            code: A code of as many styles as images, or of one.

        Returns:
            The pictures; a :class:`Painter` clamps them to [0, 1].

        Shape:
            - content, output: (batch, 3, height, width), RGB in [0, 1]
        """

    def mixed(self, content: Tensor, code: Any, strength: float) -> Tensor:
        """The picture with a strength below 1: mixed with the content, pixel by pixel.

        A network that has a better idea overrides it.

        Note:
            Mixing the code with that of the content, as Huang and Belongie, ICCV 2017, mix features, was
            measured beside: `docs/design.md` has the figures.
        """
        picture = self(content, code).to(content).clamp(0, 1)
        return torch.lerp(content, picture, strength)

    def blend(self, codes: Sequence[Any], shares: Sequence[float]) -> Representation:
        """The code of several styles: the mean of theirs.

        A network whose codes have the size of their styles overrides it.

        Args:
            codes: The codes.
            shares: How much of each; above 0, and 1 together.
        """
        return mean_code(codes, shares)

    def named_code(self, name: str) -> Representation:
        """The code of a style that the network has learned.

        Raises:
            ValueError: If it has learned none of this name.
        """
        raise ValueError(f"`name` must be one of the learned styles {self.styles}, got {name!r}.")

    def bind(
        self,
        style: Style | Mapping[str, Style],
        *,
        precision: PrecisionChoice = "float32",
        wrap: Wrap | None = None,
    ) -> Painter:
        """Look at the style once.

        Args:
            style: An image of shape (1, 3, height, width), or a batch with one style for each content; the
                name of a style that the network has learned; several of both as a list of ``(style,
                weight)``; or a mapping from regions to any of these, for contents that are a
                :class:`~pystyle.MaskedImage`.
            precision: What the network computes in. ``"float32"`` is that of its weights, whichever it is;
                ``"bfloat16"`` and ``"float16"`` are half of it where little is lost by it, as
                `torch.autocast` says; ``"auto"`` is half precision where the device multiplies in it.
            wrap: The sides beyond which contents and pictures go on with their other side: ``"both"`` for
                what is laid beside itself, ``"horizontal"`` for panoramas. These sides of contents must be
                multiples of :attr:`stride`. A style ends at its borders.

        Returns:
            A function of the content.

        Raises:
            ValueError: If an image is too small or leaves [0, 1], a name or the precision is not known,
                weights are negative or sum to zero, or the network cannot wrap.
            TypeError: If the style is something else, or not floating-point.

        Example:
            >>> import torch
            >>> from pystyle.networks import AnyStyleNetwork
            >>> network = AnyStyleNetwork(width=2)
            >>> waves, wheat = torch.rand(2, 1, 3, 32, 32)
            >>> paint = network.bind([(waves, 0.7), (wheat, 0.3)])
        """
        channels_last(self)
        styles = style if isinstance(style, Mapping) else {None: style}
        codes = {name: code_of(self, one, precision) for name, one in styles.items()}
        return Painter(self, codes, precision=precision, wrap=wrap)

    @property
    def configuration(self) -> dict[str, Any]:
        """The arguments of the constructor, by name; paths as text."""
        names = [name for name in inspect.signature(type(self).__init__).parameters if name != "self"]
        values = {name: getattr(self, name) for name in names}
        return {
            name: os.fspath(value) if isinstance(value, os.PathLike) else value
            for name, value in values.items()
        }

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        half: bool = False,
        bits: int | None = None,
        card: Mapping[str, Any] = {},
    ) -> None:
        """Write the network to one file, in the format of safetensors.

        Args:
            path: The file.
            half: Store the weights in half the bytes (float16).
            bits: Store each weight of a layer as an index into a table of this many bits, from 2 to 8, in the
                mean; layers of few weights have longer tables. With 6 these are a sixth of the bytes of
                float32, or less. :meth:`load` gives the network with these weights; nothing else changes.
            card: What else is to be known of it: where it comes from, its licence, its figures. What JSON
                has.

        Raises:
            ValueError: If `bits` is out of its bounds, or a weight is not finite.
            OSError: If the file cannot be written; what was there is left as it was.
        """
        write_network(self, path, half=half, bits=bits, card={**self.card, **card})

    def export(
        self,
        path: str | os.PathLike[str],
        *,
        style: Style | None = None,
        style_path: str | os.PathLike[str] | None = None,
        size: tuple[int, int] | None = None,
        int8: Tensor | Sequence[Tensor] | None = None,
    ) -> tuple[Path, ...]:
        """Write the network to a file of ONNX, for programs without torch.

        The file takes contents of any size, pads them to the stride and crops the picture itself. With a
        style it paints in this one. Without one, the only style of a network is that; a network of several
        learned styles takes ``shares``, how much there is to be of each; and one for any style takes the
        tensors of a code, which a second file makes of a painting. :class:`pystyle.onnx.OnnxPainter` paints
        with them. Before a file is written, ONNX Runtime has painted the same with it.

        Args:
            path: The file.
            style: The style as :meth:`bind` takes it, but no regions.
            style_path: The second file; if not given, ``net-style.onnx`` beside ``net.onnx``.
            size: Height and width of all contents, one at a time, for programs that want to know them; any
                size if not given.
            int8: Contents like those to come, at the size at which they will be painted. With them the
                convolutions, but not the first and the last, compute in whole numbers of 8 bits, whose
                ranges are those of these contents. The picture becomes a little another one.

        Returns:
            The files that were written.

        Raises:
            ImportError: If `onnx`, `onnxscript` or `onnxruntime` is missing.
            ValueError: If the style is none for this network, or must be given.
            RuntimeError: If the network has operations that ONNX lacks, or ONNX Runtime paints something
                else.
            OSError: If a file cannot be written; what was there is left as it was.

        Example:
            >>> from pystyle.networks import TransformNetwork
            >>> TransformNetwork(width=2).export("net.onnx", size=(32, 48))  # doctest: +SKIP
            (PosixPath('net.onnx'),)
        """
        # What it needs has seconds of imports.
        from pystyle.networks._export import export_network

        return export_network(self, path, style=style, style_path=style_path, size=size, int8=int8)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The network of a file that :meth:`save` wrote. Nothing in a file can run.

        Args:
            path: The file.

        Returns:
            The network, ready to paint, in float32 or in torch's default type if that is float64.
            `Stylizer.load` makes the classes of this library, those of its papers too; ``MyNetwork.load``
            makes a network of yours.

        Raises:
            ValueError: If the file holds no network, or one of another class.
            OSError: If it cannot be read.

        Example:
            >>> import tempfile
            >>> from pystyle.networks import AnyStyleNetwork
            >>> path = tempfile.mkdtemp() + "/network.safetensors"
            >>> AnyStyleNetwork(width=2).save(path)
            >>> Stylizer.load(path).width
            2
        """
        return read_network(cls, path)
