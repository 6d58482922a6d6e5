"""What is optimised: modules that make an image of their parameters.

The same objective leads to other pictures when the steps are taken in other coordinates. All of these start
from an image and give it back before the first step, but for what a smaller image or an autoencoder cannot
hold.
"""

from pystyle.parametrizations._clamp import clamp_with_gradient
from pystyle.parametrizations._fourier import Fourier
from pystyle.parametrizations._laplacian import LaplacianPyramid
from pystyle.parametrizations._latent import Autoencoder, Latent
from pystyle.parametrizations._low_resolution import LowResolution
from pystyle.parametrizations._parametrization import Parametrization
from pystyle.parametrizations._pixels import Pixels

__all__ = [
    "Autoencoder",
    "Fourier",
    "LaplacianPyramid",
    "Latent",
    "LowResolution",
    "Parametrization",
    "Pixels",
    "clamp_with_gradient",
]
