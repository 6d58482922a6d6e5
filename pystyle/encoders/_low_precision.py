import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pystyle.encoders._encoder import Encoder
from pystyle.encoders._geometry import LayerGeometry
from pystyle.encoders._gradient_scale import GradientScale, scale_gradients, unscale_gradient
from pystyle.encoders._sequential import SequentialEncoder

_DTYPES = (torch.bfloat16, torch.float16)
_COMPUTES_IN_HALF = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.Linear)


class LowPrecisionEncoder(Encoder):
    """An encoder whose convolutions and linear layers compute in half precision.

    It takes the images that the encoder takes, and keeps the precision of everything else, such as
    the normalisation of the image. Use it for the references too (a criterion does): against
    features that were computed in another precision, rounding looks like a difference.

    Args:
        encoder: The encoder; it is copied, not changed.
        dtype: ``torch.bfloat16``, or ``torch.float16`` for devices that lack it. The gradients of
            float16 are scaled, so that none is lost, and its features come back in float32.

    Raises:
        ValueError: If `dtype` is another type.

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg11
        >>> encoder = LowPrecisionEncoder(vgg11(weights=None), torch.bfloat16)
        >>> encoder(torch.rand(1, 3, 8, 8), ["relu1_1"])["relu1_1"].dtype
        torch.bfloat16

    Note:
        float16 ends at 65,504, which the deep layers of the Caffe VGG-19 come near to and gradients of
        large losses exceed. A run that overflows ends with the last good image and says so.
    """

    def __init__(self, encoder: Encoder, dtype: torch.dtype = torch.bfloat16) -> None:
        super().__init__()
        if dtype not in _DTYPES:
            raise ValueError(f"`dtype` must be torch.bfloat16 or torch.float16, got {dtype}.")
        self._image_dtype = encoder.image_dtype
        self.dtype = dtype
        # Weights that are converted need not be copied first.
        converted = {
            id(parameter): nn.Parameter(parameter.detach().to(dtype), requires_grad=False)
            for module in encoder.modules()
            if isinstance(module, _COMPUTES_IN_HALF)
            for parameter in module.parameters(recurse=False)
        }
        self.encoder = copy.deepcopy(encoder, converted)
        # Modules in a row hand their type on. Autocast, which others need, would pad and pool in float32.
        self.autocasts = not isinstance(self.encoder, SequentialEncoder)
        if isinstance(self.encoder, SequentialEncoder):
            self.encoder.preprocessing = nn.Sequential(self.encoder.preprocessing, _Cast(dtype))
        self.eval()

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers of the encoder."""
        return self.encoder.layers

    @property
    def image_dtype(self) -> torch.dtype | None:
        """The type of image that the encoder takes."""
        return self._image_dtype

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """The features of the wanted layers."""
        if self.dtype == torch.float16:
            return self._scaled(image, layers)
        return self._features(image, layers)

    def geometry(self, layer: str) -> LayerGeometry:
        """The geometry of the layer, which does not depend on the precision."""
        return self.encoder.geometry(layer)

    def multiple(self, layers: Sequence[str]) -> int:
        """That of the encoder."""
        return self.encoder.multiple(layers)

    def members(self, layer: str) -> tuple[str, ...]:
        """Those of the encoder."""
        return self.encoder.members(layer)

    def segments(self, layers: Sequence[str]) -> list[tuple[Encoder, tuple[str, ...]]]:
        """The segments of the encoder in the same precision."""
        segments = self.encoder.segments(layers)
        for segment, _ in segments[1:]:
            # What comes out of a segment in float32 goes on in half precision.
            if isinstance(segment, SequentialEncoder):
                segment.preprocessing = _Cast(self.dtype)
        return [(self._around(segment), wanted) for segment, wanted in segments]

    def _around(self, segment: Encoder) -> "LowPrecisionEncoder":
        """The same for a segment, whose modules need not be copied again."""
        whole = copy.copy(self)
        whole._modules = {**self._modules, "encoder": segment}
        return whole

    def _scaled(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        scale = GradientScale()
        return scale_gradients(self._features(unscale_gradient(image, scale), layers), scale)

    def _features(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        with torch.autocast(image.device.type, self.dtype, enabled=self.autocasts):
            features: dict[str, Tensor] = self.encoder(image, layers)
        return features


class _Cast(nn.Module):
    """A tensor in another type; the first of the modules that compute in half precision."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        return x.to(self.dtype)
