"""AdaAttN against the equations of the paper, written out."""

import math

import pytest
import torch
import torch.nn.functional as F

from pystyle.encoders import HypercolumnEncoder
from pystyle.networks import KeysAndValues
from pystyle.papers import liu_2021
from pystyle.testing import check_stylizer
from pystyle.training import train

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = liu_2021.network(weights=None).double().eval()
    with torch.no_grad():
        # Pictures within [0, 1], of which nothing is clamped.
        network.decoder.convolutions[-1].bias.add_(0.5)
    return network


def normalized(features):
    mean = features.mean((2, 3), keepdim=True)
    return (features - mean) / (features.var((2, 3), correction=0, keepdim=True) + 1e-5).sqrt()


def moments(queries, keys, values):
    """Mean and deviation of what each position attends to, one by one; all are (channels, positions)."""
    mean, deviation = (values.new_empty(len(values), queries.shape[1]) for _ in range(2))
    for place in range(queries.shape[1]):
        products = queries[:, place] @ keys
        # Nothing but the differences of the products counts; those of so many channels are large.
        scores = (products - products.max()).exp()
        weights = scores / scores.sum()
        mean[:, place] = (values * weights).sum(1)
        variance = ((values - mean[:, place, None]) ** 2 * weights).sum(1)
        deviation[:, place] = (variance + 1e-5).sqrt()
    return mean, deviation


def shrunk(features, size):
    """Every so manieth position."""
    rows, columns = (one // other for one, other in zip(features.shape[2:], size, strict=True))
    return features[:, :, ::rows, ::columns]


def block_of(block, content, style, index):
    """The block at one of the five layers, from the features of all."""

    def flat(layer, x):
        return F.conv2d(x, layer.weight, layer.bias)[0].flatten(1)

    keys = [
        torch.cat([normalized(shrunk(one, side[index].shape[2:])) for one in side[: index + 1]], 1)
        for side in (content, style)
    ]
    part = block.attention
    mean, deviation = moments(
        flat(part.queries, keys[0]), flat(part.keys, keys[1]), flat(part.values, style[index])
    )
    own = content[index]
    return deviation.reshape(own.shape) * normalized(own) + mean.reshape(own.shape)


def features_of(network, content, style):
    """What the decoder gets: the features of relu4_1 and relu5_1, and those of relu3_1."""
    content, style = network.encoder(content), network.encoder(style)
    third, fourth, fifth = (
        block_of(block, content, style, index)
        for index, block in ((2, network.third), (3, network.fourth), (4, network.fifth))
    )
    total = fourth + fifth.repeat_interleave(2, 2).repeat_interleave(2, 3)
    return F.conv2d(F.pad(total, (1,) * 4, "reflect"), network.merging.weight, network.merging.bias), third


def decoded(network, deep, third):
    deep = F.relu(F.conv2d(F.pad(deep, (1,) * 4, "reflect"), network.first.weight, network.first.bias))
    return network.decoder(torch.cat([F.interpolate(deep, scale_factor=2), third], 1))


def test_the_network_has_the_layers_and_parameters_of_the_code():
    network = liu_2021.network(weights=None)
    assert sum(parameter.numel() for parameter in network.parameters()) == 13_629_891
    widths = [block.attention.queries.in_channels for block in (network.third, network.fourth, network.fifth)]
    assert widths == [448, 960, 1472]
    layers = [(one.in_channels, one.out_channels) for one in (network.first, *network.decoder.convolutions)]
    assert layers == [
        (512, 256), (512, 256), (256, 256), (256, 256), (256, 128), (128, 128), (128, 64), (64, 64), (64, 3),
    ]  # fmt: skip
    assert float(network.first.weight.detach().std()) == pytest.approx(0.02, rel=0.01)
    assert not network.first.bias.any()


def test_each_position_gets_the_moments_of_what_it_attends_to(network, picture):
    content, style = picture(0, 32, 48), picture(1, 48, 32)
    with torch.no_grad():
        expected = decoded(network, *features_of(network, content, style))
        found = network(content, network.represent_style(style))
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-9)


