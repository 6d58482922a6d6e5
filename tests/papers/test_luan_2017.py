"""Deep photo style transfer: its losses against loops, the way of the masks, and the two stages."""

import inspect
import math

import pytest
import torch

from pystyle import MaskedImage
from pystyle.encoders import vgg19
from pystyle.functional import smoothed_local_affine
from pystyle.papers import luan_2017
from pystyle.runner import optimize_image

CONTENT = "relu4_2"
STYLE = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]


def regions(image, column):
    """Two regions with a soft edge, which is what masks look like after a few layers."""
    ramp = ((column + 2 - torch.arange(image.shape[3])) / 4).clamp(0, 1)
    left = ramp.to(image).expand(1, 1, *image.shape[2:])
    return MaskedImage(image, {"left": left, "right": 1 - left})


def masks_at_layers(image, name):
    """By walking through the names of VGG-19."""
    mask = image.masks[name][0, 0].tolist()
    found = {}
    for block, convolutions in enumerate((2, 2, 4, 4, 1), start=1):
        for index in range(1, convolutions + 1):
            height, width = len(mask), len(mask[0])
            mask = [
                [
                    math.fsum(
                        mask[row][column]
                        for row in range(max(y - 1, 0), min(y + 2, height))
                        for column in range(max(x - 1, 0), min(x + 2, width))
                    )
                    / 9
                    for x in range(width)
                ]
                for y in range(height)
            ]
            if index == 1:
                found[f"relu{block}_1"] = torch.tensor(mask, dtype=torch.float64)
        if block == 5:
            break
        mask = [
            [(a + b + c + d) / 4 for a, b, c, d in zip(up[::2], up[1::2], low[::2], low[1::2], strict=True)]
            for up, low in zip(mask[::2], mask[1::2], strict=True)
        ]
    return found


def test_masks_are_averaged_at_convolutions_and_halved_at_poolings(exact_encoder, picture):
    image = regions(picture(0), 17)
    found = luan_2017.layer_masks(exact_encoder, image.masks["left"])
    expected = masks_at_layers(image, "left")
    assert list(found) == STYLE
    for layer in STYLE:
        torch.testing.assert_close(found[layer][0, 0], expected[layer])


def test_masks_have_the_size_of_the_features_whether_poolings_round_up_or_down():
    image = torch.rand(1, 3, 37, 51)
    for ceil_mode in (False, True):
        encoder = vgg19(weights=None, ceil_mode=ceil_mode)
        features = encoder(image, STYLE)
        for variant in ("paper", "code"):
            masks = luan_2017.layer_masks(encoder, torch.ones(1, 2, 37, 51), variant=variant)
            assert [masks[layer].shape[2:] for layer in STYLE] == [
                features[layer].shape[2:] for layer in STYLE
            ]


def test_the_masks_of_the_paper_are_resized(exact_encoder, picture):
    image = regions(picture(0), 16)
    found = luan_2017.layer_masks(exact_encoder, image.masks["left"], variant="paper")
    expected = image.masks["left"].unfold(2, 8, 8).unfold(3, 8, 8).mean((4, 5))
    torch.testing.assert_close(found["relu4_1"], expected)


def laplacian_energy(image, content, eps=1e-7):
    """What is left in all windows of each channel after a fit by an affine map of the colours."""
    total = 0.0
    height, width = content.shape[2:]
    for y in range(height - 2):
        for x in range(width - 2):
            colours = content[0, :, y : y + 3, x : x + 3].reshape(3, 9).T
            values = image[0, :, y : y + 3, x : x + 3].reshape(3, 9).T
            colours, values = colours - colours.mean(0), values - values.mean(0)
            slopes = torch.linalg.solve(colours.T @ colours + eps * torch.eye(3).double(), colours.T @ values)
            total = total + (values * (values - colours @ slopes)).sum()
    return total


@pytest.mark.parametrize("variant", ["paper", "code"])
def test_the_total_is_that_of_the_paper_and_of_the_code(exact_encoder, picture, check_formula, variant):
    content, style, image = (
        regions(picture(0, 16, 32), 17),
        regions(picture(1, 32, 32), 11),
        picture(2, 16, 32),
    )
    criterion = luan_2017.criterion(content, style, exact_encoder, variant=variant)

    def formula(image):
        features = exact_encoder(image, [CONTENT, *STYLE])
        painted = exact_encoder(style.image, STYLE)
        wanted = exact_encoder(content.image, [CONTENT])[CONTENT]
        square = (features[CONTENT] - wanted).square()
        total = square.sum() / (2 * wanted.numel()) if variant == "paper" else 5 * square.mean()
        for name in content.masks:
            for layer in STYLE:
                grams, areas = [], []
                for masked, found in ((content, features[layer]), (style, painted[layer])):
                    if variant == "paper":
                        step = masked.image.shape[2] // found.shape[2]
                        mask = (
                            masked.masks[name].unfold(2, step, step).unfold(3, step, step).mean((4, 5))[0, 0]
                        )
                    else:
                        mask = masks_at_layers(masked, name)[layer]
                    flat = (found[0] * mask).flatten(1)
                    areas.append(mask.mean())
                    gram = flat @ flat.T
                    grams.append(gram if variant == "paper" else gram / (flat.numel() * mask.mean()))
                difference = (grams[0] - grams[1]).square()
                if variant == "paper":
                    total = total + 100 / 5 * difference.sum() / (2 * len(difference) ** 2)
                else:
                    total = total + 100 * areas[0] * difference.mean()
        total = total + 1e4 * laplacian_energy(image, content.image)
        if variant == "code":
            levels = 255 * image
            across = levels[:, :, :-1, 1:] - levels[:, :, :-1, :-1]
            down = levels[:, :, 1:, :-1] - levels[:, :, :-1, :-1]
            total = total + 1e-3 * (across.square() + down.square()).sum() / 2
        return total

    check_formula(criterion, {"content": content.image, "style": style.image}, image, formula)


