from typing import get_args

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from pystyle.functional._precision import at_least_float32
from pystyle.typing import AdversarialKind


def generator_loss(scores: Tensor, kind: AdversarialKind) -> Tensor:
    r"""How badly images pass for real ones by their scores: what who makes them lowers.

    ================== ================================
    kind               loss of the scores s
    ================== ================================
    ``minimax``        mean of log(1 - sigmoid(s))
    ``non-saturating`` mean of -log(sigmoid(s))
    ``least-squares``  mean of (s - 1)²
    ``hinge``          mean of -s
    ``wasserstein``    mean of -s
    ================== ================================

    Args:
        scores: What a discriminator says of the images, before any sigmoid: of each or of many places in it.
        kind: The game that is played; the discriminator learns by the same kind.

    Returns:
        One number, in float32 at least: the mean over all scores. All but ``"non-saturating"`` and
        ``"least-squares"`` become negative, too.

    Raises:
        ValueError: If `kind` is unknown.
        TypeError: If the scores are not floating-point.

    Shape:
        - scores: any
        - output: ()

    Example:
        >>> import torch
        >>> generator_loss(torch.tensor([[0.0, 3.0]]), "least-squares")     # (1 + 4) / 2
        tensor(2.5000)

    Note:
        ``"minimax"`` has hardly a gradient where images are told apart easily; ``"non-saturating"`` is what
        Goodfellow et al. train with. The squares are not halved, as in the code of CycleGAN.

    References:
        Goodfellow et al. *Generative adversarial nets*. NeurIPS 2014.

        Mao et al. *Least squares generative adversarial networks*. ICCV 2017.

        Lim, Ye. *Geometric GAN*. 2017; Miyato et al. *Spectral normalization for generative adversarial
        networks*. ICLR 2018 (hinge).

        Arjovsky, Chintala, Bottou. *Wasserstein generative adversarial networks*. ICML 2017.
    """
    _check_kind(kind)
    scores = at_least_float32(scores)
    if kind == "minimax":
        # 1 - sigmoid(s) is sigmoid(-s), whose logarithm does not overflow.
        return logsigmoid(-scores).mean()
    if kind == "non-saturating":
        return -logsigmoid(scores).mean()
    if kind == "least-squares":
        return (scores - 1).square().mean()
    return -scores.mean()


def discriminator_loss(real: Tensor, painted: Tensor, kind: AdversarialKind) -> Tensor:
    r"""How badly real and painted images are told apart by their scores: what who judges them lowers.

    ================== =======================================================
    kind               loss of the scores r of real and p of painted images
    ================== =======================================================
    ``minimax``        mean of -log(sigmoid(r)) + mean of -log(1 - sigmoid(p))
    ``non-saturating`` the same
    ``least-squares``  (mean of (r - 1)² + mean of p²) / 2
    ``hinge``          mean of max(0, 1 - r) + mean of max(0, 1 + p)
    ``wasserstein``    mean of p - mean of r
    ================== =======================================================

    Args:
        real: The scores of real images, before any sigmoid.
        painted: The scores of painted images. They may be more or fewer.
        kind: The game that is played; see :func:`generator_loss`.

    Returns:
        One number, in float32 at least. Only that of ``"wasserstein"`` becomes negative; it has no least
        value and needs a :func:`gradient_penalty`.

    Raises:
        ValueError: If `kind` is unknown.
        TypeError: If the scores are not floating-point.

    Shape:
        - real, painted: any
        - output: ()

    Example:
        >>> import torch
        >>> real, painted = torch.tensor([2.0, 0.0]), torch.tensor([-3.0, 1.0])
        >>> discriminator_loss(real, painted, "hinge")                      # (0 + 1) / 2 + (0 + 2) / 2
        tensor(1.5000)

    Note:
        The half of ``"least-squares"`` is in the paper and in the code of CycleGAN, which slows its
        discriminator down in this way.

    References:
        Those of :func:`generator_loss`.
    """
    _check_kind(kind)
    real = at_least_float32(real)
    if kind == "least-squares":
        loss = (real - 1).square().mean() / 2
    elif kind == "hinge":
        loss = (1 - real).relu().mean()
    else:
        loss = -real.mean() if kind == "wasserstein" else -logsigmoid(real).mean()
    return loss + painted_loss(painted, kind)


def painted_loss(painted: Tensor, kind: AdversarialKind) -> Tensor:
    """The part of a :func:`discriminator_loss` that depends on the scores of painted images."""
    painted = at_least_float32(painted)
    if kind == "least-squares":
        return painted.square().mean() / 2
    if kind == "hinge":
        return (1 + painted).relu().mean()
    return painted.mean() if kind == "wasserstein" else -logsigmoid(-painted).mean()


def told_apart(real: Tensor, painted: Tensor, kind: AdversarialKind) -> Tensor:
    """The share of scores that are on the right side: 1 if all are told apart, 1/2 if it is a guess.

    Args:
        real: The scores of real images, which should be above the border.
        painted: The scores of painted images, which should be below it.
        kind: The game that is played. The border is 1/2 for ``"least-squares"``, the middle between the
            means of both for ``"wasserstein"``, whose scores have no origin, and 0 for the others.

    Returns:
        One number in [0, 1], without a gradient: the mean of the share of the real scores and that of the
        painted ones, so that both count the same if one are more. A score on the border counts half.

    Raises:
        ValueError: If `kind` is unknown.
        TypeError: If the scores are not floating-point.

    Shape:
        - real, painted: any
        - output: ()

    Example:
        >>> import torch
        >>> told_apart(torch.tensor([2.0, 0.1]), torch.tensor([-3.0, -1.0]), "hinge")
        tensor(1.)
        >>> told_apart(torch.tensor([2.0, 0.1]), torch.tensor([-3.0, -1.0]), "least-squares")
        tensor(0.7500)
    """
    return torch.stack(shares_told(real, painted, kind)).mean()


def shares_told(real: Tensor, painted: Tensor, kind: AdversarialKind) -> tuple[Tensor, Tensor]:
    """The shares of the real and of the painted scores that are on the right side, see :func:`told_apart`."""
    _check_kind(kind)
    real, painted = at_least_float32(real.detach()), at_least_float32(painted.detach())
    border = real.new_tensor(0.5 if kind == "least-squares" else 0.0)
    if kind == "wasserstein":
        border = (real.mean() + painted.mean()) / 2
    # -1, 0 and 1 on the wrong side, the border and the right side.
    return 0.5 + (real - border).sign().mean() / 2, 0.5 + (border - painted).sign().mean() / 2


def _check_kind(kind: AdversarialKind) -> None:
    if kind not in get_args(AdversarialKind):
        raise ValueError(f"`kind` must be one of {get_args(AdversarialKind)}, got {kind!r}.")
