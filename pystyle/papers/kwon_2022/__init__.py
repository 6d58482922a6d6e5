r"""Kwon, Ye 2022: image style transfer with a single text condition (CLIPstyler).

:Paper: https://arxiv.org/abs/2112.00374
:Code: https://github.com/cyclomon/CLIPstyler/tree/4843cec

A network is trained to paint one photograph, so that the way from the photograph to the picture, and to each
of 64 crops of it, seen in perspective, is that from a source text to the text:

.. math:: L_{patch} = \frac1N \sum_i R\Bigl(1 - \frac{\Delta I_i \cdot \Delta T}{\|\Delta I_i\| \|\Delta T\|},
          \tau\Bigr) \qquad R(l, \tau) = \begin{cases} 0 & l \le \tau \\ l & \text{otherwise} \end{cases}

====================  ========================================  ==========================================
what                  paper                                     authors' code
====================  ========================================  ==========================================
words                 CLIP, ViT-B/32; templates averaged        the same; 79 templates for ImageNet
source text           "a Photo"                                 the same
patches               64 crops of 128 pixels in perspective,    the same; corners move by up to half of
                      weight 9000                               half the side, black around; enlarged to
                                                                224 pixels bilinearly
threshold             0.7                                       the same
direction             of the whole picture, weight 500          the same
content               VGG-19, conv4_2 and conv5_2, weight 150   of torchvision; relu4_2, as its ReLU works
                                                                in place, and relu5_2, whose number it has
smoothness            total variation, weight 0.002             lengths of the differences to four
                                                                neighbours, not divided by their number
what is moved         a U-Net of three halvings                 16 channels, 615,267 numbers, a sigmoid
optimizer             Adam, 5e-4, halved after 100 of 200       the same, halved after 99 and 199 of 201
                                                                steps
size                  512 x 512 pixels                          the same, whatever the photograph's shape
saved picture                                                   that of 200 steps: its contrast times 1.5,
                                                                then stretched to all of [0, 1]
====================  ========================================  ==========================================

Source: cyclomon/CLIPstyler, commit 4843cec, ``train_CLIPstyler.py``, ``StyleNet.py``, ``template.py``,
``utils.py``; the column of the paper is sections 3 and 4 of it, from memory.

What differs here: the picture is what was optimised, and :func:`stretched` does what the authors do when
they save theirs. The photograph keeps its shape, with a short side of 512 pixels. Embeddings of templates are
divided by their lengths before they are averaged, as Radford et al. do; the authors divide only their mean.
Images are antialiased where CLIP looks at them, and crops are enlarged as images are for CLIP, bicubically.
Corners of crops are moved by any number of pixels. The rate is halved as in the paper. Weights of CLIP are
those that you have; :func:`pystyle.text.text_encoder` reads them.

Added here: pixels in the place of the network (``parametrization=Pixels``), and :func:`painter`, which moves
the code of a network that paints in any style: in less time, and what it finds paints other photographs, too.
"""

from pystyle.papers.kwon_2022._criterion import CONTENT_LAYERS as CONTENT_LAYERS
from pystyle.papers.kwon_2022._criterion import TEMPLATES as TEMPLATES
from pystyle.papers.kwon_2022._criterion import criterion
from pystyle.papers.kwon_2022._losses import DifferencesLoss
from pystyle.papers.kwon_2022._network import PhotographNetwork, UNet
from pystyle.papers.kwon_2022._optimizer import HalvedAdam
from pystyle.papers.kwon_2022._painter import painter
from pystyle.papers.kwon_2022._stretched import stretched
from pystyle.papers.kwon_2022._style_transfer import style_transfer

__all__ = [
    "DifferencesLoss",
    "HalvedAdam",
    "PhotographNetwork",
    "UNet",
    "criterion",
    "painter",
    "stretched",
    "style_transfer",
]
