import pickle

import torch
from torch import Tensor

from pystyle.encoders import Encoder
from pystyle.testing._require import close, require


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
    layers = encoder.layers
    require(len(layers) > 0 and len(set(layers)) == len(layers), "layers have different names, and there are some.")
    smallest = encoder.minimum_size(layers)
    side = max(size or 2 * smallest, smallest, 8)
    parameter = next(iter(encoder.parameters()), torch.zeros(()))
    image = torch.rand(1, 3, side, side + 3, generator=torch.Generator().manual_seed(0)).to(parameter)
    _check_frozen(encoder, image)
    _check_layers(encoder, image)
    _check_names(encoder, image)
    for layer in layers:
        _check_geometry(encoder, layer, image)
    copy = pickle.loads(pickle.dumps(encoder))
    same = close(list(copy(image, layers).values()), list(encoder(image, layers).values()), 1e-6)
    require(same, "a pickled encoder comes back as it was.")


def _check_frozen(encoder: Encoder, image: Tensor) -> None:
    require(not any(p.requires_grad for p in encoder.parameters()), "no parameter wants a gradient; freeze them.")
    encoder.train()
    require(not any(module.training for module in encoder.modules()), "an encoder stays in evaluation mode.")
    before = image.clone()
    image = image.clone().requires_grad_()
    features = encoder(image, encoder.layers[-1:])
    (gradient,) = torch.autograd.grad(features[encoder.layers[-1]].square().sum(), image)
    require(gradient.isfinite().all() and gradient.abs().sum() > 0, "a finite gradient reaches the image.")
    require(torch.equal(image, before), "the image is not changed.")


def _check_layers(encoder: Encoder, image: Tensor) -> None:
    together = encoder(image, encoder.layers)
    require(list(together) == list(encoder.layers), "the layers come back in the order in which they were asked for.")
    for layer in encoder.layers:
        alone = encoder(image, [layer])
        require(list(alone) == [layer], f"only the layers asked for come back, got {list(alone)} for {layer!r}.")
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
    require(False, "an unknown layer raises a ValueError; call `self.check_layers(layers)`.")


def _check_geometry(encoder: Encoder, layer: str, image: Tensor) -> None:
    stride, field = encoder.stride(layer), encoder.receptive_field(layer)
    image = image.clone().requires_grad_()
    feature = encoder(image, [layer])[layer]
    height, width = feature.shape[2:]
    expected = image.shape[2] / stride, image.shape[3] / stride
    slack = field / stride + 1
    fits = abs(height - expected[0]) <= slack and abs(width - expected[1]) <= slack
    require(fits, f"{layer!r} has the stride {stride}, got {height} x {width} positions for {tuple(image.shape[2:])}.")
    (gradient,) = torch.autograd.grad(feature[:, :, height // 2, width // 2].square().sum(), image)
    seen = gradient.abs().sum((0, 1)).nonzero()
    if len(seen):
        extent = int((seen.amax(0) - seen.amin(0)).max()) + 1
        require(extent <= field, f"a position of {layer!r} sees at most {field} pixels, got {extent}.")
    smallest = encoder.minimum_size([layer])
    tiny = encoder(image.detach()[:, :, :smallest, :smallest], [layer])[layer]
    require(min(tiny.shape) >= 1, f"an image of {smallest} pixels is large enough for {layer!r}.")
