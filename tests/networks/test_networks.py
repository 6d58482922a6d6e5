"""The networks and their parts against hand-made answers and torch's own layers."""

import pytest
import torch
import torch.nn.functional as F

from pystyle.encoders import vgg19
from pystyle.evaluation import fastest_precision
from pystyle.networks import (
    AnyStyleNetwork,
    Convolution,
    InstanceNormalization,
    ResizeConvolution,
    TransformNetwork,
    instance_normalization,
)
from pystyle.networks._any_style_network import _recolored
from pystyle.networks._feature_moments import feature_moments, transport_map

IMAGE = torch.rand(2, 3, 24, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("width", "count", "style"), [(32, 1_679_235, 3200), (16, 424_899, 1600), (8, 108_771, 800)]
)
def test_the_transform_network_has_the_published_size(width, count, style):
    def parameters(**options):
        return sum(parameter.numel() for parameter in TransformNetwork(width=width, **options).parameters())

    assert parameters() == count
    assert parameters(styles=["a", "b", "c"]) == count + 2 * style


def test_the_transform_network_is_that_of_the_literature():
    torch.manual_seed(0)
    network = TransformNetwork(width=3)
    with torch.no_grad():
        network.codes.add_(torch.randn(network.codes.shape))

    scales, shifts = network.codes[0]
    at = 0

    def normalized(x):
        nonlocal at
        part = slice(at, at + x.shape[1])
        at += x.shape[1]
        return F.instance_norm(x, weight=scales[part], bias=shifts[part])

    def layer(module, x):
        edge = module.weight.shape[-1] // 2
        return F.conv2d(F.pad(x, (edge,) * 4, mode="replicate"), module.weight, module.bias, module.stride)

    x = IMAGE * 2 - 1
    for module in network.down:
        x = normalized(layer(module, x)).relu()
    for index in range(5):
        inner = normalized(layer(network.blocks[2 * index], x)).relu()
        x = x + normalized(layer(network.blocks[2 * index + 1], inner))
    for module in network.up:
        x = normalized(layer(module, x.repeat_interleave(2, 2).repeat_interleave(2, 3))).relu()
    expected = layer(network.output, x).sigmoid()
    assert at == 1600 * 3 // 32
    assert torch.allclose(network(IMAGE, network.named_code("style")), expected, atol=1e-5)


def test_instance_normalization_is_that_of_torch():
    features = torch.randn(2, 5, 4, 6)
    scale, shift = torch.randn(2, 1, 5)
    expected = F.instance_norm(features, weight=scale[0], bias=shift[0])
    assert torch.allclose(instance_normalization(features, scale, shift), expected, atol=1e-5)
    assert torch.allclose(instance_normalization(features), F.instance_norm(features), atol=1e-5)


def test_instance_normalization_in_half_precision_has_the_statistics_of_single():
    features = (torch.randn(1, 3, 64, 64) + 200).to(torch.bfloat16)
    expected = instance_normalization(features.float())
    assert (instance_normalization(features).float() - expected).abs().max() < 0.05


def test_a_flat_channel_becomes_the_shift():
    normalized = instance_normalization(torch.full((1, 2, 4, 4), 7.0), shift=torch.tensor([[1.0, -2.0]]))
    assert torch.equal(normalized[0, :, 0, 0], torch.tensor([1.0, -2.0]))


