"""The range of images and masks, [0, 1]: what lies outside is nearly always another convention.

What a run is given (references, images to start from, masks) must be in the range, up to what resampling
adds. What a run has made, and noise, may leave it: there only another scale is refused.
"""

import torch
from torch import Tensor

TOLERANCE = 0.25
"""How far outside of [0, 1] a value of an image may lie.

Most libraries do not clamp what they resize. Photographs that bicubic kernels enlarge overshoot by up to
0.17, the corner of a black area on white by 0.22, noise by 0.25 (with the constant -0.75 of torch and OpenCV;
others overshoot less). Images of other conventions lie further out, unless they have neither dark nor bright
places.
"""
_FAR = 0.5
_MANY = 0.1
"""Of normal noise with the mean and deviation of any image at most a twentieth of the values are as far."""


def check_range(values: Tensor, label: str) -> None:
    """Check that an image or a mask is in [0, 1], up to the overshoot of resampling.

    Values within the tolerance are left as they are.

    Raises:
        ValueError: If it is not, or not finite, with what came and what it looks like.
    """
    if values.device.type == "meta" or values.numel() == 0:
        return
    low, high = (float(extreme) for extreme in torch.aminmax(values.detach()))
    if not -float("inf") < low <= high < float("inf"):
        raise ValueError(f"{label} must be finite, got NaN or infinite values.")
    if low < -TOLERANCE or high > 1 + TOLERANCE:
        raise ValueError(_sentence(label, low, high))


def check_scale(values: Tensor, label: str) -> None:
    """Check that an image that may leave [0, 1], such as noise or what is to be clamped, is on this scale.

    Raises:
        ValueError: If more than a tenth of its values are further outside than 1/2.
    """
    if values.device.type == "meta" or values.numel() == 0:
        return
    values = values.detach()
    low, high = (float(extreme) for extreme in torch.aminmax(values))
    if low >= -_FAR and high <= 1 + _FAR:
        return
    far = int(((values < -_FAR) | (values > 1 + _FAR)).sum())
    if far > _MANY * values.numel():
        raise ValueError(_sentence(label, low, high))


def _sentence(label: str, low: float, high: float) -> str:
    return f"{label} must be in [0, 1], got values from {low:.4g} to {high:.4g}. {_remedy(low, high)}"


def _remedy(low: float, high: float) -> str:
    """What values outside of [0, 1] look like, and how to bring them there."""
    if low >= -TOLERANCE and high > 300:
        return "These look like levels of 0 ... 65535: divide them by 65535."
    if low >= -TOLERANCE and high > 3:
        return "These look like levels of 0 ... 255: divide them by 255."
    if low < -3 and high > 10:
        return (
            "These look like levels of 0 ... 255 without their mean, as Caffe takes them: encoders take that "
            "off themselves. Divide the levels by 255 instead."
        )
    if low >= -0.5 and high <= 0.5:
        return "These look like values around 0: add 0.5."
    if low > -0.5 and high < 1.5:
        return "Was it resized by a kernel that overshoots? Clamp it: `image.clamp(0, 1)`."
    if -1 - TOLERANCE <= low < -TOLERANCE and high <= 1 + TOLERANCE:
        return "These look like values in [-1, 1]: take `(image + 1) / 2`."
    if -2.5 <= low < -TOLERANCE and high <= 3:
        return (
            "These look normalised with the mean and deviation of ImageNet: encoders do that themselves. "
            "Leave it out, or undo it with `image * std + mean`."
        )
    return "If that is on purpose, clamp it: `image.clamp(0, 1)`."
