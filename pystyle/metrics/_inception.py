import torch
from torch import Tensor, nn

from pystyle.colors._pixels import check_picture
from pystyle.functional._precision import without_autocast
from pystyle.images import resize

_SIZE = 299
_TALL, _WIDE = (7, 1), (1, 7)


class InceptionFeatures(nn.Module):
    """The features of the FID: 2048 numbers for each picture, from the Inception network of December 2015.

    It is that of TensorFlow, which differs from torchvision's: averages do not count what is beyond the
    border, and the last block takes a maximum. What batch normalisation did is part of the convolutions. The
    weights are random until :func:`published_inception` or `load_state_dict` gives others.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1], of any size
        - output: (batch, 2048)

    Note:
        Pictures are resized to 299 x 299 pixels, whatever their aspect, by bicubic interpolation that filters
        where it shrinks, as Parmar et al. do. The first implementation interpolated bilinearly without a
        filter; its figures are others.

    Example:
        >>> import torch
        >>> network = InceptionFeatures()
        >>> network(torch.rand(2, 3, 64, 48)).shape
        torch.Size([2, 2048])
        >>> sum(parameter.numel() for parameter in network.parameters())
        21768352

    References:
        Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, *Rethinking the Inception Architecture for Computer
        Vision*, CVPR 2016, table 1. How to resize: Parmar, Zhang and Zhu, *On Aliased Resizing and Surprising
        Subtleties in GAN Evaluation*, CVPR 2022.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _convolution(3, 32, 3, stride=2, same=False),
            _convolution(32, 32, 3, same=False),
            _convolution(32, 64, 3),
            nn.MaxPool2d(3, 2),
            _convolution(64, 80),
            _convolution(80, 192, 3, same=False),
            nn.MaxPool2d(3, 2),
            *(_block_a(channels, pooled) for channels, pooled in ((192, 32), (256, 64), (288, 64))),
            _half_of_288(),
            *(_block_c(width) for width in (128, 160, 160, 192)),
            _half_of_768(),
            _block_e(1280, _average()),
            _block_e(2048, nn.MaxPool2d(3, 1, 1)),
        )
        self.requires_grad_(False)
        self.eval()

    @torch.no_grad()
    def forward(self, image: Tensor) -> Tensor:
        """The features, in the type of the weights.

        Raises:
            TypeError: If `image` is no floating tensor.
            ValueError: If it leaves [0, 1].
        """
        weight = next(self.parameters())
        resized = resize(check_picture(image), (_SIZE, _SIZE)).clamp(0, 1)
        with without_autocast(weight):
            features: Tensor = self.layers((255 * resized.to(weight) - 128) / 128)
            return features.mean((2, 3))

    def extra_repr(self) -> str:
        """How pictures are resized, which the figures depend on."""
        return f"pictures resized to {_SIZE} x {_SIZE}, bicubic with a filter"


class _Branches(nn.ModuleList):
    """Several ways through, whose channels are put one behind the other."""

    def forward(self, features: Tensor) -> Tensor:
        """All channels."""
        return torch.cat([branch(features) for branch in self], 1)


def _convolution(
    channels: int, wide: int, kernel: int | tuple[int, int] = 1, *, stride: int = 1, same: bool = True
) -> nn.Sequential:
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = (height // 2, width // 2) if same else 0
    return nn.Sequential(nn.Conv2d(channels, wide, (height, width), stride, padding), nn.ReLU())


def _average() -> nn.Module:
    return nn.AvgPool2d(3, 1, 1, count_include_pad=False)


def _block_a(channels: int, pooled: int) -> nn.Module:
    return _Branches(
        [
            _convolution(channels, 64),
            nn.Sequential(_convolution(channels, 48), _convolution(48, 64, 5)),
            nn.Sequential(_convolution(channels, 64), _convolution(64, 96, 3), _convolution(96, 96, 3)),
            nn.Sequential(_average(), _convolution(channels, pooled)),
        ]
    )


def _half_of_288() -> nn.Module:
    double = _convolution(288, 64), _convolution(64, 96, 3), _convolution(96, 96, 3, stride=2, same=False)
    return _Branches(
        [_convolution(288, 384, 3, stride=2, same=False), nn.Sequential(*double), nn.MaxPool2d(3, 2)]
    )


def _block_c(width: int) -> nn.Module:
    double = [_convolution(768, width), *(_convolution(width, width, k) for k in (_TALL, _WIDE, _TALL))]
    return _Branches(
        [
            _convolution(768, 192),
            nn.Sequential(
                _convolution(768, width), _convolution(width, width, _WIDE), _convolution(width, 192, _TALL)
            ),
            nn.Sequential(*double, _convolution(width, 192, _WIDE)),
            nn.Sequential(_average(), _convolution(768, 192)),
        ]
    )


def _half_of_768() -> nn.Module:
    single = _convolution(768, 192), _convolution(192, 320, 3, stride=2, same=False)
    crossed = _convolution(768, 192), _convolution(192, 192, _WIDE), _convolution(192, 192, _TALL)
    return _Branches(
        [
            nn.Sequential(*single),
            nn.Sequential(*crossed, _convolution(192, 192, 3, stride=2, same=False)),
            nn.MaxPool2d(3, 2),
        ]
    )


def _block_e(channels: int, pooling: nn.Module) -> nn.Module:
    def both() -> nn.Module:
        return _Branches([_convolution(384, 384, (1, 3)), _convolution(384, 384, (3, 1))])

    return _Branches(
        [
            _convolution(channels, 320),
            nn.Sequential(_convolution(channels, 384), both()),
            nn.Sequential(_convolution(channels, 448), _convolution(448, 384, 3), both()),
            nn.Sequential(pooling, _convolution(channels, 192)),
        ]
    )
