"""torchvision's vision transformer for images of any size, against torchvision's own for one size."""

from functools import cache

import pytest
import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.models.feature_extraction import create_feature_extractor
from torchvision.models.vision_transformer import interpolate_embeddings
from torchvision.transforms.v2.functional import normalize

from pystyle.encoders import WHOLE_IMAGE, ModuleEncoder, _torchvision, torchvision_encoder
from pystyle.testing import check_encoder

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def picture(height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


@cache
def plain_transformer() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformer = models.vit_b_16(weights=None, image_size=64).eval().requires_grad_(False)
    # Small at the beginning of a training, too small to see a difference.
    transformer.encoder.pos_embedding.normal_(generator=torch.Generator().manual_seed(1))
    return transformer


@cache
def transformer_encoder() -> ModuleEncoder:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_torchvision, "load_weights_file", lambda _: plain_transformer().state_dict())
        return torchvision_encoder("vit_b_16", weights="own.pth")


def blocks_of(transformer: nn.Module, image: Tensor, number: int) -> Tensor:
    """What torchvision gives after a number of blocks, as a map."""
    side = image.shape[2] // 16
    name = f"encoder.layers.encoder_layer_{number}.add_1"
    tokens = create_feature_extractor(transformer, [name])(normalize(image, *IMAGENET))[name]
    return tokens[:, 1:].mT.reshape(1, -1, side, side)


@pytest.mark.slow
def test_the_vision_transformer_keeps_the_promises_of_an_encoder():
    encoder = transformer_encoder()
    assert encoder.layers == tuple(f"encoder.layers.encoder_layer_{number}" for number in (2, 5, 8, 11))
    assert encoder.geometry(encoder.layers[0])[:3] == (16, WHOLE_IMAGE, 1)
    blocks = [f"encoder.layers.encoder_layer_{number}" for number in (0, 1)]
    check_encoder(ModuleEncoder(encoder.module, blocks, size_multiple=16), size=32)


@pytest.mark.slow
def test_the_vision_transformer_is_that_of_torchvision_at_the_size_of_its_training():
    image, layer = picture(64, 64), "encoder.layers.encoder_layer_5"
    found = transformer_encoder()(image, [layer])[layer]
    torch.testing.assert_close(found, blocks_of(plain_transformer(), image, 5), rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("side", [32, 96])
def test_the_vision_transformer_resizes_its_positions_as_torchvision_does(side):
    state_dict = interpolate_embeddings(side, 16, dict(plain_transformer().state_dict()))
    with torch.random.fork_rng(devices=[]):
        other = models.vit_b_16(weights=None, image_size=side).eval().requires_grad_(False)
    other.load_state_dict(state_dict)
    image, layer = picture(side, side), "encoder.layers.encoder_layer_2"
    found = transformer_encoder()(image, [layer])[layer]
    torch.testing.assert_close(found, blocks_of(other, image, 2), rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_the_vision_transformer_rounds_sizes_up_to_whole_patches():
    encoder, layer = transformer_encoder(), "encoder.layers.encoder_layer_2"
    image = picture(40, 70)
    assert encoder(image, [layer])[layer].shape == (1, 768, 3, 5)
    padded = nn.functional.pad(image, (0, 10, 0, 8), mode="replicate")
    torch.testing.assert_close(encoder(image, [layer]), encoder(padded, [layer]))
