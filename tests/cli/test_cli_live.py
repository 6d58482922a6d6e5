"""`pystyle live`: what a camera sees, painted as it is seen."""

import json
import re
import sys
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from pystyle.cli import main
from pystyle.images import read_image
from pystyle.networks import AnyStyleNetwork, Stylizer, TransformNetwork
from pystyle.video import Clip, read_clip, write_clip

pytest.importorskip("av")

NAMED = [
    "wheat",
    "--network",
    "named.safetensors",
    "--size",
    "32",
    "--device",
    "cpu",
    "--precision",
    "float32",
]
HIDDEN = [*NAMED, "--no-window"]
COUNT = 4


@pytest.fixture(autouse=True)
def folder(pictures):
    """Networks, and a clip of four equal frames at 50 a second."""
    torch.manual_seed(0)
    named = TransformNetwork(width=1, styles=["waves", "wheat"])
    torch.nn.init.normal_(named.codes)
    named.save("named.safetensors")
    AnyStyleNetwork(width=1).save("any.safetensors")
    write_clip("clip.png", [read_image("content.png")] * COUNT, rate=50)
    return pictures


@pytest.fixture
def no_camera(monkeypatch):
    """A `read_camera` that writes down what it is asked for, and gives the clip."""
    asked = []

    def read_camera(camera):
        asked.append(camera)
        return read_clip("clip.png")

    monkeypatch.setattr("pystyle.cli._live.read_camera", read_camera)
    return asked


def test_a_recording_holds_what_the_network_paints():
    assert main(["live", *HIDDEN, "--clip", "clip.png", "--strength", "0.7", "-o", "out.apng"]) == 0
    pictures = [frame.image for frame in read_clip("out.apng")]
    assert 1 <= len(pictures) <= COUNT
    # That of the loop is as large as its network paints it, with the rounding of a file.
    content = torch.nn.functional.interpolate(
        read_image("content.png"), (32, 48), mode="bicubic", antialias=True
    ).clamp(0, 1)
    expected = Stylizer.load("named.safetensors").bind("wheat")(content, strength=0.7)
    assert pictures[0].shape == (1, 3, 32, 48)
    assert float((pictures[0] - expected).abs().max()) < 2 / 255


def test_one_object_tells_programs_about_the_run(capsys):
    assert main(["live", *HIDDEN, "--clip", "clip.png", "--json"]) == 0
    captured = capsys.readouterr()
    facts = json.loads(captured.out)
    assert captured.err == ""
    assert facts["painted"] + facts["dropped"] == COUNT
    assert (facts["width"], facts["height"], facts["styles"]) == (48, 32, ["wheat"])
    assert (facts["source"], facts["stop_reason"], facts["output"]) == ("clip.png", "ended", None)
    assert 0 < facts["latency"] <= facts["longest_latency"] <= facts["seconds"]


