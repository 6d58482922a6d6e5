"""`pystyle paint`: pictures of a network, one by one or of a whole folder."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from pystyle.cli import main
from pystyle.colors import luminance
from pystyle.images import read_image, resize, split_alpha, write_image
from pystyle.networks import AnyStyleNetwork, Stylizer, TransformNetwork

NAMED = ["--network", "named.safetensors", "--size", "32", "--device", "cpu", "--quiet"]
ANY = ["--network", "any.safetensors", "--size", "32", "--device", "cpu", "--quiet"]


@pytest.fixture(autouse=True)
def folder(pictures):
    torch.manual_seed(0)
    named = TransformNetwork(width=1, styles=["waves", "wheat"])
    torch.nn.init.normal_(named.codes)
    named.save("named.safetensors")
    AnyStyleNetwork(width=1).save("any.safetensors")
    return pictures


def paint(*arguments, output="out.png"):
    # What is compared with it is computed in float32, whatever this processor is fast in.
    return main(["paint", *arguments, "-o", output, "--precision", "float32"])


def same_pixels(image, expected):
    return bool((image - expected).abs().max() <= 0.51 / 255)


def test_a_picture_is_what_the_painter_paints():
    assert paint("content.png", "wheat", *NAMED) == 0
    content = resize(read_image("content.png"), 32)
    expected = Stylizer.load("named.safetensors").bind("wheat")(content)
    assert expected.shape == (1, 3, 32, 48)
    assert same_pixels(read_image("out.png"), expected)


def test_names_blend_with_weights():
    assert paint("content.png", "waves", "wheat", *NAMED, "--style-weights", "3,1") == 0
    content = resize(read_image("content.png"), 32)
    painter = Stylizer.load("named.safetensors").bind([("waves", 0.75), ("wheat", 0.25)])
    assert same_pixels(read_image("out.png"), painter(content))


def test_paintings_are_looked_at_in_their_size():
    assert paint("content.png", "style.png", "other.png", *ANY, "--style-size", "24") == 0
    content = resize(read_image("content.png"), 32)
    styles = [(resize(read_image(name), 24), 1.0) for name in ("style.png", "other.png")]
    assert same_pixels(read_image("out.png"), Stylizer.load("any.safetensors").bind(styles)(content))
    assert paint("content.png", "style.png", *ANY, "--style-size", "original", output="own.png") == 0
    painter = Stylizer.load("any.safetensors").bind(read_image("style.png"))
    assert same_pixels(read_image("own.png"), painter(content))


@pytest.fixture
def left():
    """A mask of the left half, and one of the right in a file beside it."""
    left = torch.zeros(1, 3, 40, 60)
    left[..., :30] = 1
    write_image(left, "left.png")
    write_image(1 - left, "right.png")
    return left


@pytest.mark.parametrize("colors", ["style", "content", "luminance"])
def test_outside_of_a_mask_the_photograph_stays(left, colors):
    options = [*NAMED, "--size", "original", "--colors", colors, "--mask", "left.png"]
    assert paint("content.png", "waves", "wheat", *options) == 0
    assert paint("content.png", "waves", "wheat", *options[:-2], output="whole.png") == 0
    expected = torch.where(left > 0, read_image("whole.png"), read_image("content.png"))
    assert torch.equal(read_image("out.png"), expected)
    assert not torch.equal(expected, read_image("content.png"))


@pytest.mark.usefixtures("left")
def test_each_style_may_have_a_mask(folder, monkeypatch):
    masks = ["--size", "original", "--mask", "right.png", "--mask=left.png"]
    assert paint("content.png", "waves", "wheat", *NAMED, *masks, "--save-config", "run.toml") == 0
    network = Stylizer.load("named.safetensors")
    waves, wheat = (network.bind(style)(read_image("content.png")) for style in network.styles)
    expected = torch.cat([wheat[..., :30], waves[..., 30:]], 3)
    assert same_pixels(read_image("out.png"), expected)
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert main(["paint", "--config", "../run.toml", "-o", "again.png", "--quiet"]) == 0
    assert Path("again.png").read_bytes() == Path("../out.png").read_bytes()


def test_without_any_strength_the_content_stays():
    assert paint("content.png", "wheat", *NAMED, "--size", "original", "--strength", "0") == 0
    assert same_pixels(read_image("out.png"), read_image("content.png"))


def test_the_only_style_need_not_be_named(capsys):
    TransformNetwork(width=1).save("one.safetensors")
    options = ["--network", "one.safetensors", "--size", "32", "--device", "cpu"]
    assert paint("content.png", *options) == 0
    error = capsys.readouterr().err
    assert error.startswith("pystyle: The picture is in 'out.png': 48 x 32 pixels in ")
    assert error.count("\n") == 1


def test_one_object_tells_programs_about_the_picture(capsys):
    assert paint("content.png", "wheat", *NAMED, "--json") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    facts = json.loads(captured.out)
    assert (facts["width"], facts["height"], facts["styles"]) == (48, 32, ["wheat"])
    assert (facts["output"], facts["device"]) == (str(Path("out.png").absolute()), "cpu")


def test_the_colours_may_be_those_of_the_photograph():
    content = resize(read_image("content.png"), 32)
    write_image(content, "content.png")
    for colors in ("style", "content", "luminance"):
        assert paint("content.png", "wheat", *NAMED, "--colors", colors, output=f"in-{colors}.png") == 0
    plain, mean, pixels = (read_image(f"in-{colors}.png") for colors in ("style", "content", "luminance"))

    def distance(image):
        return float((image.mean((2, 3)) - content.mean((2, 3))).norm())

    assert distance(mean) < distance(plain) / 4
    # Where nothing is clamped, the chroma is that of the photograph.
    inside = ((pixels > 0.01) & (pixels < 0.99)).all(1, keepdim=True)
    chroma = (pixels - luminance(pixels)) - (content - luminance(content))
    assert float((chroma * inside).abs().max()) < 2 / 255


def test_pictures_go_through_the_standard_streams(capfdbinary, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(Path("content.png").read_bytes())))
    assert paint("-", "wheat", *NAMED, output="-") == 0
    image = read_image(io.BytesIO(capfdbinary.readouterr().out))
    expected = Stylizer.load("named.safetensors").bind("wheat")(resize(read_image("content.png"), 32))
    assert same_pixels(image, expected)


def test_transparency_and_metadata_are_kept():
    image = Image.new("RGBA", (60, 40), (200, 100, 50, 255))
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.save("content.png", dpi=(300, 300))
    assert paint("content.png", "wheat", *NAMED, "--size", "original", "--keep-metadata") == 0
    alpha = split_alpha("out.png")[1]
    assert float(alpha[0, 0, 0, 0]) == 0
    assert float(alpha[0, 0, 20, 20]) == 1
    with Image.open("out.png") as picture:
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert paint("content.png", "wheat", *NAMED, "--background", "white", output="opaque.png") == 0
    assert split_alpha("opaque.png")[1] is None


@pytest.fixture
def photos(folder):
    (folder / "photos/below").mkdir(parents=True)
    shutil.copy("content.png", "photos/a.png")
    shutil.copy("other.png", "photos/below/b.png")
    return folder / "photos"


def test_a_folder_is_painted_and_gone_on_with(capsys, photos):
    options = ["photos", "wheat", *NAMED, "--format", "jpg", "--json"]
    assert paint(*options, output="pictures") == 0
    assert json.loads(capsys.readouterr().out)["painted"] == ["a.jpg", "below/b.jpg"]
    assert read_image("pictures/below/b.jpg").shape == (1, 3, 32, 48)
    Path("pictures/a.jpg").unlink()
    (photos / "broken.png").write_bytes(b"no picture")
    assert paint(*options, output="pictures") == 1
    captured = capsys.readouterr()
    facts = json.loads(captured.out)
    assert (facts["painted"], facts["kept"]) == (["a.jpg"], ["below/b.jpg"])
    assert list(facts["failed"]) == ["broken.png"]
    assert "`--retry-failed` tries them again." in captured.err


@pytest.mark.slow
def test_a_folder_has_the_pictures_that_are_painted_one_by_one(photos):
    assert paint(str(photos), "style.png", *ANY, output="pictures") == 0
    assert paint("content.png", "style.png", *ANY) == 0
    assert Path("pictures/a.png").read_bytes() == Path("out.png").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("on", ["processes", "ray"])
def test_workers_paint_what_one_process_paints(photos, monkeypatch, on):
    if on == "ray":
        pytest.importorskip("ray", reason="needs the extra `ray`")
        monkeypatch.delenv("RAY_ADDRESS", raising=False)
    # Of its own process: a cluster of Ray and what it warns of stay there.
    arguments = [str(photos), "wheat", *NAMED, "--precision", "float32"]
    command = [sys.executable, "-m", "pystyle", "paint", *arguments, "-o", "shared"]
    subprocess.run([*command, "--workers", "2", "--on", on], check=True)
    assert paint(*arguments, output="alone") == 0
    for name in ("a.png", "below/b.png"):
        shared, alone = (read_image(Path(output) / name) for output in ("shared", "alone"))
        # Sums over other numbers of threads are rounded in other ways.
        assert torch.allclose(shared, alone, atol=2 / 255)


@pytest.mark.usefixtures("photos")
def test_a_folder_of_other_pictures_is_left_alone(capsys):
    assert paint("photos", "wheat", *NAMED, output="pictures") == 0
    assert paint("photos", "waves", *NAMED, output="pictures") == 2
    error = capsys.readouterr().err
    assert "2 pictures of a job with other options" in error
    assert "`--overwrite`" in error
    assert paint("photos", "waves", *NAMED, "--overwrite", output="pictures") == 0


@pytest.mark.slow
def test_a_name_is_that_of_a_network_of_the_library(capsys, monkeypatch):
    def pretrained(name):
        if name != "any-style":
            raise ValueError(f"`name` must be one of any-style, masters, got {name!r}.")
        return AnyStyleNetwork.load("any.safetensors")

    monkeypatch.setattr("pystyle.cli._named_network.pretrained", pretrained)
    options = ["content.png", "style.png", "--size", "32", "--quiet", "--device", "cpu"]
    # It is also the one that is taken if none is named.
    assert paint(*options, output="default.png") == 0
    options.append("--network")
    assert paint(*options, "any-style") == 0
    assert Path("out.png").read_bytes() == Path("default.png").read_bytes()
    assert paint(*options, "any-stile", output="other-out.png") == 2
    error = capsys.readouterr().err
    assert error == "pystyle: error: `--network` must be one of any-style, masters, got 'any-stile'.\n"


def test_a_saved_command_gives_the_same_picture_again(folder):
    assert paint("content.png", "wheat", *NAMED, "--strength", "0.5", "--save-config", "run.toml") == 0
    (folder / "other").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder / "other")
        assert main(["paint", "--config", "../run.toml", "-o", "again.png", "--quiet"]) == 0
        assert Path("again.png").read_bytes() == Path("../out.png").read_bytes()
    assert paint("other.png", "waves", "--config", "run.toml", output="third.png") == 0


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["content.png", "waev", *NAMED], "waves, wheat, got 'waev'. Did you mean 'waves'?", 2),
        (["content.png", "wheat.jpg", *NAMED], "waves, wheat, got 'wheat.jpg'. Did you mean 'wheat'?", 2),
        (
            ["content.png", "other.png", "wheat", *NAMED],
            "got 'other.png'. Paintings are for a network for",
            2,
        ),
        (["content.png", *NAMED], "This network needs a STYLE, one of waves, wheat, got none.", 2),
        (["content.png", *ANY], "This network needs a STYLE, a painting, got none.", 2),
        (["content.png", "missing.png", *ANY], "'missing.png'", 1),
        (["missing.png", "wheat", *NAMED], "'missing.png'", 1),
        (["content.png", "wheat", *NAMED, "--strength", "2"], "must be a number from 0 to 1, got '2'.", 2),
        (["content.png", "wheat", *NAMED, "--style-weights", "1,2"], "each of the 1 styles, got 2.", 2),
        (["content.png", "wheat", *NAMED, "--size", "8"], "`--size` must be at least 16 pixels for a T", 2),
        (["content.png", "style.png", *ANY, "--style-size", "8"], "`--style-size` must be at least 16", 2),
        (["content.png", "wheat", *NAMED, "--style-size", "64"], "the network has its styles in it.", 2),
        (
            ["content.png", "wheat", *NAMED, "--mask", "w.png", "w.png"],
            "one for each style, got 2 for 1 st",
            2,
        ),
        (["content.png", "waves", "wheat", *NAMED, "--mask", "w.png", "w.png"], "must not overlap", 2),
        (["content.png", "wheat", *NAMED, "--mask", "style.png"], "it is coloured", 1),
        (["content.png", "wheat", *NAMED, "--mask", "s.png"], "of its picture, 60 x 40 pixels, got 6 x 4", 2),
        (["photos", "wheat", *NAMED, "-o", "p", "--mask", "w.png"], "Name each that has masks as CONTENT", 2),
        (["content.png", "wheat", *NAMED, "--format", "jpg"], "`--format` is for a folder of images.", 2),
        (["content.png", "wheat", *NAMED, "--workers", "2"], "`--workers` is for a folder of images.", 2),
        (["content.png", "wheat", *NAMED, "--on", "ray"], "`--on` is for a folder of images.", 2),
        (["content.png", "wheat", "--network", "none.safetensors"], "`--network` must be a file that can", 1),
        (["content.png", "wheat", "--network", "./content.png"], "`--network` must be a file with a net", 1),
        (["content.png", "wheat"], "'wheat'", 1),
        (["content.png", "wheat", *NAMED, "-o", "other.png"], "The file 'other.png' exists already.", 2),
        (["content.png", "wheat", *NAMED, "-o", "out.gpn"], "The extension of `--output` must be one", 2),
        (["content.png", "style.png", *ANY, "--overwrite", "-o", "style.png"], "which is read as well", 2),
        (["content.png", "wheat", *NAMED, "-o", "-", "--json"], "leaves no place for `--json`.", 2),
        (["photos", "wheat", *NAMED, "-o", "style.png"], "`--output` must be a folder, because", 2),
        (["photos", "wheat", *NAMED, "-o", "photos"], "must be another folder than CONTENT", 2),
        (["photos", "wheat", *NAMED, "-o", "p", "--save-config", "run.toml"], "`--save-config` must be", 2),
    ],
)
@pytest.mark.usefixtures("photos")
def test_a_wrong_command_line_is_explained_in_one_line(capsys, arguments, message, code):
    write_image(torch.ones(1, 3, 40, 60), "w.png")
    write_image(torch.ones(1, 3, 4, 6), "s.png")
    output = arguments[arguments.index("-o") + 1] if "-o" in arguments else "out.png"
    before = Path(output).read_bytes() if Path(output).is_file() else None
    assert main(["paint", *(["-o", "out.png"] if "-o" not in arguments else []), *arguments]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("pystyle: error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    if before is not None:
        assert Path(output).read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize("network", [[*ANY], [*NAMED]], ids=["any style", "named styles"])
def test_the_facts_name_the_precision_in_which_a_picture_was_painted(network, capsys):
    style = "style.png" if network == [*ANY] else "wheat"
    options = ["paint", "content.png", style, *network, "--json", "--quiet", "--device", "cpu", "--overwrite"]
    pictures = {}
    for precision in ("float32", "bfloat16"):
        assert main([*options, "-o", "half.png", "--precision", precision]) == 0
        assert json.loads(capsys.readouterr().out)["precision"] == precision
        pictures[precision] = read_image("half.png")
    difference = (pictures["bfloat16"] - pictures["float32"]).abs()
    assert difference.mean() < 0.03
    assert difference.max() > 0
