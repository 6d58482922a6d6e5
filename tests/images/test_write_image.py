"""Files that are complete, rounded, and as the arguments say."""

import errno
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, JpegImagePlugin
from torch import Tensor

from pystyle.images import quantise, read_image, write_image


def levels_in(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def noise(*shape: int) -> Tensor:
    return torch.rand(shape or (1, 3, 12, 17), generator=torch.Generator().manual_seed(0))


def test_write_image_clamps_and_does_not_wrap(tmp_path: Path) -> None:
    write_image(torch.tensor([-0.2, 1.3, 0.5]).reshape(3, 1, 1), tmp_path / "a.png")
    assert levels_in(tmp_path / "a.png").tolist() == [[[0, 255, 128]]]


def test_write_image_rounds_to_the_nearest_level(tmp_path: Path) -> None:
    values = (torch.arange(256.0)[:, None] + torch.tensor([-0.49, 0.0, 0.49])) / 255
    write_image(values.T.reshape(3, 16, 16), tmp_path / "a.png")
    assert (levels_in(tmp_path / "a.png").reshape(256, 3) == np.arange(256)[:, None]).all()


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.tiff", "a.bmp", "a.ppm", "a.jp2", "a.PNG"])
def test_write_image_and_read_image_give_the_quantised_image(tmp_path: Path, name: str) -> None:
    image = noise() * 1.4 - 0.2
    write_image(image, tmp_path / name)
    assert torch.equal(read_image(tmp_path / name), quantise(image))


@pytest.mark.parametrize("name", ["a.jpg", "a.jpeg", "a.webp", "a.avif"])
def test_write_image_writes_lossy_formats_close_to_the_image(tmp_path: Path, name: str) -> None:
    ramp = torch.linspace(0, 1, 64).expand(1, 3, 64, 64)
    write_image(ramp, tmp_path / name)
    assert (read_image(tmp_path / name) - ramp).abs().mean() < 0.01


@pytest.mark.parametrize("format", ["png", "PNG", ".png", None])
def test_write_image_writes_to_a_stream(format: str | None) -> None:
    stream = io.BytesIO()
    write_image(noise(), stream, format=format)
    assert not stream.closed
    stream.seek(0)
    assert torch.equal(read_image(stream), quantise(noise()))


def test_write_image_prefers_the_format_to_the_extension(tmp_path: Path) -> None:
    write_image(noise(), tmp_path / "a.backup", format="jpg")
    with Image.open(tmp_path / "a.backup") as picture:
        assert picture.format == "JPEG"


def test_write_image_writes_jpeg_at_the_quality_with_full_colour_resolution(tmp_path: Path) -> None:
    write_image(noise(3, 64, 64), tmp_path / "a.jpg")
    write_image(noise(3, 64, 64), tmp_path / "b.jpg", quality=30)
    with Image.open(tmp_path / "a.jpg") as picture:
        assert JpegImagePlugin.get_sampling(picture) == 0  # 4:4:4
    assert (tmp_path / "b.jpg").stat().st_size < (tmp_path / "a.jpg").stat().st_size / 2


@pytest.mark.parametrize("shape", [(1, 5, 7), (1, 1, 5, 7)])
def test_write_image_writes_one_channel_as_grey(tmp_path: Path, shape: tuple[int, ...]) -> None:
    write_image(noise(*shape), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode == "L"
    assert torch.equal(read_image(tmp_path / "a.png")[:, :1], quantise(noise(1, 1, 5, 7)))


def with_layout(layout: str) -> Tensor:
    image = noise(1, 3, 6, 4)
    if layout == "channels_last":
        return image.contiguous(memory_format=torch.channels_last)
    if layout == "transposed":
        return image.mT.contiguous().mT
    if layout == "sliced":
        return torch.cat([image, image], dim=3)[..., :4]
    if layout == "requires_grad":
        return image.requires_grad_()
    if layout == "graph":
        return image.requires_grad_() * 1
    with torch.inference_mode():
        return image.clone()


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    "layout", ["channels_last", "transposed", "sliced", "requires_grad", "graph", "inference"]
)
def test_write_image_takes_every_layout(tmp_path: Path, layout: str, bits: int) -> None:
    write_image(noise(1, 3, 6, 4), tmp_path / "expected.png", bits=bits)
    write_image(with_layout(layout), tmp_path / "a.png", bits=bits)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "expected.png").read_bytes()


