"""SANet against the equations of the paper, written out."""

import math

import pytest
import torch
import torch.nn.functional as F

from pystyle import ContentLoss, Criterion
from pystyle.papers import park_lee_2019
from pystyle.testing import check_stylizer
from pystyle.training import train

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
SMALL = ("relu2_1", "relu2_2")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return park_lee_2019.network(layers=SMALL, weights=None).double().eval()


def normalized(features):
    mean = features.mean((2, 3), keepdim=True)
    return (features - mean) / (features.var((2, 3), correction=0, keepdim=True) + 1e-5).sqrt()


def attended(block, content, style):
    """The two equations of the block, one position of the content at a time."""

    def convolved(layer, x):
        return F.conv2d(x, layer.weight, layer.bias).flatten(2)[0]

    part = block.attention
    queries = convolved(part.queries, normalized(content))
    keys, values = convolved(part.keys, normalized(style)), convolved(part.values, style)
    found = torch.empty_like(content)
    for place in range(queries.shape[1]):
        scores = [math.exp(queries[:, place] @ keys[:, other]) for other in range(keys.shape[1])]
        mean = sum(score * values[:, other] for other, score in enumerate(scores)) / sum(scores)
        found[0, :, place // content.shape[3], place % content.shape[3]] = mean
    return content + F.conv2d(found, block.output.weight, block.output.bias)


def merged(network, content, style):
    """Both blocks, added up and merged, with the deeper layer repeated to the size of the other."""
    one, two = (
        attended(block, own, other)
        for block, own, other in zip(
            (network.shallow, network.deep), network.encoder(content), network.encoder(style), strict=True
        )
    )
    times = one.shape[2] // two.shape[2]
    total = one + two.repeat_interleave(times, 2).repeat_interleave(times, 3)
    return F.conv2d(F.pad(total, (1,) * 4, "reflect"), network.merging.weight, network.merging.bias)


def test_the_network_has_the_layers_and_parameters_of_the_code():
    network = park_lee_2019.network(weights=None)
    assert sum(parameter.numel() for parameter in network.parameters()) == 7_966_275
    for block in (network.shallow, network.deep):
        assert sum(p.numel() for p in block.parameters()) == 4 * (512 * 512 + 512)
    assert sum(p.numel() for p in network.merging.parameters()) == 512 * 512 * 9 + 512
    assert sum(p.numel() for p in network.decoder.parameters()) == 3_505_219
    with torch.no_grad():
        shapes = [tuple(seen.shape) for seen in network.represent_style(torch.rand(1, 3, 40, 64))]
    assert shapes == [(1, 1), (1, 512, 5, 8), (1, 512, 5, 8), (1, 512, 3, 4), (1, 512, 3, 4)]


def test_each_position_gets_what_it_attends_to(network, picture):
    content, style = picture(0, 16, 32), picture(1, 20, 16)
    with torch.no_grad():
        expected = network.decoder(merged(network, content, style))
        found = network(content, network.represent_style(style))
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-10)


def test_the_deeper_layer_is_doubled_by_repeating(picture):
    torch.manual_seed(0)
    network = park_lee_2019.network(weights=None).double().eval()
    content, style = picture(0, 32, 48), picture(1, 32, 32)
    with torch.no_grad():
        expected = network.decoder(merged(network, content, style))
        found = network(content, network.represent_style(style))
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-9)


def test_a_style_of_one_colour_gives_its_features_to_all_positions(network, picture):
    content, style = picture(0, 16, 32), torch.full((1, 3, 16, 16), 0.25, dtype=torch.float64)
    block = network.shallow
    with torch.no_grad():
        own, other = network.encoder(content)[0], network.encoder(style)[0]
        value = F.conv2d(other[..., :1, :1], block.attention.values.weight, block.attention.values.bias)
        added = F.conv2d(value, block.output.weight, block.output.bias)
        torch.testing.assert_close(block(own, block.look_at(other)), own + added)


@pytest.mark.slow
def test_a_strength_of_0_is_the_content_in_its_own_style(network, picture):
    content, style = picture(0, 16, 32), picture(1)
    code = network.represent_style(style)
    with torch.no_grad():
        own = network(content, network.represent_style(content))
        torch.testing.assert_close(network.mixed(content, code, 0.0), own)
        half = 0.5 * merged(network, content, content) + 0.5 * merged(network, content, style)
        torch.testing.assert_close(network.mixed(content, code, 0.5), network.decoder(half))


@pytest.mark.slow
def test_styles_of_different_sizes_blend_as_features(network, picture):
    content, one, other = picture(0, 32, 32), picture(1, 20, 24), picture(2, 20, 40)
    with torch.no_grad():
        mean = 0.3 * merged(network, content, one) + 0.7 * merged(network, content, other)
        expected = network.decoder(mean).clamp(0, 1)
    assert float(expected.std(dim=(2, 3)).min()) > 1e-4
    torch.testing.assert_close(network.bind([(one, 0.3), (other, 0.7)])(content), expected)
    nested = network.bind([([(one, 1), (other, 1)], 0.6), (other, 0.4)])
    torch.testing.assert_close(nested(content), expected)


