import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from pystyle.encoders import Encoder
from pystyle.testing._require import close, pickled_copy, require, uniform, usable


@usable("an encoder")
def check_encoder(encoder: Encoder, *, size: int | None = None) -> None:
    """Check that an encoder keeps the promises on which the rest of the library rests.

    It gives exactly the layers asked for, each the same whichever others are asked for; is frozen
    and stays in evaluation mode; leaves the image alone; passes gradients to it; and its
    geometry is true: sizes, strides and receptive fields are those that are measured.

    Args:
        encoder: The encoder.
        size: Side of the random image; twice the smallest possible if not given.

    Raises:
        AssertionError: If a promise is broken; it says which.

    Example:
        >>> from pystyle.encoders import alexnet
        >>> check_encoder(alexnet(weights=None))
    """
    require(isinstance(encoder, Encoder), "an encoder is a subclass of `Encoder`.")
    layers = encoder.layers
    require(
        len(layers) > 0 and len(set(layers)) == len(layers),
        "layers have different names, and there are some.",
    )
    smallest = encoder.minimum_size(layers)
    side = max(size or 2 * smallest, smallest, 8)
    generator = torch.Generator().manual_seed(0)
    image = uniform((1, 3, side, side + 3), generator=generator, like=next(encoder.parameters(), None))
    _check_minimum_size(encoder, layers, image)
    _check_frozen(encoder, image)
    _check_layers(encoder, image)
    _check_names(encoder, image)
    _check_strides(encoder, image)
    for layer in layers:
        _check_minimum_size(encoder, [layer], image)
        _check_receptive_field(encoder, layer, image)
    copy = pickled_copy(encoder)
    same = close(list(copy(image, layers).values()), list(encoder(image, layers).values()), 1e-6)
    require(same, "a pickled encoder comes back as it was.")


def _check_frozen(encoder: Encoder, image: Tensor) -> None:
    require(
        not any(p.requires_grad for p in encoder.parameters()), "no parameter wants a gradient; freeze them."
    )
    encoder.train()
    require(not any(module.training for module in encoder.modules()), "an encoder stays in evaluation mode.")
    before = image.clone()
    encoder(image, encoder.layers)
    require(torch.equal(image, before), "the image is not changed.")
    image = image.clone().requires_grad_()
    last = encoder(image, encoder.layers[-1:])[encoder.layers[-1]]
    require(last.requires_grad, "a finite gradient reaches the image, got none.")
    (gradient,) = torch.autograd.grad(last.square().sum(), image)
    require(gradient.isfinite().all() and gradient.abs().sum() > 0, "a finite gradient reaches the image.")


def _check_layers(encoder: Encoder, image: Tensor) -> None:
    together = encoder(image, encoder.layers)
    require(
        list(together) == list(encoder.layers),
        "the layers come back in the order in which they were asked for.",
    )
    for layer in encoder.layers:
        alone = encoder(image, [layer])
        require(
            list(alone) == [layer], f"only the layers asked for come back, got {list(alone)} for {layer!r}."
        )
        promise = f"{layer!r} is the same alone and among others; does a module work in place?"
        require(close(alone[layer], together[layer], 1e-5), promise)
    again = encoder(image, encoder.layers)
    require(all(torch.equal(again[layer], together[layer]) for layer in again), "features are repeatable.")
    require(encoder(image, []) == {}, "no layers give no features.")


def _check_names(encoder: Encoder, image: Tensor) -> None:
    try:
        encoder(image, ["no such layer"])
    except ValueError:
        return
    except KeyError:
        pass
    require(False, "an unknown layer raises a ValueError; call `self.check_layers(layers)`.")


def _check_strides(encoder: Encoder, image: Tensor) -> None:
    layers = encoder.layers
    more = 2 * math.lcm(*(encoder.stride(layer) for layer in layers))
    before, after = encoder(image, layers), encoder(pad(image, (0, more, 0, more)), layers)
    for layer in layers:
        expected = more // encoder.stride(layer)
        grown = [new - old for new, old in zip(after[layer].shape[2:], before[layer].shape[2:], strict=True)]
        promise = f"{more} more pixels are {expected} more positions of {layer!r}, got {grown}"
        require(grown == [expected, expected], f"{promise}; is its stride right?")


def _check_minimum_size(encoder: Encoder, layers: Sequence[str], image: Tensor) -> None:
    smallest = encoder.minimum_size(layers)
    promise = f"an image of {smallest} pixels is large enough for {', '.join(map(repr, layers))}."
    try:
        features = encoder(image[:, :, :smallest, :smallest], layers)
    except RuntimeError as error:
        raise AssertionError(f"A promise is broken: {promise} {error}") from error
    by_names = f"`forward` gives feature maps by the names of layers, got a {type(features).__name__}."
    require(isinstance(features, Mapping), by_names)
    require(all(min(feature.shape) >= 1 for feature in features.values()), promise)


def _check_receptive_field(encoder: Encoder, layer: str, image: Tensor) -> None:
    field = encoder.receptive_field(layer)
    image = image.clone().requires_grad_()
    feature = encoder(image, [layer])[layer]
    height, width = feature.shape[2:]
    (gradient,) = torch.autograd.grad(feature[:, :, height // 2, width // 2].square().sum(), image)
    seen = gradient.abs().sum((0, 1)).nonzero()
    if len(seen):
        extent = int((seen.amax(0) - seen.amin(0)).max()) + 1
        require(extent <= field, f"a position of {layer!r} sees at most {field} pixels, got {extent}.")