def test_a_style_of_a_single_position_gives_its_features_to_all_positions():
    block = liu_2021.AttentionNormalization(4, key_channels=6).double()
    content, key_features = torch.rand(1, 4, 3, 5).double(), torch.rand(1, 6, 3, 5).double()
    style = torch.rand(1, 4, 1, 1).double()
    with torch.no_grad():
        seen = block.look_at(torch.rand(1, 6, 1, 1).double(), style)
        expected = seen.values + 1e-5**0.5 * normalized(content)
        torch.testing.assert_close(block(content, key_features, seen), expected)


def test_attended_moments_are_those_of_the_weights():
    # Twice as much attention to the second of two: weights 1/3 and 2/3.
    seen = KeysAndValues(torch.tensor([[[0.0, math.log(2)]]]), torch.tensor([[[3.0, 6.0]]]))
    mean, deviation = liu_2021.attended_moments(torch.ones(1, 1, 1, 1), seen, eps=0.0)
    torch.testing.assert_close(mean.squeeze(), torch.tensor(5.0))
    torch.testing.assert_close(deviation.squeeze(), torch.tensor(2.0).sqrt())


def test_moments_of_large_values_are_no_rounding_errors():
    seen = KeysAndValues(torch.zeros(1, 1, 2), torch.tensor([[[10_000.0, 10_002.0]]]))
    mean, deviation = liu_2021.attended_moments(torch.zeros(1, 1, 3), seen, eps=0.0)
    torch.testing.assert_close(mean, torch.full((1, 1, 3), 10_001.0))
    torch.testing.assert_close(deviation, torch.ones(1, 1, 3))


def test_the_gradient_is_finite_where_only_one_position_is_attended_to():
    values = torch.rand(1, 4, 1, requires_grad=True)
    mean, deviation = liu_2021.attended_moments(
        torch.rand(1, 2, 3), KeysAndValues(torch.rand(1, 2, 1), values)
    )
    (mean + deviation).sum().backward()
    assert bool(values.grad.isfinite().all())


def test_styles_of_different_sizes_blend_as_features(network, picture):
    content, one, other = picture(0, 32, 32), picture(1, 32, 48), picture(2, 48, 32)
    with torch.no_grad():
        parts = [features_of(network, content, style) for style in (one, other)]
        deep, third = (0.3 * a + 0.7 * b for a, b in zip(*parts, strict=True))
        expected = decoded(network, deep, third).clamp(0, 1)
    assert float(expected.std(dim=(2, 3)).min()) > 1e-4
    torch.testing.assert_close(network.bind([(one, 0.3), (other, 0.7)])(content), expected)


def test_a_large_style_is_looked_at_in_some_positions(picture):
    torch.manual_seed(0)
    network = liu_2021.network(max_keys=20, weights=None)
    style = picture(1, 32, 48, torch.float32)
    with torch.no_grad():
        whole = liu_2021.network(weights=None).eval().represent_style(style)
        first, again = network.eval().represent_style(style), network.represent_style(style)
        assert whole[1].shape == (1, 448, 8, 12)
        assert (first[1].shape, first[2].shape, first[3].shape) == (
            (1, 448, 20),
            (1, 256, 20),
            (1, 960, 4, 6),
        )
        assert torch.equal(first[1], again[1])
        # In a training they are others each time, and follow the seed of the step.
        network.train()
        torch.manual_seed(1)
        trained, other = network.represent_style(style), network.represent_style(style)
        torch.manual_seed(1)
        assert torch.equal(network.represent_style(style)[1], trained[1])
    assert not torch.equal(trained[1], other[1])
    assert len(set(map(tuple, first[1][0].T.tolist()))) == 20


@pytest.mark.parametrize("variant", ["paper", "code"])
def test_the_losses_are_those_of_the_variant(exact_encoder, picture, check_formula, variant):
    content, style, image = picture(0), picture(1, 48, 32), picture(2)
    criterion = liu_2021.criterion(exact_encoder, variant=variant)
    local = LAYERS[2:] if variant == "paper" else LAYERS[1:]
    with torch.no_grad():
        own, other = exact_encoder(content, LAYERS), exact_encoder(style, LAYERS)
        targets = {}
        for layer in local:
            before = LAYERS[: LAYERS.index(layer) + 1]
            keys = []
            for side in (own, other):
                size = side[layer].shape[2:]
                sides = [F.adaptive_avg_pool2d(side[name], size) for name in before]
                keys.append(normalized(torch.cat(sides, 1))[0].flatten(1))
            mean, deviation = moments(*keys, other[layer][0].flatten(1))
            shape = own[layer].shape
            targets[layer] = deviation.reshape(shape) * normalized(own[layer]) + mean.reshape(shape)

    def formula(image):
        found = exact_encoder(image, LAYERS)
        loss = sum(3 * ((found[layer] - target) ** 2).mean() for layer, target in targets.items())
        for layer in LAYERS[1:]:
            ours, theirs = found[layer][0].flatten(1), other[layer][0].flatten(1)
            loss = loss + 10 * ((ours.mean(1) - theirs.mean(1)) ** 2).mean()
            stds = [(x.var(1, correction=0) + 1e-6).sqrt() for x in (ours, theirs)]
            loss = loss + 10 * ((stds[0] - stds[1]) ** 2).mean()
        return loss

    check_formula(criterion, {"content": content, "style": style}, image, formula)


