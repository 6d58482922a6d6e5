from collections.abc import Sequence

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder
from pystyle.losses import ContentLoss, GramLoss
from pystyle.papers._training import TrainingOptions, adam_training
from pystyle.papers.yoo_2019._network import encoder_of

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")


def criterion(
    encoder: Encoder | None = None, *, layers: str | Sequence[str] = LAYERS, gram_weight: float = 0.01
) -> Criterion:
    """The loss of the decoder: the content itself, and the Gram matrices of its features.

    Args:
        encoder: The network; if not given that of the table, whose poolings are the low bands.
        layers: Where Gram matrices are compared.
        gram_weight: The factor of their mean squared difference, relative to their mean square, of which the
            layers are averaged.

    Returns:
        A criterion with the losses ``pixels`` and ``gram``.

    Raises:
        ValueError: If a layer is unknown.

    Example:
        >>> from pystyle.encoders import vgg19
        >>> criterion(vgg19(weights=None), layers="relu4_1").losses["gram"]
        GramLoss('relu4_1', weight=0.01, relative=True, reference='content')

    Note:
        Layers and weights of the authors are not known; these are ours. Relative, because the squares of Gram
        matrices are 10,000 times those of pixels, and more.
    """
    if encoder is None:
        encoder = encoder_of("caffe_normalized")
    gram = GramLoss(layers, weight=gram_weight, relative=True, reference="content")
    return Criterion(encoder, {"pixels": ContentLoss("image"), "gram": gram})


def training(*, num_steps: int = 160_000) -> TrainingOptions:
    """How the decoder is trained: what :func:`pystyle.training.train` takes besides network, losses, images.

    The network is one without transfer, ``network(transfer=())``, and the contents do as styles.

    Args:
        num_steps: How many steps.

    Example:
        >>> training(num_steps=10_000)["optimizer"].keywords
        {'lr': 0.001}

    Note:
        Of these the optimizer alone is published; the others are those of WCT, see
        :func:`pystyle.papers.li_fang_2017.training`.
    """
    return adam_training(rate=1e-3, num_steps=num_steps, batch_size=8)
