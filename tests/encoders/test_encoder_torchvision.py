"""The encoders against torchvision's own models, with the weights of a file."""

import pytest
import torch
import torchvision
from torch import nn

from pystyle import encoders
from pystyle.encoders import WeightsError


def torchvision_features(name: str) -> nn.Sequential:
    """The convolutional part with random weights; the huge classifier gets no memory."""
    with torch.device("meta"):
        features = getattr(torchvision.models, name)(weights=None).features
    features = features.to_empty(device="cpu").eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for module in features:
        if isinstance(module, nn.ReLU):
            module.inplace = False
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            module.bias.uniform_(-0.2, 0.2, generator=generator)
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
                tensor.uniform_(0.5, 1.5, generator=generator)
            module.num_batches_tracked.zero_()
    return features


def state_dict_of(features: nn.Sequential) -> dict[str, torch.Tensor]:
    state_dict = {f"features.{key}": tensor for key, tensor in features.state_dict().items()}
    return {**state_dict, "classifier.0.weight": torch.zeros(2, 2)}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("name", ["vgg19", "vgg11_bn", "alexnet"])
def test_features_of_a_weights_file_are_those_of_torchvision(name, suffix, tmp_path):
    features = torchvision_features(name)
    path = tmp_path / f"{name}{suffix}"
    save = torch.save if suffix == ".pth" else pytest.importorskip("safetensors.torch").save_file
    save(state_dict_of(features), path)
    encoder = getattr(encoders, name)(weights=path if suffix == ".pth" else str(path))
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    x = torchvision.transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))(image)
    found = encoder(image, encoder.layers)
    assert len(found) == len(features)
    for module, layer in zip(features, encoder.layers, strict=True):
        x = module(x)
        difference = (found[layer] - x).abs().max() / x.abs().max()
        assert difference < 1e-5, f"{layer} differs by {difference}"


@pytest.fixture(scope="module")
def alexnet_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "alexnet.pth"
    torch.save(state_dict_of(torchvision_features("alexnet")), path)
    return path


def test_the_file_of_another_architecture_is_refused(alexnet_file):
    with pytest.raises(
        WeightsError, match=r"The weights do not fit vgg11.*Give the file of this architecture"
    ):
        encoders.vgg11(weights=alexnet_file)


def test_the_file_of_the_same_depths_without_batch_normalisation_is_refused(tmp_path):
    path = tmp_path / "vgg11.pth"
    torch.save(state_dict_of(torchvision_features("vgg11")), path)
    with pytest.raises(WeightsError, match="The weights do not fit vgg11_bn"):
        encoders.vgg11_bn(weights=path)


def test_a_file_with_a_missing_layer_is_refused(tmp_path):
    state_dict = state_dict_of(torchvision_features("alexnet"))
    del state_dict["features.6.bias"]
    torch.save(state_dict, tmp_path / "cut.pth")
    with pytest.raises(WeightsError, match=r"missing \['conv3\.bias'\], unexpected \[\]"):
        encoders.alexnet(weights=tmp_path / "cut.pth")


def test_a_file_with_a_further_layer_is_refused(tmp_path):
    state_dict = {**state_dict_of(torchvision_features("alexnet")), "features.40.weight": torch.zeros(1)}
    torch.save(state_dict, tmp_path / "more.pth")
    with pytest.raises(WeightsError, match=r"missing \[\], unexpected \['features\.40\.weight'\]"):
        encoders.alexnet(weights=tmp_path / "more.pth")


def test_the_preprocessing_follows_the_key_names_unless_it_is_given(tmp_path):
    features = torchvision_features("vgg11")
    layers = encoders.vgg11(weights=None).layers
    named = {f"{layers[int(k.split('.')[0])]}.{k.split('.')[1]}": v for k, v in features.state_dict().items()}
    torch.save(named, tmp_path / "named.pth")
    image = torch.rand(1, 3, 8, 8)

    bgr = (255 * image - torch.tensor([123.68, 116.779, 103.939]).reshape(3, 1, 1)).flip(1)
    caffe = encoders.vgg11(weights=tmp_path / "named.pth")(image, ["conv1_1"])["conv1_1"]
    assert (caffe - features[0](bgr)).abs().max() < 1e-5 * caffe.abs().max()

    encoder = encoders.vgg11(weights=tmp_path / "named.pth", preprocessing="torchvision")
    x = torchvision.transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))(image)
    torch.testing.assert_close(encoder(image, ["conv1_1"])["conv1_1"], features[0](x), rtol=1e-5, atol=1e-5)


def test_reading_a_weights_file_leaves_the_global_random_state_alone(alexnet_file):
    before = torch.get_rng_state()
    encoders.alexnet(weights=alexnet_file)
    assert torch.equal(torch.get_rng_state(), before)
