from collections.abc import Mapping

from torch.nn.functional import l1_loss

from pystyle._arguments import check_kind, number
from pystyle.losses import AdversarialLoss
from pystyle.networks import Stylizer
from pystyle.training._example_code import example_code
from pystyle.training._task import Lesson, Painted, Task


class CycleTask(Task):
    """A second network paints the way back, and both together change nothing.

    The second network makes contents of styles, under a discriminator of its own. What both make of an image
    one after the other is to be the image. After the training it is there to be used, too.

    Args:
        back: The second network: it has learned one style, that of the contents, or looks at the contents as
            styles.
        adversarial: The loss with the discriminator of the way back. A training calls it ``"adversarial"``
            with the name of the task before it: ``adversaries={"cycle.adversarial": ...}``.
        cycle: The weight of the two ways there and back: the mean absolute difference of images in [0, 1].
            The published 10 is that of images in [-1, 1].
        identity: The weight of each network's own style, which is to stay as it is, as a factor of `cycle`; 0
            for none.
        weight: Factor of everything.

    Raises:
        TypeError: If `back` is no network, or `adversarial` no such loss.
        ValueError: If a weight is negative, `back` has learned several styles, or the loss is conditional.

    Example:
        >>> from pystyle.losses import AdversarialLoss
        >>> from pystyle.networks import PatchDiscriminator, ResNetGenerator
        >>> back = ResNetGenerator(width=2, style="photograph")
        >>> task = CycleTask(back, AdversarialLoss(PatchDiscriminator(width=2)))
        >>> task.terms
        ('adversarial', 'cycle', 'cycle_back', 'identity', 'identity_back')

    References:
        Zhu, Park, Isola, Efros. *Unpaired image-to-image translation using cycle-consistent adversarial
        networks*. ICCV 2017, equations 2 and 3, and section 5.2 for the identity.
    """

    def __init__(
        self,
        back: Stylizer,
        adversarial: AdversarialLoss,
        *,
        cycle: float = 20.0,
        identity: float = 0.5,
        weight: float = 1.0,
    ) -> None:
        super().__init__(weight=weight)
        check_kind(back, Stylizer, "`back`", 'ResNetGenerator(style="photograph")')
        check_kind(adversarial, AdversarialLoss, "`adversarial`", "AdversarialLoss(PatchDiscriminator())")
        if len(back.styles) > 1:
            raise ValueError(f"`back` must have one style, that of the contents, got {len(back.styles)}.")
        if adversarial.conditional:
            raise ValueError(
                "`adversarial` must not be conditional: what comes back of a style belongs to no content."
            )
        self.back, self.judgement = back, adversarial
        self.cycle = number(cycle, "`cycle`", least=0)
        self.identity = number(identity, "`identity`", least=0)
        self.terms = ("adversarial", "cycle", "cycle_back")
        if self.identity:
            self.terms = (*self.terms, "identity", "identity_back")

    @property
    def adversarial(self) -> Mapping[str, AdversarialLoss]:
        """The loss of the way back."""
        return {"adversarial": self.judgement}

    def forward(self, network: Stylizer, painted: Painted) -> Lesson:
        """How far from themselves images come back, and what is thought of the way back."""
        contents, styles = painted.contents, painted.styles
        if styles is None:
            raise ValueError("A `CycleTask` needs styles that are drawn, as they are for a discriminator.")
        code = example_code(self.back, contents)
        returned = self.back(styles, code)
        terms = {
            "adversarial": self.judgement.weight * self.judgement.represent(returned),
            "cycle": self.cycle * l1_loss(self.back(painted.pictures, code), contents),
            "cycle_back": self.cycle * l1_loss(network(returned, painted.code), styles),
        }
        if self.identity:
            own = self.cycle * self.identity
            terms["identity"] = own * l1_loss(network(styles, painted.code), styles)
            terms["identity_back"] = own * l1_loss(self.back(contents, code), contents)
        return Lesson(terms, {"adversarial": (contents, returned)})
