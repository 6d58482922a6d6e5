"""What functions are given, checked and converted in one place: the lowest floor of the library.

`label` is how an error calls the argument, with its backticks: ``"`num_steps`"``.
"""

from pystyle._arguments._images import check_floating, check_image
from pystyle._arguments._numbers import is_number, number, whole_number, whole_numbers
from pystyle._arguments._range import check_range, check_scale

__all__ = [
    "check_floating",
    "check_image",
    "check_range",
    "check_scale",
    "is_number",
    "number",
    "whole_number",
    "whole_numbers",
]