def test_the_local_loss_looks_at_no_more_positions_than_it_may():
    torch.manual_seed(0)
    loss = liu_2021.LocalFeatureLoss("group", channels={"group": 2}, max_keys=3)
    content, style = torch.rand(1, 5, 4, 4), torch.zeros(1, 5, 6, 6)
    style[:, 0] = torch.arange(36.0).reshape(6, 6)
    targets = [loss.prepare(content, style) for _ in range(2)]
    assert targets[0].shape == (1, 2, 4, 4)
    assert not torch.equal(*targets)
    (generator,) = loss.generators()
    again = liu_2021.LocalFeatureLoss("group", channels={"group": 2}, max_keys=3)
    assert torch.equal(again.prepare(content, style), targets[0])
    again.generators()[0].set_state(generator.get_state())
    assert torch.equal(again.prepare(content, style), loss.prepare(content, style))


def test_the_local_loss_of_a_group_keeps_what_was_set():
    loss = liu_2021.LocalFeatureLoss(["a", "b"], channels={"a": 2, "b": 3})
    loss.region, loss.propagation, loss.dilation, loss.wrap = "sky", "inside", 2, "both"
    for own in map(loss.at, loss.layers):
        assert (own.region, own.propagation, own.dilation, own.wrap) == ("sky", "inside", 2, "both")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: liu_2021.LocalFeatureLoss("b", channels={"a": 2}), "got none for 'b'"),
        (lambda: liu_2021.LocalFeatureLoss("a", channels={"a": 2}, max_keys=0), "`max_keys` must be"),
        (lambda: liu_2021.network(max_keys=0, weights=None), "`max_keys` must be"),
    ],
)
def test_impossible_values_are_refused(make, text):
    with pytest.raises(ValueError, match=text):
        make()


def test_an_unknown_variant_is_refused(encoder):
    with pytest.raises(ValueError, match="`variant` must be 'paper' or 'code', got 'video'"):
        liu_2021.criterion(encoder, variant="video")


def test_the_learning_rate_falls_after_each_epoch_but_the_first():
    options = liu_2021.training(num_steps=1_000)
    factors = [options["learning_rate"](step / 999) for step in range(1_000)]
    assert factors[:400] == [1.0] * 400
    assert factors[400:600] == [0.3] * 200
    assert factors[-1] == pytest.approx(0.027)
    assert options["optimizer"].keywords == {"lr": 2e-4}


@pytest.mark.slow
def test_it_keeps_the_promises_of_a_stylizer():
    torch.manual_seed(0)
    check_stylizer(liu_2021.network(max_keys=200, weights=None))


@pytest.mark.slow
def test_it_is_trained_all_but_the_encoder(encoder, picture):
    torch.manual_seed(0)
    network = liu_2021.network(weights=None)
    before = network.encoder.segments[0][1].weight.clone()
    images = torch.cat([picture(seed, 32, 32, torch.float32) for seed in range(2)])
    options = {**liu_2021.training(num_steps=2), "crop_size": 32, "batch_size": 2}
    criterion = liu_2021.criterion(encoder, layers="relu2_1", local_layers="relu2_1")
    assert isinstance(criterion.encoder, HypercolumnEncoder)
    result = train(network, criterion, contents=images, styles=images.flip(0), **options)
    assert (result.stop_reason, result.skipped) == ("finished", 0)
    assert torch.equal(network.encoder.segments[0][1].weight, before)
    assert all(not name.startswith("encoder") for name in network.state_dict())