def test_a_sentence_tells_people(capsys):
    assert main(["live", *HIDDEN, "--clip", "clip.png", "-o", "out.mkv"]) == 0
    error = capsys.readouterr().err
    assert error.startswith("pystyle: The recording is in 'out.mkv': ")
    assert error.endswith(" frames were dropped.\n")
    assert error.count("\n") == 1
    assert main(["live", *HIDDEN, "--clip", "clip.png", "-o", "other.mkv", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_a_terminal_has_a_line_that_is_gone_at_the_end(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["live", *HIDDEN, "--clip", "clip.png", "-o", "out.mkv"]) == 0
    line, *_, blank, end = capsys.readouterr().err.split("\r")
    assert re.fullmatch(r"\d+\.\d pictures a second, \d+ ms late, \d+ frames dropped", line)
    assert blank.strip() == ""
    assert len(blank) >= len(line)
    assert end.startswith("pystyle: The recording is in ")


def test_the_source_is_the_first_camera_if_none_is_named(no_camera, capsys):
    for arguments in ([], ["--camera", "2"], ["--camera", "rtsp://door"]):
        assert main(["live", *HIDDEN, "--json", *arguments]) == 0
    assert no_camera == [0, 2, "rtsp://door"]
    assert capsys.readouterr().err == ""


def test_a_painting_is_a_style_for_a_network_for_any(no_camera, capsys):
    arguments = [
        "style.png",
        "other.png",
        "--style-weights",
        "1,2",
        "--network",
        "any.safetensors",
        "--style-size",
        "32",
    ]
    assert main(["live", *arguments, "--size", "32", "--no-window", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["styles"] == ["style.png", "other.png"]
    assert no_camera == [0]


def test_frames_keep_their_size_if_that_is_asked_for(no_camera, capsys):
    assert main(["live", *HIDDEN, "--json", "--size", "original"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["width"], facts["height"]) == (60, 40)
    assert no_camera == [0]


@pytest.fixture
def window(monkeypatch):
    """In place of a window: what it shows, and whether it is open."""
    found = SimpleNamespace(shown=[], is_open=False, close_after=10**6, interrupt_after=10**6)

    class Window:
        def __init__(self, title):
            assert title == "pystyle live"

        def __enter__(self):
            found.is_open = True
            return self

        def __exit__(self, *_):
            found.is_open = False

        def show(self, frame):
            assert found.is_open
            if len(found.shown) == found.interrupt_after:
                raise KeyboardInterrupt
            found.shown.append(frame)

        def closed(self):
            return len(found.shown) >= found.close_after

    monkeypatch.setattr("pystyle.cli._live.PreviewWindow", Window)
    return found


def test_a_window_shows_the_pictures_until_it_is_closed(window, capsys):
    window.close_after = 1
    write_clip("long.png", [read_image("content.png")] * 200, rate=50)
    assert main(["live", *NAMED, "--clip", "long.png"]) == 0
    assert len(window.shown) == 1
    assert not window.is_open
    assert capsys.readouterr().err.startswith("pystyle: 1 pictures in ")


def test_ctrl_c_ends_it_with_the_recording(window, capsys):
    window.interrupt_after = 2
    write_clip("long.png", [read_image("content.png")] * 400, rate=50)
    assert main(["live", *NAMED, "--clip", "long.png", "-o", "out.mp4"]) == 130
    assert len(list(read_clip("out.mp4"))) == 2
    assert capsys.readouterr().err.startswith(
        "pystyle: Interrupted. The recording is in 'out.mp4': 2 pictures "
    )


def test_seconds_end_it(window, capsys):
    write_clip("long.png", [read_image("content.png")] * 400, rate=50)
    assert main(["live", *NAMED, "--clip", "long.png", "--seconds", "0.2s", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["stop_reason"] == "stopped"
    assert facts["painted"] == len(window.shown)


def test_pictures_go_to_standard_output(capfdbinary, no_camera, tmp_path):
    assert main(["live", *HIDDEN, "-o", "-"]) == 0
    path = tmp_path / "piped.mkv"
    path.write_bytes(capfdbinary.readouterr().out)
    clip = read_clip(path)
    assert (clip.height, clip.width) == (32, 48)
    assert no_camera == [0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--no-window"], "With `--no-window` nothing would be seen. Add `--output` or `--json`."),
        (["-o", "out.txt"], "The name of a clip must end in one of"),
        (["-o", "clip.png"], "The file 'clip.png' exists already."),
        (["-o", "clip.png", "--overwrite"], "`--output` must not be a file that is read, got 'clip.png'."),
        (["-o", "missing/out.mp4"], "`--output` needs the folder 'missing', which does not exist."),
        (["-o", "full"], "The folder of frames"),
        (["-o", "-", "--json"], "`--output -` leaves no place for `--json`."),
        (["--screen"], "not allowed with argument"),
        (
            ["--style-weights", "1,2"],
            "`--style-weights` must have one weight for each of the 1 styles, got 2.",
        ),
        (["--size", "4"], "`--size` must be at least"),
        (["--style-size", "64"], "`--style-size` is for paintings, and none is looked at here"),
        (["--seconds", "0"], "`--seconds` must be a number greater than 0"),
        (["--strength", "2"], "`--strength` must be a number from 0 to 1"),
        (["--network", "nothing"], "`--network` must be"),
    ],
)
def test_what_cannot_be_carried_out_is_refused(arguments, sentence, window, capsys):
    Path("full").mkdir()
    Path("full/a.txt").write_text("a")
    before = Path("clip.png").read_bytes()
    assert main(["live", *NAMED, "--clip", "clip.png", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert not window.shown
    assert Path("clip.png").read_bytes() == before


def test_a_source_without_frames_is_a_failure_that_leaves_no_file(monkeypatch, capsys):
    class Silent(Clip):
        name, height, width, rate, time_base = "camera 0", 40, 60, Fraction(25), Fraction(1, 25)

        def frames(self, first=0):
            return iter([][first:])

        def digest(self):
            return ""

    monkeypatch.setattr("pystyle.cli._live.read_camera", lambda camera: Silent() if camera == 0 else None)
    assert main(["live", *HIDDEN, "-o", "out.mp4"]) == 1
    assert capsys.readouterr().err == (
        "pystyle: error: Nothing was painted: no frames came from 'camera 0'.\n"
    )
    assert not Path("out.mp4").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of Linux")
def test_without_a_screen_the_error_is_one_line(monkeypatch, capsys):
    pytest.importorskip("cv2")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert main(["live", *NAMED, "--clip", "clip.png"]) == 1
    assert capsys.readouterr().err.startswith("pystyle: error: There is no screen for a window: ")
    assert main(["live", *HIDDEN, "--screen", "--json"]) == 1
    assert capsys.readouterr().err.startswith("pystyle: error: Cannot read the screen: there is none.")


def test_a_missing_package_is_a_sentence(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "cv2", None)
    for arguments in ([*NAMED, "--clip", "clip.png"], [*HIDDEN, "--json"]):
        assert main(["live", *arguments]) == 1
        error = capsys.readouterr().err
        assert error.startswith("pystyle: error: A ")
        assert error.endswith('needs OpenCV. Install it with `pip install "pystyle-nst[camera]"`.\n')
