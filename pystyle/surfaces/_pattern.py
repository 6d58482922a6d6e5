import math

import torch
from torch import Tensor


def pattern(height: int, width: int) -> Tensor:
    """Bands, waves and dots on a light ground, which fit together at the left and the right.

    Shape:
        - output: (1, 3, height, width), RGB in [0, 1]
    """
    y = 1 - (torch.arange(height, dtype=torch.float32, device="cpu")[:, None] + 0.5) / height
    x = (torch.arange(width, dtype=torch.float32, device="cpu")[None] + 0.5) / width
    turn = 2 * math.pi * x
    ground = torch.stack([0.93 - 0.25 * y, 0.86 - 0.12 * y, 0.70 + 0.1 * y]).expand(3, height, width)
    wave = y - 0.42 - 0.05 * torch.sin(6 * turn)
    layers = [
        (_soft(0.05 - wave.abs()), (0.15, 0.32, 0.62)),
        (_soft(0.03 - (y - 0.62).abs()).expand(height, width), (0.72, 0.25, 0.18)),
        (_soft(0.02 - (y - 0.22).abs()).expand(height, width), (0.20, 0.42, 0.28)),
        (_soft(0.035 - torch.hypot(((x * 12) % 1 - 0.5) / 12 * 2, y - 0.53)), (0.85, 0.60, 0.15)),
        (_soft(0.03 - torch.hypot(((x * 12) % 1 - 0.5) / 12 * 2, y - 0.31)), (0.45, 0.15, 0.30)),
    ]
    picture = ground
    for share, colour in layers:
        picture = torch.lerp(picture, ground.new_tensor(colour)[:, None, None], share)
    return picture[None].clamp(0, 1).contiguous()


def _soft(inside: Tensor) -> Tensor:
    """1 inside, 0 outside, and a narrow edge between them."""
    return (inside * 150 + 0.5).clamp(0, 1)
