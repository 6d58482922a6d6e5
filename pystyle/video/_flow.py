"""What finds the motion between two frames, and OpenCV's DIS flow, which needs no weights."""

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from pystyle._arguments import number
from pystyle.colors import luminance
from pystyle.video._cv2 import cv2_module

FlowBetween = Callable[[Tensor, Tensor], Tensor]
"""A function `flow(image, other)` that gives the flow from `image` to `other`, (batch, 2, height, width), in
pixels: `warp(other, flow(image, other))` is `other` in the pose of `image`."""

DISPreset = Literal["ultrafast", "fast", "medium"]

_PURPOSE = "The DIS flow"
_SMALLEST = 32
"""The side, in pixels, to which small images are continued: OpenCV needs at least one patch of 8 pixels."""


class DISFlow:
    """The optical flow between two images, by dense inverse search: fast, on the CPU, and without weights.

    The same images give the same flow, however many threads there are.

    Args:
        preset: How thoroughly OpenCV searches: ``"ultrafast"``, ``"fast"`` or ``"medium"``.
        scale: The size at which it searches, relative to the images: at 0.5 it takes about a third of the
            time (10 ms in place of 25 for 640 x 360 pixels on one core), and a pan is found to a tenth of a
            pixel in place of a hundredth.

    Raises:
        ImportError: If OpenCV is missing, the extra ``flow``.
        ValueError: If `preset` is unknown, `scale` is not in (0, 1], or (when called) the images have not
            the same shape.

    Shape:
        - image, other: (batch, 3, height, width), RGB in [0, 1]
        - output: (batch, 2, height, width): from `image` to `other`, to the right and down, in pixels

    Example:
        >>> import torch
        >>> rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
        >>> waves = 0.5 + 0.2 * (columns / 4).sin() + 0.2 * (rows / 5).sin()
        >>> image = waves.expand(1, 3, 64, 64)
        >>> flow = DISFlow()(image, image.roll(2, 3))   # its content is 2 pixels further to the right
        >>> [round(distance) for distance in flow[0, :, 32, 32].tolist()]
        [2, 0]

    Note:
        OpenCV sees the luma of the images in 8 bits. Images under 32 pixels are continued by repeating their
        border. Nothing is differentiable.

    References:
        Kroeger, Timofte, Dai, Van Gool. *Fast optical flow using dense inverse search*. ECCV 2016.
    """

    def __init__(self, *, preset: DISPreset = "medium", scale: float = 1.0) -> None:
        if preset not in get_args(DISPreset):
            names = ", ".join(map(repr, get_args(DISPreset)))
            raise ValueError(f"`preset` must be one of {names}, got {preset!r}.")
        cv2_module(_PURPOSE, "flow")
        self.preset = preset
        self.scale = number(scale, "`scale`", above=0, most=1)

    def __call__(self, image: Tensor, other: Tensor) -> Tensor:
        """The flow from the image to the other one."""
        if image.ndim != 4 or image.shape[1] != 3 or image.shape != other.shape:
            raise ValueError(
                "`image` and `other` must have the same shape (batch, 3, height, width), got "
                f"{tuple(image.shape)} and {tuple(other.shape)}."
            )
        pairs = zip(_luma(image), _luma(other), strict=True)
        flows = [torch.from_numpy(self._between(first, second)) for first, second in pairs]
        found = torch.stack(flows) if flows else torch.zeros(0, *image.shape[2:], 2)
        return found.permute(0, 3, 1, 2).contiguous().to(image.device)

    def __repr__(self) -> str:
        return f"DISFlow(preset={self.preset!r}, scale={self.scale:g})"

    def _between(self, image: Any, other: Any) -> Any:
        cv2 = cv2_module(_PURPOSE, "flow")
        height, width = image.shape
        small = max(1, round(self.scale * height)), max(1, round(self.scale * width))
        if small != (height, width):
            image, other = (
                cv2.resize(each, small[::-1], interpolation=cv2.INTER_AREA) for each in (image, other)
            )
        missing = [(0, max(0, _SMALLEST - side)) for side in small]
        image, other = (np.pad(each, missing, mode="edge") for each in (image, other))
        # A new one for each pair: it keeps scales that it chose for small images.
        search = cv2.DISOpticalFlow_create(getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{self.preset.upper()}"))
        flow = search.calc(image, other, None)[: small[0], : small[1]]
        if small == (height, width):
            return np.ascontiguousarray(flow)
        larger = cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR)
        return larger * np.array([width / small[1], height / small[0]], np.float32)


def _luma(images: Tensor) -> Any:
    """The images as OpenCV takes them: (batch, height, width), 8 bits."""
    luma = luminance(images.detach().float().cpu())[:, 0]
    return (255 * luma).round().clamp(0, 255).nan_to_num(0).to(torch.uint8).numpy()
