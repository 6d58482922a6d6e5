"""What functions are given, checked and converted in one place: the lowest floor of the library.

`label` is how an error calls the argument, with its backticks: ``"`num_steps`"``.
"""

from pystyle._arguments._images import check_floating, check_image, float_type
from pystyle._arguments._memory import byte_count, explained_allocations, is_lack_of_memory
from pystyle._arguments._numbers import (
    interval,
    is_number,
    number,
    numbers,
    pixel_size,
    seed_number,
    whole_number,
    whole_numbers,
)
from pystyle._arguments._others import (
    best_device,
    callables,
    check_kind,
    check_mapping,
    described,
    device_of,
)
from pystyle._arguments._paths import path_of
from pystyle._arguments._range import check_range, check_scale

__all__ = [
    "best_device",
    "byte_count",
    "callables",
    "check_floating",
    "check_image",
    "check_kind",
    "check_mapping",
    "check_range",
    "check_scale",
    "described",
    "device_of",
    "explained_allocations",
    "float_type",
    "interval",
    "is_lack_of_memory",
    "is_number",
    "number",
    "numbers",
    "path_of",
    "pixel_size",
    "seed_number",
    "whole_number",
    "whole_numbers",
]
