"""The normalised variant of the Caffe VGG-19: every filter has a mean activation of 1.

ReLU, max and average pooling commute with positive factors. So dividing the filters of a layer by
their mean activations, and multiplying the next layer's matching inputs by them, rescales each
feature map and changes nothing else. The mean activations are those over real pictures;
`benchmarks/measure_activations.py` says which, and writes the file that is read here.
"""

from importlib import resources

import numpy as np
import torch
from torch import Tensor


def normalize_activations(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights with each filter divided by its mean activation."""
    layers = [key.removesuffix(".weight") for key in state_dict if key.endswith(".weight")]
    sizes = [len(state_dict[f"{layer}.bias"]) for layer in layers]
    means = dict(zip(layers, torch.split(mean_activations(), sizes), strict=True))
    normalized, inputs = {}, torch.ones(3, dtype=torch.float32, device="cpu")
    for layer in layers:
        outputs = means[layer]
        factor = inputs.reshape(1, -1, 1, 1) / outputs.reshape(-1, 1, 1, 1)
        normalized[f"{layer}.weight"] = state_dict[f"{layer}.weight"] * factor
        normalized[f"{layer}.bias"] = state_dict[f"{layer}.bias"] / outputs
        inputs = outputs
    return normalized


def mean_activations() -> Tensor:
    """The mean activation of every filter after its ReLU, all layers one after the other."""
    file = resources.files("pystyle.encoders") / "vgg19_mean_activations.npy"
    with file.open("rb") as stream:
        means = torch.from_numpy(np.load(stream, allow_pickle=False))
    # A filter that no picture excites has nothing to be divided by.
    return torch.where(means > 1e-3 * means.median(), means, torch.ones_like(means))
