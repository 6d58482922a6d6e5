import pickle

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from pystyle import ContentLoss, Criterion, GramLoss
from pystyle.encoders import HypercolumnEncoder, MultiEncoder, SequentialEncoder, alexnet, vgg11
from pystyle.testing import check_encoder


def small() -> SequentialEncoder:
    generator = torch.Generator().manual_seed(0)
    modules = {
        "one": nn.Conv2d(3, 4, 3, padding=1),
        "pool1": nn.AvgPool2d(2),
        "two": nn.Conv2d(4, 5, 3, padding=1),
        "pool2": nn.AvgPool2d(2),
    }
    for module in modules.values():
        for parameter in module.parameters():
            parameter.data.uniform_(-0.4, 0.4, generator=generator)
    return SequentialEncoder(modules)


def noise(height: int = 16, width: int = 20, batch: int = 1) -> Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(1))


def test_finer_layers_are_averaged_over_what_a_position_stands_for() -> None:
    image, encoder = noise(batch=2), small()
    column = HypercolumnEncoder(encoder, {"all": ["pool2", "one", "image"]})(image, ["all"])["all"]
    features = encoder(image, ["one", "pool2"])
    blocks = [x.unflatten(2, (4, 4)).unflatten(4, (5, 4)).mean((3, 5)) for x in (features["one"], image)]
    torch.testing.assert_close(column, torch.cat((features["pool2"], *blocks), dim=1))


def test_coarser_layers_are_interpolated() -> None:
    image, encoder = noise(), small()
    column = HypercolumnEncoder(encoder, {"all": ["one", "pool2"]})(image, ["all"])["all"]
    features = encoder(image, ["one", "pool2"])
    expected = interpolate(features["pool2"], (16, 20), mode="bilinear", align_corners=False)
    assert torch.equal(column, torch.cat((features["one"], expected), dim=1))


def test_layers_of_one_size_are_joined_as_they_are() -> None:
    image, encoder = noise(), small()
    column = HypercolumnEncoder(encoder, {"all": ["two", "pool1"]})(image, ["all"])["all"]
    features = encoder(image, ["pool1", "two"])
    assert torch.equal(column, torch.cat((features["two"], features["pool1"]), dim=1))


def test_features_may_be_divided_by_the_number_of_their_channels() -> None:
    image, encoder = noise(), small()
    column = HypercolumnEncoder(encoder, {"all": ["two", "pool1"]}, normalization="channels")(image, ["all"])
    features = encoder(image, ["pool1", "two"])
    torch.testing.assert_close(column["all"], torch.cat((features["two"] / 5, features["pool1"] / 4), dim=1))


def test_layers_and_groups_come_from_one_pass_that_ends_at_the_deepest() -> None:
    class Counting(SequentialEncoder):
        passes = 0

        def forward(self, image, layers):
            type(self).passes += 1
            return super().forward(image, layers)

    broken = nn.Conv2d(7, 7, 1)
    encoder = Counting({**dict(small().stages), "broken": broken})
    columns = HypercolumnEncoder(encoder, {"a": ["two", "one"], "b": ["pool1"], "c": ["image"]})
    features = columns(noise(), ["b", "one", "a", "c"])
    assert list(features) == ["b", "one", "a", "c"]
    assert Counting.passes == 1
    assert torch.equal(columns(noise(), ["c"])["c"], noise())
    assert Counting.passes == 1


def test_a_group_has_the_stride_of_its_first_layer_and_sees_what_all_see() -> None:
    encoder = HypercolumnEncoder(small(), {"a": ["pool1", "pool2"], "b": ["pool2", "image"], "c": ["image"]})
    assert encoder.layers == ("one", "pool1", "two", "pool2", "a", "b", "c")
    assert [encoder.stride(group) for group in "abc"] == [2, 4, 1]
    assert encoder.receptive_field("a") >= encoder.receptive_field("pool2") == 10
    assert encoder.receptive_field("c") == 1
    assert encoder.minimum_size(["a"]) == encoder.minimum_size(["pool2"]) == 4
    same = HypercolumnEncoder(small(), {"a": ["two", "pool1"]})
    assert same.geometry("a")[:3] == small().geometry("two")[:3]
    assert same.geometry("one") == small().geometry("one")


