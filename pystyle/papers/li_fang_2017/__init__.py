r"""Li et al. 2017: universal style transfer via feature transforms (WCT).

:Paper: https://arxiv.org/abs/1705.08086
:Code: https://github.com/Yijunmaverick/UniversalStyleTransfer/tree/55f3717

Features of the content are whitened: they get the mean 0 and the identity as their covariance. Then they
are coloured with the mean and the covariance of those of the style, and a decoder paints a picture of them:

.. math:: f_{cs} = E_s D_s^{1/2} E_s^\top \; E_c D_c^{-1/2} E_c^\top (f_c - \mu_c) + \mu_s \qquad
          T(c, s) = g(\alpha f_{cs} + (1 - \alpha) f_c)

So it goes at five levels, each with an encoder and a decoder, from the coarsest to the finest, and each looks
at the picture of the one before. A decoder is trained to paint what the encoder sees, without any style:

.. math:: \mathcal{L} = \| I_o - I_i \|^2 + \lambda \| \Phi(I_o) - \Phi(I_i) \|^2

====================  =======================================  ==========================================
what                  paper                                    authors' code
====================  =======================================  ==========================================
encoders              VGG-19 to relu1_1, ..., relu5_1          the same, normalised to mean activations
                                                               of 1, convolutions reflect the border,
                                                               poolings round up
decoders              their mirrors, nearest neighbour in the  1,731, 112,451, 555,075, 3,505,219 and
                      place of pooling                         12,944,451 parameters
covariances           of centred features                      divided by the positions less one
eigenvalues           --                                       those below 1e-5 are left out, of content
                                                               and style each
levels                5, 4, 3, 2, 1                            the same; pictures between them are not
                                                               clamped
α                     0.6                                      ``-alpha`` 0.6, at each level
several styles        weighted means of f_cs                   ``-beta``
regions               whitened by themselves                   masks by nearest neighbour, above 1/2
textures              from noise                               uniform, 3 passes, α = 1
swapped patches       --                                       ``-swap5``: at relu5_1, 3 x 3
λ                     1                                        the training is not published
images                MS-COCO                                  long side of 768 for painting
optimizer             --                                       --; in the port of Davis, which the authors
                                                               link to, Adam, 1e-4 / (1 + 5e-5 t), 160,000
                                                               steps of 8 crops of 256
====================  =======================================  ==========================================

Sources: Yijunmaverick/UniversalStyleTransfer, commit 55f3717, ``test_wct.lua``, ``test_wct_mask.lua``,
``test_wct_interpolation2.lua``, ``lib/NonparametricPatchAutoencoderFactory.lua``; eridgd/WCT-TF, ``train.py``
and ``model.py``, for the training. The column of the paper is from memory [M]. Both agree as far as they say
something, so there is no `variant`.

What differs here: the encoder's weights are normalised by activations of our own photographs; one encoder
serves all levels; eigenvalues are those of float64, the authors' of float32. The α is that of the network,
and the strength of a painter is a factor of it: 1 is what is published, 0 is the content through the decoders
alone. The losses are sums for one pixel, so that crops of all sizes have the same. The network is not trained
itself: a :class:`Reconstruction` is trained for each level, which looks at no style, and :func:`joined` makes
a network of them. With ``levels=(3, 2, 1)`` it has decoders that a CPU can train; it is the authors' in all
but the depth. The last convolution of a decoder is linear, and that from relu1_1 has no other:
:func:`least_squares` solves for it.

So levels are trained one at a time::

    parts = []
    for level in (3, 2, 1):
        part = Reconstruction(level=level)
        train(part, criterion(level=level), contents=photographs, styles=photographs, **training())
        parts.append(part)  # or least_squares(part, photographs)
    paint = joined(parts).bind(painting)
"""

from pystyle.papers.li_fang_2017._control import regions, swapped, texture
from pystyle.papers.li_fang_2017._least_squares import least_squares
from pystyle.papers.li_fang_2017._network import WCTNetwork, network
from pystyle.papers.li_fang_2017._training import Reconstruction, criterion, joined, training

__all__ = [
    "Reconstruction",
    "WCTNetwork",
    "criterion",
    "joined",
    "least_squares",
    "network",
    "regions",
    "swapped",
    "texture",
    "training",
]
