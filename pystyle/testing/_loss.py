import math

import torch
from torch import Tensor

from pystyle.losses import AdversarialLoss, Loss
from pystyle.testing._loss_maps import check_maps
from pystyle.testing._loss_positions import check_positions, loss_value, references_of
from pystyle.testing._require import close, pickled_copy, require, uniform, usable


@usable("a loss")
def check_loss(loss: Loss, *, channels: int = 6, size: int = 12, largest: float = 1.0) -> None:
    """Check that a loss keeps the promises on which the rest of the library rests.

    It is finite and differentiable, also on flat and tiny maps; repeatable, from the same states of its
    `generators`; leaves its inputs alone; gives the same in float32 and float64; is a mean over the
    batch, whatever else is in it; does not grow when image and reference are the same; is what `spatial`
    says; honours regions or refuses them; makes of unjoined maps what it makes of joined ones, if it
    `takes_maps`; leaves a single reference as it is; and survives pickling.

    Args:
        loss: The loss; of several layers the first is tried.
        channels: Channels of the random features it is tried on.
        size: Their height; they are wider than high.
        largest: Their largest value; above 1 for a loss that has nothing to say about values in [0, 1].

    Raises:
        AssertionError: If a promise is broken; it says which.

    Example:
        >>> from pystyle import GramLoss
        >>> check_loss(GramLoss("relu1_1"))
    """
    generator = torch.Generator().manual_seed(0)
    features = largest * uniform((1, channels, size, size + 2), generator=generator)
    other = largest * uniform((1, channels, size, size + 2), generator=generator).square()
    _check_declaration(loss)
    loss = loss.at(loss.layers[0])
    _check_inputs(loss, features, other)
    _check_value(loss, features, other)
    _check_precision(loss, features, other)
    _check_batch(loss, features, other)
    _check_edge_cases(loss, channels)
    check_positions(loss, features, other)
    if loss.takes_maps:
        check_maps(loss, features, other)
    if loss.reference is not None:
        _check_references(loss, other)


def _check_declaration(loss: Loss) -> None:
    require(isinstance(loss, Loss), "a loss is a subclass of `Loss`.")
    require(
        getattr(loss, "spatial", None) in ("pooled", "dense", "set"),
        f"`spatial` is 'pooled', 'dense' or 'set', got {getattr(loss, 'spatial', None)!r}.",
    )
    require(
        all(isinstance(name, str) for name in loss.references),
        f"`reference` is the name of an image, a tuple of such names or None, got {loss.reference!r}.",
    )
    require(len(loss.layers) > 0 and set(loss.layer_weights) == set(loss.layers), "every layer has a weight.")
    require(repr(pickled_copy(loss)) == repr(loss), "a pickled loss comes back as it was.")
    require(not any(True for _ in loss.parameters() if _.requires_grad), "a loss has nothing to be trained.")


def _check_inputs(loss: Loss, features: Tensor, other: Tensor) -> None:
    before = features.clone(), other.clone()
    with torch.no_grad():
        loss_value(loss, features, other)
    unchanged = torch.equal(features, before[0]) and torch.equal(other, before[1])
    require(unchanged, "the features are not changed.")


def _check_value(loss: Loss, features: Tensor, other: Tensor) -> None:
    features = features.clone().requires_grad_()
    value = loss_value(loss, features, other)
    number = float(value.detach()) if value.numel() == 1 else None
    require(value.ndim == 0, f"`compare` returns a scalar, got the shape {tuple(value.shape)}.")
    require(value.isfinite(), f"the loss of ordinary features is finite, got {number}.")
    require(value.requires_grad, "the loss depends differentiably on the features.")
    (gradient,) = torch.autograd.grad(value, features)
    require(gradient.isfinite().all(), "the gradient of ordinary features is finite.")
    require(gradient.abs().sum() > 0, "the gradient of different features is not zero.")
    require(
        torch.equal(loss_value(loss, features, other), value),
        "the same features give the same loss, from the same states of `generators()`.",
    )
    # Neither one of several references nor what a discriminator sees beside is what the image shall be.
    if len(loss.references) == 1 and not isinstance(loss, AdversarialLoss):
        same = float(loss_value(loss, other, other))
        require(
            same <= (number or 0.0), f"the reference itself is not worse ({same}) than others ({number})."
        )


