from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from pystyle._arguments import whole_number
from pystyle.encoders._encoder import Encoder
from pystyle.encoders._geometry import WHOLE_IMAGE
from pystyle.encoders._segment import LayerRows, Segment
from pystyle.functional._precision import without_autocast
from pystyle.functional._root import root


class StripPass:
    """A pass of an encoder over an image in strips of rows, with the numbers of a pass over the whole.

    The encoder is taken apart at its poolings (:meth:`Encoder.segments`). Between two of them the
    features are computed in strips, each with as many further rows as its own rows see, and only
    what comes out of a segment is kept: 33 numbers per pixel for VGG-19, whose layers have about 700.
    A backward pass computes each strip a second time.

    Args:
        encoder: The encoder.
        layers: The layers that are wanted.
        rows: Height of a strip, in rows of what goes into its segment. Lower ones need less
            memory and compute more rows twice.

    Raises:
        ValueError: If `rows` is not positive, a layer does not exist or sees the whole image.

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg11
        >>> encoder, image = vgg11(weights=None), torch.rand(1, 3, 64, 16)
        >>> strips = StripPass(encoder, ["relu2_1"], rows=16)
        >>> mean = sum(part.share * part.features.mean() for part in strips.forward(image))
        >>> torch.allclose(mean, encoder(image, ["relu2_1"])["relu2_1"].mean())
        True
        >>> strips.backward(lambda part: part.share * part.features.mean()).shape
        torch.Size([1, 3, 64, 16])
    """

    def __init__(self, encoder: Encoder, layers: Sequence[str], *, rows: int) -> None:
        rows = whole_number(rows, "`rows`", least=1)
        segments = encoder.segments(layers)
        for layer in layers:
            if encoder.geometry(layer).receptive_field == WHOLE_IMAGE:
                raise ValueError(
                    f"`layers` must be some that see a part of the image, got {layer!r}, of which every "
                    "position sees all of it. Evaluate the whole image at once."
                )
        outputs = [segment.layers[-1] for segment, _ in segments[:-1]]
        self._segments = [
            Segment(segment, wanted, output, rows=rows)
            for (segment, wanted), output in zip(segments, [*outputs, None], strict=True)
        ]
        self._inputs: list[Tensor] = []

    @torch.no_grad()
    def forward(self, image: Tensor) -> Iterator[LayerRows]:
        """The rows of all layers, strip by strip and without a graph. Go through all of them.

        Shape:
            - image: (batch, 3, height, width)
        """
        x: Tensor | None = image.detach()
        self._inputs = []
        for segment in self._segments:
            if x is None:
                break
            self._inputs.append(x)
            output: Tensor | None = None
            for strip in segment.strips(x.shape[2]):
                found = segment.run(segment.input_rows(x, strip), strip)
                yield from (found[layer] for layer in segment.wanted if layer in found)
                if segment.output in found:
                    output = _collect(output, found[segment.output])
            x = output

    def backward(self, loss: Callable[[LayerRows], Tensor | None]) -> Tensor:
        """The gradient of a sum over all rows with respect to the image of the last :meth:`forward`.

        Args:
            loss: A scalar for some rows of a layer, or None for nothing. What is differentiated is the
                sum of them all.

        Returns:
            A tensor of the shape of the image.

        Raises:
            RuntimeError: If there was no pass, or there was a backward pass after it.
        """
        if not self._inputs:
            raise RuntimeError("`backward` needs a pass of its own: call `forward` and go through its rows.")
        gradient: Tensor | None = None
        for segment in reversed(self._segments):
            gradient = _segment_backward(segment, self._inputs.pop(), gradient, loss)
        return gradient if gradient is not None else torch.empty(0)


def _collect(whole: Tensor | None, part: LayerRows) -> Tensor:
    """The whole layer with these rows filled in."""
    if whole is None:
        batch, channels, _, width = part.features.shape
        whole = torch.empty(
            (batch, channels, part.height, width),
            dtype=part.features.dtype,
            device=part.features.device,
            memory_format=torch.channels_last,
        )
    whole[:, :, part.start : part.start + part.features.shape[2]] = part.features
    return whole


def _segment_backward(
    segment: Segment, x: Tensor, gradient: Tensor | None, loss: Callable[[LayerRows], Tensor | None]
) -> Tensor:
    total = torch.zeros_like(x)
    for strip in segment.strips(x.shape[2]):
        with torch.enable_grad():
            rows = segment.input_rows(x, strip).detach().requires_grad_()
            found = segment.run(rows, strip)
            losses = [loss(found[layer]) for layer in segment.wanted if layer in found]
        outputs = [value for value in losses if value is not None]
        weights = [torch.ones_like(output) for output in outputs]
        if gradient is not None and segment.output in found:
            own = found[segment.output]
            outputs.append(own.features)
            weights.append(gradient[:, :, own.start : own.start + own.features.shape[2]])
        if outputs:
            with without_autocast(rows):
                (change,) = torch.autograd.grad(root(outputs, weights), rows)
            segment.add_rows(total, strip, change)
    return total
