"""CartoonGAN and AnimeGAN against the layers and the formulas of the authors' code, written out."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pystyle import Criterion
from pystyle.papers import chen_2018
from pystyle.testing import check_loss, check_stylizer
from pystyle.training import train


def normal(x, layer):
    return F.instance_norm(x, weight=layer.weight, bias=layer.bias, eps=1e-5)


def mirrored(x, sides):
    return F.pad(x, sides, mode="reflect")


def shaken(module):
    """Other numbers than at first, so that each scale, shift and bias is seen."""
    torch.manual_seed(3)
    for parameter in module.parameters():
        nn.init.uniform_(parameter, 0.1, 1.0) if parameter.ndim == 1 else nn.init.normal_(parameter, std=0.2)
    return module.double()


def test_the_numbers_of_parameters():
    counts = {
        recipe: sum(p.numel() for p in chen_2018.network(recipe=recipe).parameters())
        for recipe in ("cartoon", "anime")
    }
    # 11,120,195 without scales and shifts.
    assert counts == {"cartoon": 11_120_195 + 2 * (64 + 128 + 256 + 16 * 256 + 128 + 64), "anime": 3_956_096}


def test_the_numbers_of_parameters_of_the_discriminators():
    widths = [3, 32, 64, 128, 128, 256, 256, 1]
    kernels = sum(9 * one * other for one, other in itertools.pairwise(widths))
    norms = 2 * (128 + 256 + 256)
    for recipe, biases in (("cartoon", sum(widths[1:])), ("anime", 0)):
        judge = chen_2018.discriminator(recipe=recipe)
        assert sum(p.numel() for p in judge.parameters()) == kernels + norms + biases


def test_the_network_of_cartoons_is_the_layers_of_the_code(picture):
    network = shaken(chen_2018.network(width=2, num_blocks=1))
    content = picture(0, 16, 24)
    x = F.conv2d(mirrored(2 * content - 1, (3,) * 4), network.first[0].weight, network.first[0].bias)
    x = F.relu(normal(x, network.first[1]))
    for half, same, norm in network.down:
        x = F.conv2d(x, half.weight, half.bias, stride=2, padding=1)
        x = F.relu(normal(F.conv2d(x, same.weight, same.bias, padding=1), norm))
    (block,) = network.blocks
    y = F.relu(normal(F.conv2d(mirrored(x, (1,) * 4), block[0].weight, block[0].bias), block[1]))
    x = x + normal(F.conv2d(mirrored(y, (1,) * 4), block[3].weight, block[3].bias), block[4])
    for double, same, norm in network.up:
        x = F.conv_transpose2d(x, double.weight, double.bias, stride=2, padding=1, output_padding=1)
        x = F.relu(normal(F.conv2d(x, same.weight, same.bias, padding=1), norm))
    x = torch.tanh(F.conv2d(mirrored(x, (3,) * 4), network.output.weight, network.output.bias))
    torch.testing.assert_close(network(content, network.named_code("style")), (x + 1) / 2)


def separable(x, layer, sides=(1, 1, 1, 1), stride=1):
    x = F.conv2d(mirrored(x, sides), layer.depthwise.weight, stride=stride, groups=x.shape[1])
    return F.leaky_relu(normal(F.conv2d(x, layer.pointwise.weight), layer.normalization), 0.2)


def resized(x):
    """What TensorFlow 1 makes of images of twice the size: position i is i / 2 in the image."""
    _, _, height, width = x.shape
    for axis, size in ((2, height), (3, width)):
        places = torch.arange(2 * size) / 2
        before = places.floor().long()
        share = (places - before).view([-1 if a == axis else 1 for a in range(4)]).to(x)
        after = (before + 1).clamp(max=size - 1)
        x = (1 - share) * x.index_select(axis, before) + share * x.index_select(axis, after)
    return x


def test_the_network_of_anime_is_the_layers_of_the_code(picture):
    network = shaken(chen_2018.network(recipe="anime", width=2, num_blocks=2))
    content, layers = picture(0, 16, 24), list(network.layers)

    def convolved(x, layer):
        size = layer[0].weight.shape[2]
        x = F.conv2d(mirrored(x, (size // 2,) * 4), layer[0].weight)
        return F.leaky_relu(normal(x, layer[1]), 0.2)

    def halved(x, layer):
        down = x[:, :, ::2][..., ::2]
        return separable(x, layer.stepping, (0, 1, 0, 1), 2) + separable(down, layer.dropping)

    def inverted(x, block):
        y = convolved(x, block.expand)
        y = F.conv2d(mirrored(y, (1,) * 4), block.depthwise.weight, groups=y.shape[1])
        y = F.conv2d(F.leaky_relu(normal(y, block.middle), 0.2), block.reduce.weight)
        return x + normal(y, block.last)

    def doubled(x, layer):
        return separable(resized(x), layer)

    steps = [convolved, convolved, halved, convolved, separable, halved, convolved, inverted, inverted]
    steps += [convolved, doubled, separable, convolved, doubled, convolved, convolved]
    x = 2 * content - 1
    for step, layer in zip(steps, layers, strict=True):
        x = step(x, layer)
    expected = (torch.tanh(F.conv2d(x, network.output.weight)) + 1) / 2
    torch.testing.assert_close(network(content, network.named_code("style")), expected)


def judged(judge, image, weights):
    x = 2 * image - 1
    for index, (layer, weight) in enumerate(zip(judge.convolutions, weights, strict=True)):
        x = F.conv2d(x, weight, layer.bias, stride=2 if index in (1, 3) else 1, padding=1)
        if index in (2, 4, 5):
            x = normal(x, judge.normalizations[str(index)])
        if index < 6:
            x = F.leaky_relu(x, 0.2)
    return x


def test_the_discriminator_of_cartoons_is_the_layers_of_the_code(picture):
    judge, image = shaken(chen_2018.discriminator(width=2)), picture(0, 16, 24)
    expected = judged(judge, image, [layer.weight for layer in judge.convolutions])
    assert expected.shape == (1, 1, 4, 6)
    torch.testing.assert_close(judge(image), expected)


def test_the_discriminator_of_anime_divides_kernels_by_their_largest_singular_values(picture):
    torch.manual_seed(0)
    judge, image = chen_2018.discriminator(recipe="anime", width=2).double(), picture(0, 16, 24)
    with torch.no_grad():
        for _ in range(300):  # each call is an iteration for the singular vectors
            judge(image)
        judge.eval()
        originals = [layer.parametrizations.weight.original for layer in judge.convolutions]
        weights = [kernel / torch.linalg.matrix_norm(kernel.flatten(1), 2) for kernel in originals]
        torch.testing.assert_close(judge(image), judged(judge, image, weights), rtol=1e-4, atol=1e-6)


def canny(gray, low=100.0, high=200.0):
    """As OpenCV finds edges of a gray image in levels of 255: pixel by pixel."""
    height, width = gray.shape
    around = np.pad(gray, 1, mode="edge")
    x, y = np.zeros_like(gray), np.zeros_like(gray)
    for i in range(height):
        for j in range(width):
            w = around[i : i + 3, j : j + 3]
            x[i, j] = (w[:, 2] - w[:, 0]) @ [1, 2, 1]
            y[i, j] = (w[2] - w[0]) @ [1, 2, 1]
    strength = np.abs(x) + np.abs(y)
    beyond = np.pad(strength, 1)
    thin = np.zeros(gray.shape, bool)
    for i in range(height):
        for j in range(width):
            m, w = strength[i, j], beyond[i : i + 3, j : j + 3]
            angle = np.degrees(np.arctan2(abs(y[i, j]), abs(x[i, j])))
            if angle < 22.5:
                thin[i, j] = m > w[1, 0] and m >= w[1, 2]
            elif angle > 67.5:
                thin[i, j] = m > w[0, 1] and m >= w[2, 1]
            else:
                sign = -1 if x[i, j] * y[i, j] < 0 else 1
                thin[i, j] = m > w[0, 1 - sign] and m > w[2, 1 + sign]
    found, waiting = np.zeros(gray.shape, bool), list(zip(*np.nonzero(thin & (strength > high)), strict=True))
    while waiting:
        i, j = waiting.pop()
        if not found[i, j]:
            found[i, j] = True
            near = [(i + a, j + b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
            waiting += [
                (a, b)
                for a, b in near
                if 0 <= a < height and 0 <= b < width and thin[a, b] and strength[a, b] > low
            ]
    return found


def luminance(image):
    return (image[0].numpy() * np.array([0.299, 0.587, 0.114])[:, None, None]).sum(0)


@pytest.mark.parametrize("seed", range(3))
def test_edges_are_those_of_a_loop_over_pixels(picture, seed):
    image = picture(seed, 40, 48)
    expected = canny(255 * luminance(image))
    assert 0.02 < expected.mean() < 0.5
    weak_alone = canny(255 * luminance(image), low=200.0)
    assert weak_alone.sum() < expected.sum()
    np.testing.assert_array_equal(chen_2018.edges(image)[0, 0].numpy(), expected)


@pytest.mark.parametrize("size", [3, 5])
def test_only_what_is_near_an_edge_is_blurred(picture, size):
    image = torch.sigmoid(20 * (F.interpolate(picture(0, 12, 12), scale_factor=4, mode="bicubic") - 0.5))
    near = np.zeros((48, 48), bool)
    for i, j in zip(*np.nonzero(canny(255 * luminance(image))), strict=True):
        near[max(i - size // 2, 0) : i + size // 2 + 1, max(j - size // 2, 0) : j + size // 2 + 1] = True
    assert 0.1 < near.mean() < 0.95
    padded = np.pad(image[0].numpy(), ((0, 0), (2, 2), (2, 2)), mode="reflect")
    gauss = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256
    expected = image[0].numpy().copy()
    for i, j in zip(*np.nonzero(near), strict=True):
        expected[:, i, j] = (padded[:, i : i + 5, j : j + 5] * gauss).sum((1, 2))
    np.testing.assert_allclose(chen_2018.smoothed_edges(image, size=size)[0].numpy(), expected, atol=1e-12)


def test_each_image_of_a_batch_has_its_own_edges(picture):
    batch = torch.cat([picture(seed, 24, 24) for seed in range(3)])
    alone = [chen_2018.smoothed_edges(image[None]) for image in batch]
    torch.testing.assert_close(chen_2018.smoothed_edges(batch), torch.cat(alone))


def test_a_plain_image_has_no_edges():
    image = torch.full((1, 3, 9, 9), 0.4)
    assert not chen_2018.edges(image).any()
    assert torch.equal(chen_2018.smoothed_edges(image), image)


def test_decoys_are_drawings_and_not_photographs(picture):
    drawings, photographs = picture(0, 24, 24), picture(1, 24, 24)
    ((blurred, weight),) = chen_2018.smoothed(drawings, photographs)
    assert weight == 1
    assert torch.equal(blurred, chen_2018.smoothed_edges(drawings))
    (grays, one), (grays_blurred, tenth) = chen_2018.gray_and_smoothed(drawings, photographs)
    assert (one, tenth) == (1, 0.1)
    for found, image in ((grays, drawings), (grays_blurred, blurred)):
        np.testing.assert_allclose(found[0].numpy(), np.stack([luminance(image)] * 3))


def test_the_loss_of_cartoons_is_that_of_the_code(exact_encoder, picture, check_formula):
    torch.manual_seed(0)
    criterion = chen_2018.criterion(exact_encoder, width=2)
    judge = criterion.losses["adversarial"].discriminator.double()
    content, image = picture(0), picture(2)
    with torch.no_grad():
        wanted = exact_encoder(content, ["conv4_4"])["conv4_4"]

    def formula(image):
        found = exact_encoder(image, ["conv4_4"])["conv4_4"]
        return ((judge(image) - 1) ** 2).mean() + 10 * (found - wanted).abs().mean()

    check_formula(criterion, {"content": content, "style": picture(1)}, image, formula)


def test_the_loss_of_anime_is_that_of_the_code(exact_encoder, picture, check_formula):
    torch.manual_seed(0)
    criterion = chen_2018.criterion(exact_encoder, recipe="anime", width=2)
    judge = criterion.losses["adversarial"].discriminator.double().eval()
    content, style, image = picture(0), picture(1), picture(2)
    gray = torch.from_numpy(np.stack([luminance(style)] * 3)[None])
    with torch.no_grad():
        wanted, drawn = (exact_encoder(one, ["conv4_4"])["conv4_4"] for one in (content, gray))

    def gram(x):
        flat = x[0].flatten(1)
        return flat @ flat.T / flat.numel()

    def yuv(x):
        red, green, blue = x.unbind(1)
        y = 0.299 * red + 0.587 * green + 0.114 * blue
        return y, (blue - y) * 0.492111, (red - y) * 0.877283

    def huber(one, other):
        d = (one - other).abs()
        return torch.where(d < 1, d**2 / 2, d - 0.5).mean()

    def formula(image):
        found = exact_encoder(image, ["conv4_4"])["conv4_4"]
        (y, u, v), (y0, u0, v0) = yuv(image), yuv(content)
        color = (y - y0).abs().mean() + huber(u, u0) + huber(v, v0)
        style = (gram(found) - gram(drawn)).abs().mean()
        content_loss = (found - wanted).abs().mean()
        return 300 * ((judge(image) - 1) ** 2).mean() + 1.5 * content_loss + 3 * style + 10 * color

    check_formula(criterion, {"content": content, "style": style}, image, formula)


def test_textures_are_those_of_grey_drawings(exact_encoder, picture, check_formula):
    criterion = Criterion(exact_encoder, {"style": chen_2018.GrayGramLoss("relu1_1", weight=3.0)})
    style, image = picture(1), picture(2)
    gray = torch.from_numpy(np.stack([luminance(style)] * 3)[None])

    def gram(image):
        flat = exact_encoder(image, ["relu1_1"])["relu1_1"][0].flatten(1)
        return flat @ flat.T / flat.numel()

    with torch.no_grad():
        wanted, colored = gram(gray), gram(style)
    assert float((wanted - colored).abs().mean()) > 1e-3 * float(wanted.abs().mean())
    check_formula(criterion, {"style": style}, image, lambda image: 3 * (gram(image) - wanted).abs().mean())


def test_a_large_difference_of_colours_is_not_squared():
    loss = chen_2018.ColorLoss()
    red, cyan = (torch.tensor(color).view(1, 3, 1, 1) for color in ([1.0, 0.0, 0.0], [0.0, 1.0, 1.0]))
    # Differences of 0.402 in brightness, 0.294 in U and 1.230 in V.
    expected = 0.402 + 0.29428**2 / 2 + (1.22995 - 0.5)
    assert loss.compare(loss.represent(red), loss.represent(cyan)).item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("loss", [chen_2018.GrayGramLoss("relu1_1", weight=2.0), chen_2018.ColorLoss()])
def test_the_losses_keep_the_promises_of_losses(loss):
    check_loss(loss, channels=3)


@pytest.mark.parametrize(
    ("recipe", "rates", "steps", "batch_size"),
    [
        ("cartoon", (2e-4, 1e-5, 1e-5), (13_500, 135_000), 8),
        ("anime", (1e-4, 8e-5, 16e-5), (5_545, 106_464), 6),
    ],
)
def test_the_options_are_those_of_the_code(recipe, rates, steps, batch_size):
    options = chen_2018.training(recipe=recipe)
    before, after = options["phases"]
    adversary = options["adversaries"]["adversarial"]
    own = options["optimizer"].keywords["lr"]
    assert (own * before.learning_rate, own * after.learning_rate) == pytest.approx(rates[:2])
    assert adversary.optimizer.keywords == {"lr": rates[2], "betas": (0.5, 0.999)}
    assert options["optimizer"].keywords["betas"] == (0.5, 0.999)
    assert (before.num_steps, after.num_steps) == steps
    assert options["num_steps"] == sum(steps)
    assert (options["batch_size"], before.crop_size, after.crop_size) == (batch_size, 256, 256)


def test_the_rate_of_cartoons_falls_at_the_end_of_each_phase():
    rate = chen_2018.training(num_steps=220)["learning_rate"]
    factors = [rate(step / 219) for step in range(220)]
    # 20 steps first, 200 then; each half of them at the full rate.
    assert factors[:11] == [1.0] * 11
    assert factors[15] == pytest.approx(0.5)
    assert factors[20:121] == [1.0] * 101
    assert factors[170] == pytest.approx(0.5)
    assert factors[219] == pytest.approx(0.01)
    flat = chen_2018.training(recipe="anime", num_steps=220)["learning_rate"]
    assert {flat(step / 219) for step in range(220)} == {1.0}


@pytest.mark.parametrize("recipe", ["cartoon", "anime"])
def test_the_discriminator_begins_in_the_second_phase(recipe, encoder, picture):
    torch.manual_seed(0)
    network = chen_2018.network(recipe=recipe, width=2, num_blocks=1)
    criterion = chen_2018.criterion(encoder, recipe=recipe, layer="conv1_2", width=2)
    judge = criterion.losses["adversarial"].discriminator
    images = torch.cat([picture(seed, 32, 32, torch.float32) for seed in range(4)])
    numbers = {"network": network, "judge": judge}
    before = {name: [p.detach().clone() for p in one.parameters()] for name, one in numbers.items()}
    moved = []

    def watch(_):
        row = {}
        for name, one in numbers.items():
            now = [p.detach().clone() for p in one.parameters()]
            row[name] = [not torch.equal(*pair) for pair in zip(before[name], now, strict=True)]
            before[name] = now
        moved.append({name: (all(changed), any(changed)) for name, changed in row.items()})

    options = {**chen_2018.training(recipe=recipe, num_steps=3, crop_size=16), "batch_size": 2}
    result = train(network, criterion, contents=images[:2], styles=images[2:], callbacks=watch, **options)
    assert result.stop_reason == "finished"
    # The bias before a normalisation gets no gradient but rounding errors, which is enough to move it.
    assert [row["judge"] for row in moved] == [(False, False), (True, True), (True, True)]
    assert all(row["network"][1] for row in moved)
    assert moved[-1]["network"] == (True, True)
    accuracy = result.history["adversarial.accuracy"]
    assert accuracy[0] == 0
    assert all(torch.isfinite(torch.tensor(column)).all() for column in result.history.values())


@pytest.mark.parametrize("recipe", ["cartoon", "anime"])
def test_they_keep_the_promises_of_a_stylizer(recipe):
    torch.manual_seed(0)
    check_stylizer(chen_2018.network(recipe=recipe, width=2, num_blocks=1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: chen_2018.network(recipe="manga"), "`recipe` must be 'cartoon' or 'anime', got 'manga'"),
        (lambda: chen_2018.discriminator(recipe="manga"), "`recipe` must"),
        (lambda: chen_2018.criterion(recipe="manga"), "`recipe` must"),
        (lambda: chen_2018.training(recipe="manga"), "`recipe` must"),
        (lambda: chen_2018.training(num_steps=1), "`num_steps` must"),
        (lambda: chen_2018.network(width=0), "`width` must"),
        (lambda: chen_2018.smoothed_edges(torch.rand(1, 3, 9, 9), size=4), "`size` must be an odd number"),
        (lambda: chen_2018.edges(torch.rand(1, 3, 9, 9), low=0.5, high=0.4), "`high` must"),
    ],
)
def test_impossible_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