def _check_precision(loss: Loss, features: Tensor, other: Tensor) -> None:
    value, double = loss_value(loss, features, other), loss_value(loss, features.double(), other.double())
    require(double.dtype == torch.float64, f"float64 features give a float64 loss, got {double.dtype}.")
    require(close(value, double, 1e-3), f"float32 and float64 agree, got {float(value)} and {float(double)}.")
    large = (features * 2e4).bfloat16(), (other * 2e4).bfloat16()
    require(loss_value(loss, *large).isfinite(), "bfloat16 features of 20,000 give a finite loss.")
    promise = "the memory layout of features does not matter"
    try:
        transposed = loss_value(loss, features.mT.contiguous().mT, other)
    except RuntimeError as error:
        raise AssertionError(f"A promise is broken: {promise}. {error}") from error
    require(close(transposed, value, 1e-5), f"{promise}.")


def _check_batch(loss: Loss, features: Tensor, other: Tensor) -> None:
    # With magnitudes that are very different, whatever is pooled over the batch shows.
    pairs = [(features, other), (0.01 * other, 0.01 * features)]
    images = torch.cat([image for image, _ in pairs]).requires_grad_()
    both = loss_value(loss, images, torch.cat([reference for _, reference in pairs]))
    alone = [(image.clone().requires_grad_(), reference) for image, reference in pairs]
    values = [loss_value(loss, image, reference) for image, reference in alone]
    value, mean = float(both.detach()), float(torch.stack(values).detach().mean())
    require(
        math.isclose(value, mean, rel_tol=1e-4, abs_tol=1e-12),
        f"the loss of a batch is a mean, got {value} instead of {mean}.",
    )
    (gradients,) = torch.autograd.grad(both, images)
    for index, (own_value, (image, _)) in enumerate(zip(values, alone, strict=True)):
        (own,) = torch.autograd.grad(own_value / 2, image)
        gradient = gradients[index : index + 1]
        require(
            close(gradient, own, 1e-2),
            "the gradient of an image does not depend on the rest of its batch. Is something pooled over it?",
        )


def _check_edge_cases(loss: Loss, channels: int) -> None:
    shape = (1, channels, 6, 6)
    generator = torch.Generator().manual_seed(1)
    cases = {
        "black": (torch.zeros(shape), uniform(shape, generator=generator)),
        "flat": (torch.full(shape, 0.5), torch.full(shape, 0.5)),
        "black on black": (torch.zeros(shape), torch.zeros(shape)),
    }
    if loss.spatial != "set":
        single = uniform((2, channels, 1, 1), generator=generator)
        cases["a single position"] = (single[:1], single[1:])
    for name, (features, other) in cases.items():
        features.requires_grad_()
        value = loss_value(loss, features, other)
        (gradient,) = torch.autograd.grad(value, features)
        finite = value.isfinite() and gradient.isfinite().all()
        require(finite, f"value and gradient are finite for features that are {name}.")


def _check_references(loss: Loss, features: Tensor) -> None:
    image = uniform((1, 3, 24, 26), generator=torch.Generator().manual_seed(2))
    before = image.clone()
    views = loss.views(image)
    alike = all(view.ndim == 4 and view.shape[:2] == image.shape[:2] for view in views)
    finite = all(bool(view.isfinite().all()) for view in views)
    promise = "`views` gives finite images, at least one, of the same batch size and channels."
    require(len(views) > 0 and alike and finite, promise)
    require(torch.equal(image, before), "`views` does not change the image.")
    with torch.no_grad():
        representation = loss.represent(features)
        others = [loss.represent(each) for each in references_of(loss, features)[1:]]
        magnitude = loss.magnitude(representation, loss.prepare(representation, *others))
        joined = loss.join([(representation, 1.0)]) if loss.spatial == "set" else [(representation, 1.0)]
    require(
        magnitude.ndim == 0 and magnitude.isfinite() and magnitude >= 0,
        f"`magnitude` is a finite number that is not negative, got {magnitude}.",
    )
    if loss.shift_invariant:
        _check_shift(loss, features)
    alone = len(joined) == 1 and close(joined[0][0], representation, 0.0) and joined[0][1] == 1
    require(alone, "`join` leaves a single reference as it is.")


def _check_shift(loss: Loss, features: Tensor) -> None:
    require(
        type(loss).magnitude is Loss.magnitude,
        "a loss that is `shift_invariant` leaves `magnitude` as it is: the features are shifted.",
    )
    other, offset = features.square(), torch.linspace(-1, 2, features.shape[1]).reshape(1, -1, 1, 1)
    value = loss_value(loss, features.double(), other.double())
    shifted = loss_value(loss, features.double() + offset, other.double() + offset)
    require(
        close(value, shifted, 1e-6),
        f"a loss that is `shift_invariant` is the same for shifted features, got {value} and {shifted}.",
    )
