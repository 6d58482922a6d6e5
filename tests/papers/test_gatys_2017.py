"""Control over regions, colours and scales against the formulas of the paper and of the notebooks."""

import inspect
from functools import partial

import numpy as np
import pytest
import torch
from torch.optim import Adam

from pystyle import MaskedImage
from pystyle.losses import LayerMask
from pystyle.papers import gatys_2016, gatys_2017

CONTENT = "relu4_2"
STYLE = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
CHANNELS = dict(zip(STYLE, (64, 128, 256, 512, 512), strict=True))


def halves(image, column):
    """Left and right of a column, a multiple of 16 so that every layer has positions of one side only."""
    left = torch.zeros(1, 1, *image.shape[2:], dtype=image.dtype)
    left[..., :column] = 1
    return MaskedImage(image, {"left": left, "right": 1 - left})


def guides(masked, features):
    """The guides at a layer, with a mean square of 1, by the notebook's normalisation."""
    step = masked.image.shape[3] // features.shape[3]
    taken = {name: mask[0, 0, ::step, ::step] for name, mask in masked.masks.items()}
    return {name: guide / guide.square().mean().sqrt() for name, guide in taken.items()}


def gram(features, guide):
    flat = (features[0] * guide).flatten(1)
    return flat @ flat.T / flat.shape[1]


def sums(features, guide):
    return (features[0] * guide).flatten(1).mean(1)


def regional(encoder, content, style, image, statistic, weight):
    """The sum over layers and regions of weight(layer) times the mean squared difference."""
    total = 0.0
    own, painted = encoder(image, STYLE), encoder(style.image, STYLE)
    for layer in STYLE:
        here, there = guides(content, own[layer]), guides(style, painted[layer])
        for region in here:
            difference = statistic(own[layer], here[region]) - statistic(painted[layer], there[region])
            total = total + weight(layer) * difference.square().mean()
    return total


def whole(encoder, style, image, weight):
    total = 0.0
    own, painted = encoder(image, STYLE), encoder(style, STYLE)
    for layer in STYLE:
        one = torch.ones((), dtype=image.dtype)
        total = total + weight(layer) * (gram(own[layer], one) - gram(painted[layer], one)).square().mean()
    return total


def content_loss(encoder, content, image):
    return (encoder(image, [CONTENT])[CONTENT] - encoder(content, [CONTENT])[CONTENT]).square().mean()


@pytest.mark.parametrize("variant", ["paper", "code"])
def test_guided_gram_matrices_are_those_of_the_paper_and_of_the_code(
    exact_encoder, picture, check_formula, variant
):
    content, style, image = halves(picture(0), 16), halves(picture(1, 32, 64), 48), picture(2)
    criterion = gatys_2017.criterion(
        exact_encoder,
        regions={"left": "style", "right": "style"},
        variant=variant,
        style_weight=7.0,
        propagation="simple",
    )

    def weight(layer):
        if variant == "paper":  # Σ over N² entries / (4 N²), five layers, λ = 1
            return 7.0 / 5 / 4
        return 7.0 / CHANNELS[layer] ** 2 / 2

    check_formula(
        criterion,
        {"content": content, "style": style},
        image,
        lambda image: (
            content_loss(exact_encoder, content.image, image)
            + regional(exact_encoder, content, style, image, gram, weight)
        ),
    )


