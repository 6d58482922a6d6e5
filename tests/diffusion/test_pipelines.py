from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from pystyle import stylize
from pystyle.diffusion import generate_image, load_pipeline, refine_image
from pystyle.encoders import vgg11


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


class Pipeline:
    """What is asked of a pipeline, and what it is asked: each picture is the image and a little noise."""

    def __init__(self, factor: int = 16, **output: object) -> None:
        self.image_processor = SimpleNamespace(config=SimpleNamespace(vae_scale_factor=factor))
        self.output = output
        self.asked: dict[str, object] = {}

    def __call__(self, prompt, image, strength, num_inference_steps, generator, output_type, **others):
        self.asked = {
            "prompt": prompt,
            "image": image,
            "strength": strength,
            "num_inference_steps": num_inference_steps,
            "output_type": output_type,
            **others,
        }
        grain = torch.stack([torch.rand(image.shape[1:], generator=one) for one in generator])
        return SimpleNamespace(**{"images": 0.9 * image + 0.1 * grain, **self.output})


class Generator(Pipeline):
    """The same from text alone."""

    def __call__(self, prompt, height, width, num_inference_steps, generator, output_type, **others):
        image = torch.full((1, 3, height, width), 0.5)
        return super().__call__(prompt, image, 1.0, num_inference_steps, generator, output_type, **others)


def test_a_refined_picture_is_asked_for_in_the_next_size_and_cut():
    pipeline = Pipeline()
    image = noise(2, 3, 17, 30)
    refined = refine_image(image, pipeline, prompt="an oil painting", strength=0.25, num_steps=8, seed=3)
    assert refined.shape == image.shape
    asked = pipeline.asked
    padded = asked["image"]
    assert padded.shape == (2, 3, 32, 32)
    assert torch.equal(padded[:, :, :17, :30], image)
    assert torch.equal(padded[:, :, 31, :30], image[:, :, 16])
    assert asked["prompt"] == ["an oil painting"] * 2
    assert (asked["strength"], asked["num_inference_steps"], asked["output_type"]) == (0.25, 8, "pt")
    assert "guidance_scale" not in asked
    assert (refined - 0.9 * image).abs().max() <= 0.1


def test_what_is_not_left_to_the_pipeline_reaches_it():
    pipeline = Pipeline()
    refine_image(
        noise(2, 3, 16, 16), pipeline, negative_prompt="text", guidance=3, options={"clip_skip": 1}, seed=0
    )
    asked = pipeline.asked
    assert (asked["negative_prompt"], asked["guidance_scale"], asked["clip_skip"]) == (["text"] * 2, 3.0, 1)


def test_a_seed_reproduces_and_each_image_of_a_batch_gets_what_it_gets_alone():
    image, state = noise(2, 3, 16, 18), torch.get_rng_state()
    both = refine_image(image, Pipeline(), seed=5)
    assert torch.equal(both, refine_image(image, Pipeline(), seed=5))
    assert torch.equal(both[1:], refine_image(image[1:], Pipeline(), seed=5))
    assert not torch.equal(both, refine_image(image, Pipeline(), seed=6))
    assert not torch.equal(refine_image(image, Pipeline()), refine_image(image, Pipeline()))
    assert torch.equal(torch.get_rng_state(), state)


def test_the_picture_has_the_type_of_the_image():
    refined = refine_image(noise(1, 3, 16, 16).double(), Pipeline(), seed=0)
    assert refined.dtype == torch.float64


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"strength": 0}, ValueError, r"`strength` must be in \(0, 1\], got 0"),
        ({"strength": 1.5}, ValueError, r"`strength` must be in \(0, 1\], got 1\.5"),
        (
            {"strength": 0.3, "num_steps": 3},
            ValueError,
            r"`num_steps` must be at least 4 .* strength 0\.3, got 3",
        ),
        ({"strength": 0.25, "num_steps": 3}, ValueError, r"`num_steps` must be at least 4 "),
        ({"prompt": ["a"]}, TypeError, r"`prompt` must be text, got a list"),
        ({"negative_prompt": 1}, TypeError, r"`negative_prompt` must be text, got a int"),
        ({"guidance": -1}, ValueError, r"`guidance` must not be negative, got -1"),
        ({"options": [1]}, TypeError, r"`options` must be a dictionary, got a list"),
        ({"seed": 0.5}, ValueError, r"`seed` must be a whole number, got 0\.5"),
        ({"pipeline": Pipeline}, TypeError, r"`pipeline` must be a pipeline of diffusers, got Pipeline"),
        ({"pipeline": "sd"}, TypeError, r"`pipeline` must be a pipeline of diffusers, got a str"),
        ({"image": noise(3, 4, 4)}, ValueError, r"`image` must have the shape"),
        ({"image": 3 * noise(1, 3, 4, 4)}, ValueError, r"`image` must .*\[0, 1\]"),
    ],
)
def test_an_impossible_argument_is_named(arguments, kind, message):
    given = {"image": noise(1, 3, 16, 16), "pipeline": Pipeline(), **arguments}
    with pytest.raises(kind, match=message):
        refine_image(given.pop("image"), given.pop("pipeline"), **given)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            {"nsfw_content_detected": [False, True]},
            "safety checker of the pipeline has blackened the picture",
        ),
        ({"images": torch.full((2, 3, 16, 16), torch.nan)}, "picture with NaN"),
    ],
)
def test_a_black_picture_or_one_of_nan_is_no_picture(output, message):
    with pytest.raises(RuntimeError, match=message):
        refine_image(noise(2, 3, 16, 16), Pipeline(**output), seed=0)
    with pytest.raises(RuntimeError, match=message):
        generate_image(Generator(**output), "a boat", size=(16, 16), seed=0)


