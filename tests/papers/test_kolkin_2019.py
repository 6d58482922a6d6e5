"""STROTSS: the four terms and their weights against loops, and the start of each level."""

import inspect

import pytest
import torch
from torch.nn.functional import interpolate

from pystyle.encoders import SequentialEncoder, vgg16, vgg19
from pystyle.papers import kolkin_2019
from pystyle.runner import optimize_image

LAYERS = ["relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu3_3", "relu4_3", "relu5_3"]


@pytest.fixture(scope="module")
def vgg() -> SequentialEncoder:
    return vgg16(weights=None).double()


def columns(encoder, image):
    features = encoder(image, LAYERS)
    size = image.shape[2:]
    maps = [image, *(interpolate(features[layer], size, mode="bilinear") for layer in LAYERS)]
    return torch.cat(maps, dim=1)[0].flatten(1).T


def cosine_distances(x, y):
    return 1 - (x / x.norm(dim=1, keepdim=True)) @ (y / y.norm(dim=1, keepdim=True)).T


def relaxed(distances):
    return torch.maximum(distances.min(1).values.mean(), distances.min(0).values.mean())


def euclidean_distances(x, y):
    return ((x[:, None] - y[None]).square().sum(2) / x.shape[1]).sqrt()


def terms(encoder, content, style, image, distances=cosine_distances):
    found, photo, painting = (columns(encoder, each) for each in (image, content, style))
    colours = [each[0].flatten(1).T - 0.5 for each in (image, style)]
    palette = relaxed(cosine_distances(*colours) + euclidean_distances(*colours))
    mean = (found.mean(0) - painting.mean(0)).abs().mean()
    spread = (torch.cov(found.T, correction=0) - torch.cov(painting.T, correction=0)).abs().mean()
    similarities = [cosine_distances(each, each) for each in (found, photo)]
    similarities = [each / each.sum(0, keepdim=True) for each in similarities]
    content_term = (similarities[0] - similarities[1]).abs().mean()
    return content_term, mean + spread, relaxed(distances(found, painting)), palette


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "alpha"), [("paper", 4.0), ("code", 4.0), ("code", 0.5)])
def test_the_loss_is_that_of_the_paper_and_of_the_code(vgg, picture, check_formula, variant, alpha):
    content, style, image = picture(0, 16, 20), picture(1, 20, 16), picture(2, 16, 20)

    def formula(image):
        of_content, moments, style_term, palette = terms(vgg, content, style, image)
        if variant == "paper":
            whole = alpha * of_content + moments + style_term + palette / alpha
            return whole / (2 + alpha + 1 / alpha)
        whole = alpha * 16 * 20 * of_content + moments + style_term + palette / max(alpha, 1)
        return whole / (2 + alpha)

    criterion = kolkin_2019.criterion(vgg, variant=variant, alpha=alpha, num_samples=16 * 20, resample=False)
    check_formula(criterion, {"content": content, "style": style}, image, formula)


@pytest.mark.slow
@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("weights", [(0.0, 1.0, 1.0), (1.0, 0.0, 2.0), (3.0, 1.0, 0.0)])
def test_each_term_of_the_style_may_count_more_or_be_left_out(vgg, picture, weights, distance):
    content, style, image = picture(0, 16, 20), picture(1, 20, 16), picture(2, 16, 20)
    criterion = kolkin_2019.criterion(
        vgg, alpha=4.0, num_samples=16 * 20, resample=False, distance=distance,
        emd_weight=weights[0], moment_weight=weights[1], palette_weight=weights[2],
    )  # fmt: skip
    found = criterion.bind({"content": content, "style": style})(image).by_loss()
    distances = cosine_distances if distance == "cosine" else euclidean_distances
    _, moments, style_term, palette = terms(vgg, content, style, image, distances)
    expected = {"style": weights[0] * style_term, "moments": weights[1] * moments}
    expected["palette"] = weights[2] * palette / 4
    for name, value in expected.items():
        assert float(found[name]) == pytest.approx(float(value) / 6, rel=1e-5)


