"""How many steps a second does a training take, against a plain loop of the same recipe?

    python benchmarks/training_speed.py --output benchmarks/results

The recipe: a transform network of width 16, one painting, batches of 4 random crops of 128 pixels, content
relu3_1 and Gram matrices of relu1_1, relu2_1 and relu3_1 of VGG-19, Adam. The plain loop is what one writes
with torch alone: the same convolutions as layers of `torch.nn`, the Gram matrices of the painting computed
once, the content without a graph. Both run by turns, in one process, in float32 and in bfloat16; printed is
the median of the rounds.
"""

import argparse
import statistics
import time
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from pictures import painting, photograph
from records import append, machine, table
from torch import Tensor, nn

from pystyle import ContentLoss, Criterion, MultiLayerGramLoss
from pystyle.encoders import vgg19
from pystyle.evaluation import EagerEvaluation
from pystyle.images import read_image, resize
from pystyle.networks import TransformNetwork
from pystyle.training import train

_WIDTH, _BATCH, _CROP = 16, 4, 128
_STYLE = ("relu1_1", "relu2_1", "relu3_1")
_STYLE_WEIGHT = 1e4


def convolution(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Conv2d:
    """A convolution with the border repeated."""
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, padding_mode="replicate")


class PlainBlock(nn.Module):
    """A residual block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            convolution(channels, channels, 3),
            nn.InstanceNorm2d(channels, affine=True),
            nn.ReLU(),
            convolution(channels, channels, 3),
            nn.InstanceNorm2d(channels, affine=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        """What comes in, and what the block adds."""
        return x + self.layers(x)


def plain_network(width: int) -> nn.Sequential:
    """The transform network out of the layers of torch."""
    sizes = [(3, width, 9, 1), (width, 2 * width, 3, 2), (2 * width, 4 * width, 3, 2)]
    layers: list[nn.Module] = []
    for inputs, outputs, size, stride in sizes:
        layers += [
            convolution(inputs, outputs, size, stride),
            nn.InstanceNorm2d(outputs, affine=True),
            nn.ReLU(),
        ]
    layers += [PlainBlock(4 * width) for _ in range(5)]
    for inputs, outputs in [(4 * width, 2 * width), (2 * width, width)]:
        layers += [
            nn.Upsample(scale_factor=2),
            convolution(inputs, outputs, 3),
            nn.InstanceNorm2d(outputs, affine=True),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers, convolution(width, 3, 9), nn.Sigmoid())


class PlainVGG(nn.Module):
    """VGG-19 up to relu3_1, of the layers of torch, with the weights of the encoder."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        convolutions = [m for m in encoder.modules() if isinstance(m, nn.Conv2d)][:5]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(m.in_channels, m.out_channels, 3, padding=1) for m in convolutions
        )
        for own, given in zip(self.convolutions, convolutions, strict=True):
            own.load_state_dict({"weight": given.weight.contiguous(), "bias": given.bias})
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """The features of the three layers."""
        found = {}
        for index, layer in enumerate(self.convolutions):
            x = layer(x).relu()
            if index in (1, 3):
                x = F.max_pool2d(x, 2)
            if index in (0, 2, 4):
                found[f"relu{index // 2 + 1}_1"] = x
        return found


def gram(x: Tensor) -> Tensor:
    """The Gram matrices of a batch."""
    flat = x.flatten(2)
    return flat @ flat.mT / flat.shape[2]


def crops(photographs: list[Tensor]) -> Tensor:
    """A batch of random crops."""
    found = []
    for index in torch.randint(len(photographs), (_BATCH,)).tolist():
        image = photographs[index]
        top, left = (int(torch.randint(side - _CROP + 1, ())) for side in image.shape[1:])
        found.append(image[:, top : top + _CROP, left : left + _CROP])
    return torch.stack(found)


def plain_loop(
    photographs: list[Tensor], style: Tensor, encoder: nn.Module, num_steps: int, *, half: bool = False
) -> float:
    """The seconds of so many steps of the plain loop, under autocast if `half`."""
    network, vgg = plain_network(_WIDTH), PlainVGG(encoder)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    grams = {name: gram(features) for name, features in vgg(style).items()}
    start = time.perf_counter()
    for _ in range(num_steps):
        contents = crops(photographs)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            pictures = network(contents)
            features = vgg(pictures)
            with torch.no_grad():
                wanted = vgg(contents)["relu3_1"]
        loss = F.mse_loss(features["relu3_1"].float(), wanted.float())
        for name in _STYLE:
            found = gram(features[name].float())
            loss = loss + _STYLE_WEIGHT * F.mse_loss(found, grams[name].expand(_BATCH, -1, -1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


def ours(
    photographs: list[Tensor], style: Tensor, encoder: nn.Module, num_steps: int, *, half: bool = False
) -> float:
    """The seconds of so many steps of `train`, in half precision if `half`."""
    losses = {"content": ContentLoss("relu3_1"), "style": MultiLayerGramLoss(_STYLE, weight=_STYLE_WEIGHT)}
    result = train(
        TransformNetwork(width=_WIDTH),
        Criterion(encoder, losses),
        contents=photographs,
        styles=style,
        num_steps=num_steps,
        crop_size=_CROP,
        batch_size=_BATCH,
        evaluation=EagerEvaluation(precision="bfloat16" if half else "float32"),
        autocast=half,
    )
    return result.seconds


def main() -> None:
    """Run by turns, write and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    encoder = vgg19()
    names = ("astronaut", "chelsea", "coffee", "rocket")
    photographs = [resize(read_image(photograph(name)), 256)[0] for name in names]
    style = resize(read_image(painting("cypresses")), 256)
    methods = {
        "plain loop": plain_loop,
        "train": ours,
        "plain loop, bfloat16": partial(plain_loop, half=True),
        "train, bfloat16": partial(ours, half=True),
    }
    found: dict[str, list[float]] = {name: [] for name in methods}
    for method in methods.values():
        method(photographs, style, encoder, 2)
    for _ in range(options.rounds):
        for name, method in methods.items():
            found[name].append(method(photographs, style, encoder, options.steps) / options.steps)
    medians = {name: statistics.median(seconds) for name, seconds in found.items()}
    rows = [[name, f"{s:.3f}", f"{medians['plain loop'] / s:.2f}"] for name, s in medians.items()]
    append(options.output / "training_speed.jsonl", {**medians, **machine(torch.device("cpu"))})
    print(table(("", "seconds a step", "times as fast"), rows))


if __name__ == "__main__":
    main()
