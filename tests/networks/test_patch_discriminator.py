"""A discriminator of patches: its size, what each score sees, and that it is the published one."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pystyle.networks import PatchDiscriminator


def test_it_has_the_published_number_of_weights():
    assert sum(p.numel() for p in PatchDiscriminator().parameters()) == 2_764_737
    # Without the biases of three layers, but with two numbers for each of their channels.
    batch = PatchDiscriminator(normalization="batch")
    assert sum(p.numel() for p in batch.parameters()) == 2_764_737 + 128 + 256 + 512
    assert batch.convolutions[1].bias is None
    assert batch.convolutions[0].bias is not None
    assert batch.convolutions[-1].bias is not None


def test_channels_double_up_to_eight_times_the_width():
    layers = PatchDiscriminator(6, width=2, num_layers=5).convolutions
    assert [layer.in_channels for layer in layers] == [6, 2, 4, 8, 16, 16, 16]
    assert [layer.stride[0] for layer in layers] == [2, 2, 2, 2, 2, 1, 1]


@pytest.mark.parametrize(
    ("num_layers", "side", "antialias"),
    [
        (1, 16, False), (2, 34, False), (3, 70, False), (4, 142, False), (5, 286, False),
        (1, 18, True), (2, 40, True), (3, 84, True),
    ],
)  # fmt: skip
def test_a_score_sees_a_patch_of_the_published_side(num_layers, side, antialias):
    """The gradient of one score reaches a square of this side, and nothing beyond it."""
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(
        1, width=1, num_layers=num_layers, normalization=None, antialias=antialias
    )
    for weight in discriminator.parameters():
        weight.data.abs_()
    image = torch.ones(1, 1, side + 40, side + 120, requires_grad=True)
    scores = discriminator(image)
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    rows, columns = image.grad[0, 0].nonzero(as_tuple=True)
    assert (len(rows.unique()), len(columns.unique())) == (side, side)
    assert len(rows) == side**2
    assert discriminator.receptive_field == side
    assert rows.min() >= 1
    assert rows.max() < side + 39


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("num_layers", [1, 2, 3, 4])
def test_the_smallest_image_has_one_score_and_a_smaller_one_is_refused(num_layers, antialias):
    discriminator = PatchDiscriminator(width=1, num_layers=num_layers, antialias=antialias)
    least = discriminator.smallest
    assert discriminator(torch.rand(1, 3, least, least)).shape == (1, 1, 1, 1)
    with pytest.raises(ValueError, match=rf"at least {least} pixels .*, got {least} x {least - 1}\."):
        discriminator(torch.rand(1, 3, least, least - 1))
    plain = PatchDiscriminator(width=1, num_layers=num_layers)
    with pytest.raises(RuntimeError):
        nn.Sequential(*plain.convolutions)(torch.rand(1, 3, least, least - 1))


@pytest.mark.parametrize("normalization", ["instance", "batch", None])
def test_it_is_the_published_network_of_images_from_minus_1_to_1(normalization):
    torch.manual_seed(0)
    found = PatchDiscriminator(width=3, num_layers=2, normalization=normalization)
    image = torch.rand(2, 3, 33, 40)
    features = 2 * image - 1
    for index, stride in enumerate([2, 2, 1, 1]):
        layer = found.convolutions[index]
        features = F.conv2d(F.pad(features, [1] * 4), layer.weight, layer.bias, stride)
        if index in (1, 2) and normalization:
            axes = (2, 3) if normalization == "instance" else (0, 2, 3)
            variance, mean = torch.var_mean(features, axes, keepdim=True, correction=0)
            features = (features - mean) / (variance + 1e-5).sqrt()
            if normalization == "batch":
                scale = found.normalizations[index - 1].weight
                features = features * scale[:, None, None]
        if index < 3:
            features = torch.where(features > 0, features, 0.2 * features)
    torch.testing.assert_close(found(image), features)
    assert features.shape == (2, 1, 33 // 4 - 2, 40 // 4 - 2)


@pytest.mark.parametrize("size", [(33, 40), (24, 25)])
def test_with_antialias_it_is_the_network_of_cut_with_its_blurs(size):
    """Parts of torch: convolutions of stride 1, and a kernel of (1, 2, 1) / 4 each way at every second."""
    torch.manual_seed(0)
    found = PatchDiscriminator(width=3, antialias=True)
    kernel = torch.tensor([1.0, 2.0, 1.0]) / 4
    image = torch.rand(2, 3, *size)
    features = 2 * image - 1
    for index in range(5):
        layer = found.convolutions[index]
        features = F.conv2d(features, layer.weight, layer.bias, padding=1)
        if 0 < index < 4:
            features = F.instance_norm(features)
        if index < 4:
            features = F.leaky_relu(features, 0.2)
        if index < 3:
            channels = features.shape[1]
            blur = (kernel[:, None] * kernel).expand(channels, 1, 3, 3)
            features = F.conv2d(F.pad(features, [1] * 4, "reflect"), blur, stride=2, groups=channels)
    torch.testing.assert_close(found(image), features)
    assert found(image).shape == PatchDiscriminator(width=3)(image).shape
    assert sum(p.numel() for p in PatchDiscriminator(antialias=True).parameters()) == 2_764_737


def test_weights_begin_small_and_biases_at_zero():
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(width=32, normalization="batch")
    for layer in discriminator.convolutions[1:3]:
        assert abs(float(layer.weight.detach().std()) - 0.02) < 5e-4
        assert abs(float(layer.weight.detach().mean())) < 5e-4
    assert abs(float(discriminator.normalizations[-1].weight.detach().mean()) - 1) < 5e-3
    assert all(not p.any() for name, p in discriminator.named_parameters() if name.endswith("bias"))
    torch.manual_seed(0)
    again = PatchDiscriminator(width=32, normalization="batch")
    assert torch.equal(again.convolutions[0].weight, discriminator.convolutions[0].weight)


def test_spectral_normalisation_leaves_kernels_the_largest_singular_value_1():
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(width=4, normalization=None, spectral=True)
    for _ in range(100):
        discriminator(torch.rand(1, 3, 24, 24))
    discriminator.eval()
    for layer in discriminator.convolutions:
        largest = torch.linalg.matrix_norm(layer.weight.flatten(1), 2)
        torch.testing.assert_close(largest, torch.tensor(1.0), rtol=1e-3, atol=0)
    assert not any("original" in name for name in PatchDiscriminator(width=1).state_dict())


@pytest.mark.parametrize("normalization", ["instance", None])
def test_a_batch_is_judged_as_its_images(normalization):
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(width=4, normalization=normalization)
    images = torch.rand(3, 3, 32, 40)
    singles = torch.cat([discriminator(image[None]) for image in images])
    torch.testing.assert_close(discriminator(images), singles)


@pytest.mark.parametrize("normalization", ["instance", "batch", None])
def test_a_penalty_of_its_gradient_has_a_gradient(normalization):
    """In the direction of one weight, it is the slope that differences find."""
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(width=2, num_layers=1, normalization=normalization).double()
    image = torch.rand(2, 3, 12, 12, dtype=torch.float64, requires_grad=True)

    def penalty():
        (gradient,) = torch.autograd.grad(discriminator(image).sum(), image, create_graph=True)
        return gradient.square().sum()

    weight = discriminator.convolutions[0].weight
    (slope,) = torch.autograd.grad(penalty(), weight)
    values = []
    for step in (1e-5, -2e-5):
        weight.data[0, 0, 1, 1] += step
        values.append(penalty().item())
    assert slope[0, 0, 1, 1].item() == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-4)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"normalization": "layer"}, ValueError, "`normalization` must be one of .* or None, got 'layer'"),
        ({"num_layers": 0}, ValueError, "`num_layers` must"),
        ({"width": 0}, ValueError, "`width` must"),
        ({"in_channels": "3"}, TypeError, "`in_channels` must"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, error, text):
    with pytest.raises(error, match=text):
        PatchDiscriminator(**options)


@pytest.mark.parametrize("shape", [(1, 1, 32, 32), (3, 32, 32)])
def test_images_of_other_channels_are_refused(shape):
    with pytest.raises(ValueError, match=r"`image` must have the shape \(batch, 3, height, width\), got"):
        PatchDiscriminator(width=1)(torch.rand(shape))
