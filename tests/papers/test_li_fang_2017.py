"""WCT against the equations of the paper and the script of its authors, written out."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pystyle import MaskedImage
from pystyle.papers import li_fang_2017
from pystyle.papers.li_fang_2017 import Reconstruction
from pystyle.testing import check_stylizer
from pystyle.training import train

PARAMETERS = {1: 1_731, 2: 112_451, 3: 555_075, 4: 3_505_219, 5: 12_944_451}


def power(matrix, exponent):
    values, vectors = np.linalg.eigh(matrix)
    kept = values >= 1e-5
    return vectors[:, kept] @ np.diag(values[kept] ** exponent) @ vectors[:, kept].T


def wct(content, style):
    """The two equations, for features of one image each."""
    shape = content.shape
    content, style = (x[0].flatten(1).numpy() for x in (content, style))
    whitened = power(np.cov(content), -0.5) @ (content - content.mean(1, keepdims=True))
    colored = power(np.cov(style), 0.5) @ whitened + style.mean(1, keepdims=True)
    return torch.from_numpy(colored).reshape(shape)


def unit(network, level, image):
    """The encoder of a level, by the layers of torch."""
    layers = list(network.encoder.segments[: sorted(network.levels).index(level) + 1])
    for segment in layers:
        for layer in segment:
            if hasattr(layer, "weight"):
                image = F.conv2d(F.pad(image, (1,) * 4, mode="reflect"), layer.weight, layer.bias)
            else:
                image = layer(image)
    return image


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return li_fang_2017.network(levels=(2, 1), weights=None).double().eval()


@pytest.fixture(scope="module")
def inputs(picture):
    return picture(0), picture(1, 64, 80)


def test_the_decoders_are_those_of_the_authors_and_all_of_them_paint():
    network = li_fang_2017.network(weights=None)
    assert network.levels == (5, 4, 3, 2, 1)
    assert network.alpha == 0.6
    sizes = [sum(weight.numel() for weight in decoder.parameters()) for decoder in network.decoders]
    assert sizes == [PARAMETERS[level] for level in network.levels]
    assert sum(weight.numel() for weight in network.parameters()) == sum(sizes)
    assert network.encoder.channels == [64, 128, 256, 512, 512]
    assert [len(decoder.convolutions) for decoder in network.decoders] == [13, 9, 5, 3, 1]
    content = torch.rand(1, 3, 32, 48)
    painted = network.bind(torch.rand(1, 3, 37, 41))(content)
    assert painted.shape == content.shape
    assert bool(painted.isfinite().all())


def test_features_that_are_decoded_have_the_covariance_of_the_style(picture):
    torch.manual_seed(0)
    network = li_fang_2017.network(levels=(1,), alpha=1.0, weights=None).double()
    content, style = picture(0, 64, 64), picture(1, 80, 64)
    seen = []
    network.decoders[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        network(content, network.represent_style(style))
        own = network.features(content, 1)[0].flatten(1)
        wanted = network.features(style, 1)[0].flatten(1)
    # In the directions in which the content varies at all.
    values, vectors = torch.linalg.eigh(own.cov())
    inside = vectors[:, values >= 1e-5] @ vectors[:, values >= 1e-5].T
    root = torch.from_numpy(power(wanted.cov().numpy(), 0.5))
    torch.testing.assert_close(seen[0][0].flatten(1).cov(), root @ inside @ root, rtol=0, atol=1e-9)
    torch.testing.assert_close(seen[0][0].flatten(1).mean(1), wanted.mean(1))


def test_it_paints_level_by_level_with_alpha_at_each(network, inputs):
    content, style = inputs
    code = network.represent_style(style)
    with torch.no_grad():
        for strength in (1.0, 0.5):
            expected = content
            for level, decoder in zip((2, 1), network.decoders, strict=True):
                features = unit(network, level, expected)
                target = wct(features, unit(network, level, style))
                expected = decoder(0.6 * strength * target + (1 - 0.6 * strength) * features)
            torch.testing.assert_close(network.mixed(content, code, strength), expected, rtol=1e-7, atol=1e-8)
        assert torch.equal(network(content, code), network.mixed(content, code, 1.0))


def test_a_strength_of_0_is_what_the_decoders_make_of_the_content(network, inputs):
    content, style = inputs
    with torch.no_grad():
        first = network.decoders[0](unit(network, 2, content))
        expected = network.decoders[1](unit(network, 1, first))
        found = network.mixed(content, network.represent_style(style), 0.0)
    torch.testing.assert_close(found, expected)


def test_levels_are_painted_in_the_order_given(network, inputs):
    content, style = inputs
    other = li_fang_2017.network(levels=(1, 2), weights=None).double()
    for index in range(2):
        other.decoders[index].load_state_dict(network.decoders[1 - index].state_dict())
    with torch.no_grad():
        features = unit(other, 1, content)
        first = other.decoders[0](0.6 * wct(features, unit(other, 1, style)) + 0.4 * features)
        features = unit(other, 2, first)
        expected = other.decoders[1](0.6 * wct(features, unit(other, 2, style)) + 0.4 * features)
        found = other(content, other.represent_style(style))
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-8)


def test_a_blend_is_the_mean_of_the_transformed_features(picture):
    torch.manual_seed(0)
    network = li_fang_2017.network(levels=(2,), weights=None).double()
    content, one, other = picture(0), picture(1), picture(2)
    with torch.no_grad():
        features, *styles = (unit(network, 2, image) for image in (content, one, other))
        mean = 0.3 * wct(features, styles[0]) + 0.7 * wct(features, styles[1])
        expected = network.decoders[0](0.6 * mean + 0.4 * features).clamp(0, 1)
    torch.testing.assert_close(network.bind([(one, 0.3), (other, 0.7)])(content), expected)


@pytest.mark.parametrize(("level", "weight"), [(1, 1.0), (3, 0.5)])
def test_the_loss_is_the_sum_of_the_paper_for_one_pixel(exact_encoder, picture, check_formula, level, weight):
    content, image, layer = picture(0), picture(1), f"relu{level}_1"
    criterion = li_fang_2017.criterion(exact_encoder, level=level, feature_weight=weight)
    with torch.no_grad():
        wanted = exact_encoder(content, [layer])[layer]

    def formula(image):
        found = exact_encoder(image, [layer])[layer]
        loss = ((image - content) ** 2).sum() + weight * ((found - wanted) ** 2).sum()
        return loss / (32 * 48)

    check_formula(criterion, {"content": content}, image, formula)


def test_a_texture_is_noise_painted_three_times_with_all_of_the_style(picture):
    torch.manual_seed(0)
    network = li_fang_2017.network(levels=(1,), weights=None).double()
    style = picture(1, 40, 48)
    found = li_fang_2017.texture(network, style, size=(32, 64), seed=3)
    image = torch.rand(1, 3, 32, 64, generator=torch.Generator().manual_seed(3)).double()
    with torch.no_grad():
        for _ in range(3):
            image = network.decoders[0](wct(unit(network, 1, image), unit(network, 1, style)))
    torch.testing.assert_close(found, image.clamp(0, 1), rtol=1e-7, atol=1e-7)
    with pytest.raises(ValueError, match=r"`size` must be multiples of 16, at least 32, got \(32, 40\)"):
        li_fang_2017.texture(network, style, size=(32, 40))


def test_each_region_is_whitened_by_itself(picture):
    torch.manual_seed(0)
    network = li_fang_2017.network(levels=(2,), weights=None).double()
    content, styles = picture(0, 32, 64), {"left": picture(1), "right": picture(2)}
    left = torch.zeros(1, 1, 32, 64)
    left[..., :40] = 1
    seen = []
    network.decoders[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        li_fang_2017.regions(network, MaskedImage(content, {"left": left, "right": 1 - left}), styles)
        features = unit(network, 2, content)
        for part, name in ((slice(0, 20), "left"), (slice(20, 32), "right")):
            target = wct(features[..., part], unit(network, 2, styles[name]))
            expected = 0.6 * target + 0.4 * features[..., part]
            torch.testing.assert_close(seen[0][..., part], expected, rtol=1e-7, atol=1e-8)
    with pytest.raises(ValueError, match=r"`content` must have a mask for each of .* got none of 'sky'"):
        li_fang_2017.regions(network, MaskedImage(content, {"sea": left}), {"sky": picture(1)})


def test_swapped_patches_are_those_of_the_code(picture):
    torch.manual_seed(0)
    network = li_fang_2017.network(levels=(2,), alpha=1.0, weights=None).double()
    content, style = picture(0, 32, 48), picture(1, 36, 32)
    seen = []
    network.decoders[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        li_fang_2017.swapped(network, content, style)
        own, other = (unit(network, 2, image) for image in (content, style))
    whitened = []
    for features in (own, other):
        flat = features[0].flatten(1).numpy()
        white = power(np.cov(flat), -0.5) @ (flat - flat.mean(1, keepdims=True))
        whitened.append(white.reshape(features.shape[1:]))
    ours, theirs = whitened
    size = {name: array.shape[1:] for name, array in (("ours", ours), ("theirs", theirs))}
    total, count = np.zeros_like(ours), np.zeros(ours.shape[1:])
    places = [(y, x) for y in range(size["theirs"][0] - 2) for x in range(size["theirs"][1] - 2)]
    patches = np.stack([theirs[:, y : y + 3, x : x + 3] for y, x in places])
    units = patches / np.linalg.norm(patches.reshape(len(places), -1), axis=1)[:, None, None, None]
    for y in range(size["ours"][0] - 2):
        for x in range(size["ours"][1] - 2):
            best = (units * ours[:, y : y + 3, x : x + 3]).sum((1, 2, 3)).argmax()
            total[:, y : y + 3, x : x + 3] += patches[best]
            count[y : y + 3, x : x + 3] += 1
    flat = other[0].flatten(1).numpy()
    expected = power(np.cov(flat), 0.5) @ (total / count).reshape(128, -1) + flat.mean(1, keepdims=True)
    np.testing.assert_allclose(seen[0][0].flatten(1).numpy(), expected, rtol=1e-7, atol=1e-8)


def test_half_precision_is_for_the_decoders_alone(network, picture):
    single = li_fang_2017.network(levels=(2, 1), weights=None)
    content, style = (picture(seed, dtype=torch.float32) for seed in (0, 1))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        features, code = single.features(content, 2), single.represent_style(style)
        assert single.decoders[0](features).dtype == torch.bfloat16
        assert single(content, code).dtype == torch.bfloat16
    torch.testing.assert_close(features, single.features(content, 2))
    for found, expected in zip(code, single.represent_style(style), strict=True):
        torch.testing.assert_close(found, expected)
    assert network.features(content, 2).dtype == torch.float64


@pytest.mark.slow
def test_it_keeps_the_promises_of_a_stylizer():
    torch.manual_seed(0)
    check_stylizer(li_fang_2017.network(levels=(2, 1), weights=None))
    check_stylizer(Reconstruction(level=1, weights=None))


def test_levels_are_joined_without_drawing_a_number():
    parts = [Reconstruction(level=1, weights=None)]
    state = torch.get_rng_state()
    network = li_fang_2017.joined(parts)
    assert torch.equal(torch.get_rng_state(), state)
    found, expected = (part.state_dict() for part in (network.decoders[0], parts[0].decoder))
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_levels_are_trained_without_styles_and_joined(encoder, picture, tmp_path):
    torch.manual_seed(0)
    images = torch.cat([picture(seed, 32, 32, torch.float32) for seed in range(4)])
    options = {**li_fang_2017.training(num_steps=3), "crop_size": 32, "batch_size": 2}
    parts = []
    for level in (2, 1):
        part = Reconstruction(level=level, weights=None)
        before = part.decoder.convolutions[0].weight.clone()
        criterion = li_fang_2017.criterion(encoder, level=level)
        result = train(part, criterion, contents=images, styles=images, **options)
        assert result.stop_reason == "finished"
        assert not torch.equal(part.decoder.convolutions[0].weight, before)
        parts.append(part)
    network = li_fang_2017.joined(parts, alpha=0.4)
    with torch.no_grad():
        expected = parts[1](parts[0](images, torch.zeros(1, 1)), torch.zeros(1, 1))
        found = network.mixed(images, network.represent_style(images), 0.0)
    torch.testing.assert_close(found, expected)
    assert all(name.startswith("decoders.") for name in network.state_dict())
    network.save(tmp_path / "wct.safetensors")
    again = li_fang_2017.WCTNetwork.load(tmp_path / "wct.safetensors")
    assert (again.levels, again.alpha, again.weights) == ((2, 1), 0.4, None)


def test_training_makes_reconstructions_better(encoder, picture):
    torch.manual_seed(0)
    images = torch.cat([picture(seed, 32, 32, torch.float32) for seed in range(8)])
    part = Reconstruction(level=1, weights=None)
    criterion = li_fang_2017.criterion(encoder, level=1)
    options = {**li_fang_2017.training(num_steps=30), "crop_size": 32, "batch_size": 4}
    options["optimizer"] = torch.optim.Adam
    losses = train(part, criterion, contents=images, styles=images, **options).history["total"]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("level", [1, 2])
def test_the_last_convolution_is_solved_for(picture, level):
    torch.manual_seed(0)
    images = [picture(seed, 32, 48, torch.float32)[0] for seed in range(3)]
    random = Reconstruction(level=level, weights=None)
    part = li_fang_2017.least_squares(random, images)
    with torch.no_grad():
        differences = [part(image[None], None) - image for image in images]
    # The normal equations: no input of the convolution says anything about what is left.
    left = 0
    for image, difference in zip(images, differences, strict=True):
        hidden = part.decoder.hidden(part.encoder(image[None])[0])
        seen = F.unfold(F.pad(hidden, (1,) * 4, mode="reflect"), 3)[0]
        left = left + seen @ difference.flatten(2)[0].T
    assert left.abs().max() < 1e-3 * sum(seen.abs().sum() * one.abs().mean() for one in differences)
    worse = Reconstruction(level=level, weights=None)
    worse.load_state_dict(part.state_dict())
    with torch.no_grad():
        worse.decoder.convolutions[-1].weight += 1e-3 * torch.randn(3, 64, 3, 3)
        errors = [worse(image[None], None) - image for image in images]
    assert sum(one.square().sum() for one in differences) < sum(one.square().sum() for one in errors)


def test_the_learning_rate_is_that_of_the_port_whatever_the_number_of_steps():
    for num_steps in (1_000, 160_000):
        options = li_fang_2017.training(num_steps=num_steps)
        assert options["learning_rate"](0.5) == pytest.approx(1 / (1 + 5e-5 * num_steps / 2))
    assert options["optimizer"].keywords == {"lr": 1e-4}


def test_wrong_arguments_are_named():
    for levels in ((), (2, 2), (6,), (0, 1)):
        with pytest.raises(ValueError, match=r"`levels(.[0-9].)?` must be"):
            li_fang_2017.network(levels=levels, weights=None)
    with pytest.raises(ValueError, match="`alpha` must be"):
        li_fang_2017.network(levels=(1,), alpha=1.5, weights=None)
    with pytest.raises(ValueError, match="`level` must be"):
        Reconstruction(level=6, weights=None)
    with pytest.raises(ValueError, match="`level` must be"):
        li_fang_2017.criterion(level=0)
    one, other = Reconstruction(level=1, weights=None), Reconstruction(level=2, weights=None)
    other.weights = "caffe"
    with pytest.raises(ValueError, match="`parts` must see through the same weights"):
        li_fang_2017.joined([one, other])
    with pytest.raises(ValueError, match="`images` must have an image"):
        li_fang_2017.least_squares(one, [])
    for shape in ((1, 3, 40, 40), (1, 40, 40), (3, 40, 31)):
        with pytest.raises(ValueError, match="`images` must be RGB"):
            li_fang_2017.least_squares(one, [torch.rand(shape)])
    for parts in ([], [one, one]):
        with pytest.raises(ValueError, match="`parts` must be of different levels"):
            li_fang_2017.joined(parts)
