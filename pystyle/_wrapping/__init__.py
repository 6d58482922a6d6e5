"""Images that wrap: what lies beyond one side is the other side again.

`wrap_pad` continues an image so, `interpolate_wrapped` resizes it so, and within `wrapping` the convolutions,
poolings and borders of torch see it so.
"""

from pystyle._wrapping._axes import axes_of, check_multiple, checked_wrap, nearest_multiples
from pystyle._wrapping._interpolate import interpolate_wrapped
from pystyle._wrapping._mode import active_wrap, wrapping
from pystyle._wrapping._pad import wrap_pad

__all__ = [
    "active_wrap",
    "axes_of",
    "check_multiple",
    "checked_wrap",
    "interpolate_wrapped",
    "nearest_multiples",
    "wrap_pad",
    "wrapping",
]