def test_a_picture_in_its_own_style_costs_nothing(exact_encoder, picture):
    image = regions(picture(0), 17)
    criterion = luan_2017.criterion(image, image, exact_encoder, smoothness=0.0)
    terms = criterion.bind({"content": image.image, "style": image.image})(image.image).by_loss()
    assert float(terms["style"]) == float(terms["content"]) == 0
    # A window costs its constant of 1e-7 times the squared slopes, which are 1 for each of three colours.
    assert float(terms["photorealism"]) == pytest.approx(1e4 * 1e-7 * 3 * 30 * 46, rel=0.01)
    other = criterion.bind({"content": image.image, "style": image.image})(picture(1)).by_loss()
    assert float(other["photorealism"]) > 1e3


def test_a_region_that_vanishes_in_a_layer_is_finite(exact_encoder, picture):
    image = picture(0)
    dot = torch.zeros(1, 1, 32, 48, dtype=torch.float64)
    dot[..., 0, 0] = 1e-9
    masked = MaskedImage(image, {"dot": dot, "rest": 1 - dot})
    objective = luan_2017.criterion(masked, masked, exact_encoder).bind({"content": image, "style": image})
    other = picture(1).requires_grad_()
    (gradient,) = torch.autograd.grad(objective(other).total, other)
    assert bool(gradient.isfinite().all())


def test_the_numbers_are_those_of_the_code():
    run = inspect.signature(luan_2017.style_transfer).parameters
    defaults = {name: run[name].default for name in ("edge_size", "num_steps", "photorealism", "seed")}
    assert defaults == {"edge_size": 700, "num_steps": (1000, 1000), "photorealism": 1e4, "seed": 612}


@pytest.mark.parametrize("variant", ["paper", "code"])
def test_the_second_stage_adds_photorealism_to_the_result_of_the_first(
    encoder, picture, monkeypatch, variant
):
    seen, raw = [], []

    def watch(criterion, references, *, init, **options):
        seen.append((list(criterion.losses), init))
        raw.append(optimize_image(criterion, references, init=init, **options))
        return raw[-1]

    monkeypatch.setattr("pystyle.papers.luan_2017._style_transfer.optimize_image", watch)
    content = regions(picture(0, 32, 48, torch.float32), 20)
    style = regions(picture(1, 48, 48, torch.float32), 20)
    # The bare sums of the paper make steps that no small picture survives.
    steps = (3, 2) if variant == "code" else (0, 0)
    first, second = luan_2017.style_transfer(
        content, style, encoder=encoder, variant=variant, edge_size=48, num_steps=steps
    )
    losses = ["content", "style", *(["smoothness"] if variant == "code" else [])]
    assert seen[0][0] == losses
    assert set(seen[1][0]) == {*losses, "photorealism"}
    mean = torch.tensor([123.68, 116.779, 103.939]).reshape(1, 3, 1, 1) / 255
    assert 0 < float((seen[0][1] - mean).abs().max()) < 1e-5
    assert torch.equal(seen[1][1], first.image)
    expected = raw[1].image
    if variant == "code":
        expected = smoothed_local_affine(raw[1].image, content.image).clamp(0, 1)
    torch.testing.assert_close(second.image, expected)


def test_pictures_without_masks_are_one_region(encoder, picture):
    content, style = picture(0, 32, 32, torch.float32), picture(1, 32, 32, torch.float32)
    first, _ = luan_2017.style_transfer(content, style, encoder=encoder, edge_size=32, num_steps=(4, 0))
    assert first.history["total"][-1] < first.history["total"][0]


def test_wrong_arguments_are_refused(encoder, picture):
    image = regions(picture(0, dtype=torch.float32), 16)
    whole = MaskedImage(image.image, {"sky": torch.ones(1, 1, 32, 48)})
    with pytest.raises(ValueError, match="`variant` must be 'paper' or 'code', got 'x'"):
        luan_2017.criterion(image, image, encoder, variant="x")
    with pytest.raises(ValueError, match=r"the regions of `content`, \['left', 'right'\], got \['sky'\]"):
        luan_2017.criterion(image, whole, encoder)
    masks = {"relu1_1": torch.ones(1, 1, 4, 4)}
    with pytest.raises(ValueError, match=r"`style_masks` must have the layers \('relu1_1',\)"):
        luan_2017.AugmentedGramLoss(masks, {"relu2_1": masks["relu1_1"]})
    with pytest.raises(ValueError, match=r"The masks must have the size of the features, \(8, 8\)"):
        luan_2017.AugmentedGramLoss(masks, masks).prepare(torch.rand(1, 3, 8, 8))


def test_the_loss_of_a_layer_keeps_what_was_set():
    masks = {layer: torch.ones(1, 1, 4, 4) for layer in ("relu1_1", "relu2_1")}
    loss = luan_2017.AugmentedGramLoss(masks, masks)
    loss.region, loss.propagation, loss.dilation, loss.wrap = "sky", "inside", 2, "both"
    for own in map(loss.at, loss.layers):
        assert (own.region, own.propagation, own.dilation, own.wrap) == ("sky", "inside", 2, "both")
