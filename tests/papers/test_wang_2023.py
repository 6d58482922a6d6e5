"""MicroAST against its layers, written out with functions of torch and the names of the authors' files."""

import os
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from pystyle import Criterion
from pystyle.evaluation import EagerEvaluation
from pystyle.networks import Convolution
from pystyle.papers import wang_2023
from pystyle.testing import check_stylizer
from pystyle.training import train

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
BLOCK = (64, 64, 3)
ENCODER = {
    "enc1.0": (16, 3, 9),
    "enc1.2": (32, 1, 3),
    "enc1.4": (32, 32, 1),
    "enc1.6": (64, 1, 3),
    "enc1.8": (64, 64, 1),
    **dict.fromkeys(("enc1.10.conv1", "enc1.10.conv2", "enc2.0.conv1", "enc2.0.conv2"), BLOCK),
}
DECODER = {
    **dict.fromkeys(("dec1.conv1", "dec1.conv2", "dec2.conv1", "dec2.conv2"), BLOCK),
    "dec3.1": (32, 2, 3),
    "dec3.3": (32, 32, 1),
    "dec3.6": (16, 2, 3),
    "dec3.8": (16, 16, 1),
    "dec3.10": (3, 16, 9),
}
LAST = "bias2.0.conv_layer.bias"
MODULATOR = {f"{kind}{depth}.0": (64, 1, 3) for depth in (1, 2) for kind in ("weight", "bias")}
PARTS = {
    "content_encoder": ENCODER,
    "style_encoder": ENCODER,
    "modulator": MODULATOR,
    "decoder": DECODER,
}


def random_weights(shapes):
    weights = {}
    for name, (channels, inputs, size) in shapes.items():
        scale = (inputs * size**2) ** -0.5
        weights[f"{name}.conv_layer.weight"] = scale * torch.randn(channels, inputs, size, size)
        weights[f"{name}.conv_layer.bias"] = 0.1 * torch.randn(channels)
    return weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files as the authors' are, of random weights."""
    torch.manual_seed(0)
    place = tmp_path_factory.mktemp("models")
    for name, shapes in PARTS.items():
        torch.save(random_weights(shapes), place / f"{name}_iter_160000.pth.tar")
    return place


@pytest.fixture(scope="module")
def network(folder):
    return wang_2023.load_published(folder).double()


def test_published_weights_are_read_without_drawing_a_number_or_rounding(folder):
    state = torch.get_rng_state()
    torch.set_default_dtype(torch.bfloat16)
    try:
        network = wang_2023.load_published(folder)
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(torch.get_rng_state(), state)
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}