@pytest.mark.parametrize("variant", ["paper", "code"])
def test_guided_sums_are_those_of_the_paper_and_of_the_code(exact_encoder, picture, check_formula, variant):
    content, style, image = halves(picture(0), 16), halves(picture(1, 32, 64), 48), picture(2)
    criterion = gatys_2017.criterion(
        exact_encoder,
        regions={"left": "style", "right": "style"},
        control="sums",
        variant=variant,
        style_weight=7.0,
        sum_weight=7.0 if variant == "paper" else 300.0,
        propagation="simple",
    )

    def code(image):
        total = content_loss(exact_encoder, content.image, image)
        total = total + whole(exact_encoder, style.image, image, lambda layer: 7.0 / CHANNELS[layer] ** 2)
        return total + regional(
            exact_encoder, content, style, image, sums, lambda layer: 300.0 / CHANNELS[layer] ** 2 / 2
        )

    def paper(image):
        """One Gram matrix of the features with the guides as further channels."""
        total = content_loss(exact_encoder, content.image, image)
        own, painted = exact_encoder(image, STYLE), exact_encoder(style.image, STYLE)
        for layer in STYLE:
            matrices = []
            for masked, features in ((content, own[layer]), (style, painted[layer])):
                rows = [features[0].flatten(1)]
                rows += [guide.flatten()[None] for guide in guides(masked, features).values()]
                stacked = torch.cat(rows)
                matrices.append(stacked @ stacked.T / stacked.shape[1])
            # The entries among the guides are constants: 1 on the diagonal, 0 off it.
            square = (matrices[0] - matrices[1]).square().sum()
            total = total + 7.0 / 5 * square / (4 * CHANNELS[layer] ** 2)
        return total

    references = {"content": content, "style": style}
    check_formula(criterion, references, image, paper if variant == "paper" else code)


@pytest.mark.slow
@pytest.mark.parametrize("control", ["gram", "sums"])
def test_each_region_may_have_a_painting_of_its_own(exact_encoder, picture, check_formula, control):
    content, night, noon = halves(picture(0), 32), picture(1, 32, 32), picture(3, 48, 32)
    criterion = gatys_2017.criterion(
        exact_encoder, regions={"left": "night", "right": "noon"}, control=control, style_weight=7.0
    )

    def formula(image):
        total = content_loss(exact_encoder, content.image, image)
        own = exact_encoder(image, STYLE)
        statistic = gram if control == "gram" else sums
        # The notebook's 1e8 / 2 for sums, and half of 1 / N² for each of the two regions.
        weight = 7.0 if control == "gram" else 5e7
        one = torch.ones((), dtype=torch.float64)
        for region, painting in (("left", night), ("right", noon)):
            painted = exact_encoder(painting, STYLE)
            for layer in STYLE:
                guide = guides(content, own[layer])[region]
                difference = statistic(own[layer], guide) - statistic(painted[layer], one)
                total = total + weight / CHANNELS[layer] ** 2 / 2 * difference.square().mean()
            if control == "sums":
                total = total + whole(exact_encoder, painting, image, lambda n: 3.5 / CHANNELS[n] ** 2)
        return total

    check_formula(criterion, {"content": content, "night": night, "noon": noon}, picture(2), formula)


@pytest.mark.parametrize("variant", ["paper", "code"])
@pytest.mark.parametrize("control", ["gram", "sums"])
def test_layers_and_the_weights_of_regions_may_be_others(
    exact_encoder, picture, check_formula, variant, control
):
    content, style, image = halves(picture(0), 16), halves(picture(1, 32, 64), 48), picture(2)
    shares, layers, paper = {"left": 0.2, "right": 3.0}, ["relu2_2", "relu3_1"], variant == "paper"
    criterion = gatys_2017.criterion(
        exact_encoder, regions={"left": "style", "right": "style"}, control=control, variant=variant,
        content_layers="relu3_2", style_layers=layers, region_weights=shares, style_weight=7.0,
        sum_weight=11.0, propagation="simple", dilation=0,
    )  # fmt: skip

    def formula(image):
        total = (exact_encoder(image, ["relu3_2"])["relu3_2"]
                 - exact_encoder(content.image, ["relu3_2"])["relu3_2"]).square().mean()  # fmt: skip
        own, painted = exact_encoder(image, layers), exact_encoder(style.image, layers)
        one = torch.ones((), dtype=torch.float64)
        for layer in layers:
            n = own[layer].shape[1]
            of_gram, of_sum = (1 / 2 / 4, 1 / 2 / (2 * n)) if paper else (1 / n**2, 1 / n**2)
            here, there = guides(content, own[layer]), guides(style, painted[layer])
            if control == "sums":
                whole_square = (gram(own[layer], one) - gram(painted[layer], one)).square().mean()
                total = total + 7.0 * of_gram * whole_square
            statistic, weight = (gram, 7.0 * of_gram) if control == "gram" else (sums, 11.0 * of_sum)
            for region, share in shares.items():
                difference = statistic(own[layer], here[region]) - statistic(painted[layer], there[region])
                total = total + share * weight * difference.square().mean()
        return total

    check_formula(criterion, {"content": content, "style": style}, image, formula)