def test_the_factors_of_the_terms_reach_every_level(picture):
    content, style = picture(0, 32, 24, torch.float32), picture(1, 32, 32, torch.float32)
    levels = kolkin_2019.style_transfer(
        content, style, encoder=vgg16(weights=None), edge_sizes=(24, 32), num_steps=0, num_samples=64,
        emd_weight=0.0, moment_weight=0.0, palette_weight=0.0, distance="euclidean",
    )  # fmt: skip
    for level in levels:
        of_style = [name for name in level.history if name.split(".")[0] in ("style", "moments", "palette")]
        assert len(of_style) == 3
        assert all(set(level.history[name]) == {0.0} for name in of_style)


def test_moments_of_samples_are_those_of_a_grid_that_is_another_one_each_time(picture):
    image, style = picture(0, 12, 16), picture(1, 12, 12)
    loss = kolkin_2019.SampledMomentLoss("image", num_samples=12, num_style_samples=9)
    target = loss.prepare(style)
    # 9 of 12 x 12: the middles of blocks of 4 x 4.
    nine = style[0, :, 2::4, 2::4].flatten(1)
    torch.testing.assert_close(target[0][0], nine.mean(1))
    torch.testing.assert_close(target[1][0], torch.cov(nine, correction=0))

    def distance(rows):
        some = image[0, :, rows[0] :: 4, rows[1] :: 4].flatten(1)
        spread = torch.cov(some, correction=0) - target[1][0]
        return (some.mean(1) - target[0][0]).abs().mean() + spread.abs().mean()

    possible = torch.stack([distance((top, left)) for top in range(4) for left in range(4)])
    values = torch.stack([loss.compare(image, target) for _ in range(8)])
    assert len(values.unique()) > 1
    assert float((values[:, None] - possible[None]).abs().amin(1).max()) < 1e-12
    assert len(loss.generators()) == 1

    still = kolkin_2019.SampledMomentLoss("image", num_samples=12, resample=False)
    assert still.compare(image, target) == still.compare(image, target)
    assert still.generators() == ()
    with pytest.raises(ValueError, match="`num_style_samples` must be at least 1, got 0"):
        kolkin_2019.SampledMomentLoss("image", num_style_samples=0)


def test_a_hypercolumn_has_2179_channels(vgg, picture):
    encoder = kolkin_2019.criterion(vgg).encoder
    image = picture(0, 16, 20)
    found = encoder(image, [kolkin_2019.COLUMNS])[kolkin_2019.COLUMNS]
    assert found.shape == (1, 2179, 16, 20)
    assert torch.equal(found[:, :3], image)


def test_the_numbers_are_those_of_the_sources(vgg):
    run = inspect.signature(kolkin_2019.style_transfer).parameters
    assert (run["edge_sizes"].default, run["lr"].default) == ((64, 128, 256, 512), 2e-3)
    losses = kolkin_2019.criterion(vgg).losses
    assert losses["style"].num_samples == 5000
    assert losses["style"].num_image_samples == losses["content"].num_samples == 1024
    assert (losses["moments"].num_samples, losses["moments"].num_style_samples) == (1024, 5000)
    assert losses["style"].resample
    assert losses["content"].resample


def test_alpha_and_the_step_are_halved_and_the_detail_is_left_out_in_the_end(picture, monkeypatch):
    seen = []

    def watch(criterion, references, *, init, optimizer, num_steps, **options):
        style = criterion.losses["style"].weight
        seen.append((1 / style - 2, optimizer.keywords["lr"], num_steps, init, references["content"]))
        return optimize_image(criterion, references, init=init, optimizer=optimizer, num_steps=0, **options)

    monkeypatch.setattr("pystyle.papers.kolkin_2019._style_transfer.optimize_image", watch)
    content, style = picture(0, 48, 48, torch.float32), picture(1, 48, 48, torch.float32)
    levels = kolkin_2019.style_transfer(
        content, style, encoder=vgg16(weights=None), edge_sizes=(16, 20, 24), num_samples=64
    )
    assert [each[0] for each in seen] == pytest.approx([16, 8, 4])
    assert [each[1] for each in seen] == [2e-3, 2e-3, 1e-3]
    assert {each[2] for each in seen} == {250}
    enlarged = [
        interpolate(level.image, side, mode="bilinear") for level, side in zip(levels, (20, 24), strict=False)
    ]
    assert torch.equal(seen[1][3], enlarged[0] + kolkin_2019.detail(seen[1][4]))
    assert torch.equal(seen[2][3], enlarged[1])
    grey = seen[0][3] - kolkin_2019.detail(seen[0][4])
    assert float(grey.std(dim=(2, 3)).max()) < 1e-6