class Written:
    """The network, written out."""

    def __init__(self, folder):
        self.weights = {
            name: torch.load(Path(folder) / f"{name}_iter_160000.pth.tar", weights_only=True)
            for name in PARTS
        }

    def layer(self, part, name, x, stride=1):
        weight = self.weights[part][f"{name}.conv_layer.weight"].double()
        bias = self.weights[part][f"{name}.conv_layer.bias"].double()
        border = weight.shape[2] // 2
        x = F.pad(x, (border,) * 4, mode="reflect") if border else x
        return F.conv2d(x, weight, bias, stride, groups=x.shape[1] // weight.shape[1])

    def encoded(self, part, x):
        x = F.relu(self.layer(part, "enc1.0", x))
        x = F.relu(self.layer(part, "enc1.2", x, 2))
        x = F.relu(self.layer(part, "enc1.4", x))
        x = F.relu(self.layer(part, "enc1.6", x, 2))
        x = F.relu(self.layer(part, "enc1.8", x))
        first = x + self.layer(part, "enc1.10.conv2", F.relu(self.layer(part, "enc1.10.conv1", x)))
        return first, first + self.layer(
            part, "enc2.0.conv2", F.relu(self.layer(part, "enc2.0.conv1", first))
        )

    def signals(self, style):
        """For each depth mean, deviation, weight and bias."""
        found = []
        for depth, x in enumerate(self.encoded("style_encoder", style), 1):
            means = [self.layer("modulator", f"{k}{depth}.0", x).mean((2, 3)) for k in ("weight", "bias")]
            found.append((x.mean((2, 3)), (x.flatten(2).var(2) + 1e-5).sqrt(), *means))
        return found

    def picture(self, content, signals, alpha):
        _, x = self.encoded("content_encoder", content)
        for name, (mean, std, weight, bias) in zip(("dec1", "dec2"), signals[::-1], strict=True):
            mean, std, weight, bias = (s[..., None, None] for s in (mean, std, weight, bias))
            own = (x.flatten(2).var(2) + 1e-5).sqrt()[..., None, None]
            adapted = (x - x.mean((2, 3), keepdim=True)) / own * std + mean
            x = alpha * adapted + (1 - alpha) * x
            hidden = F.relu(weight * self.layer("decoder", f"{name}.conv1", x) + bias * x)
            x = x + weight * self.layer("decoder", f"{name}.conv2", hidden) + bias * hidden
        for names in (("dec3.1", "dec3.3"), ("dec3.6", "dec3.8")):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            for name in names:
                x = F.relu(self.layer("decoder", name, x))
        return self.layer("decoder", "dec3.10", x)


def contrast(pictures, styles, variant):
    """The loops of the authors, over the signals of all pictures and styles."""

    def distance(depth, kinds, one, other):
        return sum(((one[depth][k] - other[depth][k]) ** 2).mean() for k in kinds)

    total = 0
    for i, own in enumerate(pictures):
        negative = 0
        for j, other in enumerate(styles):
            all_of_it = distance(0, (2, 3), own, other) + distance(1, range(4), own, other)
            if i == j:
                positive = all_of_it + distance(0, (0, 1), own, other)
            else:
                first = pictures[j] if variant == "code" else other
                negative = negative + all_of_it + distance(0, (0, 1), own, first)
        total = total + positive / negative
    return total


def of_each_image(signals):
    return [[[s[i] for s in depth] for depth in signals] for i in range(len(signals[0][0]))]


def test_the_network_has_the_parameters_of_the_paper():
    network = wang_2023.network()
    counts = {n: sum(p.numel() for p in m.parameters()) for n, m in network.named_children()}
    assert counts == {
        "content_encoder": 157_792,
        "style_encoder": 157_792,
        "modulator": 2_560,
        "decoder": 153_843,
    }
    assert sum(parameter.numel() for parameter in network.parameters()) == 471_987
    assert all(
        layer.border == "reflect" or layer.kernel_size == (1, 1)
        for layer in network.modules()
        if isinstance(layer, Convolution)
    )


@pytest.mark.parametrize("alpha", [1.0, 0.3, 0.0])
def test_it_computes_what_the_layers_of_torch_do(network, folder, picture, alpha):
    written, content, style = Written(folder), picture(0, 32, 40), picture(1, 28, 36)[..., :33]
    with torch.no_grad():
        code = network.represent_style(style)
        wanted = written.signals(style)
        for depth, (mean, std, weight, bias) in enumerate(wanted):
            torch.testing.assert_close(code.moments[:, depth], torch.stack([mean, std], 1))
            torch.testing.assert_close(code.filters[:, depth], torch.stack([weight, bias], 1))
        expected = written.picture(content, wanted, alpha)
        found = network.mixed(content, code, alpha)
    assert float(expected.std()) > 1e-2
    torch.testing.assert_close(found, expected)


def test_features_get_the_moments_of_the_style_before_each_block(network, picture):
    seen = []
    handles = [
        block.register_forward_pre_hook(lambda _, inputs: seen.append(inputs))
        for block in network.decoder.blocks
    ]
    code = network.represent_style(picture(1))
    with torch.no_grad():
        network(picture(0), code)
    for handle in handles:
        handle.remove()
    for (features, filters), depth in zip(seen, (1, 0), strict=True):
        mean, std = code.moments[0, depth]
        torch.testing.assert_close(features.mean((2, 3))[0], mean)
        clear = features.flatten(2).std(2)[0] > 0.01
        assert int(clear.sum()) > 20
        torch.testing.assert_close(features.flatten(2).std(2)[0][clear], std[clear], rtol=0.1, atol=0)
        assert torch.equal(filters, code.filters[:, depth])


def test_a_filter_is_weighted_and_its_input_added():
    block = wang_2023._parts.ModulatedBlock(1)
    with torch.no_grad():
        for layer, value in ((block.first, 2.0), (block.second, -1.0)):
            layer.weight.zero_()
            layer.weight[0, 0, 1, 1] = value
            layer.bias.zero_()
    x = torch.tensor([[[[1.0, 3.0], [5.0, -7.0]]]])
    # Hidden: 10 * 2 x + 1 * x = 21 x, or 0; then x + 10 * (-hidden) + 1 * hidden = x - 9 hidden.
    expected = torch.tensor([[[[1 - 189.0, 3 - 567.0], [5 - 945.0, -7.0]]]])
    torch.testing.assert_close(block(x, torch.tensor([[[10.0], [1.0]]])), expected)
    torch.testing.assert_close(block(x), x - (2 * x).clamp(0))


def test_a_blend_is_the_mean_of_the_signals(network, picture):
    content, one, other = picture(0), network.represent_style(picture(1)), network.represent_style(picture(2))
    mean = type(one)(*(0.3 * a + 0.7 * b for a, b in zip(one, other, strict=True)))
    with torch.no_grad():
        expected = network(content, mean).clamp(0, 1)
    found = network.bind([(picture(1), 0.3), (picture(2), 0.7)])(content)
    torch.testing.assert_close(found, expected)


def test_the_contrast_of_small_numbers_is_as_by_hand():
    # Signals of three images, four numbers each, the first of them those of the first depth.
    pictures = torch.tensor([[0.0, 0, 0, 0], [1, 0, 0, 0], [2, 2, 0, 0]])[..., None, None]
    styles = torch.tensor([[0.0, 1, 0, 0], [1, 0, 2, 0], [2, 2, 0, 3]])[..., None, None]
    # Squares of distances of pictures (rows) to styles (columns).
    squares = [[1, 5, 17], [2, 4, 14], [5, 9, 9]]
    assert squares[2] == [sum((a - b) ** 2 for a, b in zip((2, 2, 0, 0), s, strict=True))
                          for s in ((0, 1, 0, 0), (1, 0, 2, 0), (2, 2, 0, 3))]  # fmt: skip
    expected = 1 / 22 + 4 / 16 + 9 / 14
    loss = wang_2023.ContrastiveStyleLoss("signals")
    torch.testing.assert_close(of_batch(loss, pictures, styles), torch.tensor(expected))
    # In the code the first number of a negative is that of another picture: 0, 1 and 2 for 0, 1 and 2 again.
    torch.testing.assert_close(
        of_batch(wang_2023.ContrastiveStyleLoss("signals", variant="code"), pictures, styles),
        torch.tensor(expected),
    )
    pictures[1, 0] = 3.0
    by_hand = (
        1 / ((9 + 0 + 4) + (4 + 4 + 9)) + (4 + 4) / ((9 + 1) + (1 + 4 + 9)) + 9 / ((4 + 1) + (1 + 4 + 4))
    )
    torch.testing.assert_close(
        of_batch(wang_2023.ContrastiveStyleLoss("signals", variant="code"), pictures, styles),
        torch.tensor(by_hand),
    )


def of_batch(loss, pictures, styles):
    """The loss of a batch as a criterion takes it: the mean over its images, each with its own target."""
    own, targets = loss.represent(pictures), loss.represent(styles)
    parts = [loss.compare(own[i : i + 1], loss.prepare(targets[i : i + 1])) for i in range(len(pictures))]
    return torch.stack(parts).mean()


@pytest.mark.parametrize("variant", ["paper", "code"])
def test_the_loss_is_that_of_the_code(network, folder, exact_encoder, picture, check_formula, variant):
    content, style, image = (
        torch.cat([picture(seed, 32, 32), picture(seed + 1, 32, 32)]) for seed in (0, 2, 4)
    )
    criterion = wang_2023.criterion(network, exact_encoder, variant=variant)
    written = Written(folder)
    with torch.no_grad():
        wanted = exact_encoder(style, LAYERS)
        target = exact_encoder(content, ["relu4_1"])["relu4_1"]
        others = of_each_image(written.signals(style))

    def formula(image):
        found = exact_encoder(image, LAYERS)
        loss = F.mse_loss(found["relu4_1"], target)
        for layer in LAYERS:
            own, other = found[layer].flatten(2), wanted[layer].flatten(2)
            loss = loss + 3 * F.mse_loss(own.mean(2), other.mean(2))
            stds = [(x.var(2, correction=0) + 1e-6).sqrt() for x in (own, other)]
            loss = loss + 3 * F.mse_loss(*stds)
        return loss + 3 * contrast(of_each_image(written.signals(image)), others, variant)

    check_formula(criterion, {"content": content, "style": style}, image, formula)


@pytest.mark.parametrize("variant", ["paper", "code"])
def test_a_step_has_the_gradient_of_the_authors_graph(exact_encoder, picture, variant):
    torch.manual_seed(0)
    network = wang_2023.network(width=4).double()
    content, style = (torch.cat([picture(seed + s, 16, 24) for s in range(3)]) for seed in (0, 3))
    criterion = wang_2023.criterion(network, exact_encoder, variant=variant)
    evaluator = wang_2023.JointEvaluation().bind(criterion, {"content": content, "style": style})
    painted = network(content, network.represent_style(style))
    terms, gradient = evaluator.weighted({"contrast": 2.0})(painted.detach())
    painted.backward(gradient)

    def signals(image):
        code = network.represent_style(image)
        return [
            [[*moments, *filters] for moments, filters in zip(*both, strict=True)]
            for both in zip(code.moments, code.filters, strict=True)
        ]

    painted = network(content, network.represent_style(style))
    rest = {name: loss for name, loss in criterion.named_losses.items() if name != "contrast"}
    objective = Criterion(criterion.encoder, rest).bind({"content": content, "style": style})
    total = objective(painted).total + 2 * 3 * contrast(signals(painted), signals(style), variant)
    torch.testing.assert_close(terms.total, total.detach())
    wanted = torch.autograd.grad(total, list(network.parameters()))
    for (name, parameter), expected in zip(network.named_parameters(), wanted, strict=True):
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-6, atol=1e-10, msg=name)