def test_layers_regions_and_the_way_of_the_colours_reach_every_level(encoder, picture):
    content, style = (halves(picture(seed, 48, 48, torch.float32), 32) for seed in (0, 1))
    run = partial(
        gatys_2017.style_transfer, content, style, encoder=encoder, edge_sizes=(32, 48), num_steps=(0, 0),
        propagation="simple", content_layers="relu3_2", style_layers="relu2_2",
        region_weights={"left": 0.0, "right": 1.0}, preserve="colors",
    )  # fmt: skip
    values = []
    for method in ("pca", "cholesky", "symmetric"):
        levels = run(color_method=method)
        for level in levels:
            assert {"content.relu3_2", "gram_left.relu2_2", "gram_right.relu2_2"} <= set(level.history)
            assert set(level.history["gram_left.relu2_2"]) == {0.0}
        values.append(float(levels[1].history["gram_right.relu2_2"][0]))
    assert len(set(values)) == 3


def test_the_guided_sum_of_a_quarter_of_the_image_is_half_its_mean():
    features = torch.tensor([[[[6.0, 1.0, 2.0, 3.0]], [[-2.0, 0.0, 0.0, 5.0]]]])
    loss = gatys_2017.GuidedSumLoss("relu1_1")
    quarter = LayerMask.of(torch.tensor([[[[1.0, 0.0, 0.0, 0.0]]]]))
    assert loss.represent_within(features, quarter).tolist() == [[3.0, -1.0]]
    assert loss.represent(features).tolist() == [[3.0, 0.75]]


def test_a_region_that_is_the_whole_image_changes_nothing(exact_encoder, picture):
    everything = {"all": torch.ones(1, 1, 32, 48, dtype=torch.float64)}
    content, style = MaskedImage(picture(0), everything), MaskedImage(picture(1), everything)
    guided = gatys_2017.criterion(exact_encoder, regions={"all": "style"})
    plain = gatys_2016.criterion(exact_encoder)
    image = picture(2)
    ours = guided.bind({"content": content, "style": style})(image).total
    theirs = plain.bind({"content": content.image, "style": style.image})(image).total
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=0)


def test_the_numbers_are_those_of_the_notebooks(encoder):
    def losses(paintings, control):
        regions = dict(zip(("left", "right"), paintings, strict=True))
        return gatys_2017.criterion(encoder, regions=regions, control=control).losses

    one, several = losses(("style", "style"), "gram"), losses(("a", "b"), "gram")
    assert (one["gram_left"].propagation, one["gram_left"].dilation) == ("inside", 3)
    assert (several["gram_left"].propagation, several["gram_left"].dilation) == ("simple", 0)
    assert one["gram_left"].weight == several["gram_left"].weight == 500
    one, several = losses(("style", "style"), "sums"), losses(("a", "b"), "sums")
    assert (one["sum_left"].propagation, one["sum_left"].dilation) == ("inside", 0)
    assert (one["sum_left"].weight, several["sum_left"].weight) == (5e8, 2.5e7)
    assert (one["gram_style"].weight, several["gram_a"].weight, several["gram_b"].weight) == (1e3, 500, 500)
    run = inspect.signature(gatys_2017.style_transfer).parameters
    assert (run["edge_sizes"].default, run["num_steps"].default) == ((512, 1024), (500, 200))
    mix = inspect.signature(gatys_2017.mixed_scales).parameters
    assert (mix["last_layer"].default, mix["style_weight"].default) == ("relu2_1", 1e3)


def notebook_match(image, reference):
    """`pca` of the notebooks, without the constant on the diagonals."""
    pixels, wanted = (each[0].flatten(1).numpy() for each in (image, reference))

    def root(values):
        values, vectors = np.linalg.eigh(np.cov(values, bias=True))
        return vectors @ np.diag(np.sqrt(values)) @ vectors.T

    moved = root(wanted) @ np.linalg.inv(root(pixels)) @ (pixels - pixels.mean(1, keepdims=True))
    return np.clip(moved + wanted.mean(1, keepdims=True), 0, 1).reshape(image.shape[1:])


