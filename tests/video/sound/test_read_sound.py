"""Sounds from files that PyAV wrote."""

import sys
import wave

import numpy as np
import pytest

from pystyle.video import read_clip
from pystyle.video.sound import Sound, SoundReadError, onset_times, read_sound

RATE = 8000


def tone(frequency=440.0, seconds=1.0, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)


def whole(samples, dtype):
    """Full-scale floats as whole numbers."""
    return np.round(np.asarray(samples) * 2 ** (8 * np.dtype(dtype).itemsize - 1)).astype(dtype)


def write_wave(path, data):
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes(data)


def test_a_file_of_the_standard_library_is_read(tmp_path):
    write_wave(tmp_path / "a.wav", np.array([[16384, 0], [-32768, -32768]], "<i2").tobytes())
    assert read_sound(tmp_path / "a.wav").samples.tolist() == [0.25, -1.0]


@pytest.mark.parametrize(
    ("name", "codec", "sample_format", "dtype"),
    [
        ("a.wav", "pcm_s16le", "s16", np.int16),
        ("a.flac", "flac", "s16", np.int16),
        ("a.wav", "pcm_s32le", "s32", np.int32),
        ("a.mka", "pcm_f32le", "flt", np.float32),
    ],
)
def test_samples_come_back_from_a_file_without_loss(tmp_path, write_sound, name, codec, sample_format, dtype):
    samples = tone()
    stored = samples.astype(dtype) if dtype is np.float32 else whole(samples, dtype)
    path = write_sound(tmp_path / name, stored, RATE, codec=codec, sample_format=sample_format)
    sound = read_sound(path)
    assert (sound.rate, sound.start, len(sound.samples)) == (RATE, 0.0, RATE)
    expected = stored if dtype is np.float32 else stored / 2.0 ** (8 * np.dtype(dtype).itemsize - 1)
    np.testing.assert_array_equal(sound.samples, expected.astype(np.float32))


def test_samples_of_eight_bits_have_their_silence_in_the_middle(tmp_path, write_sound):
    stored = np.array([128, 0, 192, 255] * 100, np.uint8)
    path = write_sound(tmp_path / "a.wav", stored, RATE, codec="pcm_u8", sample_format="u8")
    assert read_sound(path).samples[:4].tolist() == [0.0, -1.0, 0.5, 127 / 128]


@pytest.mark.parametrize("name", ["a.wav", "a.mp4"])
def test_stereo_becomes_the_mean_of_its_channels(tmp_path, write_sound, name):
    left, right = tone(440), tone(880, amplitude=0.25)
    if name == "a.wav":
        given, kind = whole([left, right], np.int16), {"codec": "pcm_s16le", "sample_format": "s16"}
    else:
        given, kind = np.float32([left, right]), {"codec": "aac", "sample_format": "fltp"}
    sound = read_sound(write_sound(tmp_path / name, given, RATE, **kind))
    error = sound.samples[:RATE] - (left + right) / 2
    assert np.abs(error).max() < (1e-4 if name == "a.wav" else 0.05)


def test_the_sound_track_of_a_clip_is_read_and_lies_where_it_did(tmp_path, write_sound):
    clicks = np.zeros(2 * RATE, np.float32)
    for second in (0.5, 1.25):
        clicks[round(second * RATE) :][:400] += np.float32(tone(1000, 0.05))
    path = write_sound(tmp_path / "a.mp4", clicks, RATE, codec="aac", sample_format="fltp", pictures=20)
    sound = read_sound(path)
    assert onset_times(sound) == pytest.approx([0.5, 1.25], abs=0.01)
    assert sound.duration == pytest.approx(2, abs=1024 / RATE)


def test_a_sound_that_starts_late_keeps_its_start(tmp_path, write_sound):
    path = write_sound(
        tmp_path / "a.mkv",
        whole(tone(), np.int16),
        RATE,
        codec="pcm_s16le",
        sample_format="s16",
        pictures=5,
        late=lambda _: 0.75,
    )
    sound = read_sound(path)
    assert sound.start == pytest.approx(0.75, abs=1e-3)
    np.testing.assert_allclose(sound.samples, tone(), atol=1e-4)


def test_a_sound_alone_starts_at_its_beginning(tmp_path, write_sound):
    kind = {"codec": "pcm_s16le", "sample_format": "s16"}
    path = write_sound(tmp_path / "a.mka", whole(tone(), np.int16), RATE, **kind, late=lambda _: 0.75)
    assert read_sound(path).start == 0


def test_a_sound_lies_on_the_clock_of_the_frames(tmp_path, write_sound):
    # The pictures begin at 0, the sound a second before them.
    kind = {"codec": "pcm_s16le", "sample_format": "s16", "pictures": 5, "first_picture": 10}
    path = write_sound(tmp_path / "a.mkv", whole(tone(), np.int16), RATE, **kind)
    assert read_sound(path).start == 0
    assert float(next(iter(read_clip(path))).time) == pytest.approx(1, abs=1e-3)


