"""Every layer of the encoders on flat, tiny and very long images: finite numbers, or one error."""

import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion
from pystyle.encoders import ModuleEncoder, alexnet, vgg11, vgg11_bn, vgg19


def module_encoder():
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.InstanceNorm2d(4), nn.Conv2d(4, 4, 5), nn.ReLU())
    for parameter in network.parameters():
        parameter.data.uniform_(-0.3, 0.4, generator=generator)
    return ModuleEncoder(network, ["0", "1", "3"])


ENCODERS = {
    "vgg11": lambda: vgg11(weights=None),
    "vgg11_bn": lambda: vgg11_bn(weights=None),
    "vgg11, L2 pooling, reflecting": lambda: vgg11(weights=None, pooling="l2", padding="reflect"),
    "vgg11, Caffe, rounded up": lambda: vgg11(
        weights=None, preprocessing="caffe", padding="replicate", ceil_mode=True
    ),
    "vgg19": lambda: vgg19(weights=None),
    "alexnet": lambda: alexnet(weights=None),
    "module": module_encoder,
}
COLOURS = {
    "black": (0.0, 0.0, 0.0),
    "white": (1.0, 1.0, 1.0),
    "grey": (0.5, 0.5, 0.5),
    "red": (1.0, 0.0, 0.0),
}


@pytest.fixture(scope="module", params=ENCODERS)
def encoder(request):
    return ENCODERS[request.param]()


def check_finite(encoder, image, layers):
    image = image.clone().requires_grad_()
    features = encoder(image, layers)
    assert list(features) == list(layers)
    assert all(bool(feature.isfinite().all()) and feature.numel() for feature in features.values())
    (gradient,) = torch.autograd.grad(sum(feature.square().mean() for feature in features.values()), image)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("colour", COLOURS)
def test_flat_images_give_finite_features_and_gradients_at_every_layer(encoder, colour):
    side = encoder.minimum_size(encoder.layers)
    image = torch.tensor(COLOURS[colour]).reshape(1, 3, 1, 1).expand(1, 3, side, side + 1)
    check_finite(encoder, image, encoder.layers)


def bound(encoder, layer, image):
    return Criterion(encoder, {"content": ContentLoss(layer)}).bind({"content": image})


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 20), (7, 7), (15, 15), (16, 16)])
def test_every_layer_takes_a_tiny_image_or_is_named_with_the_size_that_it_needs(encoder, size):
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    for layer in encoder.layers:
        smallest = encoder.minimum_size([layer])
        if smallest <= min(size):
            assert bound(encoder, layer, image)(image).total == 0
            continue
        message = (
            f"at least {smallest} pixels high and wide for the layer '{layer}', got {size[0]} x {size[1]}"
        )
        with pytest.raises(ValueError, match=message):
            bound(encoder, layer, image)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(16, 4000), (4000, 16)])
def test_very_long_images_give_finite_features_at_every_layer_for_which_they_are_high_enough(encoder, size):
    layers = [layer for layer in encoder.layers if encoder.minimum_size([layer]) <= 16]
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        features = encoder(image, layers)
    assert all(bool(feature.isfinite().all()) for feature in features.values())
    assert all(max(feature.shape[2:]) >= 4000 // encoder.stride(x) - 8 for x, feature in features.items())
    check_finite(encoder, image[:, :, :400, :400], layers)
