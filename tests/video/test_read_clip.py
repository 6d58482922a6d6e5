"""Clips from files, folders and pipes."""

import io
import os
import signal
import sys
import threading
from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image

from pystyle.images import ImageReadError, resize, write_image
from pystyle.video import Clip, Frame, read_clip

pytest.importorskip("av")


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.mov", "clip.avi", "clip.ts"])
def test_a_clip_of_h264_has_the_times_and_the_pictures_that_pyav_finds(
    tmp_path, make_clip, found, name
) -> None:
    # AVI has no time stamps: what it has is a unit of time, which is that of a frame.
    unit = Fraction(1, 25 if name == "clip.avi" else 12_800)
    path = make_clip(tmp_path / name, count=8, unit=unit)
    clip = read_clip(path)
    times, pictures = found(path)
    frames = list(clip)
    assert [frame.time for frame in frames] == pytest.approx([time - times[0] for time in times], abs=1e-9)
    assert (clip.height, clip.width, clip.rate, clip.has_sound) == (48, 64, 25, False)
    for frame, pixels in zip(frames, pictures, strict=True):
        assert isinstance(frame, Frame)
        assert frame.image.shape == (1, 3, 48, 64)
        assert frame.image.dtype == torch.float32
        assert np.abs(frame.image[0].permute(1, 2, 0).numpy() * 255 - pixels).max() <= 2


def test_a_clip_knows_what_the_file_says(tmp_path, make_clip) -> None:
    clip = read_clip(make_clip(tmp_path / "clip.mp4", count=10, rate=20, sound="aac"))
    assert isinstance(clip, Clip)
    assert clip.num_frames == 10
    assert clip.duration == Fraction(1, 2)
    assert clip.has_sound
    assert repr(clip) == f"<clip '{tmp_path / 'clip.mp4'}': 64 x 48, 20 a second, 10 frames, with sound>"


def test_a_clip_can_be_read_again_and_from_a_frame_on(tmp_path, make_clip) -> None:
    clip = read_clip(make_clip(tmp_path / "clip.mp4", count=6))
    once, again = list(clip), list(clip)
    late = list(clip.frames(4))
    assert len(once) == len(again) == 6
    assert [frame.time for frame in late] == [frame.time for frame in once[4:]]
    assert all(torch.equal(a.image, b.image) for a, b in zip(once, again, strict=True))
    assert all(torch.equal(a.image, b.image) for a, b in zip(once[4:], late, strict=True))
    assert list(clip.frames(6)) == []


def test_a_variable_rate_keeps_its_times(tmp_path, make_clip) -> None:
    stamps = [0, 512, 1300, 1301, 9000]
    clip = read_clip(make_clip(tmp_path / "clip.mp4", count=5, stamps=stamps))
    frames = list(clip)
    assert [frame.time for frame in frames] == [Fraction(stamp, 12_800) for stamp in stamps]
    assert frames[1].duration == Fraction(788, 12_800)


