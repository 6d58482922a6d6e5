from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor, float64

from pystyle._arguments import check_kind, explained_allocations
from pystyle.metrics._colors import color_distance, saturation_ratio
from pystyle.metrics._lpips import LPIPS
from pystyle.metrics._noise import noise_ratio
from pystyle.metrics._published_trunk import TrunkName, published_trunk
from pystyle.metrics._similarity import ssim
from pystyle.metrics._style_distance import StyleDistance
from pystyle.metrics._versions import versions

_STYLE_LAYERS = MappingProxyType(
    {
        "alexnet": ("relu1", "relu2", "relu3", "relu4"),
        "vgg16": ("relu1_2", "relu2_2", "relu3_3", "relu4_3"),
    }
)


class Measure(NamedTuple):
    """What a figure of a picture says.

    Attributes:
        name: What it is called.
        better: Which way is better.
        blind_to: What it cannot see.

    Example:
        >>> print(MEASURES["ssim"])
        ssim: more is nearer to the content, 1 at most; cannot see shapes that are kept in other colours
    """

    name: str
    better: str
    blind_to: str

    def __str__(self) -> str:
        """A line on it."""
        return f"{self.name}: {self.better}; cannot see {self.blind_to}"


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        measure.name: measure
        for measure in (
            Measure(
                "lpips",
                "less is nearer to the content, 0 at least",
                "whether what changed became strokes or noise",
            ),
            Measure(
                "ssim", "more is nearer to the content, 1 at most", "shapes that are kept in other colours"
            ),
            Measure(
                "style",
                "less is nearer to the style; 1 is as far as the content, 0 the style itself",
                "where features are, and noise, which can halve it",
            ),
            Measure("color", "less is nearer to the colours of the style, 0 at least", "where a colour is"),
            Measure(
                "saturation",
                "1 is as colourful as the style, well below is washed out",
                "which colours there are",
            ),
            Measure("noise", "at most 1 is no noisier than both sources", "whether it is canvas or noise"),
        )
    }
)
"""The figures of :class:`Judge`, in the order in which it gives them."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """What :class:`Judge` found.

    Attributes:
        figures: By the names of `MEASURES` a number for each picture, (batch), in float64.
        settings: What the figures depend on besides the pictures.
        versions: Of the packages that computed them.

    Example:
        >>> import torch
        >>> judgement = Judgement({"ssim": torch.tensor([0.5, 0.75])}, {}, {})
        >>> judgement.count, judgement.means
        (2, {'ssim': 0.625})
    """

    figures: Mapping[str, Tensor]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return len(next(iter(self.figures.values())))

    @property
    def means(self) -> dict[str, float]:
        """The means over the pictures."""
        return {name: float(values.mean()) for name, values in self.figures.items()}


class Judge:
    """Several measures of finished pictures at once, so that none is read without the others.

    Args:
        lpips: The distance to the content through a network; None leaves it out.
        style: The distance to the style, relative to that of the content; None leaves it out.

    Raises:
        TypeError: If one is something else, such as the name of a network.

    Example:
        >>> import torch
        >>> content, style = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 40, 32)
        >>> judgement = Judge()(content, content, style)
        >>> list(judgement.figures), judgement.figures["ssim"]
        (['ssim', 'color', 'saturation', 'noise'], tensor([1.], dtype=torch.float64))
    """

    def __init__(self, lpips: LPIPS | None = None, style: StyleDistance | None = None) -> None:
        if lpips is not None:
            check_kind(lpips, LPIPS, "`lpips`", 'LPIPS(vgg16(weights="torchvision"))')
        if style is not None:
            check_kind(style, StyleDistance, "`style`", 'StyleDistance(vgg16(weights="torchvision"))')
        self.lpips = lpips
        self.style = style

    @classmethod
    def published(cls, network: TrunkName = "vgg16", *, device: torch.device | str = "cpu") -> "Judge":
        """A judge with all measures, through a network whose weights come in a package.

        Args:
            network: ``"vgg16"`` or ``"alexnet"``; see :func:`published_trunk`.
            device: Where it computes.

        Raises:
            ValueError: If the network is another.
            ImportError: If what has the weights is not installed, with the command for it.
            RuntimeError: If a file of weights is not the known one.

        Example:
            >>> judge = Judge.published()                           # doctest: +SKIP
        """
        encoder = published_trunk(network).to(device)
        return cls(LPIPS(encoder, network), StyleDistance(encoder, _STYLE_LAYERS[network]))

    @explained_allocations("Judging a picture")
    def __call__(self, image: Tensor, content: Tensor, style: Tensor) -> Judgement:
        """The figures.

        Args:
            image: The pictures, as they are saved.
            content: Their contents: one image, or as many.
            style: Their styles, of any size: one image, or as many. Give a style at its size in the picture.

        Raises:
            TypeError: If one is no floating tensor.
            ValueError: If they leave [0, 1], are too small, or sizes or batches do not fit.

        Shape:
            - image, content: (batch, 3, height, width)
            - style: (batch, 3, any height, any width)
        """
        found = {
            "lpips": self.lpips(image, content) if self.lpips is not None else None,
            "ssim": ssim(image, content),
            "style": self.style(image, style, content) if self.style is not None else None,
            "color": color_distance(image, style),
            "saturation": saturation_ratio(image, style),
            "noise": noise_ratio(image, content, style),
        }
        figures = {name: values.to("cpu", float64) for name, values in found.items() if values is not None}
        return Judgement(figures, self._settings(), versions())

    def _settings(self) -> dict[str, Any]:
        if self.style is None:
            return {}
        return {
            "style_layers": list(self.style.layers),
            "style_directions": self.style.num_directions,
            "seed": self.style.seed,
        }
