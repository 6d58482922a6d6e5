import math
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from pystyle.diffusion import DiffusersAutoencoder
from pystyle.papers.chung_2024 import (
    StyleInjection,
    adain,
    ddim_step,
    ddim_timesteps,
    mixed_query,
    scaled_attention,
    style_transfer,
)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def test_the_latents_get_mean_and_deviation_of_each_channel_of_the_style():
    content, style = noise(2, 3, 5, 7).double(), 3 * noise(2, 3, 4, 6, seed=1).double() - 1
    found = adain(content, style)
    for image in range(2):
        for channel in range(3):
            one, of = found[image, channel], style[image, channel]
            assert one.mean().item() == pytest.approx(of.mean().item(), abs=1e-12)
            assert one.std(correction=0).item() == pytest.approx(of.std(correction=0).item(), rel=1e-12)
    torch.testing.assert_close(adain(content, content), content, rtol=0, atol=1e-12)
    # A map keeps its form.
    ratio = (found[0, 0] - found[0, 0].mean()) / (content[0, 0] - content[0, 0].mean())
    torch.testing.assert_close(ratio, ratio[0, 0].expand_as(ratio))


def test_one_style_serves_several_contents_and_a_flat_channel_stays_flat():
    content = noise(2, 3, 5, 7)
    content[1, 2] = 0.5
    style = noise(1, 3, 4, 4, seed=1)
    found = adain(content, style)
    torch.testing.assert_close(found[:1], adain(content[:1], style))
    torch.testing.assert_close(found[1, 2], style[0, 2].mean().expand(5, 7))


def test_latents_of_other_axes_are_refused():
    with pytest.raises(ValueError, match=r"same channels, got \(1, 3, 2, 2\) and \(1, 4, 2, 2\)"):
        adain(noise(1, 3, 2, 2), noise(1, 4, 2, 2))
    with pytest.raises(ValueError, match=r"must have the axes"):
        adain(noise(3, 2, 2), noise(3, 2, 2))


def test_the_timesteps_of_fifty_steps_are_those_of_the_code():
    assert ddim_timesteps(50) == list(range(1, 1000, 20))
    assert ddim_timesteps(999)[-1] == 999
    for num_steps in (0, 1000):
        with pytest.raises(ValueError, match=r"`num_steps` must be in \[1, 999\]"):
            ddim_timesteps(num_steps)


def test_a_step_to_another_level_and_back_is_none():
    latents, grain = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 0.25])
    # 0.6 x + 0.8 ε of what is 0.8 x + 0.6 ε.
    expected = [0.6 * (1 - 0.6 * 0.5) / 0.8 + 0.8 * 0.5, 0.6 * (-2 - 0.6 * 0.25) / 0.8 + 0.8 * 0.25]
    there = ddim_step(latents, grain, 0.64, 0.36)
    assert there.tolist() == pytest.approx(expected)
    torch.testing.assert_close(ddim_step(there, grain, 0.36, 0.64), latents)
    for alpha, target in ((0, 1), (1.5, 1), (0.5, -0.1)):
        with pytest.raises(ValueError, match=r"`(alpha|target)` must be in"):
            ddim_step(latents, grain, alpha, target)


def test_queries_are_mixed_in_proportion():
    content, picture = noise(2, 3), noise(2, 3, seed=1)
    torch.testing.assert_close(mixed_query(content, picture), 0.75 * content + 0.25 * picture)
    assert torch.equal(mixed_query(content, picture, 1), content)
    assert torch.equal(mixed_query(content, picture, 0), picture)
    with pytest.raises(ValueError, match=r"`gamma` must be in \[0, 1\], got 1\.5"):
        mixed_query(content, picture, 1.5)


def loop(query: list, key: list, value: list, temperature: float) -> list:
    """Attention of one head, in numbers of Python."""
    found = []
    for asked in query:
        scores = [
            math.exp(temperature * sum(a * b for a, b in zip(asked, k, strict=True)) / math.sqrt(len(k)))
            for k in key
        ]
        found.append(
            [
                sum(score * v[i] for score, v in zip(scores, value, strict=True)) / sum(scores)
                for i in range(len(value[0]))
            ]
        )
    return found


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.5])
def test_attention_is_that_of_a_loop(temperature):
    query, key, value = (
        noise(2, 3, 4, 5).double(),
        noise(2, 3, 6, 5, seed=1).double(),
        noise(2, 3, 6, 5, seed=2).double(),
    )
    found = scaled_attention(3 * query, 3 * key, value, temperature)
    for image in range(2):
        for head in range(3):
            parts = (3 * query[image, head], 3 * key[image, head], value[image, head])
            expected = torch.tensor(loop(*(part.tolist() for part in parts), temperature)).double()
            torch.testing.assert_close(found[image, head], expected, rtol=0, atol=1e-6)


