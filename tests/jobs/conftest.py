import struct
import zlib
from functools import partial

import pytest
import torch

from pystyle import stylize
from pystyle.encoders import alexnet
from pystyle.images import resize, write_image


def _picture(seed, height, width):
    generator = torch.Generator().manual_seed(seed)
    return resize(torch.rand(1, 3, height // 6, width // 6, generator=generator), (height, width))


@pytest.fixture(scope="session")
def recipe():
    """`stylize` with the smallest encoder, random weights and two steps."""
    encoder = alexnet(weights=None)
    return partial(stylize, encoder=encoder, edge_size=36, num_steps=2, device="cpu", seed=0)


@pytest.fixture(scope="session")
def style():
    return _picture(99, 36, 30).square()


@pytest.fixture
def photos(tmp_path):
    """A folder of four good images, one of them below it, and three bad ones."""
    folder = tmp_path / "photos"
    (folder / "trip").mkdir(parents=True)
    for seed, name in enumerate(("a.png", "b.jpg", "c.webp", "trip/a.png")):
        write_image(_picture(seed, 36, 48), folder / name)
    whole = (folder / "a.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    # The header announces 400 million pixels.
    header = b"IHDR" + struct.pack(">II", 20_000, 20_000) + whole[24:29]
    bomb = whole[:12] + header + struct.pack(">I", zlib.crc32(header)) + whole[33:]
    (folder / "bomb.png").write_bytes(bomb)
    return folder


@pytest.fixture
def output(tmp_path):
    return tmp_path / "pictures"
