"""Pictures of a content in its own style, which two papers want to be the content itself."""

from collections.abc import Sequence

from pystyle._arguments import whole_number
from pystyle.criterion import Criterion
from pystyle.losses import ContentLoss, Loss
from pystyle.training import Phase


def identity_losses(layers: Sequence[str], *, pixel_weight: float, feature_weight: float) -> dict[str, Loss]:
    """The mean squared differences of pixels, and of the features of each layer."""
    ones = [1.0] * len(layers)
    return {
        "identity_pixels": ContentLoss("image", weight=pixel_weight),
        "identity_features": ContentLoss(layers, layer_weights=ones, weight=feature_weight),
    }


def alternating(
    stylized: Criterion,
    identity: Criterion,
    *,
    num_steps: int,
    crop_size: int | None = 256,
    block: int = 10,
) -> tuple[Criterion, list[Phase]]:
    """Criterion and phases of a training in which steps in another style and in the own one take turns.

    The authors add up the losses of three pictures in each step: the content in the style, the content in
    its own, and the style in its own. :func:`~pystyle.training.train` paints one picture for each content.
    So for each step of theirs there are two here, one of each kind. The learning rate, which follows the
    fraction of the training, is then that of theirs after as many pairs.

    Args:
        stylized: The losses of pictures in another style.
        identity: Those of pictures in their own. The encoder is that of the others.
        num_steps: How many steps of each kind.
        crop_size: The edge of the crops in pixels.
        block: How many steps of a kind follow each other. With 1 it is nearest to the sum of the losses; the
            table of phases, which is in each checkpoint, is longer then.

    Returns:
        All losses, and the table of phases, in each of which those of the other kind have the weight 0.

    Raises:
        ValueError: If both have a loss of the same name, only one of them wraps, or a number is not positive.

    Example:
        >>> from pystyle.encoders import vgg11
        >>> one = Criterion(vgg11(weights=None), {"content": ContentLoss("relu2_1")})
        >>> own = Criterion(one.encoder, identity_losses(["relu1_1"], pixel_weight=50.0, feature_weight=1.0))
        >>> both, phases = alternating(one, own, num_steps=25)
        >>> list(both.named_losses)
        ['content', 'identity_pixels', 'identity_features']
        >>> [(phase.num_steps, phase.identity) for phase in phases][-2:]
        [(5, False), (5, True)]
    """
    num_steps = whole_number(num_steps, "`num_steps`", least=1)
    block = whole_number(block, "`block`", least=1)
    losses, own = stylized.named_losses, identity.named_losses
    if shared := sorted(losses.keys() & own.keys()):
        raise ValueError(
            f"`stylized` and `identity` must have losses of different names, got {shared[0]!r} in both."
        )
    if stylized.wrap != identity.wrap:
        raise ValueError(
            "`stylized` and `identity` must wrap alike, because one criterion judges both, got the wraps "
            f"{stylized.wrap!r} and {identity.wrap!r}."
        )
    without_own, alone = dict.fromkeys(own, 0.0), dict.fromkeys(losses, 0.0)
    phases = []
    for start in range(0, num_steps, block):
        steps = min(block, num_steps - start)
        phases.append(Phase(steps, crop_size=crop_size, weights=without_own))
        phases.append(Phase(steps, crop_size=crop_size, weights=alone, identity=True))
    both = Criterion(
        stylized.encoder,
        {**losses, **own},
        normalize_gradients=stylized.normalize_gradients + identity.normalize_gradients,
        wrap=stylized.wrap,
    )
    return both, phases