def test_layers_of_different_widths_are_refused():
    with pytest.raises(ValueError, match="`layers` must be two layers with as many channels each, got"):
        park_lee_2019.network(layers=("relu2_1", "relu3_1"), weights=None)


def test_the_losses_in_another_style_are_those_of_the_code(exact_encoder, picture, check_formula):
    content, style, image = picture(0), picture(1, 48, 40), picture(2)
    criterion = park_lee_2019.criterion(exact_encoder)
    with torch.no_grad():
        wanted, other = exact_encoder(content, STYLE_LAYERS), exact_encoder(style, STYLE_LAYERS)

    def formula(image):
        found = exact_encoder(image, STYLE_LAYERS)
        loss = sum(
            ((normalized(found[layer]) - normalized(wanted[layer])) ** 2).mean()
            for layer in ("relu4_1", "relu5_1")
        )
        for layer in STYLE_LAYERS:
            own, target = found[layer][0].flatten(1), other[layer][0].flatten(1)
            loss = loss + 3 * ((own.mean(1) - target.mean(1)) ** 2).mean()
            stds = [(x.var(1, correction=0) + 1e-6).sqrt() for x in (own, target)]
            loss = loss + 3 * ((stds[0] - stds[1]) ** 2).mean()
        return loss

    check_formula(criterion, {"content": content, "style": style}, image, formula)


def test_the_losses_in_the_own_style_are_those_of_the_code(exact_encoder, picture, check_formula):
    content, image = picture(0), picture(2)
    with torch.no_grad():
        wanted = exact_encoder(content, STYLE_LAYERS)

    def formula(image):
        found = exact_encoder(image, STYLE_LAYERS)
        features = sum(((found[layer] - wanted[layer]) ** 2).mean() for layer in STYLE_LAYERS)
        return 50 * ((image - content) ** 2).mean() + features

    check_formula(park_lee_2019.identity_criterion(exact_encoder), {"content": content}, image, formula)


def test_the_learning_rate_is_that_of_the_code_whatever_the_number_of_steps():
    for num_steps in (1_000, 160_000):
        options = park_lee_2019.training(num_steps=num_steps)
        assert options["learning_rate"](0.5) == pytest.approx(1 / (1 + 5e-5 * num_steps / 2))
    assert options["optimizer"].keywords == {"lr": 1e-4}
    assert options["batch_size"] == 5


@pytest.mark.slow
def test_it_keeps_the_promises_of_a_stylizer():
    torch.manual_seed(0)
    check_stylizer(park_lee_2019.network(layers=SMALL, weights=None))


def small_criteria(encoder):
    layers = ("relu1_1", "relu2_1")
    return (
        park_lee_2019.criterion(encoder, content_layers="relu2_1", style_layers=layers),
        park_lee_2019.identity_criterion(encoder, layers=layers),
    )


def test_steps_in_another_style_and_in_the_own_one_take_turns(encoder, picture):
    torch.manual_seed(0)
    network = park_lee_2019.network(layers=SMALL, weights=None)
    both, phases = park_lee_2019.alternating(*small_criteria(encoder), num_steps=2, crop_size=32, block=1)
    images = torch.cat([picture(seed, 32, 32, torch.float32) for seed in range(4)])
    options = {**park_lee_2019.training(num_steps=2), "batch_size": 2}
    seen = []
    result = train(
        network,
        both,
        contents=images,
        styles=images.flip(0),
        phases=phases,
        callbacks=lambda step: seen.append({name for name, value in step.terms.items() if float(value)}),
        **options,
    )
    assert result.stop_reason == "finished"
    stylized = {"content.relu2_1", "style.relu1_1", "style.relu2_1"}
    own = {"identity_pixels.image", "identity_features.relu1_1", "identity_features.relu2_1"}
    assert seen == [stylized, own, stylized, own]
    assert all(not name.startswith("encoder") for name in network.state_dict())


def test_both_kinds_of_steps_keep_what_their_criteria_normalize_and_wrap(encoder):
    one, own = (
        Criterion(encoder, {name: ContentLoss("relu1_1")}, normalize_gradients=name, wrap="horizontal")
        for name in ("content", "own")
    )
    both, _ = park_lee_2019.alternating(one, own, num_steps=2)
    assert both.normalize_gradients == ("content", "own")
    assert both.wrap == "horizontal"
    without = Criterion(encoder, {"own": ContentLoss("relu1_1")})
    with pytest.raises(ValueError, match=r"must wrap alike, .* got the wraps 'horizontal' and None"):
        park_lee_2019.alternating(one, without, num_steps=2)


def test_all_steps_of_a_table_are_there(encoder):
    _, phases = park_lee_2019.alternating(*small_criteria(encoder), num_steps=23)
    assert [phase.num_steps for phase in phases] == [10, 10, 10, 10, 3, 3]
    assert [phase.identity for phase in phases] == [False, True] * 3


def test_losses_of_the_same_name_are_refused(encoder):
    one = park_lee_2019.criterion(encoder)
    with pytest.raises(ValueError, match="must have losses of different names, got 'content' in both"):
        park_lee_2019.alternating(one, one, num_steps=2)