def test_matched_colours_are_those_of_the_notebook(picture):
    content, style = picture(0), picture(1, 32, 32)
    same, matched = gatys_2017.recoloured(content, style, preserve="colors")
    assert same is content
    np.testing.assert_allclose(matched[0].numpy(), notebook_match(style, content), atol=1e-6)


@pytest.mark.parametrize("variant", ["paper", "code"])
def test_grey_paintings_are_as_bright_as_the_photograph(picture, variant):
    content, style = 0.3 + 0.2 * picture(0), 0.2 + 0.5 * picture(1)
    grey, matched = gatys_2017.recoloured(content, style, preserve="luminance", variant=variant)
    weights = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)
    torch.testing.assert_close(grey[0, 2], torch.einsum("c,chw->hw", weights, content[0]))
    assert float(matched.mean()) == pytest.approx(float(grey.mean()))
    own = torch.einsum("c,chw->hw", weights, style[0]).std(correction=0)
    expected = grey[0, 0].std(correction=0) if variant == "paper" else own
    assert float(matched[0, 0].std(correction=0)) == pytest.approx(float(expected))


def test_with_luminance_the_picture_keeps_the_chroma_of_the_photograph(encoder, picture):
    content, style = 0.3 + 0.4 * picture(0, 32, 32, torch.float32), picture(1, 32, 32, torch.float32)
    (level,) = gatys_2017.style_transfer(
        content, style, encoder=encoder, preserve="luminance", edge_sizes=(32,), num_steps=(4,)
    )

    def chroma(image):
        return image - torch.einsum("c,bchw->bhw", torch.tensor([0.299, 0.587, 0.114]), image)[:, None]

    inside = ((level.image > 0) & (level.image < 1)).all(1, keepdim=True)
    assert float(inside.float().mean()) > 0.9
    assert float(((chroma(level.image) - chroma(content)) * inside).abs().max()) < 1e-5
    assert float((level.image - content).abs().max()) > 1e-3


def test_each_level_begins_with_the_enlarged_picture_and_resized_masks(encoder, picture):
    content, style = (halves(picture(seed, 64, 64, torch.float32), 32) for seed in (0, 1))
    coarse, fine = gatys_2017.style_transfer(
        content, style, encoder=encoder, propagation="simple", edge_sizes=(32, 48), num_steps=(3, 0)
    )
    enlarged = torch.nn.functional.interpolate(coarse.image, (48, 48), mode="bilinear", antialias=True)
    torch.testing.assert_close(fine.image, enlarged, atol=1e-5, rtol=0)
    assert coarse.history["total"][-1] < coarse.history["total"][0]