def test_the_paper_takes_200_steps_and_the_image_is_a_pyramid_of_five_levels(picture, monkeypatch):
    seen = []

    def watch(criterion, references, *, parametrization, num_steps, **options):
        seen.append((num_steps, len(parametrization(references["content"]).bands)))
        return optimize_image(criterion, references, parametrization=parametrization, num_steps=0, **options)

    monkeypatch.setattr("pystyle.papers.kolkin_2019._style_transfer.optimize_image", watch)
    content = picture(0, 64, 64, torch.float32)
    kolkin_2019.style_transfer(
        content, content, encoder=vgg16(weights=None), variant="paper", edge_sizes=(32,), num_samples=16
    )
    assert seen == [(200, 6)]


def test_a_short_run_lowers_the_loss(picture):
    content, style = picture(0, 32, 24, torch.float32), picture(1, 32, 32, torch.float32)
    (level,) = kolkin_2019.style_transfer(
        content, style, encoder=vgg16(weights=None), edge_sizes=(24,), num_steps=4, num_samples=64, lr=0.01
    )
    assert bool(level.image.isfinite().all())
    assert min(level.history["total"][1:]) < level.history["total"][0]


def test_the_self_similarity_of_the_paper_is_the_mean_over_the_positions_that_are_taken(picture):
    # 6 x 4 positions of 5 that are wanted: 2 rows of 2, and no fifth.
    image, content = (picture(seed, 8, 4)[..., :6, :] for seed in (0, 1))
    encoder = SequentialEncoder({name: torch.nn.Identity() for name in kolkin_2019.LAYERS})
    criterion = kolkin_2019.criterion(encoder, variant="paper", alpha=1.0, num_samples=5, resample=False)
    terms = criterion.bind({"content": content, "style": content})(image)
    rows, columns = (1, 4), (1, 3)
    matrices = []
    for each in (image, content):
        chosen = torch.stack([each[0, :, row, column] for row in rows for column in columns])
        matrix = 1 - torch.nn.functional.cosine_similarity(chosen[:, None], chosen[None], dim=2)
        matrices.append(matrix / matrix.sum(0, keepdim=True))
    expected = (matrices[0] - matrices[1]).abs().mean() / 4  # 2 + alpha + 1 / alpha
    assert float(terms["content.hypercolumns"]) == pytest.approx(float(expected), rel=1e-6)


def test_wrong_arguments_are_refused(vgg):
    with pytest.raises(ValueError, match="`variant` must be 'paper' or 'code', got 'x'"):
        kolkin_2019.criterion(vgg, variant="x")
    with pytest.raises(ValueError, match=r"`alpha` must be positive, got 0\.0"):
        kolkin_2019.criterion(vgg, alpha=0.0)


@pytest.mark.slow
def test_layers_of_the_stand_in_are_multiplied_and_nothing_else(picture):
    image, layers = picture(0, 32, 48, torch.float32), ["relu1_1", "relu3_3", "relu3_4", "relu4_3", "relu5_3"]
    found = kolkin_2019.vgg16_stand_in()(image, layers)
    normalized = vgg19("caffe_normalized")(image, layers)
    for layer, factor in zip(layers, (0.26, 1.02, 1.02, 0.35, 0.13), strict=True):
        torch.testing.assert_close(found[layer], factor * normalized[layer], rtol=1e-4, atol=1e-5)