def test_frames_that_are_shown_in_another_order_than_they_are_stored_come_in_that_of_time(
    tmp_path, make_clip
) -> None:
    path = make_clip(tmp_path / "clip.mp4", count=20, options={"bf": "3", "b-adapt": "0"})
    times = [frame.time for frame in read_clip(path)]
    assert times == [Fraction(index, 25) for index in range(20)]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_rotation_that_a_file_asks_for_is_applied(tmp_path, make_clip, rotation) -> None:
    pixels = np.full((48, 64, 3), 40, np.uint8)
    pixels[:16, :32] = 220  # The upper left is bright.
    path = make_clip(tmp_path / "clip.mp4", count=2, pictures=[pixels] * 2, rotation=rotation)
    clip = read_clip(path)
    # PyAV's angle is counter-clockwise, as that of numpy.
    expected = np.rot90(pixels, rotation // 90)
    assert (clip.height, clip.width) == expected.shape[:2]
    for frame in clip:
        assert np.abs(frame.image[0].permute(1, 2, 0).numpy() * 255 - expected).mean() < 3


@pytest.mark.parametrize(("tag", "pixel_range"), [(1, 1), (1, 2), (5, 1), (5, 2), (9, 1)])
def test_a_ramp_of_grey_and_colours_survive_in_every_range_and_matrix(tmp_path, tag, pixel_range) -> None:
    """The file is made by the formula of H.273, and not by the library that reads it."""
    import av

    red, blue = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 9: (0.2627, 0.0593)}[tag]
    patches = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255], [255, 0, 255]])
    ramp = np.repeat(np.arange(256)[:, None], 3, 1)
    card = patches[np.arange(256) * 6 // 256]
    rgb = np.stack([ramp] * 8 + [card] * 8).astype(float)
    y = (rgb @ [red, 1 - red - blue, blue]) / 255
    u = (rgb[..., 2] / 255 - y) / (2 * (1 - blue))
    v = (rgb[..., 0] / 255 - y) / (2 * (1 - red))
    full = pixel_range == 2
    planes = [y * 255 if full else 16 + 219 * y, *(128 + (255 if full else 224) * c for c in (u, v))]
    planes = [np.clip(np.rint(plane), 0, 255).astype(np.uint8) for plane in planes]
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = *rgb.shape[:2], "yuv444p"
        stream.codec_context.colorspace, stream.codec_context.color_range = tag, pixel_range
        frame = av.VideoFrame.from_ndarray(np.stack(planes), format="yuv444p")
        frame.colorspace, frame.color_range = tag, pixel_range
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    (only,) = read_clip(path)
    error = np.abs(only.image[0].permute(1, 2, 0).numpy() * 255 - rgb)
    assert error[:8].max() <= 1.01
    assert error[8:].max() <= 3.01


def test_a_picture_without_a_matrix_is_taken_for_bt601_if_small_and_bt709_if_large(tmp_path) -> None:
    import av

    for height, green in ((576, 0.587), (720, 0.7152)):
        path = tmp_path / f"{height}.mkv"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("ffv1", rate=25)
            stream.height, stream.width, stream.pix_fmt = height, 64, "yuv444p"
            planes = np.full((3, height, 64), 128, np.uint8)
            # Grey with less red difference: how much greener it gets tells the matrix.
            planes[2] = 64
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv444p")))
            container.mux(stream.encode(None))
        (frame,) = read_clip(path)
        red = {0.587: 0.299, 0.7152: 0.2126}[green]
        expected = (128 - 16) / 219 + 2 * (1 - red) * red / green * 64 / 224
        assert float(frame.image[0, 1].mean()) == pytest.approx(expected, abs=0.01)


def animation(path, durations, loop, **options):
    pictures = [
        Image.new("RGB", (9, 7), (20 * index, 90, 200 - 10 * index)) for index in range(len(durations))
    ]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=durations, **loop, **options)
    return [np.asarray(picture) for picture in pictures]


@pytest.mark.parametrize(
    ("name", "loop", "expected"),
    [
        ("clip.gif", {}, 1),
        ("clip.gif", {"loop": 0}, 0),
        ("clip.gif", {"loop": 2}, 3),
        ("clip.png", {"loop": 0}, 0),
        ("clip.png", {"loop": 3}, 3),
        ("clip.webp", {"loop": 2}, 2),
    ],
)
def test_animations_have_their_durations_and_repetitions(tmp_path, name, loop, expected) -> None:
    durations = [40, 100, 250, 30]
    options = {"lossless": True} if name.endswith("webp") else {}
    pictures = animation(tmp_path / name, durations, loop, **options)
    clip = read_clip(tmp_path / name)
    assert (clip.height, clip.width, clip.num_frames, clip.loop) == (7, 9, 4, expected)
    assert not clip.has_sound
    frames = list(clip)
    assert [frame.time * 1000 for frame in frames] == [0, 40, 140, 390]
    assert [frame.duration * 1000 for frame in frames] == durations
    for frame, pixels in zip(frames, pictures, strict=True):
        assert np.array_equal(frame.image[0].permute(1, 2, 0).numpy() * 255, pixels)
    assert [frame.time for frame in clip.frames(2)] == [frame.time for frame in frames[2:]]