def test_convolutions_repeat_the_border():
    layer = Convolution(1, 1, 3)
    with torch.no_grad():
        layer.weight.fill_(1 / 9)
        layer.bias.zero_()
    assert torch.allclose(layer(torch.full((1, 1, 3, 3), 0.5)), torch.full((1, 1, 3, 3), 0.5))
    assert Convolution(1, 1, 3.0).kernel_size == (3, 3)
    with pytest.raises(ValueError, match="`kernel_size` must be odd"):
        Convolution(1, 1, 4)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_a_resize_convolution_is_a_convolution_of_enlarged_features(mode):
    layer = ResizeConvolution(3, 4, mode=mode).double()
    features = torch.randn(2, 3, 5, 7, dtype=torch.float64)
    weight, bias = layer.weight, layer.bias
    enlarged = F.interpolate(features, scale_factor=2, mode=mode)
    expected = F.conv2d(F.pad(enlarged, (1, 1, 1, 1), mode="replicate"), weight, bias)
    assert torch.allclose(layer(features), expected, atol=1e-12)
    gradients = [
        torch.autograd.grad(found.square().sum(), weight)[0] for found in (layer(features), expected)
    ]
    assert torch.allclose(*gradients, atol=1e-9)


def test_a_resize_convolution_has_no_checkerboard():
    for mode in ("nearest", "bilinear"):
        picture = ResizeConvolution(2, 1, mode=mode)(torch.ones(1, 2, 6, 6))
        assert (picture - picture.mean()).abs().max() < 1e-6
    with pytest.raises(ValueError, match="`mode` must be one of"):
        ResizeConvolution(2, 1, mode="bicubic")


def floored(covariance):
    """With a thousandth of the mean variance on top of all."""
    mean = covariance.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
    return covariance + 1e-3 * mean * torch.eye(covariance.shape[1], dtype=covariance.dtype)


class TestTransportMap:
    def test_it_gives_one_covariance_to_the_other_and_is_symmetric(self):
        generator = torch.Generator().manual_seed(0)
        roots = torch.randn(2, 5, 8, 8, generator=generator, dtype=torch.float64)
        covariance, target = roots @ roots.mT / 8
        matrix = transport_map(covariance, target)
        assert torch.allclose(matrix, matrix.mT)
        assert torch.allclose(matrix @ floored(covariance) @ matrix, floored(target))

    def test_of_equals_it_is_the_identity(self):
        covariance = torch.diag(torch.tensor([4.0, 1.0, 0.0, 0.0]))[None]
        assert torch.allclose(transport_map(covariance, covariance)[0], torch.eye(4), atol=1e-5)

    def test_what_does_not_vary_is_not_enlarged_without_bounds(self):
        flat = torch.diag(torch.tensor([4.0, 0.0, 0.0, 0.0]))[None]
        matrix = transport_map(flat, torch.eye(4)[None])
        # Of the mean variances, 1 and 1, a thousandth is added.
        expected = [(1.001 / 4.001) ** 0.5, *[(1.001 / 0.001) ** 0.5] * 3]
        assert matrix[0].diagonal().tolist() == pytest.approx(expected, rel=1e-3)

    def test_moments_are_those_of_all_positions(self):
        features = torch.randn(2, 3, 7, 9, generator=torch.Generator().manual_seed(0)) + 5
        mean, covariance = feature_moments(features)
        for index in range(2):
            rows = features[index].flatten(1)
            assert torch.allclose(mean[index], rows.mean(1))
            assert torch.allclose(covariance[index], rows.cov(correction=0), atol=1e-5)


