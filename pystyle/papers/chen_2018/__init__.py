r"""Chen, Lai, Liu 2018: photographs as cartoons, by adversaries (CartoonGAN); and AnimeGAN after it.

:Paper: https://doi.org/10.1109/CVPR.2018.00986
:Code: https://github.com/FlyingGoblin/CartoonGAN/tree/7064aa6

A discriminator learns to tell the pictures from drawings c, and drawings e whose edges were blurred as well.
So the network cannot please it without clear edges. What is seen of the photograph p by VGG-19 is to stay:

.. math:: \mathcal{L}_{adv} = \mathbb{E}[\log D(c)] + \mathbb{E}[\log(1 - D(e))]
          + \mathbb{E}[\log(1 - D(G(p)))] \qquad
          \mathcal{L} = \mathcal{L}_{adv} + \omega \| VGG(G(p)) - VGG(p) \|_1

====================  ==========================  ==========================  ============================
what                  paper                       authors' code               AnimeGAN, code
====================  ==========================  ==========================  ============================
network               7x7, two that halve the     the same, with mirrors at   separable convolutions, eight
                      size, eight residual        7x7 and in the blocks;      inverted residual blocks;
                      blocks, two that double     11,129,667 parameters,      3,956,096 parameters
                      it, 7x7 [M]                 9,472 of them scales and
                                                  shifts
discriminator         seven convolutions of 3x3,  the same, 32 channels at    the same, spectral, no
                      two of stride 2 [M]         first; 1,129,665            biases; 1,128,800 parameters
                                                  parameters
normalisation         batch [M]                   instance                    instance
adversarial loss      log-likelihood [M]          least squares, weight 1     least squares, weight 300
not drawings          with blurred edges          the same, weight 1          grey ones, weight 1; grey
                                                                              with blurred edges, 0.1
blurred edges         Canny's, grown, Gaussian    --                          Canny of 100 and 200, 5 x 5
                                                                              pixels, (1, 4, 6, 4, 1)
content               conv4_4, L1, ω = 10 [M]     conv4_4 without ReLU, the   the same, 1.5
                                                  mean of absolute
                                                  differences, 10
style                 none                        none                        Gram matrices of conv4_4 of
                                                                              grey drawings, L1, 3
colour                none                        none                        YUV: L1 and Huber, 10
first phase           content, 10 epochs [M]      content, 20 epochs, 2e-4,   content, 5 epochs, 1e-4
                                                  falling to 0 in the last
                                                  10
training              200 epochs [M]              Adam, 1e-5, β of 0.5; 200   Adam, 8e-5 and 1.6e-4 (the
                                                  epochs, falling to 0 in     discriminator), β of 0.5; 96
                                                  the last 100; batch 8       epochs; batch 6
memory                --                          50 pictures                 none
images                5,402 photographs [M],      squeezed to 256, mirrored   6,656 photographs [M], 256
                      256                         at random
====================  ==========================  ==========================  ============================

[M]: from memory. Sources: FlyingGoblin/CartoonGAN, commit 7064aa6, which is the first author's,
``options.lua``, ``train.lua``, ``models/cartoon_gan_model.lua``, ``models/architectures.lua``,
``util/content_loss.lua``; it reads blurred drawings from a folder and does not make them.
TachibanaYoshino/AnimeGAN, commit b7c16f7, of Chen, Liu, Chen, *AnimeGAN: a novel lightweight GAN for photo
animation*, ISICA 2019, https://doi.org/10.1007/978-981-15-5577-0_18, ``train.py``, ``AnimeGAN.py``, ``net/``,
``tools/``. The authors' code is taken where it differs from a paper, so there is no `variant`; `recipe` is
``"cartoon"`` or ``"anime"``.

What differs here: the edges of the drawings in the batch are blurred as they come (:func:`smoothed_edges`),
where the authors draw others from a folder, which were made in 8 bits. Epochs are steps of 5,402 photographs
by eights, and of 6,656 by sixes. Each image is cropped and not squeezed. CartoonGAN's code enlarges or
shrinks images to 224 pixels before VGG-19 sees them, sets all biases of convolutions to 0 in each step, and
judges a picture of its memory where the network learns; AnimeGAN's lets the discriminator move first. Here
the network moves first, by its own pictures, and with one optimizer in both phases. AnimeGAN's code adds 1e-6
and not 1e-5 to the variances behind its separable convolutions.
"""

from pystyle.papers.chen_2018._anime import AnimeNetwork
from pystyle.papers.chen_2018._criterion import criterion
from pystyle.papers.chen_2018._discriminator import CartoonDiscriminator, discriminator
from pystyle.papers.chen_2018._edges import edges, gray, smoothed_edges
from pystyle.papers.chen_2018._losses import ColorLoss, GrayGramLoss
from pystyle.papers.chen_2018._network import CartoonNetwork, network
from pystyle.papers.chen_2018._training import PhasedOptions, gray_and_smoothed, smoothed, training

__all__ = [
    "AnimeNetwork",
    "CartoonDiscriminator",
    "CartoonNetwork",
    "ColorLoss",
    "GrayGramLoss",
    "PhasedOptions",
    "criterion",
    "discriminator",
    "edges",
    "gray",
    "gray_and_smoothed",
    "network",
    "smoothed",
    "smoothed_edges",
    "training",
]