def test_what_is_transparent_is_white_and_a_frame_without_duration_takes_a_tenth(tmp_path) -> None:
    pictures = [Image.new("RGBA", (4, 4), (255, 0, 0, alpha)) for alpha in (0, 255)]
    pictures[0].save(tmp_path / "clip.png", save_all=True, append_images=pictures[1:], duration=0)
    first, second = read_clip(tmp_path / "clip.png")
    assert torch.equal(first.image, torch.ones(1, 3, 4, 4))
    assert second.image[0, :, 0, 0].tolist() == [1, 0, 0]
    assert second.time == Fraction(1, 10)


def test_a_picture_that_stands_for_an_animation_is_left_out(tmp_path) -> None:
    pictures = [Image.new("RGB", (4, 4), (60 * index, 0, 0)) for index in range(4)]
    pictures[0].save(
        tmp_path / "clip.png", save_all=True, append_images=pictures[1:], default_image=True, duration=50
    )
    clip = read_clip(tmp_path / "clip.png")
    assert clip.num_frames == 3
    assert [round(float(frame.image.max()) * 255) for frame in clip] == [60, 120, 180]


def test_a_folder_of_frames_is_read_in_the_order_of_names(tmp_path) -> None:
    for name, value in (("b.png", 0.4), ("a.png", 0.2), ("c.jpg", 0.6)):
        write_image(torch.full((1, 3, 6, 8), value), tmp_path / name)
    (tmp_path / "notes.txt").write_text("no frame")
    clip = read_clip(tmp_path, rate=12.5)
    assert (clip.height, clip.width, clip.num_frames, clip.rate) == (6, 8, 3, Fraction(25, 2))
    assert [round(float(frame.image.mean()), 2) for frame in clip] == pytest.approx([0.2, 0.4, 0.6], abs=0.01)
    assert [frame.time for frame in clip] == [0, Fraction(2, 25), Fraction(4, 25)]
    assert read_clip(str(tmp_path)).rate == 25


def test_digits_in_the_names_of_frames_are_numbers(tmp_path) -> None:
    names = ["f1.png", "f2.png", "f010.png", "f10.png", "f11.png", "g1-2.png", "g1-10.png"]
    for index, name in enumerate(names):
        write_image(torch.full((1, 3, 2, 2), index / 255), tmp_path / name)
    assert [round(float(frame.image.mean()) * 255) for frame in read_clip(tmp_path)] == list(range(7))


@pytest.mark.parametrize("name", ["clip.gif", "clip.png", "clip.webp"])
def test_the_rate_of_an_animation_is_that_of_all_its_frames(tmp_path, name) -> None:
    animation(tmp_path / name, [100, 300, 100, 100], {"loop": 0})
    clip = read_clip(tmp_path / name)
    assert (clip.num_frames, clip.duration, clip.rate) == (4, Fraction(6, 10), Fraction(20, 3))


def test_larger_frames_than_those_that_are_allowed_are_refused(tmp_path, make_clip) -> None:
    (tmp_path / "frames").mkdir()
    for name in ("a.png", "b.png"):
        write_image(torch.zeros(1, 3, 48, 64), tmp_path / "frames" / name)
    Image.new("RGB", (64, 48)).save(tmp_path / "clip.gif")
    for source in (tmp_path / "frames", tmp_path / "clip.gif", make_clip(tmp_path / "clip.mp4", count=2)):
        assert read_clip(source, max_pixels=3072).width == 64
        with pytest.raises(ImageReadError, match=r"it has 64 x 48 = 3072 pixels, .* `max_pixels=3072`"):
            read_clip(source, max_pixels=3071)
    with pytest.raises(ValueError, match="`max_pixels` must be at least 1"):
        read_clip(tmp_path / "frames", max_pixels=0)


def test_what_is_no_file_is_refused_with_what_to_write_instead() -> None:
    image = torch.zeros(1, 3, 4, 4)
    for source in ([Frame(image, 0)], (image for _ in range(2)), image):
        with pytest.raises(TypeError, match=r"`source` must be a path .*, got .* `write_clip\(path, "):
            read_clip(source)
    for source in (b"clip.mp4", None, 5, io.StringIO()):
        with pytest.raises(TypeError, match=r"`source` must be a path or a binary file object, got \w+\.$"):
            read_clip(source)


class Pipe(io.RawIOBase):
    """What can only be read, and gives a few bytes at a time."""

    def __init__(self, data):
        self._data = io.BytesIO(data)

    def readable(self):
        return True

    def read(self, size=-1):
        return self._data.read(min(size, 1000) if size >= 0 else 1000)


