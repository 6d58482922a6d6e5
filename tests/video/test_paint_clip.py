"""Clips that are read, painted and written at the same time."""

import gc
import io
import os
import signal
import subprocess
import sys
import threading
import time
from fractions import Fraction

import numpy as np
import pytest
import torch

from pystyle.images import ImageReadError
from pystyle.networks import AnyStyleNetwork, TransformNetwork
from pystyle.video import Progress, paint_clip, read_clip, still_clip, write_clip
from pystyle.video._pixels import pixels_of

pytest.importorskip("av")


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert [
        thread for thread in threading.enumerate() if thread not in before and "pystyle" in thread.name
    ] == []


def invert(images):
    return 1 - images


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_frames_are_painted_in_batches_and_times_and_sound_stay(
    tmp_path, make_clip, sounds, batch_size
) -> None:
    path, output = make_clip(tmp_path / "clip.mp4", count=10, sound="aac"), tmp_path / "painted.mp4"
    batches = []

    def painter(images):
        batches.append(len(images))
        return 1 - images

    result = paint_clip(path, painter, output, batch_size=batch_size)
    assert batches == {1: [1] * 10, 4: [4, 4, 2], 100: [10]}[batch_size]
    assert (result.frames, result.painted, result.total, result.seconds_left) == (10, 10, 10, 0)
    for before, after in zip(read_clip(path), read_clip(output), strict=True):
        assert after.time == before.time
        assert float((after.image - (1 - before.image)).abs().mean()) < 0.02
    assert sounds(output)[0][1] == sounds(path)[0][1]


def test_the_file_is_that_of_write_clip(tmp_path, make_clip) -> None:
    clip = read_clip(make_clip(tmp_path / "clip.mp4", count=10, sound="aac"))
    paint_clip(clip, invert, tmp_path / "one.mp4", batch_size=3, quality=30)
    frames = (frame._replace(image=1 - frame.image) for frame in clip)
    write_clip(tmp_path / "two.mp4", frames, like=clip, quality=30)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_a_painter_of_a_network_paints(tmp_path, make_clip) -> None:
    path = make_clip(tmp_path / "clip.mp4", count=3)
    network = AnyStyleNetwork(width=2)
    painter = network.bind(torch.rand(1, 3, 32, 32))
    assert paint_clip(path, painter, tmp_path / "painted.webm").frames == 3
    assert read_clip(tmp_path / "painted.webm").width == 64