def test_write_image_takes_expanded_tensors(tmp_path: Path) -> None:
    write_image(torch.tensor([0.0, 0.2, 1.0])[:, None, None].expand(3, 4, 5), tmp_path / "a.png")
    assert (levels_in(tmp_path / "a.png") == [0, 51, 255]).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_write_image_takes_every_floating_dtype(tmp_path: Path, dtype: torch.dtype) -> None:
    image = noise().to(dtype)
    write_image(image, tmp_path / "a.png")
    assert torch.equal(read_image(tmp_path / "a.png"), quantise(image.float()))


def test_write_image_leaves_the_tensor_alone(tmp_path: Path) -> None:
    image = noise() * 1.8 - 0.4
    before, version = image.clone(), image._version
    write_image(image, tmp_path / "a.png")
    assert torch.equal(image, before)
    assert image._version == version


# 16 bits


def unpacked(data: bytes) -> tuple[tuple[int, ...], np.ndarray]:
    """Header and 16-bit values of a PNG whose rows all have the filter type 2, by the PNG specification."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place, header, packed = 8, b"", b""
    while place < len(data):
        length, name = struct.unpack(">I4s", data[place : place + 8])
        body = data[place + 8 : place + 8 + length]
        assert struct.unpack(">I", data[place + 8 + length : place + 12 + length])[0] == zlib.crc32(
            name + body
        )
        header, packed = (body if name == b"IHDR" else header), packed + (body if name == b"IDAT" else b"")
        place += 12 + length
    width, height, *rest = struct.unpack(">IIBBBBB", header)
    rows = np.frombuffer(zlib.decompress(packed), dtype=np.uint8).reshape(height, -1)
    assert (rows[:, 0] == 2).all()
    values = np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8).view(">u2")
    return (width, height, *rest), values.reshape(height, width, -1).astype(int)


def test_write_image_writes_sixteen_bits_per_channel(tmp_path: Path) -> None:
    image = noise(3, 12, 17)
    write_image(image, tmp_path / "a.png", bits=16)
    header, values = unpacked((tmp_path / "a.png").read_bytes())
    assert header == (17, 12, 16, 2, 0, 0, 0)
    expected = np.rint(image.permute(1, 2, 0).numpy() * np.float32(65535)).astype(int)
    assert (values == expected).all()
    assert (levels_in(tmp_path / "a.png") == expected >> 8).all()  # Pillow sees the upper bytes.


def test_write_image_writes_sixteen_bit_grey_that_reads_back(tmp_path: Path) -> None:
    image = noise(1, 12, 17)
    write_image(image, tmp_path / "a.png", bits=16)
    assert unpacked((tmp_path / "a.png").read_bytes())[0] == (17, 12, 16, 0, 0, 0, 0)
    assert (read_image(tmp_path / "a.png")[0, :1] - image).abs().max() <= 0.5001 / 65535


def test_write_image_clamps_and_rounds_sixteen_bits() -> None:
    stream = io.BytesIO()
    write_image(torch.tensor([-0.2, 1.3, 0.2000091]).reshape(3, 1, 1), stream, bits=16)
    assert unpacked(stream.getvalue())[1].tolist() == [[[0, 65535, 13108]]]


# Files


def test_write_image_replaces_an_older_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"old")
    write_image(noise(), tmp_path / "a.png")
    assert os.listdir(tmp_path) == ["a.png"]
    assert read_image(tmp_path / "a.png").shape == (1, 3, 12, 17)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_write_image_keeps_the_older_file_and_leaves_nothing_when_writing_fails(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "a.png").write_bytes(b"old")
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left"):
        write_image(noise(), tmp_path / "a.png")
    assert os.listdir(tmp_path) == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"old"


def test_write_image_renames_only_what_has_reached_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (steps.append("fsync"), fsync(file)))
    monkeypatch.setattr(os, "replace", lambda *paths: (steps.append("replace"), replace(*paths)))
    write_image(noise(), tmp_path / "a.png")
    assert steps[:2] == ["fsync", "replace"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_write_image_gives_the_permissions_of_the_umask(tmp_path: Path) -> None:
    umask = os.umask(0o027)
    try:
        write_image(noise(), tmp_path / "a.png")
    finally:
        os.umask(umask)
    assert (tmp_path / "a.png").stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("mode", [0o600, 0o400, 0o664])
def test_write_image_keeps_the_permissions_of_what_it_replaces(mode, tmp_path: Path, monkeypatch) -> None:
    place, seen, replace = tmp_path / "a.png", [], os.replace
    write_image(noise(), place)
    place.chmod(mode)
    monkeypatch.setattr(os, "replace", lambda *paths: (seen.append(paths[0].stat().st_mode), replace(*paths)))
    write_image(noise(), place)
    assert place.stat().st_mode & 0o777 == mode
    assert [found & 0o777 for found in seen] == [mode]


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_write_image_follows_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.png").symlink_to(tmp_path / "folder" / "b.png")
    write_image(noise(), tmp_path / "a.png")
    assert (tmp_path / "a.png").is_symlink()
    assert read_image(tmp_path / "folder" / "b.png").shape == (1, 3, 12, 17)


def test_write_image_does_not_keep_the_orientation_of_the_file_it_came_from(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (20, 10)).save(tmp_path / "a.png", exif=exif)
    write_image(read_image(tmp_path / "a.png"), tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as picture:
        assert picture.size == (10, 20)
        assert 0x0112 not in picture.getexif()


def test_write_image_refuses_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"the folder '.*missing' does not exist\. Create it first"):
        write_image(noise(), tmp_path / "missing" / "a.png")


def test_write_image_refuses_to_replace_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(IsADirectoryError, match="it is a folder"):
        write_image(noise(), tmp_path / "a.png")


@pytest.mark.parametrize(
    ("name", "hint"), [("a.jpgg", "Did you mean '.jpg'"), ("a.pgn", "Did you mean '.png'")]
)
def test_write_image_lists_the_extensions_it_knows(tmp_path: Path, name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=rf"must be one of \.png, \.jpg, .*{hint}"):
        write_image(noise(), tmp_path / name)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("name", ["a", "a.gif", "a.exe"])
def test_write_image_refuses_other_extensions(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="The extension of `destination` must be one of"):
        write_image(noise(), tmp_path / name)


def test_write_image_refuses_an_unknown_format() -> None:
    with pytest.raises(ValueError, match=r"`format` must be one of png, jpg.* Did you mean 'jpeg'"):
        write_image(noise(), io.BytesIO(), format="jpegs")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_write_image_refuses_values_that_are_not_finite(tmp_path: Path, value: float) -> None:
    image = noise()
    image[0, 1, 2, 3] = value
    with pytest.raises(ValueError, match="`image` must be finite"):
        write_image(image, tmp_path / "a.png")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 3, 4, 4), r"must be one image, got a batch of shape \(2, 3, 4, 4\)"),
        ((0, 3, 4, 4), "must be one image"),
        ((4, 4, 4), r"with 1 or 3 channels, got \(4, 4, 4\)"),
        ((1, 2, 4, 4), "with 1 or 3 channels"),
        ((4, 4), "must have shape"),
        ((1, 1, 3, 4, 4), "must have shape"),
        ((3, 0, 4), "must have pixels"),
    ],
)
def test_write_image_refuses_other_shapes(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_image(torch.zeros(shape), io.BytesIO())


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool, torch.complex64])
def test_write_image_refuses_dtypes_that_are_not_floating(dtype: torch.dtype) -> None:
    with pytest.raises(TypeError, match="`image` must be a floating tensor"):
        write_image(torch.zeros(3, 4, 4, dtype=dtype), io.BytesIO())


def test_write_image_refuses_arrays_and_strange_destinations() -> None:
    with pytest.raises(TypeError, match="`image` must be a tensor, got a ndarray"):
        write_image(np.zeros((3, 4, 4)), io.BytesIO())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="`destination` must be a path or a binary file object, got int"):
        write_image(noise(), 3)  # type: ignore[arg-type]


@pytest.mark.parametrize("quality", [0, 101, 95.5, True])
def test_write_image_refuses_a_quality_out_of_range(quality: int) -> None:
    with pytest.raises((ValueError, TypeError), match=r"`quality` must be (in \[1, 100\]|a whole number)"):
        write_image(noise(), io.BytesIO(), quality=quality)


def test_write_image_refuses_other_depths_and_sixteen_bits_outside_png(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`bits` must be 8 or 16, got 10"):
        write_image(noise(), tmp_path / "a.png", bits=10)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`bits=16` needs the format PNG, got JPEG"):
        write_image(noise(), tmp_path / "a.jpg", bits=16)
