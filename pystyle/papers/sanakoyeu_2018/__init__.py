r"""Sanakoyeu, Kotovenko, Lang, Ommer 2018: the style of an artist, from many of his paintings.

:Paper: https://arxiv.org/abs/1807.10201
:Code: https://github.com/CompVis/adaptive-style-transfer/tree/51b4c90

A network paints a picture :math:`G(E(x))` of a photograph x that a discriminator D takes for one of the
paintings. What is to stay of the photograph is what the network's own encoder E sees of it, which learns with
the style, and its blurred colours:

.. math:: \mathcal{L} = \lambda_D \mathcal{L}_D + \lambda_c \, \overline{| E(G(E(x))) - E(x) |}
          + \lambda_T \, \overline{(T(G(E(x))) - T(x))^2}

====================  =======================================  ==========================================
what                  paper                                    authors' code
====================  =======================================  ==========================================
encoder               a convolution of stride 1 and four of    3x3, 32, 32, 64, 128, 256 channels, a
                      stride 2 [M]                             mirror of 15 pixels at the front; the image
                                                               is normalised, too
decoder               nine residual blocks, four that double   the size doubled by repeated pixels, 3x3;
                      the size, a convolution [M]              7x7 at the end and a sigmoid; 12,006,790
                                                               parameters together, 11,995,584 of them in
                                                               kernels
discriminator         seven convolutions of stride 2, scores   5x5; 128, 128, 256, 512, 512, 1024, 1024
                      from several depths [M]                  channels; scores after layers 1, 2, 4, 6
                                                               and 7; 50,510,848 parameters
normalisation         --                                       instance, with scales and shifts
adversarial loss      log-likelihood [M]                       cross-entropy, the depths added up; the
                                                               photographs are no paintings, either
content E             the mean of squares [M]                  the mean of absolute differences
transformed image T   a transformer block                      the mean of 10 x 10 pixels, squares
weights               --                                       1, 100 (content) and 100 (transformed)
whose turn it is      --                                       the network's as long as D is right in 80 %
                                                               of the last cases, averaged with 0.95; else
                                                               that of D
images                Places365 and the paintings of an        the same; crops of 768, turned, sheared,
                      artist; crops of 768 [M]                 mirrored, in other hues
optimizer             Adam, 2e-4, a tenth after 200,000        Adam, 2e-4, 300,000 steps of one image
                      steps of 300,000, one image [M]
====================  =======================================  ==========================================

[M]: from memory. Sources: CompVis/adaptive-style-transfer, commit 51b4c90, ``model.py``, ``module.py``,
``ops.py``, ``main.py``, ``img_augm.py``. It calls its T a simplified version of that of the paper. The code
is taken where both differ, so there is no `variant`.

What differs here: photographs and paintings are cropped as they come; in the code both are resized until
their longer side is at most 1800 pixels (photographs are doubled first), and changed at random in size,
angle, shape and hue. A step in which the discriminator learns computes the losses of the network as well, for
the record. The paper's evaluation, the deception rate, is left out.
"""

from pystyle.papers.sanakoyeu_2018._criterion import criterion, photographs, training
from pystyle.papers.sanakoyeu_2018._discriminator import StyleAwareDiscriminator, discriminator
from pystyle.papers.sanakoyeu_2018._losses import StyleAwareContent, TransformedImageLoss
from pystyle.papers.sanakoyeu_2018._network import StyleAwareNetwork, network

__all__ = [
    "StyleAwareContent",
    "StyleAwareDiscriminator",
    "StyleAwareNetwork",
    "TransformedImageLoss",
    "criterion",
    "discriminator",
    "network",
    "photographs",
    "training",
]
