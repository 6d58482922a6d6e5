from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, conv2d, grid_sample, pad

from pystyle.surfaces._fragments import Fragments

_MOST_PROBES = 8


class TextureSampler:
    """Looks a texture up at the samples of a view: bilinear, in smaller versions of it where it shrinks.

    All that does not depend on colours is computed once. What a sample sees is a mean of texels around it,
    whose sizes are like its own: trilinear filtering of a pyramid of halved textures, at up to eight places
    along what is foreshortened (anisotropic filtering). So pictures of fine textures do not sparkle. It is
    linear, and has a gradient with respect to the texture.

    Args:
        fragments: The samples.
        size: Height and width of the texture.
        like: A tensor of the type and on the device of the textures.

    Attributes:
        coverage: How much of each pixel is covered, (1, 1, height, width), in [0, 1].
        facing: The mean over the samples of a pixel of the cosine at which they are seen, 0 where nothing is;
            of the same shape.

    Example:
        >>> import torch
        >>> from pystyle.surfaces import Camera, rasterize, sphere
        >>> mesh = sphere(16)
        >>> sampler = TextureSampler(rasterize(mesh, Camera(), 24), (256, 512), mesh.texture)
        >>> sampler(mesh.texture).shape
        torch.Size([1, 3, 24, 24])
    """

    def __init__(self, fragments: Fragments, size: tuple[int, int], like: Tensor) -> None:
        self.size = size
        self._samples, self._grid = fragments.samples, tuple(fragments.mask.shape)
        probes = _probes(fragments, size)
        most = int(probes.level.max().ceil()) if len(probes.level) else -1
        self._parts: dict[int, _Part] = {}
        # Each is looked up in the one or two versions that it needs, and nowhere else.
        for index in range(most + 1):
            share = (1 - (probes.level - index).abs()).clamp_min(0) * probes.share
            found = share.nonzero().squeeze(1)
            if len(found):
                self._parts[index] = _Part(
                    probes.places[found].to(like.device), probes.uv[found].to(like), share[found].to(like)
                )
        self.coverage = self._pixels(fragments.mask.to(like)[None, None])
        self.facing = self._pixels((fragments.facing * fragments.mask).to(like)[None, None])

    def __call__(self, texture: Tensor) -> Tensor:
        """The picture on black: the mean over the samples of each pixel.

        Shape:
            - texture: (1, channels, height, width)
            - output: (1, channels, rows, columns)
        """
        rows, columns = self._grid
        total = texture.new_zeros(1, texture.shape[1], rows * columns)
        version, level = texture, 0
        for index, part in self._parts.items():
            while level < index:
                version, level = _halved(version), level + 1
            total = total.index_add(2, part.places, part.share * _looked_up(version, part.uv))
        return self._pixels(total.view(1, -1, rows, columns))

    def on(self, texture: Tensor, background: Tensor) -> Tensor:
        """The picture on a background, (1, 3, 1, 1) or of the size of the picture."""
        return self(texture) + (1 - self.coverage) * background

    def _pixels(self, samples: Tensor) -> Tensor:
        return samples if self._samples == 1 else avg_pool2d(samples, self._samples)


class _Part(NamedTuple):
    """What is looked up in one version of the texture: for which samples, where, and how much it counts."""

    places: Tensor
    uv: Tensor
    share: Tensor


class _Probes(NamedTuple):
    """What is looked up at all, and how often the texture is halved there."""

    places: Tensor
    uv: Tensor
    share: Tensor
    level: Tensor


def _looked_up(texture: Tensor, uv: Tensor) -> Tensor:
    """The colours at some places, (1, channels, places)."""
    height, width = texture.shape[2:]
    # The texture is repeated, so what lies beyond its edges is its other side.
    around = pad(texture, (1, 1, 1, 1), mode="circular")
    u, v = uv.unbind(1)
    x, y = (u % 1) * width + 1, (1 - v) % 1 * height + 1
    grid = torch.stack([2 * x / (width + 2) - 1, 2 * y / (height + 2) - 1], 1)
    return grid_sample(around, grid[None, None], mode="bilinear", align_corners=False)[:, :, 0]


def _probes(fragments: Fragments, size: tuple[int, int]) -> _Probes:
    """Where samples are looked up: once if what they see is round, several times along it if it is long.

    The texture is halved until a texel is as large as the short axis of what is seen. So a surface that is
    seen from the side is not blurred along the axis in which it is not foreshortened.
    """
    texels = torch.tensor([size[1], size[0]], dtype=torch.float32, device="cpu")
    places = fragments.mask.flatten().nonzero().squeeze(1)
    uv, right, down = (one.flatten(0, 1)[places] for one in (fragments.uv, fragments.uv_x, fragments.uv_y))
    across, along = (right * texels).norm(dim=1), (down * texels).norm(dim=1)
    long, short = torch.maximum(across, along), torch.minimum(across, along)
    axis = torch.where((across > along)[:, None], right, down)
    ratio = (long / short.clamp_min(1)).clamp(1, _MOST_PROBES)
    counts = 2 ** ratio.log2().round().long()
    level = (long / counts).clamp_min(1).log2().clamp_max(max(size).bit_length() - 1)
    index = torch.arange(len(places), device=places.device).repeat_interleave(counts)
    number = torch.arange(len(index), device=index.device) - (counts.cumsum(0) - counts)[index]
    shift = (number + 0.5) / counts[index] - 0.5
    return _Probes(places[index], uv[index] + shift[:, None] * axis[index], 1 / counts[index], level[index])


def _halved(texture: Tensor) -> Tensor:
    """The texture at half the size, smooth, and across its edges."""
    channels, height, width = texture.shape[1:]
    if height % 2 or width % 2:
        return adaptive_avg_pool2d(texture, (-(-height // 2), -(-width // 2)))
    weights = texture.new_tensor([1.0, 3.0, 3.0, 1.0]) / 8
    kernel = (weights[:, None] * weights).expand(channels, 1, 4, 4)
    return conv2d(pad(texture, (1, 1, 1, 1), mode="circular"), kernel, stride=2, groups=channels)
