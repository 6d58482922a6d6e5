"""Clips that are made by PyAV and NumPy alone, and what PyAV alone finds in a file."""

from fractions import Fraction

import numpy as np
import pytest

SIZE = 48, 64
SAMPLES = 44_100
_OPTIONS = {"crf": "5", "bf": "0", "mbtree": "0"}


def picture(index, height=SIZE[0], width=SIZE[1]):
    """A ramp of grey with a brightness that changes from frame to frame, as 8 bits."""
    ramp = np.linspace(20, 120, width)[None, :, None] + np.zeros((height, 1, 3))
    return (ramp + 4 * (index % 25)).astype(np.uint8)


def tone(seconds, frequency=440.0):
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * SAMPLES)) / SAMPLES)).astype(
        np.float32
    )


@pytest.fixture(scope="session")
def make_clip():
    """A function that writes a clip by PyAV, and returns its path."""
    av = pytest.importorskip("av")

    def make(
        path, *, count=20, rate=25, size=SIZE, codec="libx264", pixel_format="yuv420p", stamps=None,
        unit=Fraction(1, 12_800), sound=None, pictures=None, rotation=None, options=None, prepare=None,
    ):  # fmt: skip
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=rate, options=options or _OPTIONS)
            stream.height, stream.width = size
            stream.pix_fmt = pixel_format
            stream.time_base = stream.codec_context.time_base = unit
            if rotation is not None:
                stream.set_display_rotation(rotation)
            if sound is not None:
                sounds = container.add_stream(sound, rate=SAMPLES if sound != "libopus" else 48_000)
            if prepare is not None:
                prepare(stream)
            for index in range(count):
                pixels = picture(index, *size) if pictures is None else pictures[index]
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts = stamps[index] if stamps is not None else round(index / (rate * unit))
                frame.time_base = unit
                if sound is not None:
                    _write_tone(av, container, sounds, index / rate, 1 / rate)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
            if sound is not None:
                container.mux(sounds.encode(None))
        return path

    return make


def _write_tone(av, container, stream, start, seconds):
    rate = stream.rate
    first, last = round(start * rate), round((start + seconds) * rate)
    wave = (0.5 * np.sin(2 * np.pi * 440 * np.arange(first, last) / rate)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(wave[None].repeat(2, 0).copy(), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
    resampler = av.AudioResampler(format=stream.format.name, layout="stereo", rate=rate)
    for piece in resampler.resample(frame):
        container.mux(stream.encode(piece))


@pytest.fixture(scope="session")
def found():
    """A function that reads a file by PyAV alone: times and pixels of its pictures."""
    av = pytest.importorskip("av")

    def read(path):
        with av.open(str(path)) as container:
            frames = list(container.decode(video=0))
            times = [frame.pts * Fraction(frame.time_base) for frame in frames]
            return times, [frame.to_ndarray(format="rgb24") for frame in frames]

    return read


@pytest.fixture(scope="session")
def sounds():
    """A function that gives the packets of each sound track of a file, and what they are decoded to."""
    av = pytest.importorskip("av")

    def read(path):
        tracks = []
        for index in range(_number_of_tracks(av, path)):
            with av.open(str(path)) as container:
                stream = container.streams.audio[index]
                packets = [bytes(packet) for packet in container.demux(stream) if packet.size]
            with av.open(str(path)) as container:
                samples = [frame.to_ndarray() for frame in container.decode(container.streams.audio[index])]
            tracks.append((stream.codec_context.name, packets, np.concatenate(samples, 1)))
        return tracks

    return read


def _number_of_tracks(av, path):
    with av.open(str(path)) as container:
        return len(container.streams.audio)
