"""`pystyle video`: clips of a network, and photographs that follow a song."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from pystyle.checkpoints import describe
from pystyle.cli import main
from pystyle.cli._video_masks import MovingMask, masks_at
from pystyle.images import read_image, resize, write_image
from pystyle.networks import AnyStyleNetwork, Stylizer, TransformNetwork
from pystyle.video import Frame, SteadyPainter, read_clip, write_clip
from pystyle.video.sound import read_sound, sound_painter

av = pytest.importorskip("av")

NAMED = ["--network", "named.safetensors", "--size", "32", "--device", "cpu", "--quiet"]
ANY = ["--network", "any.safetensors", "--size", "32", "--device", "cpu", "--quiet"]
COUNT, RATE = 10, 5


@pytest.fixture(autouse=True)
def folder(pictures):
    torch.manual_seed(0)
    named = TransformNetwork(width=1, styles=["waves", "wheat"])
    torch.nn.init.normal_(named.codes)
    named.save("named.safetensors")
    AnyStyleNetwork(width=1).save("any.safetensors")
    content = resize(read_image("content.png"), 40, interpolation="bilinear")
    write_song("song.wav")
    moving = (content.roll(index, 3) for index in range(COUNT))
    write_clip("clip.mkv", moving, rate=RATE, quality=0, sound="song.wav")
    return pictures


def write_song(path):
    """Half a second of silence, one of a low and one of a high tone."""
    seconds = np.arange(16_000) / 16_000
    low, high = (0.3 * np.sin(2 * np.pi * pitch * seconds) for pitch in (200, 2_000))
    wave = np.concatenate([np.zeros(8_000), low, high])
    with av.open(path, "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(
            (wave * 32_767).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = 16_000, 0, Fraction(1, 16_000)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def video(*arguments, output="out.mkv"):
    # What is compared with it is computed in float32, whatever this processor is fast in.
    return main(["video", *arguments, "-o", output, "--precision", "float32"])


def frames_of(path):
    return list(read_clip(path))


def painted(painter, path="clip.mkv", **arguments):
    """The frames of a clip, painted one by one at the small size."""
    return [painter(resize(frame.image, 32), **arguments) for frame in read_clip(path)]


def is_near(frames, expected, tolerance=0.05):
    """Whether they are the same but for what H.264 loses of noise, of which chroma is halved."""
    assert len(frames) == len(expected)
    luma = torch.tensor([0.2126, 0.7152, 0.0722])[:, None, None]
    errors = [
        float(((frame.image - picture) * luma).sum(1).abs().mean())
        for frame, picture in zip(frames, expected, strict=True)
    ]
    return max(errors) < tolerance


def named(*styles):
    return Stylizer.load("named.safetensors").bind(list(styles))


def codec_of_sound(path):
    with av.open(str(path)) as container:
        return [stream.codec_context.name for stream in container.streams.audio]


def test_a_clip_is_what_the_painter_paints_and_keeps_times_and_sound():
    assert video("clip.mkv", "wheat", *NAMED, "--quality", "0") == 0
    frames, expected = frames_of("out.mkv"), painted(named(("wheat", 1.0)))
    assert [frame.time for frame in frames] == [Fraction(index, RATE) for index in range(COUNT)]
    assert frames[0].image.shape == (1, 3, 32, 48)
    assert is_near(frames, expected)
    assert not is_near(frames, painted(named(("waves", 1.0))))
    assert codec_of_sound("out.mkv") == ["pcm_s16le"]
    # What was painted on the way is gone.
    assert not list(Path().glob("*.parts"))


def test_styles_blend_and_the_strength_is_taken():
    assert video("clip.mkv", "waves", "wheat", *NAMED, "--style-weights", "3,1", "--quality", "0") == 0
    assert is_near(frames_of("out.mkv"), painted(named(("waves", 0.75), ("wheat", 0.25))))
    assert video("clip.mkv", "wheat", *NAMED, "--strength", "0.3", "--quality", "0", output="weak.mkv") == 0
    assert is_near(frames_of("weak.mkv"), painted(named(("wheat", 1.0)), strength=0.3))


def test_batches_give_the_same_clip_and_paintings_are_styles():
    options = [*ANY, "--style-size", "24", "--quality", "0"]
    assert video("clip.mkv", "style.png", *options, "--batch-size", "4") == 0
    painter = Stylizer.load("any.safetensors").bind(resize(read_image("style.png"), 24))
    assert is_near(frames_of("out.mkv"), painted(painter))


def test_sound_is_left_out_copied_or_encoded():
    assert video("clip.mkv", "wheat", *NAMED, "--no-sound") == 0
    assert codec_of_sound("out.mkv") == []
    assert video("clip.mkv", "wheat", *NAMED[:-1], output="out.webm") == 0
    assert [name.removeprefix("lib") for name in codec_of_sound("out.webm")] == ["opus"]
    assert read_sound("out.webm").duration == pytest.approx(2, abs=0.1)
    assert video("clip.mkv", "wheat", *NAMED, output="out.gif") == 0
    assert read_clip("out.gif").num_frames == COUNT


def test_colours_may_be_those_of_the_frames():
    content = [resize(frame.image, 32) for frame in read_clip("clip.mkv")]
    distances = {}
    for colors in ("style", "content", "luminance"):
        output = f"in-{colors}.mkv"
        assert video("clip.mkv", "wheat", *NAMED, "--colors", colors, "--quality", "0", output=output) == 0
        pairs = zip(frames_of(output), content, strict=True)
        distances[colors] = max(
            float((frame.image.mean((2, 3)) - image.mean((2, 3))).norm()) for frame, image in pairs
        )
    assert distances["content"] < distances["style"] / 3


def test_masks_say_where_each_style_goes():
    left = torch.zeros(1, 3, 40, 60)
    left[..., :30] = 1
    write_image(left, "left.png")
    write_image(1 - left, "right.png")
    options = [*NAMED, "--quality", "0"]
    assert video("clip.mkv", "waves", "wheat", *options, "--mask", "left.png", "right.png") == 0
    assert video("clip.mkv", "wheat", *options, "--mask", "right.png", output="half.mkv") == 0
    waves, wheat = painted(named(("waves", 1.0))), painted(named(("wheat", 1.0)))
    plain = [resize(frame.image, 32) for frame in read_clip("clip.mkv")]

    def halves(one, two):
        return [torch.cat([a[..., :24], b[..., 24:]], 3) for a, b in zip(one, two, strict=True)]

    assert is_near(frames_of("out.mkv"), halves(waves, wheat), 0.06)
    assert is_near(frames_of("half.mkv"), halves(plain, wheat), 0.06)


@pytest.fixture
def halves():
    """A clip of a mask: the left half, and after a second the right one; and a folder of the other half."""
    left = torch.zeros(1, 3, 40, 60)
    left[..., :30] = 1
    # Its last frame stays.
    write_clip("left.gif", [left] * 3 + [1 - left], rate=3)
    write_clip("right", [1 - left] * RATE + [left] * RATE, rate=RATE)
    return left


def expected_of(halves, inside, outside):
    """One in the half that the mask shows, the other elsewhere, at the size of the pictures."""
    mask = resize(halves, (32, 48))[:, :1]
    masks = [mask if index < RATE else 1 - mask for index in range(COUNT)]
    pairs = zip(masks, inside, outside, strict=True)
    return [mask * one + (1 - mask) * other for mask, one, other in pairs]


def test_masks_may_be_clips_that_move(halves):
    assert video("clip.mkv", "wheat", *NAMED, "--quality", "0", "--mask", "left.gif") == 0
    plain = [resize(frame.image, 32) for frame in read_clip("clip.mkv")]
    wheat = painted(named(("wheat", 1.0)))
    assert is_near(frames_of("out.mkv"), expected_of(halves, wheat, plain), 0.06)


def test_each_style_may_have_a_mask_that_moves(halves):
    both = ["--mask", "left.gif", "right"]
    assert video("clip.mkv", "waves", "wheat", *NAMED, "--quality", "0", *both) == 0
    waves, wheat = painted(named(("waves", 1.0))), painted(named(("wheat", 1.0)))
    assert is_near(frames_of("out.mkv"), expected_of(halves, waves, wheat), 0.06)


@pytest.mark.usefixtures("halves")
def test_a_mask_of_an_earlier_time_is_the_same():
    mask = MovingMask(read_clip("left.gif"), (40, 60))
    seconds = [Fraction(0), Fraction(1, 2), Fraction(1), Fraction(5), Fraction(1, 4), Fraction(0)]
    assert [float(mask.at(second)[0, 0, 20, 10]) for second in seconds] == [1, 1, 0, 0, 1, 1]


def test_masks_that_overlap_share():
    everywhere = torch.ones(1, 1, 4, 4)
    write_clip("white.gif", [everywhere.expand(-1, 3, -1, -1)], rate=3)
    moving = MovingMask(read_clip("white.gif"), (4, 4))
    found = masks_at([everywhere, moving], [Frame(torch.zeros(1, 3, 4, 4), Fraction(0))] * 2)
    assert [mask.shape[0] for mask in found] == [2, 2]
    assert all(torch.equal(mask, torch.full((2, 1, 4, 4), 0.5)) for mask in found)


@pytest.mark.usefixtures("halves")
def test_a_run_is_known_by_the_clips_of_its_masks():
    first, same, other = (
        describe({"masks": (MovingMask(read_clip(path), (32, 48)),)})
        for path in ("left.gif", "left.gif", "clip.mkv")
    )
    assert first == same != other


def test_key_frames_say_what_is_painted_when():
    Path("keys.toml").write_text(
        """
        [[keyframe]]
        time = 1.0
        strength = 1
        style_weights = [2, 2]
        [[keyframe]]
        time = 0.0
        strength = 0
        style_weights = [1, 0]
        """
    )
    assert video("clip.mkv", "waves", "wheat", *NAMED, "--keyframes", "keys.toml", "--quality", "0") == 0
    network, expected = Stylizer.load("named.safetensors"), []
    for frame in read_clip("clip.mkv"):
        share = min(float(frame.time), 1.0)
        styles = [("waves", 1 - share / 2), ("wheat", share / 2)]
        painter = network.bind([style for style in styles if style[1] > 0])
        expected.append(painter(resize(frame.image, 32), strength=share))
    assert is_near(frames_of("out.mkv"), expected)
    # A photograph lasts until the last of them.
    options = ["waves", "wheat", *NAMED, "--keyframes", "keys.toml", "--rate", "4"]
    assert video("content.png", *options, output="still.mkv") == 0
    assert [float(frame.time) for frame in frames_of("still.mkv")] == [0, 0.25, 0.5, 0.75]


def test_a_song_moves_a_photograph_and_is_heard():
    options = [*NAMED, "--sound", "song.wav", "--rate", "8", "--strength", "0.5", "--quality", "0"]
    assert video("content.png", "waves", "wheat", *options) == 0
    frames = frames_of("out.mkv")
    photograph = resize(read_image("content.png"), 32)
    network = Stylizer.load("named.safetensors")
    paint = sound_painter(read_sound("song.wav"), network, ["waves", "wheat"], strength=0.5)
    expected = [paint(photograph, index / 8) for index in range(20)]
    assert is_near(frames, expected)
    assert torch.equal(expected[0], photograph)
    assert codec_of_sound("out.mkv") == ["pcm_s16le"]
    assert read_sound("out.mkv").duration == pytest.approx(2.5, abs=0.01)
    onsets = ["--follow", "onsets", "--no-sound"]
    assert video("content.png", "waves", "wheat", *options, *onsets, output="onsets.mkv") == 0
    assert codec_of_sound("onsets.mkv") == []
    paint = sound_painter(read_sound("song.wav"), network, ["waves", "wheat"], strength=0.5, follow="onsets")
    assert is_near(frames_of("onsets.mkv"), [paint(photograph, index / 8) for index in range(20)])


def test_steady_clips_are_those_of_the_steady_painter():
    pytest.importorskip("cv2")
    assert video("clip.mkv", "wheat", *NAMED, "--steady", "--quality", "0") == 0
    steady = SteadyPainter(named(("wheat", 1.0)))
    frames = [frame._replace(image=resize(frame.image, 32)) for frame in read_clip("clip.mkv")]
    expected = list(steady.paint(frames).split(1))
    assert is_near(frames_of("out.mkv"), expected)
    Path("run.toml").write_text("steady = true\nno-sound = true\n")
    options = [*NAMED, "--config", "run.toml", "--quality", "0"]
    assert video("clip.mkv", "wheat", *options, output="again.mkv") == 0
    assert is_near(frames_of("again.mkv"), expected)
    assert codec_of_sound("again.mkv") == []
    assert video("clip.mkv", "wheat", *options, "--no-steady", output="plain.mkv") == 0
    assert is_near(frames_of("plain.mkv"), painted(named(("wheat", 1.0))))
    assert not is_near(frames_of("plain.mkv"), expected, 0.01)


@pytest.mark.slow
def test_frames_are_optimised_and_each_is_kept(monkeypatch):
    pytest.importorskip("cv2")
    from pystyle.cli import _video

    write_clip("short.mkv", [frame.image for frame in read_clip("clip.mkv")][:3], rate=5)
    command = ["short.mkv", "style.png", "--optimise", "--steps", "2,1", "--size", "32", "--quiet"]
    command += ["--weights", "none", "--encoder", "vgg19", "--device", "cpu"]
    torch.manual_seed(0)
    assert video(*command, output="whole.mkv") == 0
    paint_clip = _video.paint_clip

    def interrupted(*arguments, **settings):
        def stop(progress):
            if progress.frames == 2:
                raise KeyboardInterrupt

        return paint_clip(*arguments, **{**settings, "progress": stop})

    monkeypatch.setattr(_video, "paint_clip", interrupted)
    torch.manual_seed(0)
    assert video(*command) == 130
    assert len(list(Path("out.mkv.parts").glob("segment-*"))) == 2
    monkeypatch.setattr(_video, "paint_clip", paint_clip)
    torch.manual_seed(0)
    assert video(*command) == 0
    assert Path("out.mkv").read_bytes() == Path("whole.mkv").read_bytes()
    assert len(frames_of("out.mkv")) == 3


def test_a_folder_of_frames_goes_in_and_out():
    Path("in").mkdir()
    shutil.copy("content.png", "in/a.png")
    shutil.copy("other.png", "in/b.png")
    assert video("in", "wheat", *NAMED, "--rate", "2", output="frames") == 0
    assert sorted(os.listdir("frames")) == ["frame-000000.png", "frame-000001.png"]
    expected = named(("wheat", 1.0))(resize(read_image("in/b.png"), 32))
    assert float((read_image("frames/frame-000001.png") - expected).abs().max()) <= 0.51 / 255
    assert video("in", "wheat", *NAMED, "--rate", "2") == 0
    assert [float(frame.time) for frame in frames_of("out.mkv")] == [0, 0.5]


def test_one_object_or_one_line_tells_about_the_clip(capsys):
    assert video("clip.mkv", "wheat", *NAMED[:-1], "--json") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    facts = json.loads(captured.out)
    assert (facts["frames"], facts["painted"], facts["width"], facts["height"]) == (COUNT, COUNT, 48, 32)
    assert (facts["output"], facts["styles"]) == (str(Path("out.mkv").absolute()), ["wheat"])
    assert facts["frames_per_second"] > 0
    write_clip("clip.mp4", read_clip("clip.mkv"), rate=RATE)
    assert video("clip.mp4", "wheat", *NAMED[:-1], output="again.mkv") == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"{COUNT}/{COUNT} frames [" in captured.err
    last = captured.err.splitlines()[-1]
    assert last.startswith(f"pystyle: The clip is in 'again.mkv': {COUNT} frames of 48 x 32 pixels, ")


@pytest.mark.slow
def test_a_clip_goes_through_the_standard_streams():
    command = [sys.executable, "-m", "pystyle", "video", "-", "wheat", *NAMED, "-o", "-"]
    with open("clip.mkv", "rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    Path("out.mkv").write_bytes(done.stdout)
    assert len(frames_of("out.mkv")) == COUNT
    assert codec_of_sound("out.mkv") == ["pcm_s16le"]


def test_a_saved_command_gives_the_same_clip_again(folder):
    Path("keys.toml").write_text("[[keyframe]]\ntime = 1\nstrength = 0.5\n")
    options = [*NAMED, "--no-sound", "--keyframes", "keys.toml", "--save-config", "run.toml"]
    assert video("clip.mkv", "wheat", *options) == 0
    (folder / "other").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder / "other")
        assert main(["video", "--config", "../run.toml", "-o", "again.mkv", "--quiet"]) == 0
        assert Path("again.mkv").read_bytes() == Path("../out.mkv").read_bytes()


def long_clip():
    """A clip of twenty seconds, five segments."""
    content = resize(read_image("content.png"), 64)
    moving = (content.roll(index, 3) for index in range(200))
    write_clip("long.mkv", moving, rate=10, sound="song.wav")
    return [sys.executable, "-m", "pystyle", "video", "long.mkv", "wheat", *NAMED, "--size", "64"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Signals are of POSIX.")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_same_command_goes_on_after_a_run_that_was_ended(number):
    command = long_clip()
    subprocess.run([*command, "-o", "whole.mkv"], check=True, timeout=120)
    with subprocess.Popen([*command, "-o", "out.mkv"], stderr=subprocess.PIPE, text=True) as process:
        while not list(Path().glob("out.mkv.parts/segment-000001*")):
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(number)
        _, error = process.communicate(timeout=60)
    if number != signal.SIGKILL:
        assert process.returncode == 128 + number
        assert error.endswith(
            "Interrupted. What is painted stays in 'out.mkv.parts'; the same command goes on from there.\n"
        )
    assert not Path("out.mkv").exists()
    done = subprocess.run([*command, "-o", "out.mkv", "--json"], check=True, capture_output=True, timeout=120)
    facts = json.loads(done.stdout)
    assert facts["frames"] == 200
    assert facts["painted"] <= 120
    assert Path("out.mkv").read_bytes() == Path("whole.mkv").read_bytes()
    assert not Path("out.mkv.parts").exists()


def test_parts_of_another_command_are_kept_unless_they_may_be_replaced(capsys, monkeypatch):
    from pystyle.cli import _video

    paint_clip = _video.paint_clip

    def interrupted(*arguments, **settings):
        def stop(progress):
            if progress.frames == 8:
                raise KeyboardInterrupt

        return paint_clip(*arguments, **{**settings, "progress": stop, "segment_seconds": 0.5})

    monkeypatch.setattr(_video, "paint_clip", interrupted)
    assert video("clip.mkv", "wheat", *NAMED, "--checkpoint", "run") == 130
    monkeypatch.setattr(_video, "paint_clip", paint_clip)
    Path("run/notes.txt").write_text("mine")
    kept = sorted(os.listdir("run"))
    assert "segment-000000.safetensors" in kept
    assert video("clip.mkv", "waves", *NAMED, "--checkpoint", "run") == 1
    error = capsys.readouterr().err
    assert "are of another run: `painter." in error
    assert error.endswith("`--overwrite` begins anew.\n")
    assert sorted(os.listdir("run")) == kept
    assert video("clip.mkv", "waves", *NAMED, "--checkpoint", "run", "--overwrite") == 0
    # What is not of the run stays.
    assert os.listdir("run") == ["notes.txt"]


KEYS = {
    "none": "",
    "other": "[[frame]]\ntime = 1\n",
    "toml": "[[keyframe]\n",
    "time": "[[keyframe]]\nstrength = 1\n",
    "nothing": "[[keyframe]]\ntime = 1\n",
    "strength": "[[keyframe]]\ntime = 1\nstrength = 2\n",
    "key": "[[keyframe]]\ntime = 1\nstrenght = 1\n",
    "ease": "[[keyframe]]\ntime = 1\nstrength = 1\nease = 'fast'\n",
    "twice": "[[keyframe]]\ntime = 1\nstrength = 1\n[[keyframe]]\ntime = 1\nstrength = 0\n",
    "weights": "[[keyframe]]\ntime = 1\nstyle_weights = [0, 0]\n",
    "count": "[[keyframe]]\ntime = 1\nstyle_weights = [1, 0, 1]\n",
    "counts": "[[keyframe]]\ntime = 1\nstyle_weights = [1]\n[[keyframe]]\ntime = 2\nstyle_weights = [1, 1]\n",
    "fine": "[[keyframe]]\ntime = 1\nstyle_weights = [1, 1]\n",
    "half": "[[keyframe]]\ntime = 1\nstrength = 0.5\n",
}
CLIP = ["clip.mkv", "waves", "wheat", *NAMED]
SONG = [*CLIP, "--sound", "song.wav"]
WRONG = [
    (["missing.mkv", "wheat", *NAMED], "there is no such file", 1),
    (["style.txt", "wheat", *NAMED], "Cannot read the clip 'style.txt'", 1),
    (["content.png", "wheat", *NAMED], "CLIP is the photograph 'content.png', which `pystyle paint`", 2),
    (["clip.mkv", "waev", *NAMED], "Did you mean 'waves'?", 2),
    (["clip.mkv", *NAMED], "This network needs a STYLE, one of waves, wheat, got none.", 2),
    ([*CLIP, "--size", "8"], "`--size` must be at least 16 pixels", 2),
    ([*CLIP, "--style-size", "64"], "`--style-size` is for paintings, and none is looked at here", 2),
    ([*CLIP, "--rate", "5"], "`--rate` is for a photograph or a folder of frames", 2),
    ([*CLIP, "--style-weights", "1"], "each of the 2 styles, got 1.", 2),
    ([*CLIP, "--quality", "52"], "`--quality` must be in [0, 51]", 2),
    ([*CLIP, "--quality", "5", "-o", "out.gif"], "`--quality` is for H.264 and VP9", 2),
    ([*CLIP, "-o", "out.txt"], "The name of a clip must end in one of .mp4", 2),
    ([*CLIP, "-o", "clip.mkv"], "The file 'clip.mkv' exists already.", 2),
    ([*CLIP, "-o", "clip.mkv", "--overwrite"], "which is read as well", 2),
    ([*CLIP, "-o", "none/out.mkv"], "needs the folder 'none', which does not exist", 2),
    ([*CLIP, "-o", "full"], "The folder of frames", 2),
    ([*CLIP, "-o", "-", "--json"], "leaves no place for `--json`", 2),
    ([*CLIP, "--follow", "onsets"], "Name the song with `--sound`.", 2),
    (["clip.mkv", "wheat", *SONG[3:], "--follow", "onsets"], "`--follow` is for several styles, got 1.", 2),
    ([*CLIP, "--sound", "missing.wav"], "Cannot read the sound 'missing.wav'", 1),
    ([*CLIP, "--sound", "content.png"], "there is no sound track in it", 1),
    ([*SONG, "--style-weights", "1,1"], "`--sound` chooses among the styles itself.", 2),
    ([*SONG, "--keyframes", "fine.toml"], "`--sound` chooses among the styles itself.", 2),
    ([*CLIP, "--mask", "content.png", "other.png", "style.png"], "`--mask` must have one file", 2),
    ([*CLIP, "--mask", "small.png"], "`--mask` must have the size of the clip, 60 x 40 pixels", 2),
    ([*CLIP, "--mask", "white.png", "white.png"], "cannot be taken", 2),
    ([*CLIP, "--mask", "clip.mkv"], "`--mask` must be grey, white inside and black outside, got colours", 2),
    ([*CLIP, "--style-weights", "1,1", "--mask", "white.png", "white.png"], "its own `--mask`", 2),
    ([*CLIP, "--keyframes", "missing.toml"], "`--keyframes` must be a file that can be read", 2),
    ([*CLIP, "--keyframes", "none.toml"], "a file of tables `[[keyframe]]` alone", 2),
    ([*CLIP, "--keyframes", "other.toml"], "a file of tables `[[keyframe]]` alone", 2),
    ([*CLIP, "--keyframes", "toml.toml"], "must be a TOML file", 2),
    ([*CLIP, "--keyframes", "time.toml"], "key frame 1 must have a 'time' in seconds, 0 or later", 2),
    ([*CLIP, "--keyframes", "nothing.toml"], "'strength', 'style_weights' or both, got neither", 2),
    ([*CLIP, "--keyframes", "strength.toml"], "must have a 'strength' from 0 to 1, got 2.", 2),
    ([*CLIP, "--keyframes", "key.toml"], "Did you mean 'strength'?", 2),
    ([*CLIP, "--keyframes", "ease.toml"], "an 'ease' of linear or smooth, got 'fast'", 2),
    ([*CLIP, "--keyframes", "twice.toml"], "two key frames are at 1 seconds", 2),
    ([*CLIP, "--keyframes", "weights.toml"], "none negative and not all 0, got [0, 0].", 2),
    ([*CLIP, "--keyframes", "count.toml"], "for each of the 2 styles, got 3.", 2),
    ([*CLIP, "--keyframes", "counts.toml"], "all 'style_weights' must be as many", 2),
    ([*CLIP, "--keyframes", "fine.toml", "--style-weights", "1,1"], "Leave out `--style-weights`", 2),
    ([*CLIP, "--keyframes", "half.toml", "--strength", "0.8"], "Leave out `--strength`", 2),
    ([*CLIP, "--steps", "5"], "`--steps` is for `--optimise`.", 2),
    ([*CLIP, "--steps", "1,2,3"], "`--steps` must be one or two numbers", 2),
    ([*CLIP, "--optimise"], "`--network` is for networks. Leave it out with `--optimise`.", 2),
    (["clip.mkv", "--optimise"], "`--optimise` needs one STYLE, a painting, got 0.", 2),
    (["clip.mkv", "style.png", "--optimise", "--steady"], "`--steady` is for networks.", 2),
    (["clip.mkv", "style.png", "--optimise", "--compile"], "`--compile` is for networks.", 2),
    (["clip.mkv", "style.png", "--optimise", "--style-size", "64"], "`--style-size` is for networks.", 2),
    (["-", "wheat", *NAMED, "--checkpoint", "run"], "since standard input cannot be read again", 2),
]


@pytest.mark.parametrize(("arguments", "message", "code"), WRONG, ids=lambda value: str(value)[-60:])
def test_a_wrong_command_line_is_explained_in_one_line(capsys, monkeypatch, folder, arguments, message, code):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    for name, text in KEYS.items():
        (folder / f"{name}.toml").write_text(text)
    (folder / "style.txt").write_text("no clip")
    (folder / "full").mkdir()
    (folder / "full/a.png").write_bytes(b"")
    write_image(torch.ones(1, 3, 40, 60), "white.png")
    write_image(torch.ones(1, 3, 4, 6), "small.png")
    before = sorted(os.listdir())
    output = [] if "-o" in arguments else ["-o", "out.mkv"]
    assert main(["video", *output, *arguments]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("pystyle: error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    # Nothing is left of what was not begun.
    assert sorted(os.listdir()) == before


def test_without_a_compiler_there_is_a_sentence_and_no_clip(monkeypatch, capsys):
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert video("clip.mkv", "waves", *NAMED, "--compile") == 2
    assert (
        "`--compile` needs a compiler for C++, and there is no 'no-such-compiler'" in capsys.readouterr().err
    )
    assert not Path("out.mkv").exists()


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a compiler for C++")
def test_a_compiled_network_paints_the_same_clip():
    # In a process of its own: what torch compiles with brings threads and warnings of its own.
    arguments = ["clip.mkv", "waves", *NAMED, "--quality", "0", "--precision", "float32"]
    assert video(*arguments) == 0
    command = [sys.executable, "-m", "pystyle", "video", *arguments, "--compile", "-o", "compiled.mkv"]
    subprocess.run(command, check=True)
    for plain, compiled in zip(frames_of("out.mkv"), frames_of("compiled.mkv"), strict=True):
        assert torch.allclose(plain.image, compiled.image, atol=3 / 255)


def test_a_smooth_way_begins_and_ends_slowly(tmp_path):
    from pystyle.cli._keyframes import read_keyframes

    path = tmp_path / "keys.toml"
    path.write_text(
        "[[keyframe]]\ntime = 1\nstrength = 0\n[[keyframe]]\ntime = 3\nstrength = 1\nease = 'smooth'\n"
        "[[keyframe]]\ntime = 4\nstrength = 0.5\n[[keyframe]]\ntime = 6\nstyle_weights = [1, 3]\n"
    )
    keys = read_keyframes(path)
    # 3 x^2 - 2 x^3 at a quarter, a half and three quarters.
    found = keys.strength.at([0, 1, 1.5, 2, 2.5, 3, 3.5, 4, 9])
    assert found.tolist() == pytest.approx([0, 0, 0.15625, 0.5, 0.84375, 1, 0.75, 0.5, 0.5], abs=1e-3)
    assert keys.shares.at([0, 9]).tolist() == [[0.25, 0.75]] * 2
    assert keys.end == 6
