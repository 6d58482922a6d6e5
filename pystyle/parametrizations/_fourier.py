import torch
from torch import Tensor, nn

from pystyle._arguments import number
from pystyle.parametrizations._clamp import clamp_with_gradient
from pystyle.parametrizations._initial import initial_values
from pystyle.parametrizations._parametrization import Parametrization
from pystyle.typing import Wrap

# A root of the covariance of the colours of photographs; the columns are uncorrelated colours.
_COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))


class Fourier(Parametrization):
    r"""The Fourier coefficients of three uncorrelated colours, scaled as in natural images.

    .. math:: x = C \, \mathcal{F}^{-1} \left( \frac{s}{\max(f, f_1)^\beta} \, z \right)

    z are the parameters, f is the frequency in cycles per pixel and f₁ that of one wave along the longer
    side. C has the uncorrelated colours as columns: brightness, and two of chroma with a quarter and an
    eighth of its length. So a step of the same length in all coefficients moves coarse waves more than fine
    ones and brightness more than chroma, in proportion to how they vary in photographs. s is such that
    independent coefficients of variance 1 give pixels of variance 1: a learning rate means about what it
    means for pixels.

    Args:
        image: What to start from; it is clamped to [0, 1].
        decay: The exponent β; 0 treats all frequencies alike.
        decorrelate: Whether the colours are uncorrelated; red, green and blue otherwise.

    Raises:
        TypeError: If `image` is not a tensor of float32 or float64, which the transform needs.
        ValueError: If it has another shape, or `decay` is negative.

    Shape:
        - image: (batch, 3, height, width)
        - spectrum: (batch, 3, height, width // 2 + 1, 2), real and imaginary parts

    Example:
        >>> import torch
        >>> image = torch.rand(1, 3, 32, 48)
        >>> fourier = Fourier(image)
        >>> fourier.spectrum.shape
        torch.Size([1, 3, 32, 25, 2])
        >>> torch.allclose(fourier(), image, atol=1e-5)
        True

    Note:
        The image is clamped by :func:`clamp_with_gradient`. Olah et al. take a sigmoid. Started from a
        photograph, where black and white then have gradients near zero, it left higher losses and more
        noise.

    References:
        Olah, Mordvintsev, Schubert. *Feature visualization*. Distill, 2017, and their library lucid, whose
        covariance of colours is used.
    """

    scale: Tensor
    colours: Tensor

    def __init__(self, image: Tensor, *, decay: float = 1.0, decorrelate: bool = True) -> None:
        super().__init__()
        decay = number(decay, "`decay`", least=0)
        pixels = initial_values(image).clamp_(0, 1)
        if pixels.element_size() < 4:
            raise TypeError(
                f"`image` must be of float32 or float64 for a Fourier transform, got {image.dtype}."
            )
        colours = torch.tensor(_COLOURS, dtype=torch.float64, device="cpu")
        if not decorrelate:
            colours = torch.eye(3, dtype=colours.dtype, device="cpu")
        colours = colours * 3**0.5 / torch.linalg.matrix_norm(colours)
        self.size = (pixels.shape[2], pixels.shape[3])
        self.register_buffer("scale", _scale(self.size, decay).to(pixels))
        self.register_buffer("colours", colours.to(pixels))
        components = _mixed(torch.linalg.inv(colours).to(pixels), pixels)
        spectrum = torch.fft.rfft2(components, norm="ortho") / self.scale
        self.spectrum = nn.Parameter(torch.view_as_real(spectrum).contiguous())

    def wraps(self, wrap: Wrap) -> bool:
        """Always: waves go on beyond the border."""
        del wrap
        return True

    def forward(self) -> Tensor:
        """The sum of the waves, clamped."""
        spectrum = torch.view_as_complex(self.spectrum) * self.scale
        components = torch.fft.irfft2(spectrum, s=self.size, norm="ortho")
        return clamp_with_gradient(_mixed(self.colours, components))


def _mixed(matrix: Tensor, image: Tensor) -> Tensor:
    # Sums of planes: a matrix product would be at the mercy of autocast and TF32.
    columns = matrix.reshape(3, 3, 1, 1).unbind(1)
    mixed: Tensor = columns[0] * image[:, 0:1] + columns[1] * image[:, 1:2] + columns[2] * image[:, 2:3]
    return mixed


def _scale(size: tuple[int, int], decay: float) -> Tensor:
    """The height of the wave of each coefficient, (height, width // 2 + 1)."""
    height, width = size
    vertical = torch.fft.fftfreq(height, dtype=torch.float64, device="cpu")[:, None]
    horizontal = torch.fft.rfftfreq(width, dtype=torch.float64, device="cpu")
    frequency = (vertical.square() + horizontal.square()).sqrt()
    scale = frequency.clamp_min(1 / max(size)) ** -decay
    # A coefficient stands for itself and its conjugate, except in the columns that are their own conjugates.
    conjugated = (horizontal > 0) & (horizontal < 0.5)
    variance = (torch.where(conjugated, 4.0, 1.0) * scale.square()).sum() / (height * width)
    normalized: Tensor = scale / variance.sqrt()
    return normalized
