"""Small valid files of every kind that the library reads, for `fuzz.py` to damage."""

import io
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from PIL import Image, ImageCms
from torch import nn

from pystyle.checkpoints import encode
from pystyle.images import write_flow

_SIZE = 12


def images() -> dict[str, list[bytes]]:
    """Pictures by format, in several modes and ways to encode."""
    rgb, frames = _picture("RGB"), [_picture(mode) for mode in ("RGB", "RGB")]
    exif, profile = Image.Exif(), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif[0x0112], exif[0x010E] = 6, "a description"
    several: dict[str, Any] = {"save_all": True, "append_images": frames}
    modes = {mode: _picture(mode) for mode in ("1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "F", "LAB")}
    return {
        "PNG": [
            *(_saved(modes[mode], "PNG") for mode in ("1", "L", "LA", "P", "RGBA", "I;16")),
            _saved(rgb, "PNG", exif=exif, icc_profile=profile),
            _saved(modes["P"], "PNG", transparency=1),
            _saved(rgb, "PNG", **several),
        ],
        "JPEG": [
            _saved(rgb, "JPEG", exif=exif, icc_profile=profile),
            _saved(rgb, "JPEG", progressive=True),
            _saved(modes["CMYK"], "JPEG"),
            _saved(modes["L"], "JPEG", restart_marker_blocks=1),
            _saved(rgb, "MPO", **several),
        ],
        "WebP": [
            _saved(rgb, "WEBP", exif=exif, icc_profile=profile),
            _saved(modes["RGBA"], "WEBP", lossless=True),
            _saved(rgb, "WEBP", **several),
        ],
        "GIF": [_saved(modes["P"], "GIF", transparency=1), _saved(modes["L"], "GIF", **several)],
        "TIFF": [
            *(_saved(modes[mode], "TIFF") for mode in ("1", "P", "CMYK", "I;16", "F", "LAB")),
            *(
                _saved(rgb, "TIFF", compression=name, exif=exif)
                for name in ("raw", "tiff_lzw", "tiff_deflate", "jpeg", "packbits")
            ),
            _saved(modes["RGBA"], "TIFF", icc_profile=profile),
        ],
        "PNM": [
            _saved(modes["1"], "PPM"),
            _saved(modes["L"], "PPM"),
            _saved(rgb, "PPM"),
            _saved(modes["F"], "PPM"),
            b"P2\n# a comment\n3 2\n15\n0 1 2\n13 14 15\n",
            b"P1 3 2 010 111",
            b"P3 1 2 255 1 2 3 250 251 252 ",
            b"P5 3 1 65535\n" + struct.pack(">3H", 0, 13107, 65535),
            b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\nabc",
        ],
        "BMP": [_saved(rgb, "BMP"), _saved(modes["P"], "BMP"), _saved(modes["1"], "BMP")],
        "other": [_saved(rgb, "AVIF", exif=exif), _saved(rgb, "JPEG2000"), _saved(modes["RGBA"], "QOI")],
    }


def masks() -> list[bytes]:
    """Grey pictures."""
    grey = _picture("L")
    return [_saved(grey, name) for name in ("PNG", "JPEG", "PPM", "TIFF", "BMP", "WEBP")]


def flows() -> list[bytes]:
    """Optical flow in `.flo` files."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "flow.flo")
        write_flow(torch.arange(24.0).reshape(1, 2, 3, 4), path)
        return [path.read_bytes()]


def checkpoints() -> list[bytes]:
    """A state with everything that a checkpoint can hold."""
    state = {
        "step": 3,
        "runner": {"image": torch.rand(1, 3, 2, 2), "pairs": torch.ones(2, 3).bfloat16(), "none": None},
        "betas": (0.9, 0.99),
        "rows": [[1.5, float("inf")], {}, ()],
        "finite": torch.tensor(True),
        0: "a number for a name",
    }
    return [b"".join(encode(state))]


def weights() -> dict[str, list[bytes]]:
    """State dicts in each format."""
    tensors = dict(nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2)).state_dict())
    views = {"a.weight": torch.arange(12.0).reshape(3, 4).T, "half": torch.ones(3).half()}

    def save(value: object, **options: Any) -> bytes:
        stream = io.BytesIO()
        torch.save(value, stream, **options)
        return stream.getvalue()

    legacy: dict[str, Any] = {"_use_new_zipfile_serialization": False}
    return {
        "pth": [save(tensors), save({"epoch": 3, "state_dict": views})],
        "pt": [save(tensors, **legacy), save({"state_dict": views}, **legacy)],
        "safetensors": [safetensors.torch.save(tensors)],
    }


def _picture(mode: str) -> Image.Image:
    ramp = np.linspace(0, 1, _SIZE * _SIZE, dtype=np.float32).reshape(_SIZE, _SIZE)
    if mode == "F":
        return Image.fromarray(ramp)
    if mode == "I;16":
        return Image.fromarray((ramp * 65535).astype(np.uint16))
    noise = np.random.default_rng(0).integers(0, 256, (_SIZE, _SIZE, 3), dtype=np.uint8)
    if mode == "LAB":
        return Image.frombytes("LAB", (_SIZE, _SIZE), noise.tobytes())
    convert: Callable[[str], Image.Image] = Image.fromarray(noise).convert
    return convert("L").convert(mode) if mode == "LA" else convert(mode)


def _saved(picture: Image.Image, format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format, **options)
    return stream.getvalue()
