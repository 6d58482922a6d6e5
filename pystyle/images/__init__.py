"""Images from files and to files: always RGB in [0, 1], `(1, 3, height, width)`, or a clear error."""

from pystyle.images._contact_sheet import contact_sheet
from pystyle.images._errors import ImageReadError
from pystyle.images._flow import read_flow, write_flow
from pystyle.images._levels import quantise
from pystyle.images._masks import read_mask, read_masks, write_masks
from pystyle.images._metadata import Metadata, read_metadata
from pystyle.images._pil import from_pil, to_pil
from pystyle.images._read import read_image
from pystyle.images._resize import resize, scaled_size
from pystyle.images._rotate import rotate
from pystyle.images._segmentation import masks_from_segmentation, segmentation_from_masks
from pystyle.images._show import show_image
from pystyle.images._sources import as_image, split_alpha
from pystyle.images._write import write_image

__all__ = [
    "ImageReadError",
    "Metadata",
    "as_image",
    "contact_sheet",
    "from_pil",
    "masks_from_segmentation",
    "quantise",
    "read_flow",
    "read_image",
    "read_mask",
    "read_masks",
    "read_metadata",
    "resize",
    "rotate",
    "scaled_size",
    "segmentation_from_masks",
    "show_image",
    "split_alpha",
    "to_pil",
    "write_flow",
    "write_image",
    "write_masks",
]