def test_a_gap_between_time_stamps_is_silence(tmp_path, write_sound):
    kind = {"codec": "pcm_s16le", "sample_format": "s16"}
    path = write_sound(
        tmp_path / "a.mka", whole(tone(), np.int16), RATE, **kind, late=lambda block: 0.5 * (block >= 4)
    )
    samples = read_sound(path).samples
    assert len(samples) == 1.5 * RATE
    np.testing.assert_allclose(samples[:4096], tone()[:4096], atol=1e-4)
    assert not samples[4096 : 4096 + RATE // 2].any()
    np.testing.assert_allclose(samples[4096 + RATE // 2 :], tone()[4096:], atol=1e-4)


def test_time_stamps_that_are_rounded_leave_no_gaps(tmp_path, write_sound):
    kind = {"codec": "pcm_s16le", "sample_format": "s16"}
    path = write_sound(
        tmp_path / "a.mka", whole(tone(), np.int16), RATE, **kind, late=lambda block: 0.004 * (block % 2)
    )
    np.testing.assert_allclose(read_sound(path).samples, tone(), atol=1e-4)


def test_what_overlaps_is_left_out(tmp_path, write_sound):
    kind = {"codec": "pcm_s16le", "sample_format": "s16"}
    samples = np.repeat(np.arange(8) / 10, 1024)
    # The last four blocks begin 0.064 seconds too early, half a block.
    path = write_sound(
        tmp_path / "a.mka", whole(samples, np.int16), RATE, **kind, late=lambda block: -0.064 * (block >= 4)
    )
    expected = np.concatenate([samples[:4096], samples[4096 + 512 :]])
    np.testing.assert_allclose(read_sound(path).samples, expected, atol=1e-4)


def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path, write_sound):
    with pytest.raises(SoundReadError, match=r"Cannot read the sound '.*none.wav': there is no such file"):
        read_sound(tmp_path / "none.wav")
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(SoundReadError, match=r"Cannot read the sound '.*text.wav': Invalid data"):
        read_sound(str(tmp_path / "text.wav"))
    import av

    with av.open(str(tmp_path / "silent.mp4"), "w") as container:
        film = container.add_stream("mpeg4", rate=10)
        film.width = film.height = 32
        container.mux(film.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")))
        container.mux(film.encode(None))
    with pytest.raises(SoundReadError, match=r"silent.mp4': there is no sound track in it"):
        read_sound(tmp_path / "silent.mp4")
    kind = {"codec": "pcm_s16le", "sample_format": "s16"}
    damaged = write_sound(
        tmp_path / "a.mka", whole(tone(), np.int16), RATE, **kind, late=lambda block: 1e5 * (block >= 4)
    )
    with pytest.raises(SoundReadError, match="it has a gap of 100000 seconds"):
        read_sound(damaged)
    write_wave(tmp_path / "empty.wav", b"")
    with pytest.raises(SoundReadError, match="its sound track is empty"):
        read_sound(tmp_path / "empty.wav")


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r"pip install \"pystyle-nst\[video\]\""):
        read_sound(tmp_path / "a.wav")


def test_a_sound_is_made_of_an_array():
    stereo = Sound(np.array([[0.5, 1.0, 0.0, 0.0], [0.5, 0.0, 0.0, -1.0]]), 4, start=2)
    assert stereo.samples.tolist() == [0.5, 0.5, 0.0, -0.5]
    assert stereo.samples.dtype == np.float32
    assert (stereo.duration, stereo.start, stereo.end) == (1.0, 2.0, 3.0)
    assert repr(stereo) == "Sound(1 s at 4 Hz from 2 s)"


def test_a_sound_does_not_change_with_the_array_it_was_made_of():
    given = np.zeros(8, np.float32)
    sound = Sound(given, 8)
    given += 1
    assert not sound.samples.any()
    with pytest.raises(ValueError, match="read-only"):
        sound.samples[0] = 1


def test_arrays_that_are_no_sound_are_refused():
    with pytest.raises(TypeError, match=r"floating-point numbers .* got int16. Divide"):
        Sound(np.zeros(8, np.int16), 8)
    with pytest.raises(ValueError, match=r"got \(8, 2\). Channels come first: `samples.T`"):
        Sound(np.zeros((8, 2)), 8)
    with pytest.raises(ValueError, match="at least one sample"):
        Sound(np.zeros(0), 8)
    with pytest.raises(ValueError, match="`samples` must be finite"):
        Sound(np.array([0, np.nan]), 8)
    with pytest.raises(ValueError, match="`rate` must be at least 1, got 0"):
        Sound(np.zeros(8), 0)
