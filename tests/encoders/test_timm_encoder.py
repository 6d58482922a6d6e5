"""timm's networks as encoders, with random weights and those of files.

Those named ``test_...`` are tiny ones that timm has for tests.
"""

import sys
from functools import cache

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2.functional import normalize

from pystyle.encoders import WHOLE_IMAGE, ModuleEncoder, WeightsError, timm_encoder
from pystyle.testing import check_encoder

timm = pytest.importorskip("timm", reason="the extra timm is missing")

LAYERS = {
    "test_vit": ("blocks.0", "blocks.2", "blocks.3", "blocks.5"),
    "test_vit4": ("blocks.1", "blocks.3", "blocks.5", "blocks.8"),
    "test_convnext": ("stages.0", "stages.1", "stages.2", "stages.3"),
    "test_efficientnet": ("blocks.0", "blocks.1", "blocks.2", "blocks.3", "blocks.4"),
    "test_resnet": ("act1", "layer1", "layer2", "layer3", "layer4"),
    "test_mambaout": ("stages.0", "stages.1", "stages.2", "stages.3"),
}


@cache
def random_encoder(name: str) -> ModuleEncoder:
    return timm_encoder(name, weights=None)


def picture(height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


def network(name: str, **options: object) -> torch.nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return timm.create_model(name, **options).eval().requires_grad_(False)


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYERS)
def test_every_kind_keeps_the_promises_of_an_encoder(name):
    encoder = random_encoder(name)
    assert encoder.layers == LAYERS[name]
    check_encoder(encoder, size=max(32, encoder.minimum_size(encoder.layers)))


@pytest.mark.slow
@pytest.mark.long
def test_a_swin_transformer_takes_any_size():
    encoder = timm_encoder("swin_tiny_patch4_window7_224", weights=None)
    assert encoder.geometry("layers.2")[:3] == (16, WHOLE_IMAGE, 1)
    check_encoder(encoder, size=48)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["test_vit", "test_vit4", "test_resnet", "test_efficientnet"])
@pytest.mark.parametrize("size", [(160, 160), (64, 96)])
def test_features_are_the_intermediate_ones_of_timm(name, size, tmp_path):
    options = {"dynamic_img_size": True} if "vit" in name else {}
    theirs = network(name, **options)
    torch.save(theirs.state_dict(), tmp_path / "weights.pth")
    encoder, image = timm_encoder(name, weights=tmp_path / "weights.pth"), picture(*size)
    config = theirs.pretrained_cfg
    expected = theirs.forward_intermediates(
        normalize(image, config["mean"], config["std"]), intermediates_only=True
    )
    shapes = {tuple(feature.shape): feature for feature in expected}
    features = encoder(image, encoder.layers)
    if "vit" in name:
        numbers = [int(layer.partition(".")[2]) for layer in encoder.layers]
        pairs = [(features[f"blocks.{number}"], expected[number]) for number in numbers]
    else:
        deep = [feature for feature in features.values() if tuple(feature.shape) in shapes]
        assert len(deep) >= 4
        pairs = [(feature, shapes[tuple(feature.shape)]) for feature in deep]
    for feature, wanted in pairs:
        torch.testing.assert_close(feature, wanted, rtol=1e-4, atol=1e-5)


def test_a_vision_transformer_takes_any_size():
    encoder = random_encoder("test_vit")
    assert encoder.geometry("blocks.3")[:3] == (16, WHOLE_IMAGE, 1)
    for (height, width), grid in {(160, 160): (10, 10), (20, 50): (2, 4), (1, 200): (1, 13)}.items():
        assert encoder(picture(height, width), ["blocks.3"])["blocks.3"].shape == (1, 64, *grid)


def test_registers_and_class_tokens_are_no_positions():
    # The first patch comes first, whatever tokens stand before it.
    theirs = network("test_vit4", dynamic_img_size=True)
    assert theirs.num_prefix_tokens > 0
    encoder = ModuleEncoder(theirs, ["blocks.0"], size_multiple=16)
    tokens = []
    theirs.blocks[0].register_forward_hook(lambda _module, _inputs, output: tokens.append(output))
    feature = encoder(picture(32, 48), ["blocks.0"])["blocks.0"]
    assert torch.equal(feature[0, :, 0, 0], tokens[0][0, theirs.num_prefix_tokens])
    assert torch.equal(feature[0, :, 1, 2], tokens[0][0, -1])


@pytest.mark.slow
def test_a_network_of_one_size_says_so():
    encoder = timm_encoder("maxvit_rmlp_pico_rw_256", weights=None, layers=["stages.0"])
    assert encoder(picture(256, 256), ["stages.0"])["stages.0"].shape[2:] == (64, 64)
    with pytest.raises(ValueError, match="must be 256 x 256 pixels, the only size"):
        encoder(picture(64, 64), ["stages.0"])


