"""Songs beside pictures: copied where the format holds them, and encoded elsewhere."""

import io
from fractions import Fraction

import numpy as np
import pytest
import torch

from pystyle.video import paint_clip, read_clip, still_clip, write_clip
from pystyle.video.sound import SoundReadError, read_sound

av = pytest.importorskip("av")

RATE = 44_100
IMAGES = [torch.full((1, 3, 16, 32), value) for value in torch.linspace(0, 1, 10).tolist()]


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """A function that writes two seconds of noise with a beep in the middle, in one of several formats."""
    folder = tmp_path_factory.mktemp("songs")
    wave = np.random.default_rng(0).normal(0, 0.05, 2 * RATE)
    wave[RATE : RATE + 4_410] += 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(4_410) / RATE)

    def write(name, codec, *, channels=2, rate=RATE):
        path, rate = folder / name, 48_000 if codec == "libopus" else rate
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=rate)
            stream.layout = {1: "mono", 2: "stereo"}[channels]
            data = (wave * 32_767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(data[None].repeat(channels, 0).T.reshape(1, -1).copy(),
                                               format="s16", layout=stream.layout)  # fmt: skip
            frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
            resampler = av.AudioResampler(stream.format.name, stream.layout, rate)
            for piece in [*resampler.resample(frame), *resampler.resample(None)]:
                container.mux(stream.encode(piece))
            container.mux(stream.encode(None))
        return path

    return write


def facts(path):
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return stream.codec_context.name, stream.rate, stream.codec_context.channels


def beep(path):
    """When the beep begins, in seconds."""
    sound = read_sound(path)
    window = sound.rate // 100
    loud = (sound.samples[: len(sound.samples) // window * window].reshape(-1, window) ** 2).mean(1) > 0.05
    return sound.start + float(loud.argmax()) * window / sound.rate


CASES = [
    ("song.flac", "flac", "out.mp4", "aac"),
    ("song.flac", "flac", "out.mov", "aac"),
    ("song.flac", "flac", "out.mkv", "flac"),
    ("song.flac", "flac", "out.webm", "opus"),
    ("song.wav", "pcm_s16le", "out.mp4", "aac"),
    ("song.wav", "pcm_s16le", "out.mov", "pcm_s16le"),
    ("song.wav", "pcm_s16le", "out.webm", "opus"),
    ("song.mp3", "libmp3lame", "out.mp4", "mp3"),
    ("song.mp3", "libmp3lame", "out.webm", "opus"),
    ("song.ogg", "libopus", "out.mp4", "aac"),
    ("song.ogg", "libopus", "out.webm", "opus"),
    ("song.m4a", "aac", "out.mp4", "aac"),
]


@pytest.mark.parametrize(("name", "codec", "output", "expected"), CASES)
def test_a_song_is_heard_when_it_was_played(tmp_path, song, name, codec, output, expected) -> None:
    path = song(name, codec)
    # As long as the song, and a frame longer, so that all of it is there.
    write_clip(tmp_path / output, IMAGES, rate=Fraction(10, 3), sound=path)
    found, rate, channels = facts(tmp_path / output)
    assert found.removesuffix("float").removeprefix("lib") == expected
    assert (rate, channels) == (48_000 if "opus" in (codec + expected) else RATE, 2)
    assert beep(tmp_path / output) == pytest.approx(1, abs=0.03)
    assert read_sound(tmp_path / output).duration == pytest.approx(2, abs=0.06)
    times = [frame.time for frame in read_clip(tmp_path / output)]
    assert float(times[0]) == pytest.approx(0, abs=0.03)
    assert float(times[-1] - times[0]) == pytest.approx(2.7, abs=0.002)


def test_what_is_copied_is_the_same_packet_by_packet(tmp_path, song, sounds) -> None:
    path = song("song.mp3", "libmp3lame")
    write_clip(tmp_path / "out.mp4", IMAGES, rate=4, sound=path)
    (_, before, _), (_, after, _) = sounds(path)[0], sounds(tmp_path / "out.mp4")[0]
    assert after == before


def test_a_song_ends_with_the_pictures(tmp_path, song) -> None:
    path = song("song.flac", "flac")
    for name in ("out.mp4", "out.mkv", "out.webm"):
        write_clip(tmp_path / name, IMAGES, rate=10, sound=path)
        # A packet of FLAC has 4,608 samples at most.
        assert read_sound(tmp_path / name).duration == pytest.approx(1, abs=0.15)


def test_a_song_that_is_cut_is_the_same_if_the_pictures_were_kept_in_parts(tmp_path, song) -> None:
    path = song("song.wav", "pcm_s16le")
    clip = still_clip(IMAGES[0], 1.9, rate=10)
    paint_clip(clip, lambda images: images, tmp_path / "one.mkv", sound=path)
    paint_clip(clip, lambda images: images, tmp_path / "two.mkv", sound=path, checkpoint=tmp_path / "run")
    assert (tmp_path / "one.mkv").read_bytes() == (tmp_path / "two.mkv").read_bytes()
    assert read_sound(tmp_path / "two.mkv").duration == pytest.approx(1.9, abs=0.1)
    assert read_sound(tmp_path / "two.mkv").duration >= 1.9


def test_mono_stays_mono_and_other_rates_are_brought_to_those_of_the_encoder(tmp_path, song) -> None:
    path = song("mono.flac", "flac", channels=1, rate=37_800)
    write_clip(tmp_path / "out.mp4", IMAGES, rate=10, sound=path)
    assert facts(tmp_path / "out.mp4") == ("aac", 48_000, 1)
    assert read_sound(tmp_path / "out.mp4").duration == pytest.approx(1, abs=0.15)


def test_a_song_may_be_a_file_object_and_a_clip(tmp_path, song, make_clip, sounds) -> None:
    path = song("song.flac", "flac")
    write_clip(tmp_path / "one.mkv", IMAGES, rate=4, sound=path)
    write_clip(tmp_path / "two.mkv", IMAGES, rate=4, sound=io.BytesIO(path.read_bytes()))
    assert (tmp_path / "one.mkv").read_bytes() == (tmp_path / "two.mkv").read_bytes()
    clip = make_clip(tmp_path / "clip.mp4", count=50, sound="aac")
    write_clip(tmp_path / "out.mp4", IMAGES, rate=4, sound=clip)
    assert sounds(tmp_path / "out.mp4")[0][1] == sounds(clip)[0][1]
    # A sound that WebM cannot hold is refused, and encoded if it is named.
    with pytest.raises(ValueError, match="or name the file that it comes from as `sound`"):
        paint_clip(clip, lambda images: images, tmp_path / "out.webm")
    paint_clip(clip, lambda images: images, tmp_path / "out.webm", sound=clip)
    assert facts(tmp_path / "out.webm")[0] in ("opus", "libopus")


def test_a_song_takes_the_place_of_the_sound_of_the_clip(tmp_path, song, make_clip, sounds) -> None:
    path, clip = song("song.mp3", "libmp3lame"), make_clip(tmp_path / "clip.mp4", count=60, sound="aac")
    settings = {"sound": path, "checkpoint": tmp_path / "run", "segment_seconds": 0.5}
    paint_clip(clip, lambda images: 1 - images, tmp_path / "out.mp4", **settings)
    tracks = sounds(tmp_path / "out.mp4")
    assert len(tracks) == 1
    assert tracks[0][1] == sounds(path)[0][1]


def test_a_song_that_cannot_be_read_or_held_is_refused_before_a_frame_is_painted(tmp_path, song) -> None:
    def frames():
        raise AssertionError("A frame was asked for.")
        yield

    (tmp_path / "noise.flac").write_bytes(b"fLaC and nothing else")
    write_clip(tmp_path / "silent.mp4", IMAGES)
    for sound, message in [
        ("missing.flac", "there is no such file"),
        (tmp_path / "noise.flac", "Cannot read the sound"),
        (tmp_path / "silent.mp4", "there is no sound track in it"),
    ]:
        with pytest.raises(SoundReadError, match=message):
            write_clip(tmp_path / "out.mp4", frames(), sound=sound)
    for name in ("out.gif", "out.webp", "frames"):
        with pytest.raises(ValueError, match="`sound` is for formats that hold sound"):
            write_clip(tmp_path / name, frames(), sound=song("song.flac", "flac"))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["noise.flac", "silent.mp4"]


def test_a_song_that_breaks_off_leaves_the_output(tmp_path, song) -> None:
    data = bytearray(song("song.ogg", "libopus").read_bytes())
    damaged = tmp_path / "damaged.ogg"
    damaged.write_bytes(data[: len(data) // 2])
    # Players go on, and so is it here: half of the song is in it.
    write_clip(tmp_path / "out.mp4", IMAGES, rate=4, sound=damaged)
    assert 0.3 < read_sound(tmp_path / "out.mp4").duration < 1.7


def test_a_still_is_a_clip(tmp_path) -> None:
    photo = torch.rand(1, 3, 16, 24)
    clip = still_clip(photo, 1.1, rate=10)
    frames = list(clip)
    assert [frame.time for frame in frames] == [Fraction(index, 10) for index in range(11)]
    assert all(torch.equal(frame.image, photo) for frame in frames)
    assert (clip.num_frames, clip.duration, clip.height, clip.width) == (11, Fraction(11, 10), 16, 24)
    assert [frame.time for frame in clip.frames(9)] == [Fraction(9, 10), Fraction(1)]
    assert clip.digest() == still_clip(photo[0], 1.1, rate=10).digest()
    others = [still_clip(1 - photo, 1.1, rate=10), still_clip(photo, 1.2, rate=10), still_clip(photo, 1.1)]
    assert len({clip.digest(), *(other.digest() for other in others)}) == 4
    # 0.1 is a little more than a tenth, and one of three frames.
    assert still_clip(photo, 0.1, rate=30).num_frames == 3
    # As slow as one in hours.
    assert (still_clip(photo, 9000, rate=0.0003).rate, still_clip(photo, 9000, rate=0.0003).num_frames) == (
        Fraction(3, 10_000),
        3,
    )
    assert still_clip(photo, 1001 / 30_000, rate=Fraction(30_000, 1001)).num_frames == 1
    settings = {"checkpoint": tmp_path / "run", "segment_seconds": 0.5}
    assert paint_clip(clip, lambda images: 1 - images, tmp_path / "out.mp4", **settings).frames == 11
    for seconds, rate in ((0, 25), (1, 0)):
        with pytest.raises(ValueError, match="must be positive"):
            still_clip(photo, seconds, rate=rate)
    with pytest.raises(TypeError, match="floating"):
        still_clip(photo.byte(), 1)
