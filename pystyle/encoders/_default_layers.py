"""Which submodules of a network are its layers, unless somebody says otherwise."""

from collections.abc import Sequence

from torch import nn

from pystyle.encoders._probing import strides_of


def default_layers(
    module: nn.Module, containers: Sequence[str], *, image_size: int | None, size_multiple: int
) -> list[str]:
    """The last block of each resolution, or, where all have one, the blocks at each quarter of the depth.

    Args:
        module: The network.
        containers: Names that the submodule with the blocks may have. The first that exists counts,
            or else the blocks are the children of the network.
        image_size: The side of the only square that the network takes, None if it takes others.
        size_multiple: What the sides of its images are rounded up to.
    """
    names = dict(module.named_modules())
    container = next((name for name in containers if name in names), "")
    prefix = f"{container}." if container else ""
    blocks = [f"{prefix}{name}" for name, _ in names[container].named_children()]
    strides = strides_of(module, blocks, image_size=image_size, size_multiple=size_multiple)
    last = {stride: path for path, stride in strides.items()}
    if len(last) > 1:
        return list(last.values())
    blocks = list(strides)
    return list(dict.fromkeys(blocks[max(0, len(blocks) * quarter // 4 - 1)] for quarter in range(1, 5)))
