import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pystyle.testing._require import close, require, uniform, usable


@usable("a discriminator")
def check_discriminator(
    discriminator: nn.Module, *, size: int = 64, channels: int = 3, batches: bool = True
) -> None:
    """Check that a discriminator can play: that its scores are what the losses and penalties need.

    Scores are finite, also of images of one colour; they depend on the images, and have slopes whose
    own slopes reach the weights, as penalties want it; every weight that can be trained gets a gradient; the
    images are not changed; a batch has the scores of its images one by one; and what `state_dict` holds is
    all that it has learned.

    Args:
        discriminator: The module, in the mode in which it is trained. It is copied.
        size: Height of the images that it is tried on; they are wider.
        channels: Their channels; 6 for one that sees contents, too.
        batches: Whether the scores of an image depend on it alone; not so with batch normalisation and the
            statistics of minibatches.

    Raises:
        AssertionError: If a promise is broken; it says which.

    Example:
        >>> from pystyle.networks import PatchDiscriminator
        >>> check_discriminator(PatchDiscriminator(width=2), size=32)
    """
    require(isinstance(discriminator, nn.Module), "a discriminator is a module of torch.")
    discriminator = copy.deepcopy(discriminator)
    generator = torch.Generator().manual_seed(0)
    like = next(discriminator.parameters(), None)
    images = uniform((2, channels, size, size + 4), generator=generator, like=like)
    _check_scores(discriminator, images)
    _check_gradients(discriminator, images)
    _check_penalty(discriminator, images)
    if batches:
        _check_batches(discriminator, images)
    _check_state(discriminator, images)


def _scores(discriminator: nn.Module, images: Tensor) -> list[Tensor]:
    found = discriminator(images)
    scores = [found] if isinstance(found, Tensor) else found
    is_list = isinstance(scores, list | tuple) and len(scores) > 0
    are_scores = is_list and all(isinstance(each, Tensor) for each in scores)
    require(are_scores, f"it gives a tensor of scores, or a list of some, got a {type(found).__name__}.")
    return list(scores)


def _total(scores: Sequence[Tensor]) -> Tensor:
    return torch.stack([each.mean() for each in scores]).sum()


def _check_scores(discriminator: nn.Module, images: Tensor) -> None:
    before = images.clone()
    for name, given in (("noise", images), ("one colour", torch.full_like(images, 0.5))):
        scores = _scores(discriminator, given)
        require(all(each.shape[:1] == (2,) for each in scores), "each image of a batch has scores.")
        require(all(bool(each.isfinite().all()) for each in scores), f"scores of {name} are finite.")
    require(torch.equal(images, before), "the images are not changed.")


def _check_gradients(discriminator: nn.Module, images: Tensor) -> None:
    images = images.clone().requires_grad_()
    trained = {name: p for name, p in discriminator.named_parameters() if p.requires_grad}
    require(len(trained) > 0, "it has something to be trained.")
    # Powers of the scores, so that a constant that is added to all of them counts, too.
    total = _total([each.square() for each in _scores(discriminator, images)])
    gradients = torch.autograd.grad(total, [images, *trained.values()], allow_unused=True)
    for name, gradient in zip(["the images", *trained], gradients, strict=True):
        require(gradient is not None, f"the scores depend on {name}.")
        require(gradient is None or bool(gradient.isfinite().all()), f"the gradient of {name} is finite.")
    require(gradients[0] is not None and bool((gradients[0] != 0).any()), "the scores depend on the images.")


def _check_penalty(discriminator: nn.Module, images: Tensor) -> None:
    for name, given in (("noise", images), ("one colour", torch.full_like(images, 0.5))):
        given = given.clone().requires_grad_()
        (slope,) = torch.autograd.grad(_total(_scores(discriminator, given)), given, create_graph=True)
        require(slope.requires_grad, "slopes have slopes, which gradient penalties need.")
        trained = [p for p in discriminator.parameters() if p.requires_grad]
        second = torch.autograd.grad(slope.square().sum(), trained, allow_unused=True)
        finite = all(gradient is None or bool(gradient.isfinite().all()) for gradient in second)
        require(finite, f"slopes of the slopes are finite at images of {name}.")


@torch.no_grad()
def _check_batches(discriminator: nn.Module, images: Tensor) -> None:
    discriminator = copy.deepcopy(discriminator).eval()
    both = _scores(discriminator, images)
    for index in range(2):
        alone = _scores(discriminator, images[index : index + 1])
        agree = all(close(a[index : index + 1], b, 1e-4) for a, b in zip(both, alone, strict=True))
        require(agree, "an image has the same scores alone and in a batch.")


@torch.no_grad()
def _check_state(discriminator: nn.Module, images: Tensor) -> None:
    discriminator.eval()
    other = copy.deepcopy(discriminator)
    for parameter in other.parameters():
        parameter.zero_()
    other.load_state_dict(discriminator.state_dict())
    pairs = zip(_scores(discriminator, images), _scores(other, images), strict=True)
    require(all(torch.equal(a, b) for a, b in pairs), "`state_dict` holds all that it has learned.")
