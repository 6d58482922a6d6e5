"""StyTr2 against torch's own transformers and the losses, written out."""

import pytest
import torch
import torch.nn.functional as F

from pystyle.papers import deng_2022
from pystyle.testing import check_stylizer
from pystyle.training import train

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
SMALL = {"width": 64, "heads": 4, "layers": 2, "inner": 24}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = deng_2022.network(**SMALL).double().eval()
    with torch.no_grad():
        # At the start patches differ little, and pictures less.
        for layer in (network.embedding, *network.decoder.convolutions):
            layer.weight.mul_(3)
    return network


def multihead(attention):
    """The layer of torch with the same weights."""
    parts = (attention.queries, attention.keys, attention.values)
    width = parts[0].in_features
    theirs = torch.nn.MultiheadAttention(width, attention.heads, batch_first=True).double().eval()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        theirs.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
        theirs.out_proj.load_state_dict(attention.output.state_dict())
    return lambda queries, keys, values: theirs(queries, keys, values)[0]


def shaken(layer):
    """With other biases and norms than those of the start."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return layer.double().eval()


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_network_has_the_parameters_of_the_code():
    network = deng_2022.network()
    assert count(network) == 35_394_115
    assert count(network.embedding) == 98_816
    assert count(network.decoder) == 3_505_219
    assert count(network) - count(network.embedding) - count(network.decoder) == 31_790_080
    assert [len(part) for part in (network.content_layers, network.style_layers)] == [3, 3]
    assert network.content_layers[0].attention.heads == 8


def test_weights_start_as_in_the_code():
    attention = deng_2022.EncoderLayer(64, heads=4, inner=32).attention
    # Xavier's, over the matrix of queries, keys and values; and that behind them.
    for layer, bound in (
        (attention.queries, (6 / (64 + 3 * 64)) ** 0.5),
        (attention.output, (6 / 128) ** 0.5),
    ):
        largest = float(layer.weight.detach().abs().max())
        assert 0.98 * bound < largest <= bound
        assert not layer.bias.any()


def test_a_layer_of_the_encoder_is_that_of_torch():
    layer = shaken(deng_2022.EncoderLayer(16, heads=2, inner=24))
    theirs = torch.nn.TransformerEncoderLayer(16, 2, 24, batch_first=True).double()
    attention = layer.attention
    parts = (attention.queries, attention.keys, attention.values)
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        theirs.self_attn.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
        theirs.self_attn.out_proj.load_state_dict(attention.output.state_dict())
        theirs.linear1.load_state_dict(layer.feed_forward[0].state_dict())
        theirs.linear2.load_state_dict(layer.feed_forward[3].state_dict())
        theirs.norm1.load_state_dict(layer.norms[0].state_dict())
        theirs.norm2.load_state_dict(layer.norms[1].state_dict())
        patches = torch.rand(2, 7, 16).double()
        torch.testing.assert_close(layer(patches), theirs.eval()(patches))


def behind(norm, x):
    return F.layer_norm(x, x.shape[-1:], norm.weight, norm.bias)


def fed(layer, x):
    first, _, _, last = layer.feed_forward
    return F.linear(F.relu(F.linear(x, first.weight, first.bias)), last.weight, last.bias)


def test_positions_are_added_to_queries_and_keys_alone():
    layer = shaken(deng_2022.EncoderLayer(16, heads=2, inner=24))
    patches, positions = torch.rand(2, 2, 7, 16).double().unbind()
    placed = patches + positions
    with torch.no_grad():
        x = behind(layer.norms[0], patches + multihead(layer.attention)(placed, placed, patches))
        expected = behind(layer.norms[1], x + fed(layer, x))
        torch.testing.assert_close(layer(patches, positions), expected)


def test_both_attentions_of_the_decoder_look_at_the_style():
    layer = shaken(deng_2022.StylizingLayer(16, heads=2, inner=24))
    patches, positions = torch.rand(2, 2, 7, 16).double().unbind()
    style = torch.rand(2, 5, 16).double()
    with torch.no_grad():
        x = patches
        for attention, norm in ((layer.attentions[0], layer.norms[0]), (layer.attentions[1], layer.norms[1])):
            x = behind(norm, x + multihead(attention)(x + positions, style, style))
        expected = behind(layer.norms[2], x + fed(layer, x))
        torch.testing.assert_close(layer(patches, positions, style), expected)


def test_a_style_of_a_single_patch_gives_its_value_to_all_positions():
    layer = shaken(deng_2022.StylizingLayer(16, heads=2, inner=24))
    patches, positions = torch.rand(2, 1, 7, 16).double().unbind()
    style = torch.rand(1, 1, 16).double()
    with torch.no_grad():
        for attention in layer.attentions:
            value = F.linear(style, attention.values.weight, attention.values.bias)
            value = F.linear(value, attention.output.weight, attention.output.bias)
            found = attention(patches + positions, style, style)
            torch.testing.assert_close(found, value.expand(1, 7, 16))


def test_positions_are_those_of_18_x_18_parts_of_the_content():
    positions = deng_2022.ContentAwarePositions(4).double()

    def convolved(x):
        return F.conv2d(x, positions.convolution.weight, positions.convolution.bias)

    embedded = torch.rand(1, 4, 18, 18).double()
    with torch.no_grad():
        torch.testing.assert_close(positions(embedded), convolved(embedded))
        # Twice as tall: means of two rows, between which three quarters and one quarter are mixed.
        tall = torch.rand(1, 4, 36, 18).double()
        small = convolved((tall[:, :, ::2] + tall[:, :, 1::2]) / 2)
        found = positions(tall)
        torch.testing.assert_close(found[:, :, 0], small[:, :, 0])
        torch.testing.assert_close(found[:, :, 1], 0.75 * small[:, :, 0] + 0.25 * small[:, :, 1])
        torch.testing.assert_close(found[:, :, 2], 0.25 * small[:, :, 0] + 0.75 * small[:, :, 1])


def test_positions_do_not_depend_on_the_size_of_the_picture():
    positions = deng_2022.ContentAwarePositions(2).double()

    def slope(height, width):
        """Something that grows from left to right, and something that grows downwards."""
        down = (torch.arange(height).double() + 0.5) / height
        right = (torch.arange(width).double() + 0.5) / width
        return torch.stack([down[:, None].expand(height, width), right.expand(height, width)])[None]

    with torch.no_grad():
        small, large = positions(slope(36, 54)), positions(slope(72, 108))
        inside = (..., slice(2, -2), slice(2, -2))
        torch.testing.assert_close(F.avg_pool2d(large, 2)[inside], small[inside])
    assert float(small[inside].std()) > 0.05


def stylized(network, content, style):
    """Patches of the content that have looked at those of the style, in rows and columns."""
    embedded, seen = network.embedding(content), network.embedding(style)
    positions, patches = (x.flatten(2).transpose(1, 2) for x in (network.positions(embedded), embedded))
    seen = seen.flatten(2).transpose(1, 2)
    for layer in network.style_layers:
        seen = layer(seen)
    for layer in network.content_layers:
        patches = layer(patches, positions)
    for layer in network.stylizing_layers:
        patches = layer(patches, positions, seen)
    return behind(network.norm, patches).transpose(1, 2).reshape(embedded.shape)


@pytest.mark.parametrize("size", [(16, 16), (16, 80), (72, 24)])
def test_content_and_style_have_any_sizes_each_its_own(network, picture, size):
    content, style = picture(0, *size), picture(1, 40, 28)
    with torch.no_grad():
        expected = network.decoder(stylized(network, content, style))
        found = network(content, network.represent_style(style))
    assert found.shape == content.shape
    assert float(found.std(dim=(2, 3)).min()) > 1e-3
    torch.testing.assert_close(found, expected)


def test_a_patch_is_8_x_8_pixels(network, picture):
    style = picture(1, 40, 28)
    shares, patches = network.represent_style(style)
    assert (shares.shape, patches.shape) == ((1, 1), (1, 5 * 3, 64))
    # What is left of a side is not looked at.
    assert torch.equal(network.represent_style(style[..., :24])[1], patches)


def test_styles_of_different_sizes_blend_as_features(network, picture):
    content, one, other = picture(0), picture(1, 32, 48), picture(2, 48, 24)
    with torch.no_grad():
        mean = 0.3 * stylized(network, content, one) + 0.7 * stylized(network, content, other)
        expected = network.decoder(mean).clamp(0, 1)
    assert float(expected.std(dim=(2, 3)).min()) > 1e-4
    torch.testing.assert_close(network.bind([(one, 0.3), (other, 0.7)])(content), expected)


def test_dropout_is_for_trainings(picture):
    torch.manual_seed(0)
    network = deng_2022.network(**SMALL)
    content, code = picture(0, dtype=torch.float32), network.eval().represent_style(picture(1).float())
    with torch.no_grad():
        assert torch.equal(network(content, code), network(content, code))
        network.train()
        assert not torch.equal(network(content, code), network(content, code))
        still = deng_2022.network(**SMALL, dropout=0.0).train()
        assert torch.equal(still(content, code), still(content, code))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"width": 12}, "`width` must be a multiple of 8, got 12"),
        ({"heads": 3}, "`width` must be a multiple of the 3 heads, got 64"),
        ({"layers": 0}, "`layers` must be"),
        ({"dropout": 1.0}, "`dropout` must be"),
    ],
)
def test_impossible_sizes_are_refused(arguments, text):
    with pytest.raises(ValueError, match=text):
        deng_2022.network(**{**SMALL, **arguments})


def normalized(features):
    mean = features.mean((2, 3), keepdim=True)
    return (features - mean) / (features.var((2, 3), correction=0, keepdim=True) + 1e-5).sqrt()


@pytest.mark.parametrize(("variant", "weights"), [("paper", (10, 7)), ("code", (7, 10))])
def test_the_losses_in_another_style_are_those_of_the_variant(
    exact_encoder, picture, check_formula, variant, weights
):
    content, style, image = picture(0), picture(1, 48, 40), picture(2)
    criterion = deng_2022.criterion(exact_encoder, variant=variant)
    with torch.no_grad():
        wanted, other = exact_encoder(content, STYLE_LAYERS), exact_encoder(style, STYLE_LAYERS)

    def formula(image):
        found = exact_encoder(image, STYLE_LAYERS)
        loss = weights[0] * sum(
            ((normalized(found[layer]) - normalized(wanted[layer])) ** 2).mean()
            for layer in ("relu4_1", "relu5_1")
        )
        for layer in STYLE_LAYERS:
            own, target = found[layer][0].flatten(1), other[layer][0].flatten(1)
            loss = loss + weights[1] * ((own.mean(1) - target.mean(1)) ** 2).mean()
            stds = [(x.var(1, correction=0) + 1e-6).sqrt() for x in (own, target)]
            loss = loss + weights[1] * ((stds[0] - stds[1]) ** 2).mean()
        return loss

    check_formula(criterion, {"content": content, "style": style}, image, formula)


@pytest.mark.parametrize(("variant", "weight"), [("paper", 50), ("code", 70)])
def test_the_losses_in_the_own_style_are_those_of_the_variant(
    exact_encoder, picture, check_formula, variant, weight
):
    content, image = picture(0), picture(2)
    with torch.no_grad():
        wanted = exact_encoder(content, STYLE_LAYERS)

    def formula(image):
        found = exact_encoder(image, STYLE_LAYERS)
        features = sum(((found[layer] - wanted[layer]) ** 2).mean() for layer in STYLE_LAYERS)
        return weight * ((image - content) ** 2).mean() + features

    criterion = deng_2022.identity_criterion(exact_encoder, variant=variant)
    check_formula(criterion, {"content": content}, image, formula)


def test_an_unknown_variant_is_refused(encoder):
    for make in (deng_2022.criterion, deng_2022.identity_criterion):
        with pytest.raises(ValueError, match="`variant` must be 'paper' or 'code', got 'lua'"):
            make(encoder, variant="lua")


def test_the_learning_rate_is_that_of_the_code():
    options = deng_2022.training()
    schedule, rate = options["learning_rate"], options["optimizer"].keywords["lr"]
    for step in (0, 1, 9_999):
        assert rate * schedule(step / 160_000) == pytest.approx(5e-4 * 0.1 * (1 + 3e-4 * step))
    for step in (10_000, 10_001, 159_999):
        assert rate * schedule(step / 160_000) == pytest.approx(2e-4 / (1 + 1e-5 * (step - 1e4)))
    short = deng_2022.training(num_steps=100)["learning_rate"]
    assert short(1.0) == pytest.approx(0.25 * (1 + 3e-4 * 100))


def test_it_keeps_the_promises_of_a_stylizer():
    torch.manual_seed(0)
    check_stylizer(deng_2022.network(**SMALL))


def test_steps_in_another_style_and_in_the_own_one_take_turns(encoder, picture, tmp_path):
    torch.manual_seed(0)
    network = deng_2022.network(**SMALL)
    layers = ("relu1_1", "relu2_1")
    both, phases = deng_2022.alternating(
        deng_2022.criterion(encoder, content_layers="relu2_1", style_layers=layers),
        deng_2022.identity_criterion(encoder, layers=layers),
        num_steps=2,
        crop_size=32,
        block=1,
    )
    images = torch.cat([picture(seed, 32, 32, torch.float32) for seed in range(4)])
    data = {"contents": images, "styles": images.flip(0), "phases": phases}
    result = train(network, both, **data, **{**deng_2022.training(num_steps=2), "batch_size": 2})
    assert (result.stop_reason, result.skipped) == ("finished", 0)
    network.save(tmp_path / "transformer.safetensors")
    again = deng_2022.StyTr2Network.load(tmp_path / "transformer.safetensors")
    assert again.configuration == {**SMALL, "dropout": 0.1}
