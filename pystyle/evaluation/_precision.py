"""The precision of an evaluation."""

from typing import Any, cast, get_args

import torch

from pystyle.criterion import Criterion
from pystyle.encoders import LowPrecisionEncoder
from pystyle.typing import Precision, PrecisionChoice

HALF_TYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
"""The precisions of half the bits."""
_HALF_PRODUCTS = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")
"""What processors that multiply in bfloat16 say of themselves."""
_TENSOR_CORES = (7, 0)
"""The first NVIDIA GPUs that multiply in float16 faster than in float32."""


def known_precision(precision: Any) -> Precision:
    """The name of the precision, which may be given as a type of torch.

    Raises:
        ValueError: If there is no such precision.
    """
    name = str(precision).removeprefix("torch.") if isinstance(precision, torch.dtype) else precision
    if name not in get_args(Precision):
        raise ValueError(f"`precision` must be one of {get_args(Precision)}, got {precision!r}.")
    return cast(Precision, name)


def fastest_precision(device: torch.device | str | int) -> Precision:
    """Half precision where the device multiplies in it, and float32 elsewhere.

    Pictures look the same in both. A processor that has no products in half precision converts the numbers
    back and forth, and is slower with them.

    Args:
        device: The device.

    Returns:
        ``"bfloat16"`` on processors with AVX-512 BF16, AMX or the bfloat16 products of ARM, and on GPUs that
        have it; ``"float16"`` on NVIDIA GPUs with tensor cores that have not; otherwise ``"float32"``.

    Example:
        >>> fastest_precision("cpu") in ("bfloat16", "float32")
        True
    """
    device = torch.device(device)
    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities()
        return "bfloat16" if any(capabilities.get(name) for name in _HALF_PRODUCTS) else "float32"
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bfloat16"
        capable = torch.version.hip is None and torch.cuda.get_device_capability(device) >= _TENSOR_CORES
        return "float16" if capable else "float32"
    return "bfloat16" if device.type == "xpu" and torch.xpu.is_bf16_supported() else "float32"


def precision_on(device: torch.device, precision: PrecisionChoice) -> Precision:
    """A precision as it is, and for "auto" the fastest of the device."""
    return fastest_precision(device) if precision == "auto" else known_precision(precision)


def in_precision(criterion: Criterion, precision: Precision) -> Criterion:
    """The criterion with an encoder that computes in this precision; references must be bound to it."""
    if precision not in HALF_TYPES:
        return criterion
    encoder = LowPrecisionEncoder(criterion.encoder, HALF_TYPES[precision])
    return Criterion(
        encoder,
        criterion.named_losses,
        normalize_gradients=criterion.normalize_gradients,
        wrap=criterion.wrap,
    )
