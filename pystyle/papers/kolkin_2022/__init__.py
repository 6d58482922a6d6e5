r"""Kolkin, Kucera, Paris, Sýkora, Shechtman, Shakhnarovich 2022: neural neighbor style transfer (NNST-Opt).

:Paper: https://arxiv.org/abs/2203.13215
:Code: https://github.com/nkolkin13/NeuralNeighborStyleTransfer/tree/290976a

Each hypercolumn of the photograph is replaced by the nearest one of the painting, and an image with these
features is looked for:

.. math:: \min_x \frac{1}{P} \sum_p \left( 1 - \cos(\Phi_p(x), \Phi_{NN(p)}(x_s)) \right) \qquad
          NN(p) = \arg\max_q \cos(\Phi_p(c) - \mu, \Phi_q(x_s) - \mu_s)

In the end each layer is matched on its own, anew at each step (feature splitting).

====================  =======================================  ==========================================
what                  paper                                    authors' code
====================  =======================================  ==========================================
network               VGG-16 of torchvision                    the same
hypercolumn           all convolutions after their ReLU        relu1_1 ... relu4_3, 2688 channels
                                                               (``featureExtract.py`` says that the paper
                                                               had those of the fifth block, too)
each layer            divided by its number of channels, at    the same
                      a quarter of the size
style                 also turned by 90, 180, 270 degrees      the same
levels                halved three times from 512 pixels       the same; four times from 1024
searched with         content at the first level, then a mix   (1 - α) of the image + the detail of the
                      with the image                           content, and α of the content; α = 0.75
init                  content at the first level               the same; at 1024 pixels the detail of the
                                                               content is added at two more levels
what is moved         a Laplacian pyramid                      of 8 levels less the halvings
optimizer             Adam, 0.002                              the same, 200 steps at each level
last pass             each layer apart, matched at each step;  without the fifth block ("speeds up
                      its comment: "uses all layers"           method"); at most about 64 x 64 positions,
                                                               on another grid at each step, 200 steps
colours               the chroma of the content, with mean     in OKLab, without decoding the gamma; then
                      and covariance of the style's            five times a filter of 3 x 3 pixels, guided
                                                               by the lightness
====================  =======================================  ==========================================

Sources: nkolkin13/NeuralNeighborStyleTransfer, commit 290976a, ``utils/stylize.py``,
``utils/featureExtract.py``, ``utils/colorization.py``, ``styleTransfer.py``; the column of the paper is
what the code's comments say of it.

What differs here: finer layers are averaged where they shrink, and resizing does not align corners;
positions of the style in the last pass are drawn at random; maps of at most 64 positions are taken as a
whole, where the code takes the positions of the layer before; pyramids are halved upwards; the image and
what is searched with are clamped to [0, 1]. The code's optional content loss, off by default, is left out.
"""

from pystyle.papers.kolkin_2022._colors import recoloured
from pystyle.papers.kolkin_2022._criteria import criterion, last_criterion
from pystyle.papers.kolkin_2022._hypercolumns import COLUMNS as COLUMNS
from pystyle.papers.kolkin_2022._hypercolumns import FIFTH_BLOCK as FIFTH_BLOCK
from pystyle.papers.kolkin_2022._hypercolumns import LAYERS as LAYERS
from pystyle.papers.kolkin_2022._hypercolumns import ROTATIONS as ROTATIONS
from pystyle.papers.kolkin_2022._losses import ReplacedFeaturesLoss, SplitFeaturesLoss
from pystyle.papers.kolkin_2022._style_transfer import PYRAMID_LEVELS as PYRAMID_LEVELS
from pystyle.papers.kolkin_2022._style_transfer import style_transfer

__all__ = [
    "ReplacedFeaturesLoss",
    "SplitFeaturesLoss",
    "criterion",
    "last_criterion",
    "recoloured",
    "style_transfer",
]
