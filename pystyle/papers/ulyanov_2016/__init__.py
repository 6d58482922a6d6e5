r"""Ulyanov, Lebedev, Vedaldi, Lempitsky 2016: texture networks.

:Paper: https://arxiv.org/abs/1603.03417
:Code: https://github.com/DmitryUlyanov/texture_nets/tree/b2097ec

A network makes a texture x of noise z, or a picture of a content y and noise, in one pass. It is trained by
the losses of Gatys et al. at what it makes, with other noise each time:

.. math:: \min_g \; \mathbb{E}_{z, y} \sum_l \| G^l(g(y, z)) - G^l(x_0) \|^2
          + \alpha \| F(g(y, z)) - F(y) \|^2

====================  =====================================  ============================================
what                  paper                                  authors' code
====================  =====================================  ============================================
network               sizes of 1/32 ... 1, each joins twice  the same, 8 channels for each size, 3 x 3,
                      the one before, enlarged by            3 x 3 and 1 x 1; released networks for styles
                      repeating pixels [M]                   have 1/16 ... 1 and no 1 x 1
parameters            65,000 [M]                             116,755 (textures), 68,411 (styles)
normalisation         batch, before joins too                the same, of the joined with 8 parameters each
activations           leaky ReLU [M]                         0.01
borders               circular                               the same
noise                 uniform, at each size [M]              3 channels, uniform; beside the content for
                                                             styles
output                --                                     BGR, levels of 255, means subtracted
losses seen by        VGG-19                                 of Caffe
style                 squares of differences of Gram         mean, divided by channels and positions,
                      matrices, weight --                    relu1_1 ... relu5_1, weight 1, 1000 for
                                                             styles
content               relu4_2 [M], weight --                 mean of squares, relu4_2, weight 0.6
gradients             --                                     L1 norm of the style's at each layer 1, if
                                                             asked; so in the commands of its page
training              Adam, 0.1, 2,000 steps of 16; times    Adam, 0.1, times 0.8 every 300; 1,500 steps
                      0.7 at 1,000 and every 200 then [M]    of 16 (textures), 3,000 of 4 (styles)
images                256 x 256; ImageNet                    the same
sampling              --                                     statistics of the batch in the normalisations
====================  =====================================  ============================================

[M]: from memory. Sources: the paper's sections 3 and 4; DmitryUlyanov/texture_nets, branch texture_nets_v1,
commit b2097ec, ``models/pyramid.lua``, ``src/``, ``texture_train.lua``, ``stylization_train.lua``,
``supplementary``. Both agree as far as they say something, but for the training, where `variant` chooses.

A texture has no content. Its network takes noise for one, so that ``train(contents=NoiseImages(256), ...)``
trains it, and :func:`sample` paints from noise.

What differs here: the normalisations of what is enlarged have parameters for all of its channels. The
released networks have them for 8, and read what lies behind in memory; so ours have 116,915 and 68,507
parameters. A trained network normalises by the averages of the training. For textures the noise of each size
is read from the content: the coarser sizes see numbers that no other coarse size sees, and the finest sees
them all. If gradients are normalised, then for each image of a batch.
"""

from pystyle.papers.ulyanov_2016._criterion import STYLE_LAYERS as STYLE_LAYERS
from pystyle.papers.ulyanov_2016._criterion import criterion, network, training
from pystyle.papers.ulyanov_2016._pyramid import PyramidNetwork
from pystyle.papers.ulyanov_2016._samples import NoiseImages, sample

__all__ = ["NoiseImages", "PyramidNetwork", "criterion", "network", "sample", "training"]
