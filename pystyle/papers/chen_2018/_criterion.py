from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.losses import AdversarialLoss, ContentLoss, Loss
from pystyle.papers.chen_2018._discriminator import discriminator
from pystyle.papers.chen_2018._losses import ColorLoss, GrayGramLoss
from pystyle.papers.chen_2018._recipes import Recipe, check_recipe

LAYER = "conv4_4"


def criterion(
    encoder: Encoder | None = None, *, recipe: Recipe = "cartoon", layer: str = LAYER, width: int = 32
) -> Criterion:
    """The losses, with the weights of the table.

    Args:
        encoder: The network that content and style are seen by; the VGG-19 of Caffe if not given.
        recipe: Whose losses.
        layer: Where they are seen.
        width: Channels of the first layer of the discriminator.

    Returns:
        A criterion with the losses ``adversarial`` and ``content``; for ``"anime"`` with ``style`` and
        ``color`` as well.

    Raises:
        ValueError: If the recipe or the layer is unknown.

    Example:
        >>> from pystyle.encoders import vgg19
        >>> list(criterion(vgg19(weights=None), recipe="anime", width=2).losses)
        ['adversarial', 'content', 'style', 'color']
    """
    check_recipe(recipe)
    encoder = vgg19() if encoder is None else encoder
    judge = discriminator(recipe=recipe, width=width)
    losses: dict[str, Loss]
    if recipe == "cartoon":
        losses = {
            "adversarial": AdversarialLoss(judge),
            "content": ContentLoss(layer, distance="l1", weight=10.0),
        }
    else:
        losses = {
            "adversarial": AdversarialLoss(judge, weight=300.0),
            "content": ContentLoss(layer, distance="l1", weight=1.5),
            "style": GrayGramLoss(layer, weight=3.0),
            "color": ColorLoss(weight=10.0),
        }
    return Criterion(encoder, losses)
