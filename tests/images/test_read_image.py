"""Sources, formats, orientation, frames and size."""

import io
import os
import struct
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from pystyle.images import ImageReadError, read_image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def noise(height: int = 24, width: int = 32) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def expected(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy((pixels.astype(np.float32) / np.float32(255)).transpose(2, 0, 1)[None].copy())


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.ppm", "a.webp", "a.jp2", "a.qoi"])
def test_read_image_gives_the_pixels_of_lossless_formats_divided_by_255(tmp_path: Path, name: str) -> None:
    options = {"lossless": True} if name == "a.webp" else {}
    Image.fromarray(noise()).save(tmp_path / name, **options)
    image = read_image(tmp_path / name)
    assert image.dtype == torch.float32
    torch.testing.assert_close(image, expected(noise()), rtol=0, atol=0)


@pytest.mark.parametrize("name", ["a.jpg", "a.avif"])
def test_read_image_agrees_with_pillow_on_lossy_formats(tmp_path: Path, name: str) -> None:
    Image.fromarray(noise()).save(tmp_path / name)
    pillow = np.asarray(Image.open(tmp_path / name).convert("RGB"))
    torch.testing.assert_close(read_image(tmp_path / name), expected(pillow), rtol=0, atol=0)


def test_read_image_goes_by_the_content_and_not_by_the_name(tmp_path: Path) -> None:
    Image.fromarray(noise()).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert torch.equal(read_image(tmp_path / "a.jpg"), expected(noise()))


def test_read_image_accepts_a_string_a_path_and_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(noise()).save(path)
    with path.open("rb") as stream:
        images = [read_image(str(path)), read_image(path), read_image(stream)]
        assert not stream.closed
    assert all(torch.equal(image, expected(noise())) for image in images)


def test_read_image_reads_a_stream_from_where_it_stands_even_if_it_cannot_be_rewound() -> None:
    file = io.BytesIO()
    Image.fromarray(noise()).save(file, "PNG")
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source:
        with os.fdopen(writing, "wb") as sink:
            sink.write(b"header" + file.getvalue())
        assert source.read(6) == b"header"
        assert torch.equal(read_image(source), expected(noise()))


def test_read_image_gives_a_tensor_that_may_be_written_to(tmp_path: Path) -> None:
    Image.fromarray(noise()).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.is_contiguous()
    image.zero_()
    assert torch.equal(read_image(tmp_path / "a.png"), expected(noise()))


# Where the corners of the stored picture, red left top, green right top, blue left bottom, white right
# bottom, must be seen, in the same order. From the EXIF specification 2.3, tag 274.
SEEN = {
    1: (RED, GREEN, BLUE, WHITE),
    2: (GREEN, RED, WHITE, BLUE),
    3: (WHITE, BLUE, GREEN, RED),
    4: (BLUE, WHITE, RED, GREEN),
    5: (RED, BLUE, GREEN, WHITE),
    6: (BLUE, RED, WHITE, GREEN),
    7: (WHITE, GREEN, BLUE, RED),
    8: (GREEN, WHITE, RED, BLUE),
}


def corners(image: torch.Tensor) -> tuple[tuple[int, ...], ...]:
    places = [(0, 0), (0, -1), (-1, 0), (-1, -1)]
    return tuple(tuple(int(v) for v in image[0, :, row, column].mul(255).round()) for row, column in places)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp", "a.jpg", "a.avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_read_image_turns_the_picture_as_exif_says(tmp_path: Path, orientation: int, name: str) -> None:
    stored = Image.new("RGB", (32, 16))
    for colour, box in zip(
        SEEN[1], [(0, 0, 16, 8), (16, 0, 32, 8), (0, 8, 16, 16), (16, 8, 32, 16)], strict=True
    ):
        stored.paste(colour, box)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"a.webp": {"lossless": True}, "a.jpg": {"quality": 95, "subsampling": 0}}.get(name, {})
    stored.save(tmp_path / name, exif=exif, **options)
    image = read_image(tmp_path / name)
    assert image.shape == ((1, 3, 16, 32) if orientation < 5 else (1, 3, 32, 16))
    np.testing.assert_allclose(corners(image), SEEN[orientation], atol=6)


def test_read_image_turns_sixteen_bit_grey_too(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.array([[0, 65535]], dtype=np.uint16)).save(tmp_path / "a.png", exif=exif)
    assert read_image(tmp_path / "a.png")[0, 0].tolist() == [[0.0], [1.0]]


