r"""Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville 2017: improved training of Wasserstein GANs (WGAN-GP).

:Paper: https://arxiv.org/abs/1704.00028
:Code: https://github.com/igul222/improved_wgan_training/tree/fa66c57

The discriminator, here a critic, gives scores without bounds. If no slope of it is longer than 1, the
largest gap between its means of real and painted images is the Wasserstein distance between both, which falls
steadily as the pictures come nearer. A penalty between pairs of both keeps slopes at 1 (equation 3):

.. math:: \mathcal{L} = \operatorname{mean} D(\hat y) - \operatorname{mean} D(y)
          + \lambda \operatorname{mean} \left( \| \nabla D(\tilde y) \|_2 - 1 \right)^2
          \qquad \tilde y = \epsilon y + (1 - \epsilon) \hat y, \quad \epsilon \sim U[0, 1]

====================  ================================  ====================================================
what                  paper                             authors' code, ``gan_64x64.py``
====================  ================================  ====================================================
λ                     10                                10; 0.1 for toys
steps of the critic   5 for one of the network          5
optimizer             Adam, 1e-4, β = (0, 0.9)          the same for both; β1 = 0.5 in ``gan_cifar.py``
learning rate         --                                constant
batch                 64                                64
steps                 --                                200,000
critic                no batch normalisation; that of   3 x 3, four residual blocks that halve the size,
                      layers in its place               normalised over channels and places, a sum over all
                                                        numbers of 4 x 4: 7,491,841 parameters
weights at first      --                                uniform; Xavier's, times the root of 2 in blocks
images                --                                64 x 64, in [-1, 1]
network               several, from noise               several, from noise
====================  ================================  ====================================================

Sources: igul222/improved_wgan_training, commit fa66c57, ``gan_64x64.py``, ``gan_cifar.py``, ``gan_toy.py``,
``tflib/ops``. The column of the paper, whose numbers are those of its algorithm 1, is from memory.

What differs here: there is no generator from noise, because networks of this library paint contents; any
:class:`~pystyle.networks.Stylizer` with one style can be trained. A step is four moves of the critic, one of
the network and one of the critic. The critic takes larger images, too: its last layer then looks at each
window of 4 x 4 places, and the slope is that of the mean of these scores. `crop_size` is that of the code::

    train(network, criterion(), contents=photographs, styles=paintings, **training())

The history has ``"adversarial.discriminator"``, which is the gap with its sign changed: with slopes of 1, the
distance.
"""

from pystyle.papers.gulrajani_2017._critic import Critic, discriminator
from pystyle.papers.gulrajani_2017._training import criterion, training

__all__ = ["Critic", "criterion", "discriminator", "training"]