def test_a_phase_without_contrast_is_as_any_other(network, exact_encoder, picture):
    references = {"content": picture(0), "style": picture(1)}
    whole = wang_2023.criterion(network, exact_encoder)
    criterion = Criterion(whole.encoder, {"style": whole.losses["style"]})
    evaluator = wang_2023.JointEvaluation().bind(criterion, references)
    assert type(evaluator) is type(EagerEvaluation().bind(criterion, references))


def test_another_criterion_is_refused(network, exact_encoder, picture):
    loss = wang_2023.ContrastiveStyleLoss("signals")
    style = torch.cat([picture(0), picture(1)])
    criterion = Criterion(wang_2023.SignalEncoder(network), {"contrast": loss})
    with pytest.raises(ValueError, match=r"must be one of `wang_2023.criterion`.* got SignalEncoder"):
        wang_2023.JointEvaluation().bind(criterion, {"style": style})
    criterion = wang_2023.criterion(network, exact_encoder)
    with pytest.raises(TypeError, match="must be a batch of images, got a list"):
        wang_2023.JointEvaluation().bind(criterion, {"content": style, "style": [(style, 1.0)]})


def test_the_contrast_reaches_all_pictures_of_the_batch(network, picture):
    style = torch.cat([picture(seed, 32, 32) for seed in (0, 1, 2)])
    image = torch.cat([picture(seed, 32, 32) for seed in (3, 4, 5)]).requires_grad_()
    loss = wang_2023.ContrastiveStyleLoss("signals", variant="code")
    objective = Criterion(wang_2023.SignalEncoder(network), {"contrast": loss}).bind({"style": style})
    (gradient,) = torch.autograd.grad(objective(image).total, image)
    assert (gradient.flatten(1).norm(dim=1) > 0).all()


