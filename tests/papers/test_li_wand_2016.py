"""CNNMRF against brute force: the sums of the paper, and the gradient that the code writes by hand."""

import json
import pickle

import pytest
import torch
from torch.nn.functional import mse_loss

from pystyle import Criterion, MaskedImage
from pystyle.papers import li_wand_2016
from pystyle.runner import JSONLogger, optimize_image

LAYERS = ["relu3_1", "relu4_1"]
SIZE = (32, 40)


def as_tuple(layers):
    return (layers,) if isinstance(layers, str) else layers


def corners(length, stride, side=3):
    """Where patches begin; the last ones always reach the border."""
    found = list(range(0, length - side + 1, stride))
    return found if found[-1] == length - side else [*found, length - side]


def matches(own, reference, stride, side=3):
    """Of each patch of the features its place and the most similar patch of the reference, by all cosines."""
    candidates = [
        reference[:, row : row + side, column : column + side]
        for row in corners(reference.shape[1], stride, side)
        for column in corners(reference.shape[2], stride, side)
    ]
    lengths = [float(candidate.norm()) for candidate in candidates]
    for row in corners(own.shape[1], stride, side):
        for column in corners(own.shape[2], stride, side):
            patch = own[:, row : row + side, column : column + side]
            cosines = [float((patch * c).sum()) / n for c, n in zip(candidates, lengths, strict=True)]
            yield row, column, candidates[cosines.index(max(cosines))]


def variation(image):
    levels = 255 * image
    corner = levels[..., :-1, :-1]
    right, below = levels[..., :-1, 1:] - corner, levels[..., 1:, :-1] - corner
    return (right.square() + below.square()).sum()


def test_the_energy_of_the_paper_is_equation_1(exact_encoder, picture, check_formula):
    content, style, image = picture(0, *SIZE), picture(1, 40, 32), picture(2, *SIZE)

    def energy(image):
        found = exact_encoder(image, [*LAYERS, "relu4_2"])
        painting = exact_encoder(style, LAYERS)
        total = (found["relu4_2"] - exact_encoder(content, ["relu4_2"])["relu4_2"]).square().sum()
        for layer in LAYERS:
            own = found[layer][0]
            for row, column, match in matches(own.detach(), painting[layer][0], 1):
                total = total + (own[:, row : row + 3, column : column + 3] - match).square().sum()
        return total + 1e-3 * variation(image)

    criterion = li_wand_2016.criterion(exact_encoder, variant="paper", size=SIZE)
    check_formula(criterion, {"content": content, "style": style}, image, energy)


def test_the_gradient_of_the_code_is_the_averaged_difference(exact_encoder, picture):
    content, style = picture(0, *SIZE), picture(1, 40, 32)
    image = picture(2, *SIZE).requires_grad_()
    found, painting = exact_encoder(image, LAYERS), exact_encoder(style, LAYERS)
    pulls = []
    for layer in LAYERS:
        own, sums = found[layer][0].detach(), torch.zeros_like(found[layer][0])
        counts = torch.zeros_like(sums)
        for row, column, match in matches(own, painting[layer][0], 2):
            window = (slice(None), slice(row, row + 3), slice(column, column + 3))
            sums[window] += match - own[window]
            counts[window] += 1
        pulls.append((-1e-4 * sums / counts)[None])
    content_loss = 20 * mse_loss(found["relu4_1"], exact_encoder(content, ["relu4_1"])["relu4_1"])
    smooth = 1e-3 * variation(image) / 2
    (expected,) = torch.autograd.grad(
        [content_loss + smooth, *(found[layer] for layer in LAYERS)], image, [torch.ones_like(smooth), *pulls]
    )
    criterion = li_wand_2016.criterion(exact_encoder, size=SIZE)
    objective = criterion.bind({"content": content, "style": style})
    (ours,) = torch.autograd.grad(objective(image).total, image)
    assert float((ours - expected).norm() / expected.norm()) < 1e-5


