"""Painting that is killed and goes on, with the same bytes."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from pystyle.checkpoints import CheckpointError
from pystyle.video import FramePainter, paint_clip, read_clip

pytest.importorskip("av")


class Inverting:
    """A painter that stops after a while; what counts the calls is no setting of it."""

    def __init__(self, calls=1_000):
        self._left = calls
        self._painted = 0

    def __call__(self, images):
        self._left -= 1
        if self._left < 0:
            raise InterruptedError
        self._painted += len(images)
        return 1 - images

    @property
    def painted(self):
        return self._painted


class Trail(FramePainter):
    """Each frame with a trace of those before, that stops after a while."""

    def __init__(self, calls=1_000):
        self.share = 0.25
        self._left, self._last, self._times, self._painted = calls, None, [], 0

    def paint(self, frames):
        self._left -= 1
        if self._left < 0:
            raise InterruptedError
        pictures = []
        for frame in frames:
            if self._last is None:
                self._last = frame.image.clone()
            # In place, as a painter may do it.
            self._last += self.share * (frame.image - self._last)
            self._times.append(str(frame.time))
            pictures.append(self._last.clone())
        self._painted += len(frames)
        return torch.cat(pictures)

    def begin(self):
        self._last, self._times = None, []

    def state_dict(self):
        return {"last": self._last, "times": self._times}

    def load_state_dict(self, state):
        self._last, self._times = state["last"], state["times"]

    @property
    def painted(self):
        return self._painted

    @property
    def times(self):
        return self._times


def content(path):
    """The bytes of a file, or of the files of a folder."""
    if path.is_dir():
        return {file.name: file.read_bytes() for file in path.iterdir()}
    return path.read_bytes()


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


OUTPUTS = ["out.mp4", "out.mov", "out.mkv", "out.webm", "out.gif", "out.png", "out.webp", "frames"]


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_run_that_goes_on_gives_the_same_bytes_and_paints_nothing_twice(
    tmp_path, make_clip, sounds, name
) -> None:
    codec = "libopus" if name == "out.webm" else "aac"
    path, output = make_clip(tmp_path / "clip.mkv", count=40, sound=codec), tmp_path / name
    settings = {"batch_size": 3, "segment_seconds": 0.4}
    paint_clip(path, Inverting(), output, checkpoint=tmp_path / "whole", **settings)
    whole = content(output)
    clip = list(read_clip(output))
    remove(output)
    painted = 0
    for calls in (5, 7, 0, 1_000):
        painter = Inverting(calls)
        try:
            result = paint_clip(path, painter, output, checkpoint=tmp_path / "parts", resume=True, **settings)
        except InterruptedError:
            assert not output.exists()
        painted += painter.painted
    assert content(output) == whole
    assert (result.frames, result.painted) == (40, painter.painted)
    # Ten frames are a segment, and batches end with it: the first run has painted 3 + 3 + 3 + 1 + 3 frames,
    # of which three are lost, and the second 3 + 3 + 3 + 1 + 3 + 3 + 3, of which nine are lost.
    assert painted == 40 + 3 + 9
    assert painter.painted == 20
    if name not in ("out.gif", "out.png", "out.webp", "frames"):
        assert sounds(output)[0][1] == sounds(path)[0][1]
        assert len(clip) == 40
        steps = {late.time - early.time for early, late in itertools.pairwise(clip)}
        assert len(steps) == 1


@pytest.mark.parametrize("name", ["out.mp4", "out.webp"])
@pytest.mark.parametrize("seconds", [0.4, 0])
def test_a_painter_that_remembers_goes_on_from_what_it_remembered(tmp_path, make_clip, name, seconds) -> None:
    path, output = make_clip(tmp_path / "clip.mkv", count=40), tmp_path / name
    settings = {"batch_size": 3, "segment_seconds": seconds}
    whole = Trail()
    paint_clip(path, whole, output, checkpoint=tmp_path / "whole", **settings)
    expected = output.read_bytes()
    output.unlink()
    for calls in (5, 7, 0, 1_000):
        painter = Trail(calls)
        try:
            paint_clip(path, painter, output, checkpoint=tmp_path / "parts", resume=True, **settings)
        except InterruptedError:
            assert not output.exists()
        assert len(list((tmp_path / "parts").glob("state-*"))) <= 2
    # The last run did not see all frames, and has them all in its mind.
    assert painter.painted == {0.4: 20, 0: 28}[seconds]
    assert painter.times == whole.times
    assert len(painter.times) == 40
    assert output.read_bytes() == expected
    # It does not go on from what it remembers of another clip.
    output.unlink()
    paint_clip(path, whole, output, checkpoint=tmp_path / "again", **settings)
    assert output.read_bytes() == expected


@pytest.mark.parametrize("damaged", ["state-000001", "segment-000001"])
def test_what_is_remembered_of_a_damaged_file_is_painted_again(tmp_path, make_clip, caplog, damaged) -> None:
    path, output, run = make_clip(tmp_path / "clip.mkv", count=40), tmp_path / "out.mp4", tmp_path / "run"
    settings = {"checkpoint": run, "segment_seconds": 0.4, "resume": True}
    paint_clip(path, Trail(), output, **{**settings, "checkpoint": tmp_path / "whole"})
    whole = output.read_bytes()
    output.unlink()
    with pytest.raises(InterruptedError):
        paint_clip(path, Trail(25), output, **settings)
    assert sorted(file.name[:12] for file in run.glob("s*")) == [
        "segment-0000", "segment-0000", "state-000000", "state-000001",
    ]  # fmt: skip
    file = run / f"{damaged}.safetensors"
    data = bytearray(file.read_bytes())
    data[-5] ^= 1
    file.write_bytes(data)
    painter = Trail()
    paint_clip(path, painter, output, **settings)
    assert f"{damaged}.safetensors' is damaged" in caplog.text
    assert painter.painted == 30
    assert output.read_bytes() == whole


def test_without_what_it_remembered_a_painter_begins_anew(tmp_path, make_clip) -> None:
    path, output, run = make_clip(tmp_path / "clip.mkv", count=40), tmp_path / "out.mp4", tmp_path / "run"
    settings = {"checkpoint": run, "segment_seconds": 0.2, "resume": True}
    with pytest.raises(InterruptedError):
        paint_clip(path, Trail(23), output, **settings)
    # Of the segments 0 to 3 the last two are remembered; the first is lost.
    (run / "segment-000000.safetensors").unlink()
    painter = Trail()
    paint_clip(path, painter, output, **settings)
    assert painter.painted == 40
    paint_clip(path, Trail(), tmp_path / "whole.mp4", checkpoint=tmp_path / "run2", segment_seconds=0.2)
    assert output.read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_frames_by_themselves_are_encoded_as_without_a_checkpoint(tmp_path, make_clip) -> None:
    path, run = make_clip(tmp_path / "clip.mp4", count=10, sound="aac"), tmp_path / "run"
    paint_clip(path, Trail(), tmp_path / "one.mp4")
    paint_clip(path, Trail(), tmp_path / "two.mp4", checkpoint=run, segment_seconds=0)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()
    assert len(list(run.glob("segment-*"))) == 10


def test_what_a_checkpoint_cannot_hold_is_refused(tmp_path, make_clip) -> None:
    class Careless(Trail):
        def state_dict(self):
            return {"self": self}

    path = make_clip(tmp_path / "clip.mkv", count=3)
    with pytest.raises(TypeError, match=r"A checkpoint cannot hold a Careless, which is at `state\.self`"):
        paint_clip(path, Careless(), tmp_path / "out.mp4", checkpoint=tmp_path / "run")
    with pytest.raises(
        TypeError, match="`painter` must be a function of images or a FramePainter, got a str"
    ):
        paint_clip(path, "rocks", tmp_path / "out.mp4")


def test_the_joined_clip_has_the_pictures_and_times_of_one_without_segments(tmp_path, make_clip) -> None:
    stamps = [index * 512 + (index % 3) * 100 for index in range(30)]
    path = make_clip(tmp_path / "clip.mp4", count=30, stamps=stamps, sound="aac")
    paint_clip(path, Inverting(), tmp_path / "one.mp4")
    paint_clip(path, Inverting(), tmp_path / "two.mp4", checkpoint=tmp_path / "run", segment_seconds=0.3)
    segments = sorted(file.name for file in (tmp_path / "run").iterdir())
    assert segments == ["clip.json", *(f"segment-{index:06d}.safetensors" for index in range(4))]
    for one, two in zip(read_clip(tmp_path / "one.mp4"), read_clip(tmp_path / "two.mp4"), strict=True):
        assert (one.time, one.duration) == (two.time, two.duration)
        assert float((one.image - two.image).abs().mean()) < 0.01


def test_each_segment_begins_with_a_key_frame(tmp_path, make_clip) -> None:
    import av

    # Nothing moves, so that the encoder has no other reason to begin anew.
    pictures = [np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)] * 40
    path = make_clip(tmp_path / "clip.mp4", count=40, pictures=pictures)
    paint_clip(path, Inverting(), tmp_path / "out.mp4", checkpoint=tmp_path / "run", segment_seconds=0.4)
    with av.open(str(tmp_path / "out.mp4")) as container:
        keys = [packet.is_keyframe for packet in container.demux(video=0) if packet.size]
    assert [index for index, key in enumerate(keys) if key] == [0, 10, 20, 30]


def test_a_finished_run_is_only_joined_again(tmp_path, make_clip) -> None:
    path, output = make_clip(tmp_path / "clip.mp4", count=10), tmp_path / "out.mp4"
    paint_clip(path, Inverting(), output, checkpoint=tmp_path / "run")
    whole = output.read_bytes()
    output.unlink()
    result = paint_clip(path, Inverting(0), output, checkpoint=tmp_path / "run", resume=True)
    assert (result.frames, result.painted, result.seconds_left) == (10, 0, None)
    assert output.read_bytes() == whole


def test_progress_counts_what_an_earlier_run_has_painted(tmp_path, make_clip) -> None:
    path, output, seen = make_clip(tmp_path / "clip.mp4", count=20), tmp_path / "out.mp4", []
    settings = {"checkpoint": tmp_path / "run", "segment_seconds": 0.2, "resume": True}
    with pytest.raises(InterruptedError):
        paint_clip(path, Inverting(13), output, **settings)
    done = 10
    assert len(list((tmp_path / "run").glob("segment-*"))) == 2
    paint_clip(path, Inverting(), output, progress=seen.append, **settings)
    assert [item.frames for item in seen] == list(range(done + 1, 21))
    assert [item.painted for item in seen] == list(range(1, 21 - done))
    assert seen[-1].seconds_left == 0


def test_a_damaged_segment_is_painted_again(tmp_path, make_clip, caplog) -> None:
    path, output, run = make_clip(tmp_path / "clip.mp4", count=40), tmp_path / "out.mp4", tmp_path / "run"
    paint_clip(path, Inverting(), output, checkpoint=run, segment_seconds=0.4)
    whole = output.read_bytes()
    segment = run / "segment-000002.safetensors"
    data = bytearray(segment.read_bytes())
    data[-5] ^= 1
    segment.write_bytes(data)
    (run / ".0123456789abcdef.tmp").write_bytes(b"of a run that was killed")
    painter = Inverting()
    paint_clip(path, painter, output, checkpoint=run, segment_seconds=0.4, resume=True)
    assert "segment-000002.safetensors' is damaged and will be painted again" in caplog.text
    assert painter.painted == 20
    assert output.read_bytes() == whole
    assert not list(run.glob("*.tmp"))


def test_segments_of_another_run_are_refused_with_what_differs(tmp_path, make_clip) -> None:
    path, output, run = make_clip(tmp_path / "clip.mp4", count=10), tmp_path / "out.mp4", tmp_path / "run"
    paint_clip(path, Inverting(), output, checkpoint=run)
    with pytest.raises(ValueError, match=r"has the segments of a clip. Go on with `resume=True`"):
        paint_clip(path, Inverting(), output, checkpoint=run)
    other = make_clip(tmp_path / "other.mp4", count=11)
    with pytest.raises(CheckpointError, match=r"are of another run: `clip` was '\w+' and is '\w+'\. Go on"):
        paint_clip(other, Inverting(), output, checkpoint=run, resume=True)
    with pytest.raises(CheckpointError, match=r"`quality` was '18' and is '20'"):
        paint_clip(path, Inverting(), output, checkpoint=run, resume=True, quality=20)
    with pytest.raises(CheckpointError, match=r"`batch_size` was 1 and is 2"):
        paint_clip(path, Inverting(), output, checkpoint=run, resume=True, batch_size=2)
    with pytest.raises(CheckpointError, match=r"`format` was 'mp4' and is 'webm'"):
        paint_clip(path, Inverting(), tmp_path / "o.webm", checkpoint=run, resume=True)
    with pytest.raises(CheckpointError, match=r"`painter` was .*Inverting.* and is .*<lambda>"):
        paint_clip(path, lambda images: images, output, checkpoint=run, resume=True)
    (run / "clip.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"clip.json' is damaged"):
        paint_clip(path, Inverting(), output, checkpoint=run, resume=True)


def test_other_surroundings_are_told(tmp_path, make_clip, caplog) -> None:
    path, output, run = make_clip(tmp_path / "clip.mp4", count=10), tmp_path / "out.mp4", tmp_path / "run"
    paint_clip(path, Inverting(), output, checkpoint=run)
    description = json.loads((run / "clip.json").read_text())
    description["environment"]["av"] = "1.0"
    (run / "clip.json").write_text(json.dumps(description))
    paint_clip(path, Inverting(), output, checkpoint=run, resume=True)
    assert "were painted in other surroundings" in caplog.text
    assert "`av` was 1.0 and is " in caplog.text


def test_what_cannot_be_kept_or_written_is_told_before_a_frame_is_painted(tmp_path, make_clip) -> None:
    path, run = make_clip(tmp_path / "clip.mp4", count=10, sound="aac"), tmp_path / "run"
    with pytest.raises(ValueError, match="`resume` needs a folder with segments"):
        paint_clip(path, Inverting(0), tmp_path / "out.mp4", resume=True)
    with pytest.raises(ValueError, match="cannot hold the sound"):
        paint_clip(path, Inverting(0), tmp_path / "out.webm", checkpoint=run)
    with pytest.raises(FileNotFoundError, match="Cannot write the clip"):
        paint_clip(path, Inverting(0), tmp_path / "none" / "out.mp4", checkpoint=tmp_path / "run2")
    with pytest.raises(ValueError, match="`segment_seconds` must not be negative"):
        paint_clip(path, Inverting(0), tmp_path / "out.mp4", checkpoint=run, segment_seconds=-1)
    with path.open("rb") as file, pytest.raises(ValueError, match="cannot be read again"):
        paint_clip(file, Inverting(0), tmp_path / "out.mp4", checkpoint=tmp_path / "run3")


KILLED = """
import sys, time
from pystyle.video import paint_clip

