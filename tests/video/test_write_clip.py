"""Clips to files, folders and pipes."""

import io
import itertools
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image

from pystyle.images import read_image
from pystyle.video import Frame, read_clip, write_clip

pytest.importorskip("av")

FILES = ["clip.mp4", "clip.m4v", "clip.mov", "clip.mkv", "clip.webm", "clip.gif", "clip.png", "clip.webp"]


def moving(count, height, width):
    """A soft bright square, which moves to the right by two pixels a frame."""
    frames = []
    for index in range(count):
        frame = torch.full((1, 3, height, width), 0.2)
        frame[:, 0, 8:24, 4 + 2 * index : 20 + 2 * index] = 0.9
        frames.append(torch.nn.functional.avg_pool2d(frame, 5, stride=1, padding=2, count_include_pad=False))
    return frames


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("size", [(32, 48), (33, 47)])
def test_pictures_and_times_come_back(tmp_path, name, size) -> None:
    pictures, path = moving(6, *size), tmp_path / name
    write_clip(path, pictures, rate=12.5)
    frames = list(read_clip(path))
    assert [frame.time for frame in frames] == [Fraction(2 * index, 25) for index in range(6)]
    assert frames[-1].duration in (None, Fraction(2, 25))
    is_even = name.endswith(("mp4", "m4v", "mov", "mkv"))
    height, width = (side + side % 2 if is_even else side for side in size)
    for own, frame in zip(pictures, frames, strict=True):
        assert frame.image.shape == (1, 3, height, width)
        assert float((own - frame.image[:, :, : size[0], : size[1]]).abs().mean()) < 0.02
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_an_odd_side_gets_the_last_row_and_column_once_more(tmp_path) -> None:
    write_clip(tmp_path / "clip.mp4", [torch.rand(1, 3, 1, 1).expand(1, 3, 15, 17) * 0.5] * 2)
    frame = next(iter(read_clip(tmp_path / "clip.mp4")))
    assert frame.image.shape == (1, 3, 16, 18)
    assert float(frame.image.std((2, 3)).max()) < 0.01


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("clip.mp4", None),
        ("clip.mov", None),
        ("clip.png", None),
        ("clip.mkv", 1000),
        ("clip.webm", 1000),
        ("clip.webp", 1000),
        ("clip.gif", 100),
    ],
)
def test_a_variable_rate_stays_as_it_is(tmp_path, name, unit) -> None:
    times = [Fraction(0), Fraction(1, 25), Fraction(1, 8), Fraction(1), Fraction(59, 50)]
    pictures = moving(5, 32, 48)
    frames = [Frame(*pair) for pair in zip(pictures, times, strict=True)]
    frames = [frame._replace(duration=Fraction(1, 20)) for frame in frames]
    write_clip(tmp_path / name, frames)
    expected = times if unit is None else [Fraction(round(time * unit), unit) for time in times]
    assert [frame.time for frame in read_clip(tmp_path / name)] == expected


@pytest.mark.parametrize("name", ["clip.mp4", "clip.gif", "clip.png", "clip.webp"])
def test_the_last_frame_is_shown_as_long_as_it_was(tmp_path, name) -> None:
    pictures = moving(3, 32, 48)
    times, durations = (
        (0, Fraction(1, 10), Fraction(1, 5)),
        (Fraction(1, 10), Fraction(1, 10), Fraction(7, 10)),
    )
    write_clip(tmp_path / name, [Frame(*parts) for parts in zip(pictures, times, durations, strict=True)])
    assert list(read_clip(tmp_path / name))[-1].duration == Fraction(7, 10)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.webm"])
