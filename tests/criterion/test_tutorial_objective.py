"""The objective of the PyTorch tutorial, written out once more without any part of the library."""

from typing import Literal

import pytest
import torch
from torch import Tensor
from torch.nn import functional as nnf

from pystyle import ContentLoss, Criterion, MultiLayerGramLoss
from pystyle.encoders import SequentialEncoder, vgg19
from pystyle.encoders._weights import caffe_vgg19_state_dict

STYLE_LAYERS = {"relu1_1": 64, "relu2_1": 128, "relu3_1": 256, "relu4_1": 512, "relu5_1": 512}
CONVOLUTIONS = {1: 2, 2: 2, 3: 4, 4: 4, 5: 1}


def smooth_noise(seed: int, height: int, width: int) -> Tensor:
    coarse = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    return nnf.interpolate(coarse, (height, width), mode="bilinear")


def preprocess(image: Tensor, weights: Literal["caffe"] | None) -> Tensor:
    if weights == "caffe":
        mean_bgr = torch.tensor([103.939, 116.779, 123.68]).reshape(1, 3, 1, 1)
        return 255 * image[:, [2, 1, 0]] - mean_bgr
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (image - mean.reshape(1, 3, 1, 1)) / std.reshape(1, 3, 1, 1)


def run_vgg(image: Tensor, encoder: SequentialEncoder, weights: Literal["caffe"] | None) -> dict[str, Tensor]:
    if weights == "caffe":
        parameters = caffe_vgg19_state_dict()  # as published: for BGR from 0 to 255
    else:
        parameters = {name.removeprefix("stages."): value for name, value in encoder.state_dict().items()}
    x, features = preprocess(image, weights), {}
    for block, count in CONVOLUTIONS.items():
        for index in range(1, count + 1):
            name = f"{block}_{index}"
            x = nnf.conv2d(x, parameters[f"conv{name}.weight"], parameters[f"conv{name}.bias"], padding=1)
            x = nnf.relu(x)
            features[f"relu{name}"] = x
        x = nnf.max_pool2d(x, 2)
    return features


def gram(features: Tensor) -> Tensor:
    channels, height, width = features.shape[1:]
    vectors = features.reshape(channels, height * width)
    return vectors @ vectors.T / (height * width)


@pytest.mark.parametrize("weights", [None, "caffe"])
def test_the_tutorial_objective_has_the_value_and_the_gradient_of_a_plain_loop(
    weights: Literal["caffe"] | None,
) -> None:
    encoder = vgg19(weights=weights)
    content, style = smooth_noise(1, 48, 64), smooth_noise(2, 64, 48)
    image = smooth_noise(3, 48, 64).requires_grad_()

    with torch.no_grad():
        content_target = run_vgg(content, encoder, weights)["relu4_2"]
        style_features = run_vgg(style, encoder, weights)
        style_targets = {layer: gram(style_features[layer]) for layer in STYLE_LAYERS}
    features = run_vgg(image, encoder, weights)
    expected = nnf.mse_loss(features["relu4_2"], content_target)
    for layer, channels in STYLE_LAYERS.items():
        expected = expected + 1e3 / channels**2 * nnf.mse_loss(gram(features[layer]), style_targets[layer])
    (expected_gradient,) = torch.autograd.grad(expected, image)

    layer_weights = {layer: 1 / channels**2 for layer, channels in STYLE_LAYERS.items()}
    losses = {
        "content": ContentLoss("relu4_2"),
        "style": MultiLayerGramLoss(layer_weights=layer_weights, weight=1e3),
    }
    objective = Criterion(encoder, losses).bind({"content": content, "style": style})
    total = objective(image).total
    (gradient,) = torch.autograd.grad(total, image)

    assert float(total.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    assert (gradient - expected_gradient).norm() < 1e-5 * expected_gradient.norm()
