r"""Kato, Ushiku, Harada 2018: neural 3D mesh renderer, the textures of its style transfer.

:Paper: https://arxiv.org/abs/1711.07566
:Code: https://github.com/hiroharu-kato/style_transfer_3d/tree/a4938ae

Vertices and textures of a mesh are optimised so that pictures of it from random sides have the Gram matrices
of a painting. Vertices are held where they were, and colours of neighbouring pixels are held alike; norms are
sums of squares:

.. math:: \mathcal{L} = \lambda_c \sum_i \| v_i - v_i^c \|^2
          + \lambda_s \sum_\phi \sum_l \| G^l_\phi - G^l_s \|^2 + \lambda_t \mathcal{L}_t

Here vertices do not move: no gradient goes through the silhouette. So the first term is zero, and the
texture alone is painted.

====================  ==========================================  =========================================
what                  authors' code                               here
====================  ==========================================  =========================================
what is optimised     4³ colours for each triangle, through a     the texture of the mesh, `texture_size`,
                      sigmoid, and vertices                       through a sigmoid
start                 noise of deviation 0.05 within it           the same, unless `init` is given
network               VGG-16 of Caffe, up to conv4_3 with ReLU    VGG-16: relu1_2, relu2_2, relu3_3, relu4_3
Gram matrices         of the silhouette, divided by its area and  the same, of the four pictures together
                      the channels; each picture has its own
style                 sum of the squared differences, weight 1    the same
smoothness            sum of the squared differences of colours   the same, weight 0.03
                      within the silhouettes, weight 1e7; 1e4
                      and 1e5 in their examples
background            mean colour of the painting                 the same
pictures              224 x 224, 4 a step                         224 pixels high, 4 a step
painting              squeezed to 224 x 224                       its short side has 224 pixels
cameras               elevation 20 to 40, any azimuth; 60         the same; 2.732 radii
                      degrees, at 2.732 ± 0.1 halves of the
                      longest side
light                 half from all sides, half from a random     none
                      one, 30 degrees off the zenith
optimizer             Adam, 0.05, β₁ 0.9; 5,000 steps             the same
====================  ==========================================  =========================================

Sources: section 4.2 of the paper, from memory; ``examples/run.py`` and ``style_transfer_3d/main.py`` of
hiroharu-kato/style_transfer_3d, commit a4938ae (later ones take 1,000 steps), and what they call of
hiroharu-kato/neural_renderer, commit 675a7d4: ``mesh.py``, ``renderer.py``, ``perspective.py``.

What differs here: there is no light but the colours, so nothing is learnt from shades. The cameras come from
a set of views (:class:`~pystyle.surfaces.Views`), not anew at each step. The authors' Adam leaves a colour
alone that a step does not see. Their weights of the smoothness belong to Caffe's network, whose activations
are about 44 times those of torchvision's (relu3_1 of VGG-19, which counts most); the style loss grows with
their fourth power, so 0.03 here is the 1e5 of their bunny. With an encoder of Caffe's weights take theirs.
"""

from pystyle.papers.kato_2018._criterion import LAYERS as LAYERS
from pystyle.papers.kato_2018._criterion import SMOOTHNESS_WEIGHT as SMOOTHNESS_WEIGHT
from pystyle.papers.kato_2018._criterion import criterion
from pystyle.papers.kato_2018._losses import SquaredDifferencesLoss, SummedGramLoss
from pystyle.papers.kato_2018._style_transfer import style_transfer
from pystyle.papers.kato_2018._texture import SquashedTexture

__all__ = ["SquaredDifferencesLoss", "SquashedTexture", "SummedGramLoss", "criterion", "style_transfer"]
