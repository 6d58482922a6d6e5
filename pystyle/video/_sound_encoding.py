"""A sound track that is encoded again."""

from fractions import Fraction
from typing import Any

from pystyle.video._av import av_module
from pystyle.video._sound_error import SoundReadError

_BITS_A_CHANNEL = 96_000
_USUAL_RATE = 48_000


class EncodedTrack:
    """A track that is decoded, and encoded for another container, with one channel or two.

    Args:
        source: The stream of PyAV that it comes from.
        container: An open container of PyAV for output, without a header yet.
        start: What is taken from all times, in seconds.
        encoder: Name of the encoder of FFmpeg.
    """

    def __init__(self, source: Any, container: Any, start: Fraction, encoder: str) -> None:
        codec = av_module().Codec(encoder, "w")
        rates = codec.audio_rates
        rate = source.rate if rates is None or source.rate in rates else _USUAL_RATE
        channels = min(source.codec_context.channels, 2)
        self._source, self._container, self._start = source, container, start
        self._stream = container.add_stream(encoder, rate=rate)
        self._stream.layout = "mono" if channels == 1 else "stereo"
        self._stream.format = codec.audio_formats[0]
        self._stream.bit_rate = _BITS_A_CHANNEL * channels
        self._stream.time_base = self._stream.codec_context.time_base = Fraction(1, rate)
        self._stream.metadata.update(source.metadata)
        self._resampler = av_module().AudioResampler(codec.audio_formats[0].name, self._stream.layout, rate)

    def mux(self, packet: Any) -> None:
        """Encode what a packet of the source holds.

        Raises:
            SoundReadError: If it cannot be decoded.
        """
        for frame in self._decoded(packet):
            if frame.pts is not None:
                frame.pts -= round(self._start / frame.time_base)
            self._encode(frame)

    def flush(self) -> None:
        """Encode what the decoder, the resampler and the encoder hold back."""
        self.mux(None)
        self._encode(None)
        self._container.mux(self._stream.encode(None))

    def _decoded(self, packet: Any) -> list[Any]:
        try:
            frames: list[Any] = self._source.decode(packet)
        except av_module().error.FFmpegError as error:
            raise SoundReadError(
                f"Cannot decode the sound: {error.strerror or error}. Is its file complete?"
            ) from error
        return frames

    def _encode(self, frame: Any) -> None:
        try:
            pieces = self._resampler.resample(frame)
        except ValueError as error:
            raise SoundReadError(
                "Cannot encode the sound: its rate or its channels change on the way."
            ) from error
        # Nothing comes of the end if there is nothing to be resampled.
        for piece in filter(None, pieces):
            self._container.mux(self._stream.encode(piece))