@pytest.mark.slow
@pytest.mark.parametrize("make", [vgg11, alexnet])
def test_a_position_sees_no_more_than_the_receptive_field_at_any_size(make) -> None:
    network = make(weights=None)
    deep = "relu4_1" if "relu4_1" in network.layers else "relu4"
    shallow, middle = ("relu1_1", "relu3_1") if deep == "relu4_1" else ("relu1", "relu3")
    encoder = HypercolumnEncoder(
        network, {"a": [middle, shallow, deep], "b": [shallow, deep], "c": [deep, "image"]}
    )
    for size in (67, 71, 94, 101):
        image = noise(size, size + 5).requires_grad_()
        for group, feature in encoder(image, ["a", "b", "c"]).items():
            rows, columns = feature.shape[2:]
            for row, column in ((0, columns - 1), (rows // 2, columns // 2), (rows - 1, 0)):
                value = feature[:, :, row, column].square().sum()
                (gradient,) = torch.autograd.grad(value, image, retain_graph=True)
                seen = gradient.abs().sum((0, 1)).nonzero()
                assert int((seen.amax(0) - seen.amin(0)).max()) + 1 <= encoder.receptive_field(group)


@pytest.mark.parametrize("normalization", ["none", "channels"])
def test_hypercolumns_keep_the_promises_of_an_encoder(normalization) -> None:
    groups = {"fine": ["one", "pool2", "image"], "coarse": ["pool2", "two"]}
    check_encoder(HypercolumnEncoder(small(), groups, normalization=normalization))


def test_hypercolumns_of_several_encoders_are_joined_too() -> None:
    both = MultiEncoder({"left": small(), "right": vgg11(weights=None)})
    encoder = HypercolumnEncoder(both, {"columns": ["left.pool1", "right.relu2_1"]})
    assert encoder(noise(), ["columns"])["columns"].shape == (1, 4 + 128, 8, 10)
    check_encoder(encoder)


def test_a_criterion_takes_hypercolumns_and_layers_together() -> None:
    encoder = HypercolumnEncoder(small(), {"columns": ["pool1", "one", "two"]})
    losses = {"content": ContentLoss("two"), "style": GramLoss("columns")}
    objective = Criterion(encoder, losses).bind({"content": noise(), "style": noise(12, 24)})
    terms = objective(noise(18, 16)[..., :16, :].repeat(1, 1, 1, 2)[..., :20])
    assert set(terms) == {"content.two", "style.columns"}
    assert terms.total.isfinite()


def test_hypercolumns_in_lower_precision_and_after_pickling() -> None:
    encoder = HypercolumnEncoder(small(), {"all": ["pool1", "one", "pool2"]})
    wide = encoder(noise(), ["all"])["all"]
    copy = pickle.loads(pickle.dumps(encoder)).bfloat16()
    narrow = copy(noise().bfloat16(), ["all"])["all"]
    assert narrow.dtype == torch.bfloat16
    torch.testing.assert_close(narrow.float(), wide, atol=0.02, rtol=0.05)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({}, "`groups` must have at least one group, got none"),
        ({"one": ["two"]}, "must not be empty, contain a dot or be those of layers, got 'one'"),
        ({"image": ["two"]}, "be those of layers, got 'image'"),
        ({"a.b": ["two"]}, "contain a dot or be those of layers, got 'a.b'"),
        ({"": ["two"]}, "must not be empty"),
        ({"a": []}, r"must name different layers, at least one, got \[\] for 'a'"),
        ({"a": ["two", "two"]}, r"got \['two', 'two'\] for 'a'"),
        ({"a": ["three"]}, "`layers` must be some of one, pool1, two, pool2; got 'three'"),
    ],
)
def test_groups_that_cannot_be_are_refused(groups: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HypercolumnEncoder(small(), groups)


def test_a_group_that_is_a_string_and_an_unknown_normalization_are_refused() -> None:
    with pytest.raises(TypeError, match=r"must hold lists of layers, got the string 'two'. Use \['two'\]"):
        HypercolumnEncoder(small(), {"a": "two"})
    with pytest.raises(ValueError, match="`normalization` must be 'none' or 'channels', got 'std'"):
        HypercolumnEncoder(small(), {"a": ["two"]}, normalization="std")  # type: ignore[arg-type]