def test_a_criterion_does_not_freeze_the_network(encoder):
    network = wang_2023.network(width=2)
    criterion = wang_2023.criterion(network, encoder)
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert not any("network" in name for name in criterion.state_dict())
    with torch.no_grad():
        before = criterion.encoder(torch.rand(1, 3, 16, 16), ["network.signals"])["network.signals"]
        network.modulator.weights[0].bias.add_(1)
    torch.manual_seed(0)
    after = criterion.encoder(torch.rand(1, 3, 16, 16), ["network.signals"])["network.signals"]
    assert before.shape == after.shape == (1, 64, 1, 1)


def test_it_keeps_the_promises_of_a_stylizer():
    torch.manual_seed(0)
    check_stylizer(wang_2023.network(width=4))


def test_all_of_it_is_trained(encoder, picture, tmp_path):
    torch.manual_seed(0)
    network = wang_2023.network(width=8)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    vgg = encoder.stages["conv1_1"].weight.clone()
    images = torch.cat([picture(seed, 32, 32, torch.float32) for seed in range(4)])
    options = {**wang_2023.training(num_steps=2), "crop_size": 32, "batch_size": 2}
    criterion = wang_2023.criterion(network, encoder)
    evaluation = wang_2023.JointEvaluation()
    data = {"contents": images, "styles": images.flip(0)}
    result = train(network, criterion, evaluation=evaluation, checkpoint=tmp_path, **data, **options)
    assert result.stop_reason == "finished"
    assert result.skipped == 0
    assert not [name for name, value in network.state_dict().items() if torch.equal(value, before[name])]
    assert torch.equal(encoder.stages["conv1_1"].weight, vgg)


