import pytest
import torch

from pystyle.encoders._weights import WeightsError, to_layer_names

LAYERS = {0: "conv1_1", 1: "bn1_1", 3: "conv1_2"}


def numbered(*keys: str) -> dict[str, torch.Tensor]:
    return {key: torch.full((1,), float(number)) for number, key in enumerate(keys)}


@pytest.mark.parametrize(
    "prefix",
    ["features.", "", "module.features.", "features.module.", "module."],
    ids=["torchvision", "features only", "wrapped model", "wrapped features", "wrapped features only"],
)
def test_keys_of_torchvision_become_layer_names(prefix):
    keys = ("0.weight", "0.bias", "1.weight", "1.running_mean", "1.running_var", "3.weight")
    renamed = to_layer_names(numbered(*(prefix + key for key in keys)), LAYERS)
    assert {key: value.item() for key, value in renamed.items()} == {
        "conv1_1.weight": 0,
        "conv1_1.bias": 1,
        "bn1_1.weight": 2,
        "bn1_1.running_mean": 3,
        "bn1_1.running_var": 4,
        "conv1_2.weight": 5,
    }


@pytest.mark.parametrize("prefix", ["", "module."])
def test_names_of_the_literature_are_kept(prefix):
    renamed = to_layer_names(numbered(f"{prefix}conv1_1.weight", f"{prefix}conv1_2.bias"), LAYERS)
    assert list(renamed) == ["conv1_1.weight", "conv1_2.bias"]


def test_tensors_are_passed_on_unchanged():
    state_dict = numbered("features.0.weight")
    assert to_layer_names(state_dict, LAYERS)["conv1_1.weight"] is state_dict["features.0.weight"]


def test_the_classifier_and_counters_are_left_out():
    state_dict = numbered(
        "features.0.weight",
        "features.1.num_batches_tracked",
        "classifier.0.weight",
        "module.classifier.6.bias",
        "fc6.weight",
        "fc8.bias",
    )
    assert list(to_layer_names(state_dict, LAYERS)) == ["conv1_1.weight"]


def test_keys_that_the_architecture_lacks_are_kept_for_load_state_dict_to_name():
    state_dict = numbered("features.0.weight", "features.34.weight", "head.weight", "scale")
    assert list(to_layer_names(state_dict, LAYERS)) == [
        "conv1_1.weight",
        "features.34.weight",
        "head.weight",
        "scale",
    ]


@pytest.mark.parametrize(
    ("keys", "seen"),
    [
        (("layer1.0.conv1.weight", "fc.bias"), "'layer1.0.conv1.weight', 'fc.bias'"),
        (("classifier.0.weight",), "'classifier.0.weight'"),
        (("features.34.weight",), "'features.34.weight'"),
        ((), "none"),
    ],
)
def test_keys_of_no_known_form_are_refused_and_shown(keys, seen):
    with pytest.raises(WeightsError, match=f"like 'features.0.weight' .*'conv1_1.weight'.* got {seen}"):
        to_layer_names(numbered(*keys), LAYERS)


def test_two_keys_for_one_parameter_are_refused():
    with pytest.raises(WeightsError, match=r"once, got 'conv1_1\.bias' also as 'features\.0\.bias'"):
        to_layer_names(numbered("conv1_1.bias", "features.0.bias"), LAYERS)