class Painter:
    def __call__(self, images):
        time.sleep(0.002)
        return 1 - images

result = paint_clip(
    sys.argv[1], Painter(), sys.argv[2], checkpoint=sys.argv[3], resume=True, batch_size=4, segment_seconds=1
)
print(result.painted)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Signals are of POSIX.")
@pytest.mark.parametrize("name", ["out.mp4", "out.webm"])
def test_a_run_that_is_killed_three_times_gives_the_same_bytes(tmp_path, make_clip, sounds, name) -> None:
    codec = "libopus" if name == "out.webm" else "aac"
    path, output = make_clip(tmp_path / "clip.mkv", count=1_500, sound=codec), tmp_path / name

    def command(run):
        return [sys.executable, "-c", KILLED, str(path), str(output), str(tmp_path / run)]

    subprocess.run(command("whole"), check=True, timeout=200, capture_output=True)
    whole = output.read_bytes()
    output.unlink()
    for wanted in (3, 20, 41):
        with subprocess.Popen(command("parts"), stdout=subprocess.DEVNULL) as process:
            while len(list((tmp_path / "parts").glob("segment-*"))) < wanted:
                assert process.poll() is None
                time.sleep(0.005)
            process.kill()
        assert not output.exists()
    done = subprocess.run(command("parts"), check=True, timeout=200, capture_output=True, text=True)
    assert int(done.stdout) <= 1_500 - 41 * 25
    assert output.read_bytes() == whole
    assert sounds(output)[0][1] == sounds(path)[0][1]
    assert len(list(read_clip(output))) == 1_500