def test_progress_has_the_frames_the_speed_and_the_time_left(tmp_path, make_clip, monkeypatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def painter(images):
        now[0] += 0.5
        return images

    for name, total in (("clip.mp4", 8), ("clip.mkv", None)):
        seen = []
        path = make_clip(tmp_path / name, count=8)
        paint_clip(path, painter, tmp_path / f"painted-{name}", batch_size=2, progress=seen.append)
        assert [(item.frames, item.painted, item.total) for item in seen] == [
            (count, count, total) for count in (2, 4, 6, 8)
        ]
        assert [item.frames_per_second for item in seen] == [4] * 4
        assert [item.seconds_left for item in seen] == pytest.approx([1.5, 1, 0.5, 0], abs=0.02)
    assert Progress(3, 0, None, 0.0, None).frames_per_second == 0


@pytest.mark.slow
def test_no_more_than_a_few_batches_are_alive(tmp_path) -> None:
    write_clip(tmp_path / "clip.mp4", (torch.full((1, 3, 16, 16), index / 300) for index in range(300)))
    shape, most = torch.Size([1, 3, 16, 16]), 0

    def painter(images):
        nonlocal most
        if int(images[0, 0, 0, 0] * 300) % 20 == 0:
            alive = [item for item in gc.get_objects() if type(item) is torch.Tensor]
            most = max(most, sum(item.shape == shape for item in alive))
        return images.clone()

    assert paint_clip(tmp_path / "clip.mp4", painter, tmp_path / "painted.mp4").frames == 300
    # Two wait on each side, and each thread holds one or two.
    assert 0 < most <= 16


def test_reading_painting_and_writing_overlap(tmp_path, make_clip) -> None:
    path, names = make_clip(tmp_path / "clip.mp4", count=5), set()
    clip = read_clip(path)
    frames = clip.frames

    def watched(first=0):
        names.add(threading.current_thread().name)
        yield from frames(first)

    clip.frames = watched

    def painter(images):
        names.add(threading.current_thread().name)
        return images

    paint_clip(clip, painter, tmp_path / "painted.mp4")
    assert names == {"pystyle reads a clip", threading.current_thread().name}


def test_a_painter_may_use_its_memory_again_before_its_pictures_are_written(tmp_path, monkeypatch) -> None:
    is_painted, memory, levels = threading.Event(), torch.empty(1, 3, 8, 8), [0.2, 0.4, 0.6]

    def late_pixels(image):
        assert is_painted.wait(10)
        return pixels_of(image)

    def painter(_):
        memory.fill_(levels.pop(0))
        if not levels:
            is_painted.set()
        return memory

    monkeypatch.setattr("pystyle.video._folder_writing.pixels_of", late_pixels)
    paint_clip(still_clip(torch.zeros(1, 3, 8, 8), 3, rate=1), painter, tmp_path / "frames")
    found = [float(frame.image.mean()) for frame in read_clip(tmp_path / "frames")]
    assert found == pytest.approx([0.2, 0.4, 0.6])


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("frame", [0, 5])
def test_an_error_of_the_painter_passes_and_leaves_the_output(tmp_path, make_clip, error, frame) -> None:
    path, output = make_clip(tmp_path / "clip.mp4", count=20, sound="aac"), tmp_path / "painted.mp4"
    output.write_bytes(b"before")
    left = [frame]

    def painter(images):
        left[0] -= 1
        if left[0] < 0:
            raise error("enough")
        return images

    with pytest.raises(error, match="enough"):
        paint_clip(path, painter, output)
    assert output.read_bytes() == b"before"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["clip.mp4", "painted.mp4"]


def test_an_error_of_the_reader_passes(tmp_path, make_clip) -> None:
    clip = read_clip(make_clip(tmp_path / "clip.mp4", count=20))
    frames = clip.frames

    def failing(first=0):
        for index, frame in enumerate(frames(first)):
            if index == 7:
                raise ImageReadError("Cannot read the clip: a bit fell.")
            yield frame

    clip.frames = failing
    with pytest.raises(ImageReadError, match="a bit fell"):
        paint_clip(clip, invert, tmp_path / "painted.mp4")
    assert not (tmp_path / "painted.mp4").exists()


def test_an_error_of_the_writer_passes(tmp_path, make_clip) -> None:
    path = make_clip(tmp_path / "clip.mp4", count=20)

    def painter(images):
        return images / 0

    with pytest.raises(ValueError, match="finite"):
        paint_clip(path, painter, tmp_path / "painted.mp4")
    # What waits at the end, too.
    with pytest.raises(ValueError, match="finite"):
        paint_clip(path, painter, tmp_path / "painted.mp4", batch_size=20)
    assert not (tmp_path / "painted.mp4").exists()


def test_pictures_of_another_shape_are_refused(tmp_path, make_clip) -> None:
    path = make_clip(tmp_path / "clip.mp4", count=3)
    message = (
        r"`painter` must give pictures of the shape of the frames, \(1, 3, 48, 64\), got \(1, 3, 48, 63\)"
    )
    with pytest.raises(ValueError, match=message):
        paint_clip(path, lambda images: images[..., 1:], tmp_path / "painted.mp4")
    with pytest.raises(ValueError, match="got NoneType"):
        paint_clip(path, lambda _: None, tmp_path / "painted.mp4")
    with pytest.raises(ValueError, match="`batch_size` must be at least 1"):
        paint_clip(path, invert, tmp_path / "painted.mp4", batch_size=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_photograph_of_lower_precision_is_painted_with_a_checkpoint(tmp_path, dtype) -> None:
    image = torch.full((1, 3, 16, 16), 0.25, dtype=dtype)
    for checkpoint in (None, tmp_path / "run"):
        output = tmp_path / f"{checkpoint is None}.png"
        paint_clip(still_clip(image, 0.1), invert, output, checkpoint=checkpoint)
        assert [round(float(frame.image.mean()) * 255) for frame in read_clip(output)] == [191] * 3
    others = (image.float(), image + 0.5, image.reshape(1, 3, 8, 32))
    assert still_clip(image, 0.1).digest() not in [still_clip(other, 0.1).digest() for other in others]


@pytest.mark.parametrize("seconds", [np.float32(0.5), torch.tensor(0.5), Fraction(1, 2)])
def test_a_photograph_lasts_as_long_as_a_number_of_any_kind_says(seconds) -> None:
    assert still_clip(torch.zeros(1, 3, 8, 8), seconds, rate=4).num_frames == 2


def test_other_objects_are_refused_with_what_to_write_instead(tmp_path) -> None:
    clip, output = still_clip(torch.zeros(1, 3, 16, 16), 0.1), tmp_path / "painted.png"
    with pytest.raises(TypeError, match=r"`clip` must be a Clip, a path .*, got list\..*`write_clip\(path, "):
        paint_clip(list(clip), invert, output)
    with pytest.raises(TypeError, match=r"`clip` must be a Clip, a path .*, got generator\..*`write_clip"):
        paint_clip((frame for frame in clip), invert, output)
    network = TransformNetwork(width=1, styles=["waves"])
    with pytest.raises(TypeError, match=r"got a TransformNetwork without a style.*`network.bind\('waves'\)`"):
        paint_clip(clip, network, output)
    with pytest.raises(TypeError, match=r"got a AnyStyleNetwork without .*`network.bind\(painting\)`"):
        paint_clip(clip, AnyStyleNetwork(width=1), output)
    with pytest.raises(
        TypeError, match="`painter` must be a function of images or a FramePainter, got a str"
    ):
        paint_clip(clip, "rocks", output)
    assert not output.exists()


PIPE = """
import sys
from pystyle.video import paint_clip
paint_clip("-", lambda images: 1 - images, "-", batch_size=2)
"""


@pytest.mark.slow
def test_a_clip_goes_through_pipes_with_its_sound(tmp_path, make_clip, sounds) -> None:
    path = make_clip(tmp_path / "clip.mkv", count=12, sound="aac")
    with path.open("rb") as file:
        done = subprocess.run([sys.executable, "-c", PIPE], stdin=file, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    (tmp_path / "painted.mkv").write_bytes(done.stdout)
    painted = list(read_clip(tmp_path / "painted.mkv"))
    for before, after in zip(read_clip(path), painted, strict=True):
        assert after.time == before.time
        assert float((after.image - (1 - before.image)).abs().mean()) < 0.02
    assert sounds(tmp_path / "painted.mkv")[0][1] == sounds(path)[0][1]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Named pipes are of POSIX.")
def test_named_pipes_are_read_and_written_and_stay(tmp_path, make_clip) -> None:
    path = make_clip(tmp_path / "clip.mkv", count=12)
    before, after = tmp_path / "in.mkv", tmp_path / "out.mp4"
    os.mkfifo(before)
    os.mkfifo(after)
    found = []
    threads = [
        threading.Thread(target=lambda: before.write_bytes(path.read_bytes())),
        threading.Thread(target=lambda: found.append(after.read_bytes())),
    ]
    for thread in threads:
        thread.start()
    assert paint_clip(before, invert, after).frames == 12
    for thread in threads:
        thread.join(30)
    assert after.is_fifo()
    assert len(list(read_clip(io.BytesIO(found[0])))) == 12


INTERRUPTED = """
import sys, time
from pystyle.video import paint_clip

def painter(images):
    print("painting", flush=True)
    time.sleep(0.05)
    return images

paint_clip(sys.argv[1], painter, sys.argv[2])
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Signals are of POSIX.")
def test_control_c_ends_all_threads_and_leaves_the_output(tmp_path, make_clip) -> None:
    path, output = make_clip(tmp_path / "clip.mp4", count=200), tmp_path / "painted.mp4"
    output.write_bytes(b"before")
    command = [sys.executable, "-c", INTERRUPTED, str(path), str(output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "painting\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
    assert output.read_bytes() == b"before"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["clip.mp4", "painted.mp4"]


@pytest.mark.skipif(os.name == "nt", reason="Signals are of POSIX.")
def test_control_c_ends_a_run_whose_source_is_silent(tmp_path, make_clip, monkeypatch) -> None:
    monkeypatch.setattr("pystyle.video._threads._LONGEST_FAREWELL", 0.05)
    pictures = np.random.default_rng(0).integers(0, 255, (20, 48, 64, 3), np.uint8)
    data = make_clip(tmp_path / "clip.mkv", sound="aac", pictures=pictures).read_bytes()
    before, half = set(threading.enumerate()), min(len(data) // 2, 60_000)
    reader, writer = os.pipe()
    with open(reader, "rb") as file, open(writer, "wb", buffering=0) as source:
        source.write(data[:half])
        main = threading.main_thread().ident
        threading.Timer(0.5, signal.pthread_kill, (main, signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            paint_clip(file, invert, tmp_path / "painted.mkv")
        assert not (tmp_path / "painted.mkv").exists()
        # What comes too late is read by the thread that waits for it, which ends then.
        source.write(data[half : 2 * half])
    for thread in set(threading.enumerate()) - before:
        thread.join(10)


LONG = """
import resource, sys
from pystyle.video import paint_clip
result = paint_clip(sys.argv[1], lambda images: 1 - images, sys.argv[2], batch_size=4)
print(result.frames, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.long
def test_ten_thousand_frames_take_the_memory_of_five_hundred(tmp_path) -> None:
    peaks = []
    for count in (500, 10_000):
        path = tmp_path / f"{count}.mp4"
        write_clip(path, (torch.full((1, 3, 90, 160), index % 100 / 100) for index in range(count)))
        command = [sys.executable, "-c", LONG, str(path), str(tmp_path / "painted.mp4")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=True)
        frames, peak = map(int, done.stdout.split())
        assert frames == count
        peaks.append(peak)
    # In KiB. All frames would take 1.7 GB; what allocators keep settles within the first few thousand.
    assert peaks[1] - peaks[0] < 60_000
    assert read_clip(tmp_path / "painted.mp4").duration == Fraction(400)