def test_a_pipe_is_read_once_as_it_comes(tmp_path, make_clip, monkeypatch) -> None:
    path = make_clip(tmp_path / "clip.mkv", count=6, sound="aac")
    clip = read_clip(Pipe(path.read_bytes()))
    assert clip.name == "the pipe"
    assert [frame.time for frame in clip] == [frame.time for frame in read_clip(path)]
    with pytest.raises(ImageReadError, match="Cannot read the clip 'the pipe' twice"):
        list(clip)

    class Standard:
        buffer = Pipe(path.read_bytes())

    monkeypatch.setattr(sys, "stdin", Standard)
    assert len(list(read_clip("-"))) == 6


@pytest.mark.parametrize("pipe", [io.BytesIO, Pipe])
@pytest.mark.parametrize("name", ["clip.gif", "clip.png", "clip.webp"])
def test_an_animation_in_a_file_object_is_that_of_its_file(tmp_path, name, pipe) -> None:
    options = {"lossless": True} if name.endswith("webp") else {}
    animation(tmp_path / name, [40, 100, 250, 30], {"loop": 2}, **options)
    expected, clip = read_clip(tmp_path / name), read_clip(pipe((tmp_path / name).read_bytes()))
    assert clip.name == "the pipe"
    facts = ("height", "width", "rate", "time_base", "num_frames", "loop")
    assert [getattr(clip, fact) for fact in facts] == [getattr(expected, fact) for fact in facts]
    assert clip.digest() == expected.digest()
    for frame, other in zip(clip, expected, strict=True):
        assert (frame.time, frame.duration) == (other.time, other.duration)
        assert torch.equal(frame.image, other.image)


@pytest.mark.parametrize("format", ["png", "webp"])
def test_pictures_one_after_the_other_are_the_frames_of_a_pipe(format) -> None:
    files = io.BytesIO()
    for level in (50, 150):
        Image.new("RGB", (16, 16), (level,) * 3).save(files, format)
    levels = [float(frame.image.mean() * 255) for frame in read_clip(Pipe(files.getvalue()))]
    assert levels == pytest.approx([50, 150], abs=2)


@pytest.mark.skipif(os.name == "nt", reason="Signals are of POSIX.")
@pytest.mark.parametrize("share", [0, 0.5])
def test_control_c_ends_the_reading_of_a_silent_pipe(tmp_path, make_clip, share) -> None:
    data = make_clip(tmp_path / "clip.mkv", count=6).read_bytes()
    reader, writer = os.pipe()
    os.write(writer, data[: round(share * len(data))])
    main = threading.main_thread().ident
    timer = threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT))
    with open(reader, "rb") as file, open(writer, "wb"):
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            list(read_clip(file))
    timer.join()


