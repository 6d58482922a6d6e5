r"""Zhang, Goodfellow, Metaxas, Odena 2019: self-attention generative adversarial networks (SAGAN).

:Paper: https://arxiv.org/abs/1805.08318
:Code: https://github.com/brain-research/self-attention-gan/tree/ad9612e

Parts of it, for networks that paint: a discriminator in which each place sees all others, all of whose layers
are divided by their largest singular value, and the game it plays. The network learns slowly and the
discriminator fast, so that one step of each is enough:

.. math:: \mathcal{L}_D = \operatorname{mean} \max(0, 1 - D(y)) + \operatorname{mean} \max(0, 1 + D(\hat y))
          \qquad \mathcal{L}_G = - \operatorname{mean} D(\hat y)

====================  ===================================  ================================================
what                  paper                                authors' code
====================  ===================================  ================================================
attention             1 x 1 convolutions, softmax over     queries and keys an eighth of the channels,
                      places, γ = 0 at first               values half; keys and values pooled, 2 x 2
where                 middle and high layers               32 x 32 of 128 pixels, behind the second block
discriminator         residual, projection of the class    six residual blocks of 64 to 1024 channels, a
                                                           sum over places, a linear layer, and the class:
                                                           38,439,618 parameters without it
spectral norm         network and discriminator            the same; one power iteration for each step
game                  hinge                                hinge
rates                 1e-4, discriminator 4e-4             1e-4, 4e-4, constant
β of Adam             0, 0.9                               0, 0.999, the default of TensorFlow
moves                 1 : 1                                1 : 1
batch                 --                                   256
steps                 1,000,000                            at most 2,000,000; "one million" in its readme
images                ImageNet, 128 x 128                  the same, in [-1, 1]
====================  ===================================  ================================================

Sources: brain-research/self-attention-gan, commit ad9612e, ``discriminator.py`` (``discriminator_test``, the
default), ``non_local.py``, ``ops.py``, ``model.py``, ``train_imagenet.py``, ``README.md``. The column of the
paper is from memory.

What differs here: the class-conditional generator, which makes images of noise, is not reproduced, because
this library paints photographs; so the discriminator knows no classes either.
:class:`~pystyle.networks.SelfAttention` can be put into a network of yours. The singular values of torch
begin with 15 power iterations, and go on whenever the discriminator is asked, also about the pictures of the
network, where the authors' stay. The network moves first in each step. Larger images have larger scores,
because places are added up; those of the code have 128 pixels::

    train(network, criterion(), contents=photographs, styles=paintings, **training())
"""

from pystyle.papers.zhang_2019._discriminator import AttentiveDiscriminator, discriminator
from pystyle.papers.zhang_2019._training import criterion, training

__all__ = ["AttentiveDiscriminator", "criterion", "discriminator", "training"]
