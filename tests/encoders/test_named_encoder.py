"""Encoders by name."""

import importlib.util

import pytest

from pystyle.encoders import ScaledL2Pool2d, named_encoder


def test_the_vggs_and_alexnet_have_edges_that_make_no_frame():
    for name in ("vgg11", "vgg13_bn", "alexnet"):
        encoder = named_encoder(name, None)
        first = next(iter(encoder.stages.values()))
        assert first.padding_mode == "replicate"
        assert encoder.stages["pool1"].ceil_mode


@pytest.mark.slow
def test_other_names_are_those_of_torchvision_and_timm():
    assert named_encoder("resnet18", None).layers == ("relu", "layer1", "layer2", "layer3", "layer4")
    assert named_encoder("resnet18", None, layers=["layer1.0"]).layers == ("layer1.0",)
    pytest.importorskip("timm")
    assert named_encoder("timm:resnet18", None, layers=["layer3"]).layers == ("layer3",)
    assert named_encoder("vit_tiny_patch16_224", None, layers=["blocks.2"]).layers == ("blocks.2",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("vgg20", None), r"one of vgg11, .*, or a network of torchvision or timm, got 'vgg20'"),
        (("resnet19", None), r"Did you mean 'resnet1\d+"),
        (("timm:resnet19", None), "`name` must be a network of timm, got 'resnet19'"),
        (("resnet18", "caffe"), "`weights` of resnet18 must be one of IMAGENET1K_V1"),
    ],
)
def test_a_name_that_no_network_has_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        named_encoder(*arguments)


def test_a_pooling_is_for_the_vggs():
    assert isinstance(named_encoder("vgg11", None, pooling="l2").stages["pool1"], ScaledL2Pool2d)
    with pytest.raises(ValueError, match="`pooling` is for the VGGs and AlexNet, got 'l2' for resnet18"):
        named_encoder("resnet18", None, pooling="l2")


def test_without_timm_the_error_names_the_extra(monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "timm" else find_spec(name, *rest)
    )
    with pytest.raises(ValueError, match=r"Networks of timm need `pip install \"pystyle-nst\[timm\]\"`"):
        named_encoder("vit_small_patch16_224.dino", None)