def test_files_that_are_no_clips_are_named(tmp_path, make_clip) -> None:
    with pytest.raises(ImageReadError, match=r"Cannot read the clip '.*none.mp4': there is no such file"):
        read_clip(tmp_path / "none.mp4")
    (tmp_path / "empty.mp4").write_bytes(b"")
    with pytest.raises(ImageReadError, match=r"Cannot read the clip '.*empty.mp4': the file is empty"):
        read_clip(tmp_path / "empty.mp4")
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(ImageReadError, match=r"Cannot read the clip '.*text.mp4': .*Is it a video, and comp"):
        read_clip(tmp_path / "text.mp4")
    whole = make_clip(tmp_path / "clip.mp4").read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImageReadError, match=r"Cannot read the clip '.*half.mp4'"):
        read_clip(tmp_path / "half.mp4")
    with pytest.raises(ImageReadError, match=r"Cannot read the clip 'the pipe'"):
        read_clip(io.BytesIO(b"no video"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(ImageReadError, match=r"there are no images in the folder"):
        read_clip(tmp_path / "folder")


def test_an_animation_that_is_cut_off_is_named(tmp_path) -> None:
    generator = np.random.default_rng(0)
    pictures = [Image.fromarray(generator.integers(0, 255, (32, 32, 3), np.uint8)) for _ in range(4)]
    pictures[0].save(tmp_path / "clip.webp", save_all=True, append_images=pictures[1:])
    whole = (tmp_path / "clip.webp").read_bytes()
    (tmp_path / "half.webp").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImageReadError, match=r"Cannot read the clip '.*half.webp'.*Is it complete\?"):
        list(read_clip(tmp_path / "half.webp"))
    (tmp_path / "sound.wav").write_bytes(b"RIFF1234WAVEfmt ")
    with pytest.raises(ImageReadError, match=r"Cannot read the clip '.*sound.wav'"):
        read_clip(tmp_path / "sound.wav")


def test_a_file_of_sound_alone_has_no_pictures(tmp_path) -> None:
    import av

    with av.open(str(tmp_path / "sound.mka"), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(ImageReadError, match="there are no pictures in it"):
        read_clip(tmp_path / "sound.mka")


def test_a_rate_is_for_folders(tmp_path, make_clip) -> None:
    with pytest.raises(ValueError, match="`rate` is for a folder of images"):
        read_clip(make_clip(tmp_path / "clip.mp4", count=2), rate=10)
    with pytest.raises(ValueError, match="`rate` must be positive"):
        read_clip(tmp_path, rate=0)


def test_without_the_package_the_extra_is_named(tmp_path, make_clip, monkeypatch) -> None:
    path = make_clip(tmp_path / "clip.mp4", count=2)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r"pip install \"pystyle-nst\[video\]\""):
        read_clip(path)


def test_frames_are_made_smaller_as_they_are_read(tmp_path, make_clip) -> None:
    path = make_clip(tmp_path / "clip.mp4", count=3, sound="aac")
    whole, small = read_clip(path), read_clip(path, edge_size=24)
    assert (small.height, small.width, small.num_frames, small.has_sound) == (24, 32, 3, True)
    for large, little in zip(whole, small, strict=True):
        assert torch.equal(little.image, resize(large.image, 24))
        assert little.time == large.time
    assert (read_clip(path, edge_size=32, edge="long").height, whole.height) == (24, 48)
    assert small.digest() != whole.digest()
    with pytest.raises(ValueError, match="`edge_size` must be"):
        read_clip(path, edge_size=0)


def test_pictures_of_several_sizes_are_refused(tmp_path) -> None:
    for name, size in (("a.png", 6), ("b.png", 7)):
        write_image(torch.zeros(1, 3, 6, size), tmp_path / name)
    with pytest.raises(ImageReadError, match=r"at 0.04 seconds has .* \(6, 7\), and the first one \(6, 6\)"):
        list(read_clip(tmp_path))


def test_a_stream_without_time_stamps_gets_them_from_its_rate(tmp_path, make_clip) -> None:
    path = make_clip(tmp_path / "clip.h264", count=10, unit=Fraction(1, 25))
    frames = list(read_clip(path))
    assert [frame.time for frame in frames] == [Fraction(index, 25) for index in range(10)]


def test_times_that_do_not_go_on_are_mended(tmp_path, make_clip, monkeypatch) -> None:
    """As in a damaged file: the fourth frame has the time of the second, and the fifth has none."""
    clip = read_clip(make_clip(tmp_path / "clip.mp4", count=8))
    decode = clip._decode

    def damaged(*streams):
        for index, frame in enumerate(decode(*streams)):
            if index in (3, 4):
                frame.pts = 512 if index == 3 else None
            yield frame

    monkeypatch.setattr(clip, "_decode", damaged)
    assert [frame.time for frame in clip] == [Fraction(index, 25) for index in range(8)]


def test_a_clip_is_named_as_it_was_given_and_found_from_another_folder(tmp_path, monkeypatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "frames").mkdir()
    monkeypatch.chdir(tmp_path)
    write_image(torch.zeros(1, 3, 4, 4), "frames/a.png")
    Image.new("RGB", (4, 4)).save("clip.gif")
    clips = [read_clip("frames"), read_clip("clip.gif")]
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert [(clip.name, len(list(clip))) for clip in clips] == [("frames", 1), ("clip.gif", 1)]
    with pytest.raises(ImageReadError, match=r"Cannot read the clip 'none.mp4': there is no such file"):
        read_clip("none.mp4")