@pytest.mark.parametrize("variant", ["paper", "code"])
def test_an_image_that_is_its_own_style_stays_as_it_is(exact_encoder, picture, variant):
    image = picture(0, *SIZE)
    criterion = li_wand_2016.criterion(exact_encoder, variant=variant, size=SIZE, smoothness=0.0)
    leaf = image.clone().requires_grad_()
    total = criterion.bind({"content": image, "style": image})(leaf).total
    (gradient,) = torch.autograd.grad(total, leaf)
    assert float(total.detach()) < 1e-18
    assert float(gradient.abs().max()) < 1e-12


def test_matches_come_from_turned_and_scaled_views_too(exact_encoder, picture):
    content, style = picture(0, *SIZE), picture(1, 40, 40)
    turned = style.rot90(1, (2, 3))
    for variant in ("paper", "code"):
        plain, with_views = (
            li_wand_2016.criterion(
                exact_encoder, variant=variant, size=SIZE, rotations=rotations, smoothness=0
            )
            for rotations in ((0.0,), (0.0, 90.0))
        )
        values = [
            float(each.bind({"content": content, "style": style})(turned[..., :32, :]).total)
            for each in (plain, with_views)
        ]
        assert values[1] < values[0]


def test_the_loss_of_the_code_within_a_region_is_that_of_the_patches_inside(picture):
    image, style = picture(0, 12, 16), picture(1, 16, 12)
    mask = torch.zeros(1, 1, 12, 16, dtype=image.dtype)
    mask[..., 2:9, 4:13] = 1
    loss = li_wand_2016.AveragedPatchesLoss("image", layer_weights=[1.0])
    references = {"style": MaskedImage(style, {"sky": torch.ones(1, 1, 16, 12)})}
    objective = Criterion(None, {"style": loss.within("sky")}).bind(
        {**references, "content": MaskedImage(image, {"sky": mask})}
    )
    leaf = image.clone().requires_grad_()
    total = objective(leaf).total
    inside = image[..., 2:9, 4:13]
    alone = Criterion(None, {"style": loss}).bind({"style": style})
    part = inside.clone().requires_grad_()
    expected = alone(part).total
    torch.testing.assert_close(total, expected)
    (gradient,), (expected_gradient,) = torch.autograd.grad(total, leaf), torch.autograd.grad(expected, part)
    torch.testing.assert_close(gradient[..., 2:9, 4:13], expected_gradient)
    assert float(gradient.abs().sum() - expected_gradient.abs().sum()) == pytest.approx(0.0)


def test_the_loss_of_the_code_is_the_same_in_inference_mode(picture):
    image, style = picture(0, 12, 16), picture(1, 16, 12)
    loss = li_wand_2016.AveragedPatchesLoss("image", layer_weights=[1.0])
    objective = Criterion(None, {"style": loss}).bind({"style": style})
    with torch.inference_mode():
        found = float(objective(image).total)
    assert found == pytest.approx(float(objective(image).total))


def test_the_loss_of_the_code_survives_pickling():
    loss = li_wand_2016.AveragedPatchesLoss(LAYERS, layer_weights=[1e-4, 2e-4], rotations=(0.0, 7.5))
    assert repr(pickle.loads(pickle.dumps(loss))) == repr(loss)


@pytest.mark.parametrize("variant", ["paper", "code"])
def test_a_short_run_lowers_the_energy_at_each_level(encoder, picture, variant):
    content, style = picture(0, 48, 40, torch.float32), picture(1, 48, 48, torch.float32)
    levels = li_wand_2016.style_transfer(
        content,
        style,
        encoder=encoder,
        variant=variant,
        edge_sizes=(32, 48),
        num_steps=4,
        rotations=(0.0,),
        scales=(1.0,),
    )
    assert [tuple(level.image.shape[2:]) for level in levels] == [(32, 27), (48, 40)]
    for level in levels:
        assert bool(level.image.isfinite().all())
        assert min(level.history["total"]) < level.history["total"][0]