class TestAnyStyleNetwork:
    @pytest.mark.parametrize("features", [pytest.param("vgg19", marks=pytest.mark.slow), "light"])
    @pytest.mark.parametrize("size", [(64, 48), (61, 45)])
    def test_bands_have_the_picture_and_the_code_of_the_whole(self, size, features, monkeypatch):
        torch.manual_seed(0)
        network = AnyStyleNetwork(width=3, features=features).double().eval()
        image = torch.rand(2, 3, *size).double()
        content = torch.rand(2, 3, 64, 48).double()
        whole = network.represent_style(image)
        picture = network(content, whole)
        for module in ("_bands", "_feature_decoder"):
            monkeypatch.setattr(f"pystyle.networks.{module}._NUMBERS", 4 * 12 * 32)
        for block in (2**25, 20 * 48 * 32):
            # With the small ones no map of features is kept.
            monkeypatch.setattr("pystyle.networks._any_style_network._BLOCK", block)
            with torch.no_grad():
                code = network.represent_style(image)
                for found, expected in zip(code, whole, strict=True):
                    # A covariance is a difference of sums, which end in other digits in parts.
                    assert torch.allclose(found, expected, atol=1e-14 * float(expected.abs().max()))
                assert torch.allclose(network(content, whole), picture, rtol=0, atol=1e-10)

    def test_light_features_are_learned_by_contents_and_by_styles(self):
        network = AnyStyleNetwork(width=3, features="light")
        torch.nn.init.normal_(network.modulation.layers.weight, std=0.1)
        for style in (IMAGE[:1], torch.full_like(IMAGE[:1], 0.6)):
            picture = network(IMAGE[1:], network.represent_style(style))
            gradients = torch.autograd.grad(picture.square().mean(), list(network.encoder.parameters()))
            assert all(torch.isfinite(gradient).all() and gradient.any() for gradient in gradients)

    def test_with_light_features_it_is_all_that_it_needs(self, tmp_path, monkeypatch):
        network = AnyStyleNetwork(width=16, features="light").eval()
        assert sum(parameter.numel() for parameter in network.parameters()) == 451_812
        network.save(tmp_path / "network.safetensors")
        monkeypatch.setattr("pystyle.networks._vgg_features.vgg19", None)
        again = AnyStyleNetwork.load(tmp_path / "network.safetensors")
        paint, other = network.bind(IMAGE[:1]), again.bind(IMAGE[:1])
        assert torch.equal(other(IMAGE), paint(IMAGE))
        with pytest.raises(ValueError, match=r"`features` must be one of .*, got 'vgg16'"):
            AnyStyleNetwork(features="vgg16")

    def test_content_and_picture_get_the_colours_of_the_style(self, monkeypatch):
        network, seen = AnyStyleNetwork(width=2).eval(), []
        features = network.encoder.forward
        monkeypatch.setattr(network.encoder, "forward", lambda image: seen.append(image) or features(image))
        style = 0.45 + 0.1 * IMAGE[:1].flip(3)
        picture = network(IMAGE[1:], network.represent_style(style))
        for image in (seen[-1], picture):
            assert torch.allclose(image.mean((2, 3)), style.mean((2, 3)), atol=1e-4)
            assert torch.allclose(image.flatten(2)[0].cov(), style.flatten(2)[0].cov(), rtol=0.01, atol=1e-5)

    def test_in_a_training_the_picture_is_that_of_the_decoder(self, monkeypatch):
        network, seen = AnyStyleNetwork(width=2).train(), []
        decoder = network.decoder.forward
        monkeypatch.setattr(network.decoder, "forward", lambda *maps: seen.append(decoder(*maps)) or seen[-1])
        assert torch.equal(network(IMAGE[1:], network.represent_style(IMAGE[:1])), seen[0])

    def test_the_decoder_gets_centred_features_with_the_covariance_of_the_style(self, monkeypatch):
        network, seen = AnyStyleNetwork(width=2), []
        torch.nn.init.zeros_(network.coarse_mixture)
        torch.nn.init.zeros_(network.fine_mixture)
        decoder = network.decoder.forward
        monkeypatch.setattr(network.decoder, "forward", lambda *maps: seen.append(maps) or decoder(*maps))
        image = torch.rand(2, 3, 160, 160, generator=torch.Generator().manual_seed(0))
        code = network.represent_style(image[:1])
        network(image[1:], code)
        coarse, fine, colors, *_ = seen[0]
        for features, covariance in ((coarse, code.coarse_covariance), (fine, code.fine_covariance)):
            rows = features[0].flatten(1).T
            assert rows.mean(0).abs().max() < 1e-3
            assert (rows.T.cov(correction=0) - covariance[0]).norm() < 0.02 * covariance[0].norm()
        # The colours are those of the content with the moments of those of the style.
        assert torch.allclose(colors, 2 * _recolored(image[1:], code).clamp(0, 1) - 1, atol=1e-6)

    def test_it_sees_relu2_1_and_relu3_1_of_vgg19(self):
        image = torch.rand(2, 3, 33, 40, generator=torch.Generator().manual_seed(1))
        encoder = vgg19(weights="caffe_normalized", padding="replicate", ceil_mode=True)
        fine, coarse = AnyStyleNetwork(width=1).encoder(image)
        assert (fine.shape, coarse.shape) == ((2, 128, 17, 20), (2, 256, 9, 10))
        features = encoder(image, ["relu2_1", "relu3_1"])
        assert torch.allclose(fine, features["relu2_1"], atol=1e-6)
        assert torch.allclose(coarse, features["relu3_1"], atol=1e-6)

    def test_what_it_sees_through_is_neither_trained_nor_saved(self):
        network = AnyStyleNetwork(width=1)
        trained = {name for name, _ in network.named_parameters()}
        assert not any(name.startswith("encoder") for name in (*trained, *network.state_dict()))
        # Three channels of colours and three of noise at each size. A quarter: 256 of features to 4, three
        # residual blocks, 4 to 2. A half: 2 and 128 of features to 2, a residual block, 2 to 1. The full
        # size: 1 to 1, and 1 without noise to 3.
        kernels = 9 * (262 * 4 + 3 * 2 * 4 * 4 + 4 * 2 + 136 * 2 + 2 * 2 * 2 + 2 * 1 + 7 * 1 + 4 * 3)
        biases = 7 * 4 + 2 + 3 * 2 + 1 + 1 + 3
        # From means and deviations of colours and features to 32, and to scales and shifts of five layers.
        modulation = (2 * (3 + 128 + 256) + 1) * 32 + (32 + 1) * 2 * (4 + 2 + 2 + 1 + 1)
        noise = (256 + 128) * 8
        numbers = sum(parameter.numel() for parameter in network.parameters())
        assert numbers == kernels + biases + modulation + noise
        assert network.double().encoder.encoder.segments[0][1].weight.dtype == torch.float64

    @pytest.mark.parametrize("index", [0, 1], ids=["coarse", "fine"])
    def test_noise_is_added_as_much_as_the_style_varies(self, index):
        network, seen = AnyStyleNetwork(width=1).eval(), []
        network.decoder.register_forward_pre_hook(lambda _, maps: seen.append(maps[index]))
        code = network.represent_style(IMAGE[:1])
        content = torch.rand(1, 3, 24, 80, generator=torch.Generator().manual_seed(0))
        for fill in (torch.nn.init.zeros_, torch.nn.init.ones_):
            fill((network.coarse_mixture, network.fine_mixture)[index])
            network(content, code)
        added = (seen[1] - seen[0])[0]
        noise = network.noise.smooth((1, *seen[0].shape[2:]))[0].sum(0)
        deviation = (code.coarse_covariance, code.fine_covariance)[index][0].diagonal().sqrt()
        assert torch.allclose(added, noise * deviation[:, None, None], atol=1e-3)

    def test_the_decoder_gets_noise_in_the_colours_of_the_style(self):
        network, seen = AnyStyleNetwork(width=1).eval(), []
        network.decoder.register_forward_pre_hook(lambda _, maps: seen.append(maps[3]))
        code = network.represent_style(IMAGE[:1])
        network(torch.rand(1, 3, 256, 256), code)
        found, wanted = seen[0].flatten(2)[0].cov(), code.color_covariance[0]
        assert (found - wanted).norm() < 0.05 * wanted.norm()

    def test_noise_is_another_in_each_step_of_a_training_and_the_same_in_each_picture(self):
        network, image = AnyStyleNetwork(width=1), IMAGE[:1]
        code = network.represent_style(image)
        torch.manual_seed(0)
        assert not torch.equal(network(image, code), network(image, code))
        torch.manual_seed(0)
        paint = network.bind(image)
        assert torch.equal(paint(image), paint(image))
        assert network.training
        assert network.decoder.training

    def test_half_precision_gives_nearly_the_same_picture(self):
        torch.manual_seed(0)
        network = AnyStyleNetwork(width=4).eval()
        image = F.interpolate(torch.rand(2, 3, 12, 12), scale_factor=8, mode="bilinear")
        half, full = (network.bind(image[:1], precision=name)(image[1:]) for name in ("bfloat16", "float32"))
        assert half.dtype == torch.float32
        assert not torch.equal(half, full)
        assert (half - full).abs().mean() < 0.02
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(network.bind(image[:1])(image[1:]), half)
        automatic = network.bind(image[:1], precision="auto")(image[1:])
        assert torch.equal(automatic, half if fastest_precision("cpu") == "bfloat16" else full)
        with pytest.raises(ValueError, match="`precision` must be one of"):
            network.bind(image[:1], precision="half")

    @pytest.mark.parametrize("seed", [0, 1])
    def test_images_of_one_colour_are_painted_in_colours_of_the_style(self, seed):
        torch.manual_seed(seed)
        network = AnyStyleNetwork(width=2).eval()
        flat, varied = torch.full((1, 3, 40, 40), 0.5), torch.rand(1, 3, 40, 40)
        for content, style in ((flat, varied), (varied, flat), (flat, flat)):
            picture = network.bind(style)(content)
            assert picture.isfinite().all()
            assert (picture.mean((2, 3)) - style.mean((2, 3))).abs().max() < 0.05

    def test_in_float64_it_computes_in_float64(self):
        torch.manual_seed(0)
        network = AnyStyleNetwork(width=2).double()
        batch = network.bind(IMAGE[:1].double())(IMAGE.double())
        singles = [network.bind(IMAGE[:1].double())(image[None].double()) for image in IMAGE]
        assert batch.dtype == torch.float64
        assert torch.allclose(batch, torch.cat(singles), atol=1e-9, rtol=0)

    def test_the_code_does_not_depend_on_where_the_style_lies(self):
        network = AnyStyleNetwork(width=2)
        tile = IMAGE[:1, :, :16, :16]
        once, mirrored = network.represent_style(tile), network.represent_style(tile.flip(3))
        assert torch.allclose(once.color_mean, mirrored.color_mean, atol=1e-6)
        assert torch.allclose(once.color_covariance, mirrored.color_covariance, atol=1e-6)


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(lambda: TransformNetwork(width=2), id="transform"),
        pytest.param(lambda: AnyStyleNetwork(width=2), id="vgg19", marks=pytest.mark.slow),
        pytest.param(lambda: AnyStyleNetwork(width=2, features="light"), id="light"),
    ],
)
def test_a_network_is_compiled_whole(network, monkeypatch):
    monkeypatch.setattr("pystyle.networks._bands._NUMBERS", 2**12)  # Several bands.
    network = network().eval()
    compiled = torch.compile(network, backend="eager", fullgraph=True, dynamic=False)
    with torch.no_grad():
        code = network.named_code("style") if network.styles else network.represent_style(IMAGE[1:])
        assert torch.allclose(compiled(IMAGE, code), network(IMAGE, code), atol=1e-6)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_instance_normalization_is_exact_where_channels_lie_far_from_zero_and_positions_are_many(layout):
    features = 10 + torch.randn(1, 4, 512, 512, generator=torch.Generator().manual_seed(0)).double()
    wanted = torch.nn.functional.instance_norm(features.float().double())
    layer = InstanceNormalization(4, affine=True)
    found = layer(features.float().contiguous(memory_format=layout)).detach()
    # Ten times the distance between numbers of float32 at 10.
    assert float((found - wanted).abs().max()) < 1e-5
    assert torch.equal(layer(torch.ones(2, 4, 1, 1)), torch.zeros(2, 4, 1, 1))