def test_read_image_turns_before_it_resizes(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(tmp_path / "a.png", exif=exif)
    assert read_image(tmp_path / "a.png", edge_size=10, edge="height").shape == (1, 3, 10, 5)


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_read_image_ignores_an_orientation_that_does_not_exist(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(noise()).save(tmp_path / "a.png", exif=exif)
    assert torch.equal(read_image(tmp_path / "a.png"), expected(noise()))


def test_read_image_ignores_damaged_exif(tmp_path: Path) -> None:
    Image.fromarray(noise()).save(tmp_path / "a.png", exif=b"Exif\0\0II*\0\xff\xff\xff\xff junk")
    assert torch.equal(read_image(tmp_path / "a.png"), expected(noise()))


@pytest.mark.parametrize(
    ("name", "options"), [("a.gif", {}), ("a.webp", {"lossless": True}), ("a.tif", {}), ("a.png", {})]
)
def test_read_image_reads_the_first_of_several_frames(
    tmp_path: Path, name: str, options: dict[str, bool]
) -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in (RED, GREEN, BLUE)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
    assert corners(read_image(tmp_path / name)) == (RED,) * 4


def test_read_image_reads_the_first_picture_of_a_multi_picture_jpeg(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (16, 16), WHITE), Image.new("RGB", (16, 16))
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second])
    assert corners(read_image(tmp_path / "a.jpg")) == (WHITE,) * 4


def test_read_image_does_not_walk_through_ten_thousand_frames(tmp_path: Path) -> None:
    header = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\xff\0\0" + b"\0\0\xff"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02%c\x01\x00"
    (tmp_path / "a.gif").write_bytes(header + frame % 0x44 + frame % 0x4C * 9_999 + b";")
    with Image.open(tmp_path / "a.gif") as picture:
        assert picture.n_frames == 10_000
    assert corners(read_image(tmp_path / "a.gif"))[0] == RED


def test_read_image_gives_the_asked_edge_and_keeps_the_aspect_ratio(tmp_path: Path) -> None:
    Image.new("RGB", (60, 40), BLUE).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", edge_size=20).shape == (1, 3, 20, 30)
    image = read_image(tmp_path / "a.png", edge_size=20, edge="long")
    assert image.shape == (1, 3, 13, 20)
    assert corners(image) == (BLUE,) * 4


def test_read_image_puts_the_image_on_the_device(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").device.type == "cpu"
    assert read_image(tmp_path / "a.png", device="meta").device.type == "meta"


def test_read_image_works_in_threads_and_leaves_process_wide_settings_alone(tmp_path: Path) -> None:
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters), np.geterr())
    paths = []
    for index in range(8):
        paths.append(tmp_path / f"{index}.png")
        Image.fromarray(noise() // (index + 1)).save(paths[-1])
    images: dict[int, torch.Tensor] = {}
    refused: list[ImageReadError] = []

    def work(index: int) -> None:
        for _ in range(5):
            images[index] = read_image(paths[index])
            try:
                read_image(paths[index], max_pixels=10)
            except ImageReadError as error:
                refused.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 40
    assert all(torch.equal(images[index], expected(noise() // (index + 1))) for index in range(8))
    assert before == (
        Image.MAX_IMAGE_PIXELS,
        ImageFile.LOAD_TRUNCATED_IMAGES,
        list(warnings.filters),
        np.geterr(),
    )


@pytest.mark.parametrize("source", [None, 3, b"a.png", io.StringIO("text"), np.zeros((2, 2))])
def test_read_image_refuses_what_is_neither_a_path_nor_a_binary_file(source: object) -> None:
    with pytest.raises(TypeError, match="`source` must be a path or a binary file object"):
        read_image(source)  # type: ignore[arg-type]


@pytest.mark.parametrize("max_pixels", [0, -1, True, 2.5, None])
def test_read_image_refuses_a_limit_that_is_no_positive_integer(max_pixels: object) -> None:
    with pytest.raises((ValueError, TypeError), match=r"`max_pixels` must be (at least 1|a whole number)"):
        read_image("a.png", max_pixels=max_pixels)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "background", [(1, 1), (1, 1, 1, 1), (0, 0, 1.1), (0, -0.1, 0), (0, 0, float("nan"))]
)
def test_read_image_refuses_a_background_that_is_no_colour(background: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="`background` must be three numbers in"):
        read_image("a.png", background=background)
