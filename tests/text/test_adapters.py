"""Encoders of transformers and open_clip, of tiny random models that are built from their configurations."""

import json
import logging

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import normalize

from pystyle import Criterion, optimize_image
from pystyle.text import (
    OpenClipEncoder,
    RandomCrops,
    TextDirectionLoss,
    TextLoss,
    TransformersEncoder,
    open_clip_encoder,
    text_encoder,
    transformers_encoder,
)

pytestmark = pytest.mark.slow  # transformers takes seconds to be imported

LETTERS = "abcdefghijklmnopqrstuvwxyz"
VOCABULARY = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS), "<|startoftext|>", "<|endoftext|>"]
LAYERS = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
OPEN_CLIP = {
    "model_cfg": {
        "embed_dim": 8,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8},
        "text_cfg": {"context_length": 12, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
    },
    "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3], "resize_mode": "shortest"},
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder of each kind of model."""
    import open_clip
    import transformers
    from safetensors.torch import save_file

    transformers.logging.disable_progress_bar()
    root = tmp_path_factory.mktemp("models")
    last = len(VOCABULARY) - 1
    words = {"vocab_size": last + 1, "max_position_embeddings": 12, "bos_token_id": last - 1}
    words |= {"eos_token_id": last, "pad_token_id": last, **LAYERS}
    pixels = {"image_size": 32, "patch_size": 8, **LAYERS}
    tokenizer = transformers.CLIPTokenizer({name: index for index, name in enumerate(VOCABULARY)}, [])
    clip = transformers.CLIPConfig(text_config=words, vision_config=pixels, projection_dim=8)
    siglip = transformers.SiglipConfig(text_config={**words, "projection_size": 16}, vision_config=pixels)
    size = {"height": 32, "width": 32}
    parts = {
        "clip": (transformers.CLIPModel, clip, {"size": {"shortest_edge": 32}, "crop_size": size}),
        "siglip": (transformers.SiglipModel, siglip, {"size": size}),
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for name, (model, config, sizes) in parts.items():
            model(config).save_pretrained(root / name)
            tokenizer.save_pretrained(root / name)
            kind = transformers.CLIPImageProcessor if name == "clip" else transformers.SiglipImageProcessor
            kind(**sizes).save_pretrained(root / name)
        (root / "open_clip").mkdir()
        (root / "open_clip" / "open_clip_config.json").write_text(json.dumps(OPEN_CLIP))
        weights = open_clip.CLIP(**OPEN_CLIP["model_cfg"]).state_dict()
        weights = {name: weight.contiguous() for name, weight in weights.items()}
        save_file(weights, root / "open_clip" / "open_clip_model.safetensors")
    return root


def photo(height, width):
    """A smooth picture of 8 bits."""
    levels = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(levels).resize((width, height), Image.Resampling.BICUBIC)


def as_tensor(picture):
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 255


KINDS = [
    ("clip", 8, TransformersEncoder),
    ("siglip", 16, TransformersEncoder),
    ("open_clip", 8, OpenClipEncoder),
]


@pytest.mark.parametrize(("name", "entries", "kind"), KINDS)
def test_images_and_texts_of_any_size_become_vectors_of_length_1(folders, name, entries, kind):
    encoder = text_encoder(folders / name)
    assert isinstance(encoder, kind)
    texts = encoder.encode_texts(["a woodcut", "fire", "long " * 50])
    assert texts.shape == (3, entries)
    assert not torch.allclose(texts[0], texts[1], atol=1e-3)
    for size in [(32, 32), (40, 61), (1, 1), (7, 90)]:
        images = encoder.encode_images(torch.rand(2, 3, *size))
        assert images.shape == (2, entries)
        torch.testing.assert_close(images.norm(dim=1), torch.ones(2))
    torch.testing.assert_close(texts.norm(dim=1), torch.ones(3))
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert not any(module.training for module in encoder.train().modules())


@pytest.mark.parametrize("name", [name for name, *_ in KINDS])
def test_loading_leaves_the_global_generator_as_it_was(folders, name):
    before = torch.get_rng_state()
    text_encoder(folders / name)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("size", [(50, 71), (64, 33), (35, 36), (20, 31), (32, 32)])
@pytest.mark.parametrize("name", ["clip", "siglip", "open_clip"])
def test_images_are_prepared_as_the_official_processor_does(folders, name, size):
    picture = photo(*size)
    encoder = text_encoder(folders / name, fit="center")
    if name == "open_clip":
        from open_clip.transform import PreprocessCfg, image_transform_v2

        config = PreprocessCfg(**encoder.model.visual.preprocess_cfg)
        official = image_transform_v2(config, is_train=False)(picture)[None]
    else:
        import transformers

        processor = transformers.AutoImageProcessor.from_pretrained(folders / name)
        official = processor(picture, return_tensors="pt")["pixel_values"]
    # They round to 8 bits after each of two passes; these are two levels.
    level = 1 / 255 / encoder.preparation.normalize.std.min()
    found = encoder.preparation(as_tensor(picture))
    assert found.shape == official.shape
    assert float((found - official).abs().max()) < 2 * float(level)


@pytest.mark.parametrize("name", ["clip", "siglip"])
def test_the_embeddings_are_those_of_transformers(folders, name):
    import transformers

    encoder, picture, texts = text_encoder(folders / name), photo(32, 32), ["a woodcut", "fire"]
    model = transformers.AutoModel.from_pretrained(folders / name).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folders / name)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folders / name)
    padding = {"padding": "max_length", "max_length": 12} if name == "siglip" else {"padding": True}
    with torch.no_grad():
        official = model(
            **processor(picture, return_tensors="pt"),
            **tokenizer(texts, return_tensors="pt", **padding),
        )
        images = encoder.encode_images(as_tensor(picture))
    torch.testing.assert_close(images, normalize(official.image_embeds, dim=1), atol=1e-4, rtol=0)
    torch.testing.assert_close(
        encoder.encode_texts(texts), normalize(official.text_embeds, dim=1), atol=1e-4, rtol=0
    )


def test_all_of_an_image_is_seen_unless_its_middle_is_wanted(folders):
    image = torch.rand(1, 3, 32, 96).requires_grad_()
    for fit, seen in [("whole", 1.0), ("center", 1 / 3)]:
        encoder = text_encoder(folders / "clip", fit=fit)
        (gradient,) = torch.autograd.grad(encoder.encode_images(image)[0, 0], image)
        assert float((gradient != 0).any(1).double().mean()) == pytest.approx(seen, abs=0.05)
    with pytest.raises(ValueError, match="`fit` must be one of"):
        text_encoder(folders / "clip", fit="middle")


@pytest.mark.parametrize("name", ["clip", "siglip", "open_clip"])
def test_losses_fall_and_gradients_are_finite(folders, name, tmp_path):
    encoder = text_encoder(folders / name)
    crops = RandomCrops(count=2, size=16, resample=False)
    losses = {
        "text": TextLoss(encoder, "a woodcut"),
        "direction": TextDirectionLoss(encoder, "a woodcut", crops=crops),
    }
    content = torch.rand(1, 3, 24, 36, generator=torch.Generator().manual_seed(0))
    result = optimize_image(
        Criterion(None, losses), {"content": content}, num_steps=6, checkpoint=tmp_path / name
    )
    totals = result.history["total"]
    assert totals[-1] < 0.9 * totals[0]
    # What a checkpoint says of a run is the same in another process: no address of an object is in it.
    resumed = optimize_image(
        Criterion(None, {**losses, "text": TextLoss(text_encoder(folders / name), "a woodcut")}),
        {"content": content},
        num_steps=7,
        checkpoint=tmp_path / name,
        resume=True,
    )
    # The last row is that of the picture, computed without a gradient, by other kernels.
    assert resumed.history["total"][:6] == totals[:6]


@pytest.mark.parametrize("name", ["clip", "open_clip"])
def test_an_encoder_in_another_type_takes_images_of_any(folders, name):
    encoder = text_encoder(folders / name).double()
    loss = TextLoss(encoder, "fire")
    for dtype, expected in [(torch.float64, torch.float64), (torch.float32, torch.float32)]:
        image = torch.rand(1, 3, 32, 32, dtype=dtype)
        assert Criterion(None, {"text": loss}).bind({})(image).total.dtype == expected
    with torch.autocast("cpu", torch.bfloat16):
        inside = Criterion(None, {"text": loss}).bind({})(image).total
    assert float(inside) == float(Criterion(None, {"text": loss}).bind({})(image).total)


def test_a_folder_must_have_all_that_a_model_needs(folders, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    with pytest.raises(OSError, match=r"`name` must be a folder with config.json or open_clip_config.json"):
        text_encoder(tmp_path)
    with pytest.raises(OSError, match=r"`name` must be a folder with the file open_clip_config.json"):
        open_clip_encoder(folders / "clip")
    broken = shutil.copytree(folders / "clip", tmp_path / "broken")
    weights = load_file(broken / "model.safetensors")
    weights.pop("visual_projection.weight")
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"without 'visual_projection\.weight'"):
        transformers_encoder(broken)
    (broken / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ValueError, match=r"a CLIP or SigLIP model, got one with 'bert'"):
        text_encoder(broken)
    bare = shutil.copytree(folders / "open_clip", tmp_path / "bare")
    (bare / "open_clip_model.safetensors").unlink()
    with pytest.raises(OSError, match="a folder with weights"):
        text_encoder(bare)


def test_nothing_is_downloaded_and_nothing_is_printed(folders, capfd, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", "/nowhere")
    with pytest.raises(OSError, match="Nothing is downloaded here; `hf download someone/clip`"):
        text_encoder("someone/clip")
    logging.disable(logging.WARNING)
    try:
        text_encoder(folders / "clip")
    finally:
        logging.disable(logging.NOTSET)
    assert capfd.readouterr() == ("", "")
