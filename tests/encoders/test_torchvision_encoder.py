"""torchvision's networks as encoders, against torchvision's own features."""

import pickle
from functools import cache

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.feature_extraction import create_feature_extractor
from torchvision.transforms.v2.functional import normalize

from pystyle import Criterion, MultiLayerGramLoss, optimize_image
from pystyle.encoders import WHOLE_IMAGE, ModuleEncoder, MultiEncoder, torchvision_encoder, vgg11
from pystyle.testing import check_encoder

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
LAYERS = {
    "resnet18": ("relu", "layer1", "layer2", "layer3", "layer4"),
    "efficientnet_b0": ("features.1", "features.2", "features.3", "features.5", "features.8"),
    "mobilenet_v3_small": ("features.0", "features.1", "features.3", "features.8", "features.12"),
    "squeezenet1_1": ("features.1", "features.4", "features.7", "features.12"),
    "convnext_tiny": ("features.1", "features.3", "features.5", "features.7"),
    "swin_t": ("features.1", "features.3", "features.5", "features.7"),
}
SLOW_LAYERS = {
    "wide_resnet50_2": ("relu", "layer1", "layer2", "layer3", "layer4"),
    "resnext50_32x4d": ("relu", "layer1", "layer2", "layer3", "layer4"),
    "efficientnet_v2_s": ("features.1", "features.2", "features.3", "features.5", "features.7"),
    "mobilenet_v2": ("features.1", "features.3", "features.6", "features.13", "features.18"),
    "inception_v3": ("Conv2d_2b_3x3", "Conv2d_4a_3x3", "Mixed_5d", "Mixed_6e", "Mixed_7c"),
    "googlenet": ("conv1", "conv3", "inception3b", "inception4e", "inception5b"),
    "swin_v2_t": ("features.1", "features.3", "features.5", "features.7"),
    "densenet121": (
        *("features.relu0", "features.denseblock1", "features.denseblock2"),
        *("features.denseblock3", "features.norm5"),
    ),
    "regnet_y_400mf": tuple(f"trunk_output.block{number}" for number in (1, 2, 3, 4)),
    "shufflenet_v2_x0_5": ("conv1", "maxpool", "stage2", "stage3", "conv5"),
}
FAMILIES = [
    *LAYERS,
    *(pytest.param(name, marks=[pytest.mark.slow, pytest.mark.long]) for name in SLOW_LAYERS),
]


@cache
def random_encoder(name: str) -> ModuleEncoder:
    return torchvision_encoder(name, weights=None)


def picture(height: int = 96, width: int = 128) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_keeps_the_promises_of_an_encoder(name):
    encoder = random_encoder(name)
    check_encoder(encoder, size=encoder.minimum_size(encoder.layers))


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_features_are_those_that_torchvision_extracts(name):
    encoder, image = random_encoder(name), picture()
    assert encoder.layers == {**LAYERS, **SLOW_LAYERS}[name]
    extractor = create_feature_extractor(
        encoder.module, list(encoder.layers), suppress_diff_warning=True
    ).eval()
    mean_std = ([0.5] * 3, [0.5] * 3) if name in ("inception_v3", "googlenet") else IMAGENET
    expected = extractor(normalize(image, *mean_std))
    for layer, feature in encoder(image, encoder.layers).items():
        wanted = expected[layer].permute(0, 3, 1, 2) if name.startswith("swin") else expected[layer]
        assert (feature - wanted).abs().max() <= 1e-5 * wanted.abs().max(), layer


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_default_layers_are_one_for_each_resolution(name):
    encoder = random_encoder(name)
    strides = [encoder.stride(layer) for layer in encoder.layers]
    assert strides == sorted(set(strides))
    assert len(strides) >= 4


GLOBAL = {
    "efficientnet_b0": ("features.0", "features.1"),
    "mobilenet_v3_small": ("features.0", "features.1"),
    "swin_t": ("features.0", "features.1"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GLOBAL)
def test_layers_with_attention_or_excitation_see_the_whole_image(name):
    stem, block = GLOBAL[name]
    encoder = ModuleEncoder(random_encoder(name).module, [stem, block])
    assert encoder.receptive_field(stem) <= 4
    assert encoder.receptive_field(block) == WHOLE_IMAGE


@pytest.mark.slow
def test_the_network_with_one_size_says_so():
    encoder = torchvision_encoder("maxvit_t", weights=None)
    assert encoder.layers == tuple(f"blocks.{number}" for number in range(4))
    with pytest.raises(ValueError, match="must be 224 x 224 pixels, the only size"):
        encoder(picture(), ["blocks.0"])


def test_an_unknown_network_is_named_with_the_most_similar_one():
    with pytest.raises(ValueError, match=r"torchvision, got 'resnet_50'\. Did you mean 'resnet50'\?"):
        torchvision_encoder("resnet_50")
    for name in ("mnasnet1_0", "fasterrcnn_resnet50_fpn"):
        with pytest.raises(ValueError, match=f"a classification network of torchvision, got '{name}'"):
            torchvision_encoder(name)


def test_layers_and_preprocessing_can_be_chosen():
    flip = nn.Identity()
    encoder = torchvision_encoder(
        "squeezenet1_1", weights=None, layers={"fire": "features.3"}, preprocessing=flip
    )
    assert encoder.layers == ("fire",)
    assert encoder.preprocessing is flip


def test_a_pickled_encoder_is_the_same():
    encoder, image = random_encoder("squeezenet1_1"), picture(32, 32)
    other = pickle.loads(pickle.dumps(encoder))
    assert torch.equal(
        other(image, ["features.7"])["features.7"], encoder(image, ["features.7"])["features.7"]
    )


def test_a_criterion_looks_through_a_vgg_and_a_resnet_at_once():
    encoder = MultiEncoder({"vgg": vgg11(weights=None), "resnet": random_encoder("resnet18")})
    criterion = Criterion(
        encoder, {"style": MultiLayerGramLoss(["vgg.relu2_1", "resnet.layer2"], relative=True)}
    )
    style, init = picture(64, 64), torch.full((1, 3, 64, 64), 0.5)
    objective = criterion.bind({"style": style})
    assert list(objective(init)) == ["style.vgg.relu2_1", "style.resnet.layer2"]
    result = optimize_image(criterion, {"style": style}, init=init, num_steps=20)
    before, after = objective(init), objective(result.image)
    assert all(after[term] < before[term] for term in before)