def test_grey_and_colours_survive(tmp_path, name) -> None:
    """With no loss but that of 8 bits in YUV: a level or two of grey, four of the strongest colours."""
    ramp = (torch.arange(256) / 255).expand(1, 3, 16, 256)
    colours = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1.0]])
    card = colours[torch.arange(192) // 32].T[None, :, None].expand(1, 3, 16, 192)
    card = torch.nn.functional.pad(card, (0, 64))
    write_clip(tmp_path / name, [torch.cat([ramp, card], 2)], quality=0)
    (frame,) = read_clip(tmp_path / name)
    assert float((frame.image[:, :, :12] - ramp[:, :, :12]).abs().max()) <= 2.01 / 255
    inner = [32 * index + 16 for index in range(6)]
    error = (frame.image[0, :, 24][:, inner] - card[0, :, 8][:, inner]).abs()
    assert float(error.max()) <= 4.01 / 255


def test_the_file_says_that_it_is_bt709_in_limited_range_and_begins_with_its_index(tmp_path) -> None:
    import av

    write_clip(tmp_path / "clip.mp4", moving(3, 32, 48))
    with av.open(str(tmp_path / "clip.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc) == (1, 1)
        assert (context.colorspace, context.color_range) == (1, 1)
        assert context.pix_fmt == "yuv420p"
    data = (tmp_path / "clip.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.mkv"])
def test_the_encoder_is_told_to_do_without_what_gives_other_bytes_now_and_then(tmp_path, name) -> None:
    write_clip(tmp_path / name, moving(3, 32, 48))
    assert b"mbtree=0" in (tmp_path / name).read_bytes()


@pytest.mark.parametrize(
    ("source", "codec", "name"),
    [
        ("clip.mp4", "aac", "copy.mp4"),
        ("clip.mp4", "aac", "copy.mov"),
        ("clip.mp4", "aac", "copy.mkv"),
        ("clip.mkv", "libopus", "copy.mkv"),
        ("clip.mkv", "libopus", "copy.webm"),
        ("clip.mkv", "libopus", "copy.mp4"),
        ("clip.mkv", "pcm_s16le", "copy.mkv"),
        ("clip.mkv", "flac", "copy.mp4"),
        ("clip.avi", "libmp3lame", "copy.mp4"),
    ],
)
def test_the_sound_is_copied_packet_by_packet(tmp_path, make_clip, sounds, source, codec, name) -> None:
    unit = Fraction(1, 25)
    clip = read_clip(make_clip(tmp_path / source, count=30, sound=codec, unit=unit))
    write_clip(tmp_path / name, clip, like=clip)
    (before,), (after,) = sounds(tmp_path / source), sounds(tmp_path / name)
    assert after[1] == before[1]
    assert after[0] == before[0]
    # What a decoder drops at the beginning or the end depends on the container.
    part = before[2][:, 3_000:48_000]
    places = np.flatnonzero(after[2][0] == part[0, 0])
    assert any(np.array_equal(after[2][:, place:][:, :45_000], part) for place in places)
    times = [frame.time for frame in read_clip(tmp_path / name)]
    steps = [late - early for early, late in itertools.pairwise(times)]
    assert steps == [Fraction(1, 25)] * 29


@pytest.mark.slow
def test_sound_lies_beside_its_pictures_in_the_file(tmp_path, make_clip) -> None:
    import av

    clip = read_clip(make_clip(tmp_path / "clip.mkv", count=400, sound="aac", size=(16, 16)))
    write_clip(tmp_path / "copy.mp4", clip, like=clip)
    with av.open(str(tmp_path / "copy.mp4")) as container:
        packets = [packet for packet in container.demux() if packet.size]
        packets.sort(key=lambda packet: packet.pos)
        times = [float(packet.dts * packet.time_base) for packet in packets]
    assert times[-1] > 15
    assert max(abs(late - early) for early, late in itertools.pairwise(times)) < 1.5


def test_sound_and_pictures_stay_together(tmp_path, make_clip) -> None:
    """The sound is 0.4 seconds late in the file, and is so in the copy."""
    import av

    def starts(path):
        with av.open(str(path)) as container:
            return [
                float((stream.start_time or 0) * stream.time_base)
                for stream in (container.streams.video[0], container.streams.audio[0])
            ]

    make_clip(tmp_path / "clip.mkv", count=30, sound="libopus")
    late = tmp_path / "late.mkv"
    with av.open(str(tmp_path / "clip.mkv")) as old, av.open(str(late), "w") as new:
        copies = {stream.index: new.add_stream_from_template(stream) for stream in old.streams}
        for packet in old.demux():
            if packet.size:
                shift = 2400 if packet.stream.type == "audio" else 2000
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                packet.stream = copies[packet.stream.index]
                new.mux(packet)
    clip = read_clip(late)
    write_clip(tmp_path / "copy.mkv", clip, like=clip)
    before, after = starts(late), starts(tmp_path / "copy.mkv")
    assert before[1] - before[0] == pytest.approx(0.4, abs=0.02)
    assert after[1] - after[0] == pytest.approx(before[1] - before[0], abs=0.0011)
    assert next(iter(clip)).time == 0


def test_several_tracks_are_copied_with_their_languages(tmp_path, make_clip, sounds) -> None:
    import av

    make_clip(tmp_path / "one.mkv", count=10, sound="aac")
    with av.open(str(tmp_path / "one.mkv")) as old, av.open(str(tmp_path / "two.mkv"), "w") as new:
        picture, sound = old.streams.video[0], old.streams.audio[0]
        copies = [new.add_stream_from_template(stream) for stream in (picture, sound, sound)]
        copies[1].metadata["language"], copies[2].metadata["language"] = "eng", "fra"
        packets = [packet for packet in old.demux() if packet.size]
        for packet in packets:
            is_picture = packet.stream.type == "video"
            for copy in copies[:1] if is_picture else copies[1:]:
                again = av.Packet(bytes(packet))
                again.pts, again.dts, again.time_base = packet.pts, packet.dts, packet.time_base
                again.duration, again.is_keyframe = packet.duration, packet.is_keyframe
                again.stream = copy
                new.mux(again)
    clip = read_clip(tmp_path / "two.mkv")
    write_clip(tmp_path / "copy.mp4", clip, like=clip)
    assert [track[1] for track in sounds(tmp_path / "copy.mp4")] == [sounds(tmp_path / "one.mkv")[0][1]] * 2
    with av.open(str(tmp_path / "copy.mp4")) as container:
        assert [stream.language for stream in container.streams.audio] == ["eng", "fra"]


def test_sound_that_the_file_cannot_hold_is_told_before_a_frame_is_taken(tmp_path, make_clip) -> None:
    clip = read_clip(make_clip(tmp_path / "clip.mp4", count=5, sound="aac"))

    def frames():
        pytest.fail("A frame was taken.")
        yield

    with pytest.raises(ValueError, match=r"copy.webm' cannot hold the sound of the clip, which is aac\."):
        write_clip(tmp_path / "copy.webm", frames(), like=clip)
    assert not (tmp_path / "copy.webm").exists()
    write_clip(tmp_path / "copy.webm", clip, like=clip, sound=False)
    assert not read_clip(tmp_path / "copy.webm").has_sound
    # What never has sound is written without.
    write_clip(tmp_path / "copy.gif", clip, like=clip)
    assert read_clip(tmp_path / "copy.gif").num_frames == 5


def test_the_shape_of_pixels_and_the_repetitions_are_taken_over(tmp_path, make_clip) -> None:
    def wide(stream):
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)

    clip = read_clip(make_clip(tmp_path / "wide.mp4", count=3, prepare=wide))
    assert clip.pixel_aspect == Fraction(4, 3)
    write_clip(tmp_path / "copy.mkv", clip, like=clip)
    assert read_clip(tmp_path / "copy.mkv").pixel_aspect == Fraction(4, 3)
    pictures = [Image.new("RGB", (8, 8), (40 * index, 0, 0)) for index in range(3)]
    for loop in (0, 1, 3):
        pictures[0].save(tmp_path / "clip.png", save_all=True, append_images=pictures[1:], loop=loop)
        animation = read_clip(tmp_path / "clip.png")
        for name in ("copy.gif", "copy.webp", "copy.apng"):
            write_clip(tmp_path / name, animation, like=animation)
            assert read_clip(tmp_path / name).loop == loop


def test_a_gif_has_the_best_colours_of_each_frame(tmp_path) -> None:
    generator = torch.Generator().manual_seed(0)
    pictures = [torch.randint(0, 256, (1, 3, 12, 16), generator=generator) / 255 for _ in range(3)]
    write_clip(tmp_path / "clip.gif", pictures)
    # There are 192 colours in each, and 576 in all.
    for own, frame in zip(pictures, read_clip(tmp_path / "clip.gif"), strict=True):
        assert float((own - frame.image).abs().mean()) < 0.02


def test_an_apng_loses_nothing(tmp_path) -> None:
    generator = torch.Generator().manual_seed(0)
    pictures = [torch.randint(0, 256, (1, 3, 12, 16), generator=generator) / 255 for _ in range(3)]
    write_clip(tmp_path / "clip.apng", pictures)
    frames = list(read_clip(tmp_path / "clip.apng"))
    assert all(torch.equal(own, frame.image) for own, frame in zip(pictures, frames, strict=True))


def test_a_folder_of_frames_loses_nothing_and_must_be_new_or_empty(tmp_path) -> None:
    pictures = [torch.randint(0, 256, (1, 3, 12, 16)) / 255 for _ in range(3)]
    write_clip(tmp_path / "frames", pictures)
    names = sorted(file.name for file in (tmp_path / "frames").iterdir())
    assert names == ["frame-000000.png", "frame-000001.png", "frame-000002.png"]
    assert torch.equal(read_image(tmp_path / "frames" / names[1]), pictures[1])
    with pytest.raises(ValueError, match="must be new or empty, and something is there"):
        write_clip(tmp_path / "frames", pictures)
    (tmp_path / "empty").mkdir()
    write_clip(tmp_path / "empty", pictures)
    assert read_clip(tmp_path / "empty").num_frames == 3
    with pytest.raises(FileNotFoundError, match="does not exist"):
        write_clip(tmp_path / "no" / "frames", pictures)


@pytest.mark.parametrize("format", [None, "mp4", "webm"])
def test_a_pipe_gets_what_can_be_read_as_it_comes(tmp_path, make_clip, sounds, format) -> None:
    codec = "libopus" if format == "webm" else "aac"
    clip = read_clip(make_clip(tmp_path / "clip.mkv", count=10, sound=codec))
    pipe = Pipe()
    write_clip(pipe, clip, like=clip, format=format)
    (tmp_path / "copy").write_bytes(pipe.getvalue())
    frames = list(read_clip(io.BytesIO(pipe.getvalue())))
    assert len(frames) == 10
    assert sounds(tmp_path / "copy")[0][1] == sounds(tmp_path / "clip.mkv")[0][1]


class Pipe(io.BytesIO):
    """What can only be written from its beginning to its end."""

    def seekable(self):
        return False

    def seek(self, *_):
        pytest.fail("It went back.")


def test_a_dash_is_the_standard_output(monkeypatch) -> None:
    class Standard:
        buffer = Pipe()

    monkeypatch.setattr(sys, "stdout", Standard)
    write_clip("-", moving(3, 32, 48))
    assert len(list(read_clip(io.BytesIO(Standard.buffer.getvalue())))) == 3


@pytest.mark.parametrize("name", [*FILES, "frames"])
def test_a_writer_that_fails_leaves_what_was_there_before(tmp_path, name) -> None:
    def failing():
        yield from moving(3, 32, 48)
        raise RuntimeError("The painter is ill.")

    if name != "frames":
        (tmp_path / name).write_bytes(b"before")
    with pytest.raises(RuntimeError, match="The painter is ill"):
        write_clip(tmp_path / name, failing())
    if name != "frames":
        assert (tmp_path / name).read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == (name != "frames")


def test_only_one_frame_is_taken_at_a_time(tmp_path) -> None:
    alive, most = [0], [0]

    class Held:
        def __init__(self):
            alive[0] += 1
            most[0] = max(most[0], alive[0])

        def __del__(self):
            alive[0] -= 1

    def frames():
        for index in range(100):
            picture = torch.full((1, 3, 16, 16), index / 100)
            picture.held = Held()
            yield picture
            del picture

    write_clip(tmp_path / "clip.mp4", frames())
    assert most[0] <= 2


def test_a_better_quality_is_nearer_to_the_frames(tmp_path) -> None:
    generator = torch.Generator().manual_seed(0)
    frames = [torch.rand(1, 1, 32, 32, generator=generator).expand(1, 3, 32, 32) for _ in range(3)]
    for name in ("clip.mp4", "clip.webm"):
        errors = []
        for quality in (4, 45):
            write_clip(tmp_path / name, frames, quality=quality)
            found = list(read_clip(tmp_path / name))
            errors.append(float((found[1].image - frames[1]).abs().mean()))
        assert errors[0] < 0.5 * errors[1]


def test_wrong_arguments_are_refused_and_leave_no_file(tmp_path) -> None:
    frame, path = torch.zeros(1, 3, 16, 16), tmp_path / "clip.mp4"
    with pytest.raises(ValueError, match=r"must end in one of .mp4, .* got '.*clip.txt'"):
        write_clip(tmp_path / "clip.txt", [frame])
    with pytest.raises(ValueError, match="`format` must be one of"):
        write_clip(path, [frame], format="avi")
    with pytest.raises(ValueError, match="A clip must have at least one frame, got none"):
        write_clip(path, [])
    with pytest.raises(ValueError, match="A clip must have at least one frame, got none"):
        write_clip(tmp_path / "frames", [])
    with pytest.raises(ValueError, match=r"The frames must have one size, got \(16, 16\) and \(16, 32\)"):
        write_clip(path, [frame, torch.zeros(1, 3, 16, 32)])
    with pytest.raises(ValueError, match=r"The frames must follow each other in time"):
        write_clip(path, [Frame(frame, Fraction(1)), Frame(frame, Fraction(1))])
    with pytest.raises(
        ValueError, match=r"by 0.01 seconds at least in '.*clip.gif', got 0 and 0.002 seconds"
    ):
        write_clip(tmp_path / "clip.gif", [Frame(frame, Fraction(0)), Frame(frame, Fraction(1, 500))])
    with pytest.raises(ValueError, match=r"`quality` must be in \[0, 51\]"):
        write_clip(path, [frame], quality=52)
    with pytest.raises(ValueError, match=r"`quality` is for H.264 and VP9"):
        write_clip(tmp_path / "clip.gif", [frame], quality=5)
    with pytest.raises(ValueError, match="`rate` must be positive"):
        write_clip(path, [frame], rate=0)
    with pytest.raises(ValueError, match="finite"):
        write_clip(path, [frame / 0])
    with pytest.raises(TypeError, match="`frames` must be of frames or images, got one of ndarray"):
        write_clip(path, [frame.numpy()])
    with pytest.raises(FileNotFoundError, match=r"Cannot write the clip .* does not exist"):
        write_clip(tmp_path / "none" / "clip.mp4", [frame])
    with pytest.raises(ValueError, match="A folder of frames must have a path"):
        write_clip(io.BytesIO(), [frame], format="folder")
    assert list(tmp_path.iterdir()) == []


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r"pip install \"pystyle-nst\[video\]\""):
        write_clip(tmp_path / "clip.mp4", [torch.zeros(1, 3, 4, 4)])


@pytest.mark.parametrize("format", ["mkv", "mp4", "gif"])
@pytest.mark.parametrize("room", [0, 600, 3000])
def test_a_pipe_that_closes_is_said_to_be_broken_also_at_the_end(format, room) -> None:
    class Pipe(io.RawIOBase):
        """Takes so many bytes."""

        left = room

        def writable(self) -> bool:
            return True

        def write(self, data) -> int:
            self.left -= len(data)
            if self.left < 0:
                raise BrokenPipeError(32, "Broken pipe")
            return len(data)

    frames = torch.rand(5, 1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with pytest.raises(BrokenPipeError):
        write_clip(Pipe(), list(frames), rate=5, format=format)


@pytest.mark.parametrize("name", ["clip.png", "clip.webp", "clip.gif", "clip.mkv"])
def test_times_may_be_floats(tmp_path, name) -> None:
    frames = [Frame(torch.full((1, 3, 8, 8), time), time, 0.25) for time in (0.0, 0.5)]
    write_clip(tmp_path / name, frames)
    assert [frame.time for frame in read_clip(tmp_path / name)] == [0, Fraction(1, 2)]
