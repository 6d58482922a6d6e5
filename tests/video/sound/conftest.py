from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def write_sound() -> Callable[..., Path]:
    """A function that writes samples (channels, samples) by PyAV, blocks of 1024 with time stamps."""
    av = pytest.importorskip("av")

    def written(
        path,
        samples,
        rate,
        *,
        codec,
        sample_format,
        pictures=0,
        first_picture=0,
        late=lambda _: 0.0,
    ):
        samples = np.atleast_2d(np.asarray(samples))
        layout = {1: "mono", 2: "stereo"}[len(samples)]
        with av.open(str(path), "w") as container:
            if pictures:
                film = container.add_stream("mpeg4", rate=10)
                film.width = film.height = 32
            track = container.add_stream(codec, rate=rate, layout=layout)
            track.time_base = Fraction(1, rate)
            for number in range(pictures):
                picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
                picture.pts = first_picture + number
                container.mux(film.encode(picture))
            if pictures:
                container.mux(film.encode(None))
            size = 1024
            for block, first in enumerate(range(0, samples.shape[1], size)):
                part = samples[:, first : first + size]
                planar = sample_format.endswith("p")
                packed = part if planar else part.T.reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(packed), format=sample_format, layout=layout
                )
                frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
                frame.pts = first + round(late(block) * rate)
                container.mux(track.encode(frame))
            container.mux(track.encode(None))
        return path

    return written
