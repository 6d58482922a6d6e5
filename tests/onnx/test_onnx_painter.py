"""What paints exported networks: without torch, the same as with it."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from PIL import Image

from pystyle.images import read_image, write_image
from pystyle.networks import AnyStyleNetwork, TransformNetwork
from pystyle.onnx import OnnxPainter, as_array, as_picture

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

pytestmark = pytest.mark.slow  # Each export takes seconds.

WITHOUT_TORCH = """
import json, sys
sys.modules["torch"] = sys.modules["torchvision"] = None
import numpy
from pystyle.onnx import OnnxPainter, as_array, as_picture
for index, (path, style) in enumerate(json.loads(sys.argv[1])):
    paint = OnnxPainter(path, style=style)
    as_picture(paint("photo.png")).save(f"painted{index}.png")
    numpy.save(f"painted{index}.npy", paint(as_array("photo.png")))
try:
    import torch
except ImportError:
    print("no torch")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Exported networks, a photograph and two paintings."""
    found = tmp_path_factory.mktemp("onnx")
    torch.manual_seed(0)
    named = TransformNetwork(width=1, styles=["waves", "wheat"])
    torch.nn.init.normal_(named.codes)
    named.save(found / "named.safetensors")
    named.export(found / "fixed.onnx", style="wheat")
    named.export(found / "named.onnx")
    named.export(found / "small.onnx", style="waves", size=(20, 30))
    for name, size in (("photo", (43, 50)), ("painting", (40, 37)), ("other", (33, 41))):
        write_image(torch.rand(1, 3, *size), found / f"{name}.png")
    return found


@pytest.fixture(scope="module")
def any_style(folder):
    """A network for any style, and its two files."""
    torch.manual_seed(1)
    network = AnyStyleNetwork(width=1, features="light").eval()
    network.export(folder / "any.onnx")
    return network


def paint_without_torch(folder, *jobs):
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(WITHOUT_TORCH), json.dumps(jobs)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "no torch\n"


def close(found, wanted):
    return float(np.abs(found - wanted.numpy()).max()) < 1e-4


def test_a_process_in_which_torch_cannot_be_imported_paints_the_same(folder):
    network = TransformNetwork.load(folder / "named.safetensors")
    photo = read_image(folder / "photo.png")
    blend = [("waves", 1), ("wheat", 3)]
    paint_without_torch(folder, ("fixed.onnx", None), ("named.onnx", "waves"), ("named.onnx", blend))
    for index, style in enumerate(("wheat", "waves", blend)):
        wanted = network.bind(style)(photo)
        assert close(np.load(folder / f"painted{index}.npy"), wanted)
        saved = read_image(folder / f"painted{index}.png")
        assert saved.shape == photo.shape
        assert float((saved - wanted).abs().max()) < 0.51 / 255


def test_paintings_are_looked_at_without_torch(folder, any_style):
    paint_without_torch(folder, ("any.onnx", "painting.png"))
    painting, photo = (read_image(folder / name) for name in ("painting.png", "photo.png"))
    assert close(np.load(folder / "painted0.npy"), any_style.bind(painting)(photo))


def test_paintings_blend_by_their_weights(folder, any_style):
    painting, other, photo = (read_image(folder / f"{name}.png") for name in ("painting", "other", "photo"))
    paint = OnnxPainter(
        folder / "any.onnx", style=[(folder / "painting.png", 3.0), (other.numpy(), 1.0), ("none.png", 0.0)]
    )
    wanted = any_style.bind([(painting, 0.75), (other, 0.25)])(photo)
    assert close(paint(Image.open(folder / "photo.png")), wanted)
    with pytest.raises(ValueError, match="`style` must be one painting, got a batch of 2"):
        OnnxPainter(folder / "any.onnx", style=np.zeros((2, 3, 32, 32), np.float32))
    with pytest.raises(ValueError, match="`style_path` must be a file of the same network"):
        OnnxPainter(_relabelled(folder, "any-style.onnx", "configuration", "{}"), style=other.numpy())


def _relabelled(folder, name, key, value):
    """The files of the network for any style, of which one says something else."""
    for part in ("any.onnx", "any-style.onnx"):
        model = onnx.load(folder / part)
        for entry in model.metadata_props:
            if part == name and entry.key == key:
                entry.value = value
        onnx.save(model, folder / part.replace("any", "odd"))
    return folder / "odd.onnx"


def test_a_batch_and_a_strength(folder):
    paint = OnnxPainter(folder / "fixed.onnx", threads=1)
    contents = np.random.default_rng(0).random((2, 3, 21, 34)).astype(np.float32)
    both = paint(contents)
    assert both.shape == contents.shape
    np.testing.assert_allclose(both[1:], paint(contents[1:]), atol=1e-5)
    np.testing.assert_allclose(paint(contents, strength=0.25), 0.75 * contents + 0.25 * both, atol=1e-5)
    assert paint(contents, strength=np.float64(0.25)).dtype == np.float32
    assert paint.metadata["class"] == "TransformNetwork"
    assert (paint.styles, paint.smallest) == (("waves", "wheat"), 16)


def test_a_file_of_one_size_takes_no_other(folder):
    paint = OnnxPainter(folder / "small.onnx")
    assert paint(np.zeros((1, 3, 20, 30), np.float32)).shape == (1, 3, 20, 30)
    with pytest.raises(ValueError, match=r"`content` must have 20 x 30 pixels, .* got 30 x 20"):
        paint(np.zeros((1, 3, 30, 20), np.float32))
    with pytest.raises(ValueError, match="`content` must be one image for this file, got a batch of 2"):
        paint(np.zeros((2, 3, 20, 30), np.float32))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.zeros((3, 32, 32), np.float32), "`content` must have the shape"),
        (np.zeros((1, 3, 32, 32), np.uint8), "`content` must be floating-point"),
        (np.full((1, 3, 32, 32), 255.0), r"`content` must be in \[0, 1\], got values from 255"),
        (np.full((1, 3, 32, 32), np.nan), r"`content` must be in \[0, 1\]"),
        (np.zeros((1, 3, 32, 15)), "`content` must have sides of at least 16 pixels, got 32 x 15"),
    ],
)
def test_wrong_contents_are_explained(folder, content, message):
    with pytest.raises(ValueError, match=message):
        OnnxPainter(folder / "fixed.onnx")(content)


def test_wrong_styles_and_strengths_are_explained(folder):
    with pytest.raises(ValueError, match="`style` must not be given"):
        OnnxPainter(folder / "fixed.onnx", style="wheat")
    with pytest.raises(ValueError, match=r"`style` must be one of the names .'waves', 'wheat'., got none"):
        OnnxPainter(folder / "named.onnx")
    with pytest.raises(ValueError, match=r"`style` must be one of the learned styles .* got 'stars'"):
        OnnxPainter(folder / "named.onnx", style="stars")
    for weights in ([("waves", 0)], [("waves", -1), ("wheat", 2)], [("waves", float("nan"))]):
        with pytest.raises(ValueError, match="The weights of `style`"):
            OnnxPainter(folder / "named.onnx", style=weights)
    with pytest.raises(ValueError, match="`strength` must be from 0 to 1"):
        OnnxPainter(folder / "fixed.onnx")(np.zeros((1, 3, 32, 32)), strength=1.5)


def test_a_file_that_is_missing_broken_or_of_others_is_explained(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        OnnxPainter(tmp_path / "none.onnx")
    (tmp_path / "half.onnx").write_bytes((folder / "fixed.onnx").read_bytes()[:5000])
    with pytest.raises(ValueError, match="must be a file of ONNX that is complete"):
        OnnxPainter(tmp_path / "half.onnx")
    model = onnx.load(folder / "fixed.onnx")
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(ValueError, match=r"must be a file of `Stylizer\.export` that paints"):
        OnnxPainter(tmp_path / "other.onnx")


def test_pictures_are_upright_and_what_is_transparent_is_white(tmp_path):
    image = Image.new("RGBA", (3, 2), (255, 0, 0, 0))
    image.putpixel((0, 0), (0, 0, 255, 255))
    exif = Image.Exif()
    exif[0x0112] = 6  # To be turned to the right.
    image.save(tmp_path / "turned.png", exif=exif)
    pixels = as_array(tmp_path / "turned.png")
    assert pixels.shape == (1, 3, 3, 2)
    assert pixels[0, :, 0, 1].tolist() == [0, 0, 1]
    assert (pixels.sum(1) == 3).sum() == 5
    assert as_picture(pixels).getpixel((1, 0)) == (0, 0, 255)
    with pytest.raises(ValueError, match="`pixels` must have the shape"):
        as_picture(np.zeros((2, 3, 4, 4)))