def test_a_temperature_of_nothing_is_refused():
    with pytest.raises(ValueError, match=r"`temperature` must be positive, got 0"):
        scaled_attention(noise(1, 1, 2, 2), noise(1, 1, 2, 2), noise(1, 1, 2, 2), 0)


def layer(heads: int, channels: int) -> SimpleNamespace:
    """What the processor knows of a layer of attention."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        inner = 2 * channels
        to_q, to_k, to_v = (nn.Linear(channels, inner, bias=False).double() for _ in range(3))
        out = nn.Linear(inner, channels).double()
    return SimpleNamespace(heads=heads, to_q=to_q, to_k=to_k, to_v=to_v, to_out=[out, nn.Identity()])


def attended(attn: SimpleNamespace, asked: Tensor, from_: Tensor, temperature: float) -> Tensor:
    """What one image asks, and another answers, head by head; `asked` are queries."""
    key, value = attn.to_k(from_), attn.to_v(from_)
    parts = []
    for q, k, v in zip(
        asked.chunk(attn.heads, -1), key.chunk(attn.heads, -1), value.chunk(attn.heads, -1), strict=True
    ):
        parts.append(torch.tensor(loop(q.tolist(), k.tolist(), v.tolist(), temperature)).double())
    return attn.to_out[0](torch.cat(parts, -1))


def test_the_processor_asks_as_the_content_does_and_is_answered_by_the_style():
    attn = layer(heads=2, channels=6)
    contents, styles, pictures = (4 * noise(2, 5, 6, seed=seed).double() - 2 for seed in range(3))
    with torch.no_grad():
        found = StyleInjection(gamma=0.75, temperature=1.5)(attn, torch.cat((contents, styles, pictures)))
        for index in range(2):
            content, style, picture = contents[index], styles[index], pictures[index]
            asked = 0.75 * attn.to_q(content) + 0.25 * attn.to_q(picture)
            for place, expected in (
                (index, attended(attn, attn.to_q(content), content, 1.0)),
                (2 + index, attended(attn, attn.to_q(style), style, 1.0)),
                (4 + index, attended(attn, asked, style, 1.5)),
            ):
                torch.testing.assert_close(found[place], expected, rtol=0, atol=1e-6)


def test_the_processor_refuses_what_is_not_its_own():
    attn = layer(heads=1, channels=2)
    with pytest.raises(ValueError, match=r"`hidden_states` must be of contents, .*, got a batch of 4"):
        StyleInjection()(attn, noise(4, 3, 2).double())
    with pytest.raises(ValueError, match=r"for self-attention without a mask"):
        StyleInjection()(attn, noise(3, 3, 2), noise(3, 3, 2))
    with pytest.raises(ValueError, match=r"`gamma` must be in \[0, 1\], got -0\.5"):
        StyleInjection(gamma=-0.5)
    with pytest.raises(ValueError, match=r"`temperature` must be positive, got 0"):
        StyleInjection(temperature=0)


class Pixels(nn.Module):
    """An autoencoder whose latents are the pixels in [-1, 1]."""

    config = SimpleNamespace(block_out_channels=(8,), latent_channels=3, scaling_factor=1.0)

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def encode(self, image: Tensor) -> SimpleNamespace:
        return SimpleNamespace(latents=image)

    def decode(self, latents: Tensor) -> SimpleNamespace:
        return SimpleNamespace(sample=latents)


class Share(nn.Module):
    """A model that takes a share of the latents for noise."""

    dtype, device = torch.float32, torch.device("cpu")

    def __init__(self, share: float, **config: object) -> None:
        super().__init__()
        self.share, self.asked, self.seen = share, list[tuple[int, int]](), list[Tensor]()
        self.up_blocks = nn.ModuleList()
        self.config = SimpleNamespace(**{"in_channels": 3, **config})

    def forward(self, latents, timestep, encoder_hidden_states, return_dict):
        assert encoder_hidden_states.shape == (len(latents), 1, 2)
        assert not return_dict
        self.asked.append((len(latents), timestep))
        self.seen.append(latents)
        return (self.share * latents,)


def simple(unet: nn.Module, alphas: Tensor, prediction_type: str = "epsilon") -> SimpleNamespace:
    """A pipeline of these."""
    return SimpleNamespace(
        unet=unet,
        vae=Pixels(),
        scheduler=SimpleNamespace(
            alphas_cumprod=alphas, config=SimpleNamespace(prediction_type=prediction_type)
        ),
        encode_prompt=lambda _, **__: (torch.zeros(1, 1, 2), None),
    )


def test_latents_go_up_the_levels_and_down_as_worked_out_by_hand():
    share, alphas = 0.5, torch.linspace(1, 0.5, 7)
    unet = Share(share)
    content, style = noise(1, 3, 4, 5), noise(1, 3, 9, 8, seed=1)
    options = {"edge_size": 4, "num_steps": 2, "layers": (), "match_statistics": False}
    found = style_transfer(content, style, simple(unet, alphas), **options)
    # Levels at the timesteps 1 and 4; a step multiplies the latents.
    levels = [1.0, float(alphas[1]), float(alphas[4])]

    def factor(here: float, there: float) -> float:
        return (
            math.sqrt(there) * (1 - math.sqrt(1 - here) * share) / math.sqrt(here)
            + math.sqrt(1 - there) * share
        )

    up, down = (
        math.prod(factor(here, there) for here, there in pairwise(path)) for path in (levels, levels[::-1])
    )
    expected = (up * down * (2 * content - 1) + 1) / 2
    torch.testing.assert_close(found, expected.clamp(0, 1), rtol=0, atol=1e-5)
    assert unet.asked == [(2, 1), (2, 4), (3, 4), (3, 1)]
    # Beside the picture, content and style are at the level of the timestep.
    for call, level in ((2, up), (3, factor(levels[0], levels[1]))):
        torch.testing.assert_close(unet.seen[call][:1], level * (2 * content - 1), rtol=0, atol=1e-5)
        torch.testing.assert_close(unet.seen[call][:2] / unet.seen[0], torch.full((2, 3, 4, 5), level))


def test_corrections_of_the_inversion_converge_to_the_inverse():
    content, style = noise(2, 3, 4, 5), noise(1, 3, 9, 8, seed=1)
    options = {"edge_size": 4, "num_steps": 5, "layers": (), "match_statistics": False}
    errors = []
    for corrections in (0, 2, 12):
        pipeline = simple(Share(0.5), torch.linspace(1, 0.5, 20))
        found = style_transfer(content, style, pipeline, num_corrections=corrections, **options)
        errors.append((found - content).abs().max().item())
    assert errors[0] > 1e-3
    assert errors[1] < 0.5 * errors[0]
    assert errors[2] < 1e-5


def test_the_noise_gets_the_statistics_of_that_of_the_style():
    # Without noise the model leaves all latents as they are, but for a factor that the way back undoes.
    content, style = noise(1, 3, 8, 10), 0.3 + 0.3 * noise(1, 3, 8, 10, seed=1)
    pipeline = simple(Share(0.0), torch.linspace(1, 0.5, 20))
    options = {"edge_size": 8, "num_steps": 3, "layers": ()}
    found = style_transfer(content, style, pipeline, **options)
    torch.testing.assert_close(found, adain(content, style).clamp(0, 1), rtol=0, atol=1e-5)


def test_progress_counts_the_passes_of_both_directions():
    steps: list[tuple[int, int]] = []
    style_transfer(
        noise(1, 3, 4, 5),
        noise(1, 3, 4, 4),
        simple(Share(0.1), torch.linspace(1, 0.5, 20)),
        edge_size=4,
        num_steps=3,
        layers=(),
        num_corrections=1,
        progress=lambda done, total: steps.append((done, total)),
    )
    assert steps == [(done, 9) for done in range(1, 10)]


def test_the_style_is_cut_to_the_shape_of_the_content_around_its_middle():
    # Its sides are black, and do not count in the mean and deviation that the picture gets.
    style = torch.zeros(1, 3, 8, 24)
    style[..., 8:16] = 0.75
    pipeline = simple(Share(0.0), torch.linspace(1, 0.5, 20))
    found = style_transfer(noise(1, 3, 8, 8), style, pipeline, edge_size=8, num_steps=1, layers=())
    torch.testing.assert_close(found, torch.full_like(found, 0.75), rtol=0, atol=1e-5)


def other(**changes: object) -> SimpleNamespace:
    """A pipeline with other parts."""
    pipeline = simple(Share(0.1), torch.linspace(1, 0.5, 20))
    for name, value in changes.items():
        setattr(pipeline, name, value)
    return pipeline


FLOW = SimpleNamespace(config=SimpleNamespace())


@pytest.mark.parametrize(
    ("pipeline", "kind", "message"),
    [
        (
            simple(Share(0.1), torch.ones(20), "v_prediction"),
            ValueError,
            r"predicts noise .*predicts 'v_prediction'",
        ),
        (other(scheduler=FLOW), ValueError, r"predicts noise .* has a SimpleNamespace"),
        (
            other(unet=Share(0.1, addition_embed_type="text_time")),
            ValueError,
            r"`addition_embed_type` is 'text_time'",
        ),
        (other(unet=Share(0.1, in_channels=9)), ValueError, r"sees 3 channels of latents, got one with 9"),
        (
            other(unet=SimpleNamespace(config=None)),
            ValueError,
            r"a U-Net with `up_blocks`, got a SimpleNamespace",
        ),
        (SimpleNamespace(unet=1, vae=2, scheduler=3), TypeError, r"SimpleNamespace without `encode_prompt`"),
        (Share, TypeError, r"`pipeline` must be a pipeline .*, got Share"),
    ],
)
def test_a_model_that_the_method_is_not_for_is_refused_with_a_sentence(pipeline, kind, message):
    with pytest.raises(kind, match=message):
        style_transfer(noise(1, 3, 4, 4), noise(1, 3, 4, 4), pipeline, layers=())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layers": (6,)}, r"`layers` must be layers of the decoder with attention, which are \[\]"),
        ({"num_steps": 20}, r"`num_steps` must be in \[1, 19\], got 20"),
        ({"gamma": 2}, r"`gamma` must be in \[0, 1\], got 2"),
        ({"temperature": -1}, r"`temperature` must be positive, got -1"),
        ({"num_corrections": -1}, r"`num_corrections` must not be negative, got -1"),
        (
            {"style": noise(3, 3, 4, 4)},
            r"`style` must be one painting, or one for each of the 2 contents, got 3",
        ),
        ({"content": 2 * noise(2, 3, 4, 4)}, r"`content` must .*\[0, 1\]"),
    ],
)
def test_an_impossible_argument_is_named_before_anything_is_computed(arguments, message):
    unet = Share(0.1)
    given = {
        "content": noise(2, 3, 4, 4),
        "style": noise(1, 3, 4, 4),
        "num_steps": 3,
        "layers": (),
        **arguments,
    }
    with pytest.raises(ValueError, match=message):
        style_transfer(
            given.pop("content"),
            given.pop("style"),
            simple(unet, torch.linspace(1, 0.5, 20)),
            edge_size=4,
            **given,
        )
    assert unet.asked == []


def test_a_picture_of_nan_is_no_picture():
    with pytest.raises(ValueError, match=r"`pipeline` gave a picture with NaN"):
        style_transfer(
            noise(1, 3, 4, 4),
            noise(1, 3, 4, 4),
            other(unet=Share(math.nan)),
            edge_size=4,
            num_steps=2,
            layers=(),
        )


LAYERS = (0, 1, 2, 3)


def reconstruction(pipeline, image: Tensor) -> Tensor:
    """What the autoencoder makes of an image."""
    autoencoder = DiffusersAutoencoder(pipeline.vae)
    with torch.no_grad():
        decoded = autoencoder.decode(autoencoder.encode(image))
    return decoded[:, :, : image.shape[2], : image.shape[3]].clamp(0, 1)


@pytest.mark.slow
def test_with_nothing_changed_the_picture_is_what_the_autoencoder_makes_of_the_content(tiny_pipeline):
    pipeline = tiny_pipeline(calm=0.05)
    content, style = noise(1, 3, 9, 14), noise(1, 3, 20, 15, seed=1)
    expected = reconstruction(pipeline, content)
    options = {"edge_size": 9, "num_steps": 3, "match_statistics": False, "num_corrections": 8}
    # The style is another image where nothing of it is injected, and the content itself where it is.
    plain = style_transfer(content, style, pipeline, layers=(), **options)
    torch.testing.assert_close(plain, expected, rtol=0, atol=1e-5)
    same = style_transfer(content, content, pipeline, layers=LAYERS, gamma=1, temperature=1, **options)
    torch.testing.assert_close(same, expected, rtol=0, atol=1e-5)
    # And each of the four changes it.
    base = {**options, "layers": LAYERS, "gamma": 1.0, "temperature": 1.0}
    for change in ({"temperature": 3.0}, {"num_corrections": 0}):
        found = style_transfer(content, content, pipeline, **{**base, **change})
        assert (found - expected).abs().max() > 1e-4, change
    for change in ({}, {"match_statistics": True, "layers": ()}):
        found = style_transfer(content, style, pipeline, **{**base, **change})
        assert (found - expected).abs().max() > 1e-4, change


class Recorder:
    """A processor that keeps queries, keys and values, or takes those it is given: as the authors' code "
    "does."""

    def __init__(self, given: dict | None = None, gamma: float = 1.0, temperature: float = 1.0) -> None:
        self.kept: list[tuple[Tensor, Tensor, Tensor]] = []
        self.given, self.gamma, self.temperature = given, gamma, temperature

    def __call__(self, attn, hidden_states, **nothing):
        assert not any(value is not None for value in nothing.values())
        query, key, value = attn.to_q(hidden_states), attn.to_k(hidden_states), attn.to_v(hidden_states)
        temperature = 1.0
        if self.given is not None:
            content, style = (self.given[name][len(self.kept)] for name in ("content", "style"))
            self.kept.append((query, key, value))
            query, key, value = self.gamma * content[0] + (1 - self.gamma) * query, style[1], style[2]
            temperature = self.temperature
        else:
            self.kept.append((query, key, value))
        scores = attn.head_to_batch_dim(query) @ attn.head_to_batch_dim(key).mT * attn.scale * temperature
        found = attn.batch_to_head_dim(scores.softmax(-1) @ attn.head_to_batch_dim(value))
        return attn.to_out[0](found)


