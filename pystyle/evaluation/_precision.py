"""The precision of an evaluation."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast, get_args

import torch

from pystyle.criterion import Criterion
from pystyle.encoders import LowPrecisionEncoder
from pystyle.typing import Precision

_HALF = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def known_precision(precision: Any) -> Precision:
    """The name of the precision, which may be given as a type of torch.

    Raises:
        ValueError: If there is no such precision.
    """
    name = str(precision).removeprefix("torch.") if isinstance(precision, torch.dtype) else precision
    if name not in get_args(Precision):
        raise ValueError(f"`precision` must be one of {get_args(Precision)}, got {precision!r}.")
    return cast(Precision, name)


def in_precision(criterion: Criterion, precision: Precision) -> Criterion:
    """The criterion with an encoder that computes in this precision; references must be bound to it."""
    if precision not in _HALF:
        return criterion
    encoder = LowPrecisionEncoder(criterion.encoder, _HALF[precision])
    return Criterion(encoder, criterion.named_losses, normalize_gradients=criterion.normalize_gradients)


@contextmanager
def products_in(precision: Precision) -> Iterator[None]:
    """Let GPUs round the factors of float32 products to TF32 only if that is what is asked for."""
    wanted = "tf32" if precision == "tf32" else "ieee"
    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn.conv  # type: ignore[attr-defined]
    before = products.fp32_precision, convolutions.fp32_precision
    try:
        products.fp32_precision = convolutions.fp32_precision = wanted
        yield
    finally:
        products.fp32_precision, convolutions.fp32_precision = before
