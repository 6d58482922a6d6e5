"""The table of architectures: VGG-11 to VGG-19 and AlexNet as sequences of convolutions and poolings."""

from typing import Literal, NamedTuple, get_args

import torch
from torch import nn

from pystyle.encoders._modules import Pooling, pool2d

Padding = Literal["zeros", "replicate", "reflect"]


class Conv(NamedTuple):
    """A convolution and the ReLU that follows it; both are named by `name`, such as 1_1."""

    name: str
    inputs: int
    outputs: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1


class Pool(NamedTuple):
    """A pooling."""

    name: str
    kernel: int = 2
    stride: int = 2


Block = Conv | Pool


def _vgg(*depths: int) -> tuple[Block, ...]:
    blocks: list[Block] = []
    inputs = 3
    for number, (depth, outputs) in enumerate(zip(depths, (64, 128, 256, 512, 512), strict=True), start=1):
        for index in range(1, depth + 1):
            blocks.append(Conv(f"{number}_{index}", inputs, outputs))
            inputs = outputs
        blocks.append(Pool(str(number)))
    return tuple(blocks)


ARCHITECTURES: dict[str, tuple[Block, ...]] = {
    "vgg11": _vgg(1, 1, 2, 2, 2),
    "vgg13": _vgg(2, 2, 2, 2, 2),
    "vgg16": _vgg(2, 2, 3, 3, 3),
    "vgg19": _vgg(2, 2, 4, 4, 4),
    "alexnet": (
        Conv("1", 3, 64, kernel=11, stride=4, padding=2),
        Pool("1", kernel=3),
        Conv("2", 64, 192, kernel=5, padding=2),
        Pool("2", kernel=3),
        Conv("3", 192, 384),
        Conv("4", 384, 256),
        Conv("5", 256, 256),
        Pool("5", kernel=3),
    ),
}


def build_modules(
    architecture: str, *, batch_norm: bool, pooling: Pooling, ceil_mode: bool, padding: Padding
) -> dict[str, nn.Module]:
    """The modules of an architecture by the names of the literature, in the order of torchvision."""
    if padding not in get_args(Padding):
        raise ValueError(f"`padding` must be one of {get_args(Padding)}, got {padding!r}.")
    modules: dict[str, nn.Module] = {}
    for block in ARCHITECTURES[architecture]:
        if isinstance(block, Pool):
            modules[f"pool{block.name}"] = pool2d(pooling, block.kernel, block.stride, ceil_mode=ceil_mode)
            continue
        modules[f"conv{block.name}"] = _convolution(block, padding)
        if batch_norm:
            modules[f"bn{block.name}"] = nn.BatchNorm2d(block.outputs)
        modules[f"relu{block.name}"] = nn.ReLU(inplace=True)
    return modules


def _convolution(block: Conv, padding: Padding) -> nn.Conv2d:
    """A convolution with weights that are not initialised, which would draw from the global random state."""
    layer = nn.Conv2d(
        block.inputs,
        block.outputs,
        block.kernel,
        block.stride,
        block.padding,
        padding_mode=padding,
        device="meta",
    )
    # `skip_init` and `to_empty` ask torch for memory like that of the device "meta", which imports SymPy
    # first: a second at each start.
    for name, weight in list(layer.named_parameters()):
        setattr(layer, name, nn.Parameter(torch.empty(weight.shape, dtype=weight.dtype, device="cpu")))
    return layer