@pytest.mark.slow
def test_the_picture_is_that_of_features_that_were_recorded_before(tiny_pipeline):
    pipeline = tiny_pipeline(calm=0.3)
    content, style = noise(1, 3, 16, 24), noise(1, 3, 16, 24, seed=1)
    unet, scheduler, chosen = pipeline.unet, pipeline.scheduler, (1, 3)
    found = style_transfer(content, style, pipeline, edge_size=16, num_steps=4, layers=chosen)
    embedding = pipeline.encode_prompt("", "cpu", 1, False)[0]
    autoencoder = DiffusersAutoencoder(pipeline.vae)
    layers = [
        unet.up_blocks[index // 2].attentions[index % 2].transformer_blocks[0].attn1 for index in chosen
    ]
    timesteps = [1, 251, 501, 751]
    alphas = [scheduler.alphas_cumprod[0], *(scheduler.alphas_cumprod[timestep] for timestep in timesteps)]

    def predicted(latents: Tensor, timestep: int) -> Tensor:
        return unet(latents, timestep, encoder_hidden_states=embedding).sample

    def moved(latents: Tensor, grain: Tensor, here: Tensor, there: Tensor) -> Tensor:
        clean = (latents - (1 - here).sqrt() * grain) / here.sqrt()
        return there.sqrt() * clean + (1 - there).sqrt() * grain

    features, noisy = {}, {}
    with torch.no_grad():
        for name, image in (("content", content), ("style", style)):
            latents, passed = autoencoder.encode(image), []
            for index, timestep in enumerate(timesteps):
                latents = moved(latents, predicted(latents, timestep), alphas[index], alphas[index + 1])
                passed.append(latents)
            noisy[name] = latents
            recorders = [Recorder() for _ in layers]
            for attention, recorder in zip(layers, recorders, strict=True):
                attention.set_processor(recorder)
            for latents, timestep in reversed(list(zip(passed, timesteps, strict=True))):
                predicted(latents, timestep)
            features[name] = [recorder.kept for recorder in recorders]
        for index, attention in enumerate(layers):
            given = {name: kept[index] for name, kept in features.items()}
            attention.set_processor(Recorder(given, 0.75, 1.5))
        (content_std, content_mean), (style_std, style_mean) = (
            torch.std_mean(noisy[name], (2, 3), keepdim=True) for name in ("content", "style")
        )
        picture = (noisy["content"] - content_mean) / content_std * style_std + style_mean
        for index in reversed(range(4)):
            picture = moved(picture, predicted(picture, timesteps[index]), alphas[index + 1], alphas[index])
        expected = autoencoder.decode(picture).clamp(0, 1)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


@pytest.mark.slow
def test_the_layers_get_their_processors_back_however_it_ends(tiny_pipeline):
    pipeline = tiny_pipeline()
    before = dict(pipeline.unet.attn_processors)
    images = noise(1, 3, 16, 16), noise(1, 3, 16, 16, seed=1)
    options = {"edge_size": 16, "num_steps": 2, "layers": LAYERS}

    def interrupt(done: int, _: int) -> None:
        processors = pipeline.unet.attn_processors.values()
        assert sum(isinstance(one, StyleInjection) for one in processors) == (4 if done > 2 else 0)
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        style_transfer(*images, pipeline, progress=interrupt, **options)
    assert pipeline.unet.attn_processors == before
    with pytest.raises(ValueError, match=r"which are \[0, 1, 2, 3\] in this model, got 4"):
        style_transfer(*images, pipeline, **{**options, "layers": (1, 4)})
    assert pipeline.unet.attn_processors == before
    first = style_transfer(*images, pipeline, **options)
    assert torch.equal(style_transfer(*images, pipeline, **options), first)


@pytest.mark.slow
def test_a_batch_is_its_images_and_any_size_is_taken(tiny_pipeline):
    pipeline = tiny_pipeline()
    contents, style = noise(2, 3, 11, 15), noise(1, 3, 9, 30, seed=1)
    options = {"edge_size": 11, "num_steps": 2, "layers": LAYERS}
    both = style_transfer(contents, style, pipeline, **options)
    assert both.shape == contents.shape
    alone = style_transfer(contents[1:], style, pipeline, **options)
    torch.testing.assert_close(both[1:], alone, rtol=0, atol=1e-4)
    larger = style_transfer(contents, style, pipeline, **{**options, "edge_size": 22})
    assert larger.shape == (2, 3, 22, 30)
    assert style_transfer(noise(1, 3, 1, 1), style, pipeline, **{**options, "edge_size": 1}).shape == (
        1,
        3,
        1,
        1,
    )


@pytest.mark.slow
@pytest.mark.parametrize("prediction_type", ["v_prediction", "sample"])
def test_real_models_of_other_predictions_are_refused(tiny_pipeline, prediction_type):
    pipeline = tiny_pipeline(prediction_type=prediction_type)
    with pytest.raises(ValueError, match=rf"predicts noise \('epsilon'\).*predicts '{prediction_type}'"):
        style_transfer(noise(1, 3, 16, 16), noise(1, 3, 16, 16), pipeline, layers=LAYERS)


@pytest.mark.slow
def test_steps_are_those_of_the_scheduler_of_diffusers(tiny_pipeline):
    scheduler = tiny_pipeline().scheduler
    scheduler.set_timesteps(50)
    assert scheduler.timesteps.tolist() == ddim_timesteps(50)[::-1]
    latents, grain = noise(1, 4, 5, 6) - 0.5, noise(1, 4, 5, 6, seed=1) - 0.5
    for timestep, below in ((981, 961), (501, 481), (1, -1)):
        here = float(scheduler.alphas_cumprod[timestep])
        there = float(scheduler.alphas_cumprod[max(below, 0)])
        expected = scheduler.step(grain, timestep, latents).prev_sample
        torch.testing.assert_close(ddim_step(latents, grain, here, there), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_half_precision_stays_near_the_full_one(tiny_pipeline):
    pipeline = tiny_pipeline(calm=0.1)
    content, style = noise(1, 3, 16, 24), noise(1, 3, 20, 20, seed=1)
    options = {"edge_size": 16, "num_steps": 4, "layers": LAYERS}
    full = style_transfer(content, style, pipeline, **options)
    half = style_transfer(content, style, pipeline.to(torch.bfloat16), **options)
    assert half.dtype == torch.float32
    assert (full - half).abs().mean() < 0.02