def test_a_generated_picture_has_its_size_and_is_a_function_of_the_seed():
    pipeline = Generator()
    picture = generate_image(pipeline, "a boat", size=(17, 30), num_steps=4, guidance=2, seed=1)
    assert picture.shape == (1, 3, 17, 30)
    assert pipeline.asked["image"].shape == (1, 3, 32, 32)
    assert (pipeline.asked["prompt"], pipeline.asked["guidance_scale"]) == ("a boat", 2.0)
    assert torch.equal(picture, generate_image(Generator(), "a boat", size=(17, 30), seed=1))
    with pytest.raises(ValueError, match=r"`size` must be \(height, width\) in pixels, got 3 numbers"):
        generate_image(pipeline, "a boat", size=(1, 2, 3))
    with pytest.raises(TypeError, match=r"`pipeline` must be a pipeline .*, got a NoneType"):
        generate_image(None, "a boat", size=(16, 16))


def test_a_generated_picture_starts_a_run():
    start = generate_image(Generator(), "a boat", size=(16, 20), seed=1)
    photo, painting = noise(1, 3, 16, 20), noise(1, 3, 16, 16, seed=1)
    options = {"edge_size": 16, "num_steps": 1, "encoder": vgg11(weights=None, seed=1)}
    result = stylize(photo, painting, init=start, **options)
    # A step moves it a little; the photograph is elsewhere.
    assert (result.image - start).abs().mean() < 0.5 * (result.image - photo).abs().mean()


@pytest.mark.slow
def test_pipelines_of_diffusers_generate_and_refine(tiny_pipeline):
    pipeline = tiny_pipeline()
    picture = generate_image(pipeline, "a boat", size=(21, 30), num_steps=2, seed=1)
    assert picture.shape == (1, 3, 21, 30)
    assert torch.equal(picture, generate_image(pipeline, "a boat", size=(21, 30), num_steps=2, seed=1))
    assert not torch.equal(picture, generate_image(pipeline, "a cat", size=(21, 30), num_steps=2, seed=1))
    image = noise(2, 3, 21, 30)
    options = {"num_steps": 4, "strength": 0.5, "seed": 2}
    refined = refine_image(image, pipeline, prompt="a boat", **options)
    assert refined.shape == image.shape
    assert torch.equal(refined, refine_image(image, pipeline, prompt="a boat", **options))
    alone = refine_image(image[1:], pipeline, prompt="a boat", **options)
    torch.testing.assert_close(refined[1:], alone, rtol=0, atol=1e-4)
    assert not torch.equal(refined, refine_image(image, pipeline, prompt="a cat", **options))


@pytest.mark.slow
def test_the_picture_of_few_steps_is_nearer_to_what_the_autoencoder_makes_of_the_image(tiny_pipeline):
    pipeline = tiny_pipeline(calm=0.1)
    image = noise(1, 3, 24, 32)
    with torch.no_grad():
        kept = pipeline.vae.decode(pipeline.vae.encode(2 * image - 1).latent_dist.mode()).sample / 2 + 0.5
    distances = [
        (refine_image(image, pipeline, strength=strength, num_steps=20, seed=0) - kept.clamp(0, 1))
        .abs()
        .mean()
        for strength in (0.05, 0.5, 1)
    ]
    assert distances[0] < 0.5 * distances[1]
    assert distances[1] < distances[2]


@pytest.mark.slow
def test_a_pipeline_is_loaded_from_its_folder_and_says_where_it_is_not(tiny_pipeline, tmp_path):
    pipeline = tiny_pipeline()
    pipeline.save_pretrained(tmp_path / "model")
    loaded = load_pipeline(tmp_path / "model", device="cpu")
    loaded.set_progress_bar_config(disable=True)
    assert loaded.unet.dtype == torch.float32
    image, options = noise(1, 3, 16, 16), {"num_steps": 2, "strength": 0.5, "seed": 2}
    assert torch.equal(refine_image(image, loaded, **options), refine_image(image, pipeline, **options))
    assert load_pipeline(tmp_path / "model", device="cpu", precision="bfloat16").vae.dtype == torch.bfloat16
    with pytest.raises(
        OSError, match=r"`source` must be a pipeline .*'nobody/nothing' could not be loaded: "
    ):
        load_pipeline("nobody/nothing")
    (tmp_path / "model" / "unet" / "config.json").write_text("{")
    with pytest.raises(OSError, match=r"`source` must be a pipeline of diffusers on this machine"):
        load_pipeline(tmp_path / "model", device="cpu")
    with pytest.raises(ValueError, match=r"`precision` must be one of .*, got 'int8'"):
        load_pipeline(tmp_path / "model", precision="int8")


@pytest.mark.slow
def test_what_goes_neither_from_image_to_image_nor_from_text_is_refused():
    pytest.importorskip("diffusers")

    def pipeline(prompt):
        return prompt

    with pytest.raises(TypeError, match=r"`pipeline` must go from image to image, .*, got a function"):
        refine_image(noise(1, 3, 16, 16), pipeline)