def test_a_log_has_the_steps_of_all_levels(encoder, picture, tmp_path):
    content = picture(0, 48, 48, torch.float32)
    levels = li_wand_2016.style_transfer(
        content, content, encoder=encoder, edge_sizes=(32, 48), num_steps=2,
        callbacks=(JSONLogger(tmp_path / "log.jsonl"),),
    )  # fmt: skip
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 1, 2]
    assert [row["total"] for row in rows] == [float(v) for x in levels for v in x.history["total"][:2]]


def test_steps_and_views_are_those_of_the_sources(encoder, picture, monkeypatch):
    seen = []
    run = optimize_image

    def watch(criterion, references, *, num_steps, **options):
        style = criterion.losses["style"]
        seen.append((num_steps, style.rotations, style.scales))
        return run(criterion, references, num_steps=0, **options)

    monkeypatch.setattr("pystyle.papers.li_wand_2016._style_transfer.optimize_image", watch)
    content = picture(0, 48, 48, torch.float32)
    for variant in ("code", "paper"):
        li_wand_2016.style_transfer(content, content, encoder=encoder, variant=variant, edge_sizes=(48,))
    assert seen == [
        (100, (0.0,), (1.0,)),
        (200, (-15.0, -7.5, 0.0, 7.5, 15.0), (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15)),
    ]


def test_an_unknown_variant_is_refused(encoder):
    with pytest.raises(ValueError, match="`variant` must be 'paper' or 'code', got 'lua'"):
        li_wand_2016.criterion(encoder, variant="lua")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "options"),
    [
        ("paper", {"style_layers": "relu2_1", "content_layers": ("relu3_1", "relu2_2")}),
        ("paper", {"patch_size": 2, "stride": 3, "style_layers": ("relu1_1", "relu3_1")}),
        ("code", {"style_layers": "relu2_1", "content_layers": "relu3_1"}),
        ("code", {"patch_size": 2, "stride": 1, "style_layers": ("relu2_1", "relu3_1")}),
    ],
)
def test_layers_and_patches_may_be_others(exact_encoder, picture, variant, options):
    content, style, image = picture(0, *SIZE), picture(1, 40, 32), picture(2, *SIZE)
    criterion = li_wand_2016.criterion(exact_encoder, variant=variant, size=SIZE, **options)
    terms = criterion.bind({"content": content, "style": style})(image)
    paper = variant == "paper"
    contents = as_tuple(options.get("content_layers", "relu4_2" if paper else "relu4_1"))
    styles = as_tuple(options["style_layers"])
    side, stride = options.get("patch_size", 3), options.get("stride", 1 if paper else 2)
    found, photo = exact_encoder(image, [*contents, *styles]), exact_encoder(content, contents)
    painting = exact_encoder(style, styles)
    for layer in contents:
        square = (found[layer] - photo[layer]).square()
        assert float(terms[f"content.{layer}"]) == pytest.approx(
            float(square.sum() if paper else 20 * square.mean())
        )
    for layer in styles:
        pulled = [
            (found[layer][0][:, row : row + side, column : column + side] - match, row, column)
            for row, column, match in matches(found[layer][0], painting[layer][0], stride, side)
        ]
        if paper:
            expected = sum(float(pull.square().sum()) for pull, _, _ in pulled)
        else:
            sums, counts = torch.zeros_like(found[layer][0]), torch.zeros_like(found[layer][0])
            for pull, row, column in pulled:
                window = (slice(None), slice(row, row + side), slice(column, column + side))
                sums[window] += pull
                counts[window] += 1
            expected = 1e-4 / 2 * float((sums / counts).square().sum())
        assert float(terms[f"style.{layer}"]) == pytest.approx(expected, rel=1e-5)


def test_layers_and_patches_reach_every_level(encoder, picture):
    content, style = picture(0, 48, 40, torch.float32), picture(1, 48, 48, torch.float32)
    levels = li_wand_2016.style_transfer(
        content, style, encoder=encoder, edge_sizes=(32, 48), num_steps=1,
        content_layers="relu2_2", style_layers="relu2_1", patch_size=5, stride=4,
    )  # fmt: skip
    for level in levels:
        assert {"content.relu2_2", "style.relu2_1"} <= set(level.history)
        assert "style.relu3_1" not in level.history
