"""NNST-Opt: its losses against loops, what each level starts from, and the colours against scikit-image."""

import inspect
import pickle
from functools import partial

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from pystyle.criterion import Criterion
from pystyle.encoders import SequentialEncoder, vgg16
from pystyle.papers import kolkin_2022
from pystyle.runner import optimize_image

SHALLOW = ["relu1_1", "relu1_2", "relu2_1", "relu2_2"]
THIRD = ["relu3_1", "relu3_2", "relu3_3"]
FOURTH = ["relu4_1", "relu4_2", "relu4_3"]


@pytest.fixture(scope="module")
def vgg() -> SequentialEncoder:
    return vgg16(weights=None).double()


@pytest.fixture(scope="module")
def light() -> SequentialEncoder:
    return vgg16(weights=None)


def hypercolumns(encoder, image):
    """Each layer over its channels at a quarter of the size, (positions, 2688)."""
    size = (image.shape[2] // 4, image.shape[3] // 4)
    features = encoder(image, SHALLOW + THIRD + FOURTH)
    parts = []
    for layer in THIRD + FOURTH + SHALLOW:
        part = features[layer] / features[layer].shape[1]
        if layer in SHALLOW:
            part = torch.nn.functional.avg_pool2d(part, 4 if layer in SHALLOW[:2] else 2)
        elif layer in FOURTH:
            part = interpolate(part, size, mode="bilinear")
        parts.append(part)
    return torch.cat(parts, 1)[0].flatten(1).T


def unit(vectors):
    return vectors / vectors.norm(dim=1, keepdim=True)


def centred_cosines(x, y):
    return unit(x - x.mean(0)) @ unit(y - y.mean(0)).T


def nearest(vgg, query, style):
    """The hypercolumns of an image, each replaced by the nearest one of the style and its rotations."""
    turned = [style, style.flip(2).mT, style.flip(2, 3), style.flip(3).mT]
    candidates = torch.cat([hypercolumns(vgg, view) for view in turned])
    return candidates[centred_cosines(hypercolumns(vgg, query), candidates).argmax(1)]


def test_targets_are_the_nearest_hypercolumns_of_all_rotations(vgg, picture):
    query, style = picture(0, 16, 24), picture(1, 24, 16)
    objective = kolkin_2022.criterion(vgg).bind({"content": query, "style": style})
    target = objective.parts[0].targets[0].value
    assert target.shape == (1, 2688, 4, 6)
    torch.testing.assert_close(target[0].flatten(1).T, nearest(vgg, query, style))


def test_the_loss_of_a_level_is_the_mean_cosine_distance_to_its_target(vgg, picture, check_formula):
    query, style = picture(0, 16, 24), picture(1, 16, 16)
    wanted = unit(nearest(vgg, query, style))

    def formula(image):
        return (1 - (unit(hypercolumns(vgg, image)) * wanted).sum(1)).mean()

    references = {"content": query, "style": style}
    check_formula(kolkin_2022.criterion(vgg), references, picture(2, 16, 24), formula)


def test_the_last_loss_is_the_sum_over_layers_of_centred_nearest_distances(vgg, picture, check_formula):
    style = picture(1, 16, 24)
    turned = [style, style.flip(2).mT, style.flip(2, 3), style.flip(3).mT]

    def formula(image):
        layers = SHALLOW + THIRD + FOURTH
        own, views = vgg(image, layers), [vgg(view, layers) for view in turned]
        total = 0.0
        for layer in layers:
            candidates = torch.cat([view[layer][0].flatten(1).T for view in views])
            cosines = centred_cosines(own[layer][0].flatten(1).T, candidates)
            total = total + (1 - cosines.max(1).values).mean()
        return total

    check_formula(kolkin_2022.last_criterion(vgg), {"style": style}, picture(2, 16, 16), formula)


def test_the_last_loss_sees_other_positions_at_each_evaluation_and_repeats_itself_with_its_seed():
    generator = torch.Generator().manual_seed(0)
    image, style = (torch.rand(1, 5, 12, 12, generator=generator) for _ in range(2))

    def values(seed):
        loss = kolkin_2022.SplitFeaturesLoss("relu1_1", max_side=4, seed=seed)
        target = loss.prepare(loss.join([(style, 1.0)])[0][0])
        return [float(loss.compare(loss.represent(image), target)) for _ in range(4)]

    assert values(0) == values(0)
    assert values(0) != values(1)
    assert len(set(values(0))) > 1
    state = torch.get_rng_state()
    loss = kolkin_2022.SplitFeaturesLoss("relu1_1", max_side=4)
    loss.compare(loss.represent(image), style.flatten(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert repr(pickle.loads(pickle.dumps(loss))) == repr(loss)


def test_a_resumed_last_pass_is_the_pass_that_was_not_interrupted(picture, tmp_path):
    encoder = SequentialEncoder({"conv1_1": torch.nn.Conv2d(3, 4, 3, padding=1), "relu1_1": torch.nn.ReLU()})
    photo, painting = picture(0, 16, 16, torch.float32), picture(1, 16, 16, torch.float32)

    def run(folder, num_steps, *, resume):
        loss = kolkin_2022.SplitFeaturesLoss("relu1_1", max_side=4, rotations=(0.0,))
        return optimize_image(
            Criterion(encoder, {"features": loss}),
            {"content": photo, "style": painting},
            optimizer=partial(torch.optim.Adam, lr=0.02),
            num_steps=num_steps,
            checkpoint=tmp_path / folder,
            resume=resume,
        ).image

    whole = run("whole", 5, resume=False)
    run("parts", 2, resume=False)
    assert torch.equal(run("parts", 5, resume=True), whole)


@pytest.mark.parametrize("shape", [(1, 256), (2, 64)])
def test_the_last_loss_takes_positions_of_a_region_and_of_a_strip(shape):
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(1, 5, *shape, generator=generator)
    # Four strides of 4 (a region of 16 x 16 positions) or 16 of a strip with two rows.
    loss = kolkin_2022.SplitFeaturesLoss("relu1_1", max_side=4)
    style = torch.rand(1, 5, 512, generator=generator)
    values = [float(loss.compare(features, style)) for _ in range(8)]
    assert min(values) > 0.01
    assert len(set(values)) > 1


def test_a_region_gives_as_many_positions_as_a_square_of_its_area(monkeypatch):
    taken = []

    def watch(own, target, **_):
        taken.append((tuple(own.shape), tuple(target.shape)))
        return own.mean()

    monkeypatch.setattr("pystyle.papers.kolkin_2022._losses.nearest_neighbor_distance", watch)
    loss = kolkin_2022.SplitFeaturesLoss("relu1_1", max_side=4)
    for shape in ((1, 256), (16, 16)):
        loss.compare(torch.rand(1, 5, *shape), torch.rand(1, 5, 256))
    # 16 x 16 positions in strides of 4 along both sides.
    assert taken == [((1, 5, 1, 16), (1, 5, 16)), ((1, 5, 4, 4), (1, 5, 16))]


def test_the_paper_has_the_fifth_block_too(light, picture):
    query, style = (picture(seed, 16, 16, torch.float32) for seed in (0, 1))
    criterion = kolkin_2022.criterion(light, variant="paper", rotations=(0.0,))
    objective = criterion.bind({"content": query, "style": style})
    assert objective.parts[0].targets[0].value.shape[1] == 2688 + 3 * 512


@pytest.mark.parametrize(("variant", "fifth"), [("paper", True), ("code", False)])
def test_the_last_pass_has_the_fifth_block_in_the_paper_alone(light, picture, variant, fifth):
    image = picture(0, 16, 16, torch.float32)
    levels = kolkin_2022.style_transfer(
        image, image, encoder=light, variant=variant, edge_size=16, num_levels=1, num_steps=1,
        rotations=(0.0,), colors=False,
    )  # fmt: skip
    assert ("features.relu5_3" in levels[-1].history) is fifth
    assert "features.relu4_3" in levels[-1].history


def test_the_numbers_are_those_of_the_code():
    run = inspect.signature(kolkin_2022.style_transfer).parameters
    defaults = {name: run[name].default for name in ("alpha", "edge_size", "num_steps", "lr", "max_side")}
    assert defaults == {"alpha": 0.75, "edge_size": 512, "num_steps": 200, "lr": 2e-3, "max_side": 64}
    assert kolkin_2022.PYRAMID_LEVELS == 8


@pytest.mark.parametrize("num_levels", [3, 5])
def test_levels_search_with_the_content_and_begin_with_the_enlarged_image(
    light, picture, monkeypatch, num_levels
):
    queries, starts, optimizers = [], [], []

    def watch_run(criterion, references, *, init, optimizer, parametrization, num_steps, **options):
        queries.append((references.get("content"), references["style"]))
        starts.append(init)
        optimizers.append((optimizer.keywords["lr"], parametrization.keywords["num_levels"], num_steps))
        return optimize_image(
            criterion, references, init=init, optimizer=optimizer, parametrization=parametrization,
            num_steps=0, **options,
        )  # fmt: skip

    monkeypatch.setattr("pystyle.papers.kolkin_2022._style_transfer.optimize_image", watch_run)
    side = 8 * 2 ** (num_levels - 1)
    content, style = picture(0, side, side, torch.float32), picture(1, side, side, torch.float32)
    levels = kolkin_2022.style_transfer(
        content, style, encoder=light, edge_size=side, num_levels=num_levels, alpha=0.6, colors=False,
        rotations=(0.0,), max_side=8,
    )  # fmt: skip
    assert len(levels) == num_levels + 1
    # Sides are powers of two, so halving is the mean of 2 x 2 pixels.
    photographs = [content]
    for _ in range(num_levels):
        photographs.append(torch.nn.functional.avg_pool2d(photographs[-1], 2))
    for index, halvings in enumerate(reversed(range(num_levels))):
        photo = photographs[halvings]
        query, painting = queries[index]
        assert painting.shape[2] == side // 2**halvings
        assert optimizers[index] == (2e-3, 8 - halvings, 200)
        if index == 0:
            torch.testing.assert_close(starts[0], photo)
            torch.testing.assert_close(query, photo)
            continue
        size = tuple(photo.shape[2:])
        before = interpolate(levels[index - 1].image, size, mode="bilinear")
        detail = photo - interpolate(photographs[halvings + 1], size, mode="bilinear")
        torch.testing.assert_close(query, (0.4 * (before + detail) + 0.6 * photo).clamp(0, 1))
        expected = before + detail if halvings >= 3 else before
        torch.testing.assert_close(starts[index], expected)
    assert torch.equal(starts[-1], levels[-2].image)


def scikit_oklab(image):
    """OKLab of linear light, from the published matrices."""
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return (np.cbrt(image @ cones.T) @ lab.T), (cones, lab)


def looped_colours(image, content, style):
    """The authors' procedure for pictures of (height, width, 3)."""
    own, matrices = scikit_oklab(image)
    photo, painting = scikit_oklab(content)[0], scikit_oklab(style)[0]
    own = np.clip(own, painting.min((0, 1)), painting.max((0, 1)))

    def moments(pixels):
        mean = pixels.mean(0)
        covariance = (pixels - mean).T @ (pixels - mean) / len(pixels) + 1e-4 * np.eye(2)
        values, vectors = np.linalg.eigh(covariance)
        return mean, vectors @ np.diag(values**0.5) @ vectors.T

    mean, root = moments(photo[..., 1:].reshape(-1, 2))
    wanted_mean, wanted_root = moments(painting[..., 1:].reshape(-1, 2))
    chroma = (photo[..., 1:].reshape(-1, 2) - mean) @ np.linalg.inv(root).T @ wanted_root.T + wanted_mean
    chroma = chroma.reshape(*photo.shape[:2], 2)
    height, width = own.shape[:2]
    for _ in range(5):
        smooth = np.zeros_like(chroma)
        for y in range(height):
            for x in range(width):
                total = 0.0
                for dy in (-1, 0, 1):
                    for dx in (-1, 0, 1):
                        row, column = min(max(y + dy, 0), height - 1), min(max(x + dx, 0), width - 1)
                        weight = np.exp(-5 * abs(own[y, x, 0] - own[row, column, 0])) ** 2
                        smooth[y, x] += weight * chroma[row, column]
                        total += weight
                smooth[y, x] /= total
        chroma = smooth
    found = np.concatenate([own[..., :1], chroma], 2)
    found = np.clip(found, painting.min((0, 1)), painting.max((0, 1)))
    back = (found @ np.linalg.inv(matrices[1]).T) ** 3 @ np.linalg.inv(matrices[0]).T
    return np.clip(back, 0, 1)


def test_the_colours_are_those_of_a_loop(picture):
    image, content, style = picture(0, 8, 12), picture(1, 8, 12), picture(2, 12, 8)
    expected = looped_colours(*(each[0].permute(1, 2, 0).numpy() for each in (image, content, style)))
    found = kolkin_2022.recoloured(image, content, style)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_each_image_of_a_batch_gets_its_own_colours(picture):
    image, content = (torch.cat([picture(seed, 8, 12), picture(seed + 1, 8, 12)]) for seed in (0, 2))
    grey = picture(5, 8, 8).mean(1, keepdim=True).expand(-1, 3, -1, -1)
    styles = torch.cat([picture(4, 8, 8), grey])
    found = kolkin_2022.recoloured(image, content, styles)
    for index, one in enumerate(found.split(1)):
        alone = kolkin_2022.recoloured(*(each[index, None] for each in (image, content, styles)))
        torch.testing.assert_close(one, alone)
    with pytest.raises(ValueError, match="`style` must be one image or as many as `image`, got 3 for 2"):
        kolkin_2022.recoloured(image, content, picture(0, 8, 8).expand(3, -1, -1, -1))


def test_a_batch_of_contents_is_painted(light, picture):
    contents = torch.cat([picture(seed, 16, 12, torch.float32) for seed in (0, 1)])
    levels = kolkin_2022.style_transfer(
        contents, picture(2, 16, 16, torch.float32), encoder=light, edge_size=16, num_levels=1, num_steps=1,
        rotations=(0.0,),
    )  # fmt: skip
    assert levels[-1].image.shape == contents.shape


def test_a_grey_style_gives_a_grey_picture(picture):
    grey = picture(2, 8, 8).mean(1, keepdim=True).expand(-1, 3, -1, -1)
    found = kolkin_2022.recoloured(picture(0, 8, 8), picture(1, 8, 8), grey)
    assert float((found - found.mean(1, keepdim=True)).abs().max()) < 2e-3
    assert bool(found.isfinite().all())


def test_a_short_run_lowers_the_losses(light, picture):
    content, style = picture(0, 32, 24, torch.float32), picture(1, 32, 32, torch.float32)
    levels = kolkin_2022.style_transfer(
        content, style, encoder=light, edge_size=32, num_levels=2, num_steps=4, lr=0.01, max_side=8
    )
    assert bool(levels[-1].image.isfinite().all())
    for level in levels[:-1]:
        assert level.history["features.hypercolumns"][-1] < level.history["features.hypercolumns"][0]


def test_the_last_pass_may_be_left_out(light, picture):
    content, style = picture(0, 32, 24, torch.float32), picture(1, 32, 32, torch.float32)
    run = partial(
        kolkin_2022.style_transfer, content, style, encoder=light, edge_size=32, num_levels=1, num_steps=1,
        max_side=8, colors=False,
    )  # fmt: skip
    both, alone = run(), run(split=False)
    assert (len(both), len(alone)) == (2, 1)
    assert torch.equal(alone[0].image, both[0].image)
    assert not torch.equal(both[1].image, both[0].image)


def test_wrong_arguments_are_refused(light, picture):
    image = picture(0, 16, 16, torch.float32)
    with pytest.raises(ValueError, match="`variant` must be 'paper' or 'code', got 'x'"):
        kolkin_2022.criterion(light, variant="x")
    with pytest.raises(ValueError, match=r"`alpha` must be in \[0, 1\], got 2"):
        kolkin_2022.style_transfer(image, image, encoder=light, alpha=2)
    with pytest.raises(ValueError, match="`num_levels` must be at least 1, got 0"):
        kolkin_2022.style_transfer(image, image, encoder=light, num_levels=0)
    wide = picture(0, 16, 32, torch.float32)
    for names, message in (((image, wide), "`style` must have 8"), ((wide, image), "`content` must have 8")):
        with pytest.raises(ValueError, match=message + r" pixels .* got \(4, 8\)"):
            kolkin_2022.style_transfer(*names, encoder=vgg16(weights=None), edge_size=16, num_levels=2)
    with pytest.raises(ValueError, match="`max_side` must be at least 1, got 0"):
        kolkin_2022.SplitFeaturesLoss("relu1_1", max_side=0)
    loss = kolkin_2022.ReplacedFeaturesLoss("relu1_1")
    with pytest.raises(ValueError, match="the shape of those of the content"):
        loss.compare(torch.rand(1, 3, 4, 8), torch.rand(1, 3, 4, 4))