@pytest.mark.slow
def test_the_colours_are_normalised_as_the_network_expects():
    config = timm.data.resolve_model_data_config(network("test_vit"))
    encoder = random_encoder("test_vit")
    assert encoder.preprocessing.mean.flatten().tolist() == pytest.approx(config["mean"])
    assert encoder.preprocessing.std.flatten().tolist() == pytest.approx(config["std"])
    assert timm_encoder("vit_tiny_patch16_224", None).preprocessing.mean[0, 0, 0, 0] == 0.5
    own = torch.nn.Identity()
    assert timm_encoder("test_resnet", None, preprocessing=own).preprocessing is own


def test_random_weights_follow_the_seed_and_leave_the_global_state_alone():
    before = torch.get_rng_state()
    first, same, other = (
        timm_encoder("test_resnet", None, seed=seed, layers={"deep": "layer3"}) for seed in (1, 1, 2)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert first.layers == ("deep",)
    weights = [encoder.module.layer1[0].conv1.weight for encoder in (first, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_the_weights_of_a_file_are_not_kept_twice(tmp_path):
    torch.save(network("test_resnet").state_dict(), tmp_path / "weights.pth")
    encoder = timm_encoder("test_resnet", weights=str(tmp_path / "weights.pth"))
    assert not encoder.module.pretrained_cfg.get("state_dict")


@pytest.mark.slow
@pytest.mark.parametrize("registers", ["", "_reg4"])
def test_the_files_of_the_authors_of_dino_are_converted(registers, tmp_path):
    # They have a token for masks, and, with registers, the class token's position apart from the others'.
    name = f"vit_small_patch14{registers}_dinov2"
    state_dict = network(name).state_dict()
    theirs = {**state_dict, "mask_token": torch.zeros(1, 384)}
    if registers:
        theirs["register_tokens"] = theirs.pop("reg_token")
        theirs["pos_embed"] = torch.cat([torch.zeros(1, 1, 384), state_dict["pos_embed"]], 1)
    torch.save(theirs, tmp_path / "dinov2.pth")
    encoder = timm_encoder(name, weights=tmp_path / "dinov2.pth")
    loaded = encoder.module.state_dict()
    assert all(torch.equal(loaded[key], state_dict[key]) for key in ("blocks.3.attn.qkv.weight", "pos_embed"))
    assert encoder.geometry(encoder.layers[0])[:3] == (14, WHOLE_IMAGE, 1)


def test_a_file_of_another_network_is_refused(tmp_path):
    torch.save(network("test_resnet").state_dict(), tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"other\.pth' of test_vit could not be loaded: .*Give the file"):
        timm_encoder("test_vit", weights=tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"no_such\.pth` is missing"):
        timm_encoder("test_vit", weights="no_such.pth")


def test_a_file_that_would_run_code_is_not_opened_by_timm(tmp_path):
    class Exploit:
        def __reduce__(self):
            return (open, (str(tmp_path / "marker"), "w"))

    torch.save({"weight": Exploit()}, tmp_path / "bad.pth")
    with pytest.raises(WeightsError, match="must hold tensors only"):
        timm_encoder("test_resnet", weights=tmp_path / "bad.pth")
    assert not (tmp_path / "marker").exists()


def test_nothing_is_downloaded_where_that_is_forbidden(monkeypatch):
    monkeypatch.setenv("PYSTYLE_OFFLINE", "1")
    with pytest.raises(WeightsError, match="test_resnet cannot be downloaded, because PYSTYLE_OFFLINE"):
        timm_encoder("test_resnet")


def test_a_download_that_fails_says_what_to_do(monkeypatch):
    def refused(*_args: object, **_options: object) -> None:
        raise OSError("no route")

    monkeypatch.setattr(timm, "create_model", refused)
    with pytest.raises(WeightsError, match="'pretrained' of test_resnet could not be loaded: no route"):
        timm_encoder("test_resnet")


@pytest.mark.parametrize("name", ["vit_tinny_patch16_224", "hf-hub:somebody/model"])
def test_an_unknown_network_is_refused(name):
    with pytest.raises(ValueError, match=f"`name` must be a network of timm, got '{name}'"):
        timm_encoder(name, weights=None)
    with pytest.raises(ValueError, match=r"Did you mean 'vit_tiny_patch16_224'\?"):
        timm_encoder("vit_tinny_patch16_224")


def test_a_missing_timm_is_named_with_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ImportError, match=r'Install it with `pip install "pystyle-nst\[timm\]"`'):
        timm_encoder("test_resnet", weights=None)