@pytest.mark.slow
def test_a_region_takes_its_own_style_rather_than_the_other(encoder, picture):
    dark, bright = (0.4 * picture(seed, 32, 32, torch.float32) + low for seed, low in ((3, 0.0), (4, 0.6)))
    content = halves(0.3 + 0.4 * picture(0, 32, 64, torch.float32), 32)
    (level,) = gatys_2017.style_transfer(
        content,
        {"left": dark, "right": bright},
        encoder=encoder,
        edge_sizes=(45,),
        num_steps=(20,),
        # L-BFGS without line search leaps on a random network: the 17th evaluation can be 10,000 times the
        # first, and what so few steps leave of it is rounding. Adam comes down step by step.
        optimizer=partial(Adam, lr=0.02),
    )
    image = level.image
    small = halves(image, image.shape[3] // 2)
    assert level.history["total"][-1] < 0.5 * level.history["total"][0]

    def distances(left, right):
        regions = {"left": "one", "right": "other"}
        objective = gatys_2017.criterion(encoder, regions=regions).bind(
            {"content": small, "one": left, "other": right}
        )
        terms = objective(image).by_loss()
        return [float(terms["gram_left"]), float(terms["gram_right"])]

    own, swapped = distances(dark, bright), distances(bright, dark)
    assert own[0] < 0.5 * swapped[0]
    assert own[1] < 0.5 * swapped[1]


def test_mixed_scales_begin_with_the_coarse_style_and_match_early_layers_only(exact_encoder, picture):
    coarse, fine = picture(0, 32, 32), picture(1, 32, 48)
    result = gatys_2017.mixed_scales(coarse, fine, encoder=exact_encoder, num_steps=6)
    start = 0.0
    own, wanted = (exact_encoder(image, STYLE[:2]) for image in (coarse, fine))
    for layer in STYLE[:2]:
        start = start + 500 * (gram(own[layer], 1.0) - gram(wanted[layer], 1.0)).square().mean()
    assert float(result.history["total"][0]) == pytest.approx(float(start), rel=1e-6)
    assert result.history["total"][-1] < result.history["total"][0]
    plain = gatys_2017.mixed_scales(coarse, fine, encoder=exact_encoder, colors=picture(2), num_steps=0)
    np.testing.assert_allclose(plain.image[0].numpy(), notebook_match(coarse, picture(2)), atol=1e-6)


def test_wrong_arguments_are_refused(encoder, picture):
    image = picture(0, dtype=torch.float32)
    with pytest.raises(ValueError, match="`variant` must be 'paper' or 'code', got 'torch'"):
        gatys_2017.criterion(encoder, variant="torch")
    with pytest.raises(ValueError, match="`control` must be 'gram' or 'sums', got 'means'"):
        gatys_2017.criterion(encoder, control="means")
    with pytest.raises(ValueError, match=r"`region_weights` must have the regions \['sky'\], got \['sea'\]"):
        gatys_2017.criterion(encoder, regions={"sky": "style"}, region_weights={"sea": 1.0})
    with pytest.raises(ValueError, match=r"`method` must be one of .*, got 'hue'"):
        gatys_2017.recoloured(image, image, preserve="colors", method="hue")
    with pytest.raises(ValueError, match="`preserve` must be 'colors' or 'luminance', got 'hue'"):
        gatys_2017.recoloured(image, image, preserve="hue")
    with pytest.raises(ValueError, match=r"`last_layer` must be one of .*, got 'relu1_2'"):
        gatys_2017.mixed_scales(image, image, encoder=encoder, last_layer="relu1_2")
    with pytest.raises(ValueError, match="`num_steps` must have one number for each of 1 sizes, got 2"):
        gatys_2017.style_transfer(image, image, encoder=encoder, edge_sizes=(32,))
    with pytest.raises(ValueError, match=r"the regions of `content`, \['left', 'right'\], got \['sky'\]"):
        gatys_2017.style_transfer(halves(image, 16), {"sky": image}, encoder=encoder)
    with pytest.raises(ValueError, match=r"the regions of `content`, \['left', 'right'\], got none"):
        gatys_2017.style_transfer(halves(image, 16), image, encoder=encoder)
    with pytest.raises(ValueError, match=r"the regions of `content`, none, got \['left', 'right'\]"):
        gatys_2017.style_transfer(image, halves(image, 16), encoder=encoder)


@pytest.mark.parametrize("control", ["gram", "sums"])
def test_names_of_regions_may_have_dots(control, encoder, picture):
    kind, left = control.removesuffix("s"), torch.zeros(1, 1, 32, 32)
    left[..., :16] = 1
    content = MaskedImage(picture(0, 32, 32, torch.float32), {"sky.1": left, "sky_1": 1 - left})
    paintings = {name: picture(seed, 32, 32, torch.float32) for seed, name in enumerate(content.masks, 1)}
    run = partial(gatys_2017.style_transfer, encoder=encoder, edge_sizes=(32,), num_steps=(0,))
    history = run(content, paintings, control=control)[0].history
    plain = MaskedImage(content.image, {"a": left, "b": 1 - left})
    expected = run(plain, dict(zip("ab", paintings.values(), strict=True)), control=control)[0].history
    for name, other in (("a", "sky_1"), ("b", "sky_1_")):
        assert history[f"{kind}_{other}.relu3_1"] == expected[f"{kind}_{name}.relu3_1"]