def test_the_learning_rate_is_that_of_the_authors_whatever_the_number_of_steps():
    for num_steps in (1_000, 160_000):
        options = wang_2023.training(num_steps=num_steps)
        assert options["learning_rate"](0.5) == pytest.approx(1 / (1 + 5e-5 * num_steps / 2))
    assert options["optimizer"].keywords == {"lr": 1e-4}


def test_one_style_is_told_from_nothing(network, picture):
    criterion = Criterion(
        wang_2023.SignalEncoder(network), {"contrast": wang_2023.ContrastiveStyleLoss("signals")}
    )
    with pytest.raises(ValueError, match="at least two styles in a batch"):
        criterion.bind({"style": picture(0)})


def test_features_with_positions_are_no_signals():
    with pytest.raises(ValueError, match="a single position, got 4 x 5"):
        wang_2023.ContrastiveStyleLoss("relu1_1").represent(torch.rand(2, 3, 4, 5))


def test_an_unknown_variant_is_refused(encoder):
    with pytest.raises(ValueError, match="`variant` must be 'paper' or 'code', got 'both'"):
        wang_2023.criterion(wang_2023.network(width=1), encoder, variant="both")


def damaged(folder, tmp_path, change):
    for name in PARTS:
        weights = torch.load(folder / f"{name}_iter_160000.pth.tar", weights_only=True)
        if name == "modulator":
            weights = change(weights)
        torch.save(weights, tmp_path / f"{name}_iter_160000.pth.tar")
    return tmp_path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: {k: v for k, v in w.items() if k != LAST}, "lacks the weights 'bias2.0"),
        (lambda w: {**w, "more": torch.ones(1)}, "has, beside the known ones, the weights 'more'"),
        (lambda w: {**w, LAST: torch.ones(3)}, r"must have the shape \(64,\), got \(3,\)"),
        (lambda w: {**w, LAST: 3}, r"must have the shape \(64,\), got a int"),
        (lambda w: list(w), "has a list in the place of named weights"),
    ],
)
def test_files_of_another_network_are_refused(folder, tmp_path, change, message):
    with pytest.raises(ValueError, match=message) as caught:
        wang_2023.load_published(damaged(folder, tmp_path, change))
    assert "modulator_iter_160000.pth.tar" in str(caught.value)


def test_files_that_are_none_are_refused(folder, tmp_path):
    (damaged(folder, tmp_path, dict) / "decoder_iter_160000.pth.tar").write_bytes(b"no weights")
    with pytest.raises(ValueError, match=r"decoder_iter_160000.pth.tar'. It cannot be read as weights"):
        wang_2023.load_published(tmp_path)
    with pytest.raises(FileNotFoundError):
        wang_2023.load_published(tmp_path / "nowhere")


@pytest.mark.slow
@pytest.mark.skipif("PYSTYLE_MICROAST" not in os.environ, reason="PYSTYLE_MICROAST names no folder")
@pytest.mark.parametrize("alpha", [1.0, 0.5])
def test_the_weights_of_the_authors_paint_what_their_layers_do(picture, alpha):
    folder = os.environ["PYSTYLE_MICROAST"]
    written, network = Written(folder), wang_2023.load_published(folder).double()
    content, style = picture(0, 128, 160), picture(1, 96, 112)
    with torch.no_grad():
        expected = written.picture(content, written.signals(style), alpha)
        found = network.mixed(content, network.represent_style(style), alpha)
    assert float(expected.std()) > 0.05
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
