"""Optical flow in ``.flo`` files: a tag, the width, the height, and pairs of 32-bit floats row by row."""

import os
import struct

import numpy as np
import torch
from torch import Tensor

from pystyle._arguments import path_of
from pystyle.images._atomic import replace_file
from pystyle.images._errors import ImageReadError

_TAG = b"PIEH"  # as a little-endian float 202021.25


def read_flow(source: str | os.PathLike[str]) -> Tensor:
    """Returns the optical flow of a ``.flo`` file.

    Args:
        source: Path of the file.

    Returns:
        The distances to the right (channel 0) and down (channel 1) in pixels, as
        :func:`pystyle.functional.warp` takes them.

    Raises:
        ImageReadError: The file is missing, is no ``.flo`` file, or is cut off.

    Shape:
        Output: ``(1, 2, height, width)``

    Example:
        >>> import os, tempfile
        >>> flow = torch.zeros(1, 2, 3, 4)
        >>> flow[:, 0] = 1.5
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_flow(flow, os.path.join(folder, "forward.flo"))
        ...     read_flow(os.path.join(folder, "forward.flo")).shape
        torch.Size([1, 2, 3, 4])

    Note:
        Some programs write 1e10 where they found no flow. Such values are left as they are; a pixel that they
        send outside of the image is not reliable.

    References:
        Baker, Scharstein, Lewis, Roth, Black, Szeliski. *A database and evaluation methodology for optical
        flow*. IJCV 2011. The format is that of its benchmark, Middlebury.
    """
    path = path_of(source)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageReadError(f"Cannot read the flow '{path}': {error.strerror}.") from error
    if len(data) < 12 or data[:4] != _TAG:
        raise ImageReadError(
            f"Cannot read the flow '{path}': it does not begin as a .flo file. Convert it first."
        )
    width, height = struct.unpack("<ii", data[4:12])
    if width < 1 or height < 1 or len(data) != 12 + 8 * width * height:
        raise ImageReadError(
            f"Cannot read the flow '{path}': it says {height} x {width} pixels, for which its "
            f"{len(data)} bytes are not the right number. Was it cut off?"
        )
    values = np.frombuffer(data, dtype="<f4", offset=12).reshape(height, width, 2)
    return torch.from_numpy(values.astype(np.float32)).permute(2, 0, 1).unsqueeze(0).contiguous()


def write_flow(flow: Tensor, destination: str | os.PathLike[str]) -> None:
    """Writes an optical flow to a ``.flo`` file, which is complete or absent.

    Args:
        flow: The distances to the right (channel 0) and down (channel 1) in pixels.
        destination: Path of the file.

    Raises:
        ValueError: `flow` has not the shape (1, 2, height, width).
        OSError: The file cannot be written.

    Shape:
        Input: ``(1, 2, height, width)``

    Example:
        >>> import os, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "forward.flo")
        ...     write_flow(torch.zeros(1, 2, 3, 4), path)
        ...     os.path.getsize(path)
        108
    """
    if flow.ndim != 4 or flow.shape[:2] != (1, 2) or flow.numel() == 0:
        raise ValueError(f"`flow` must have the shape (1, 2, height, width), got {tuple(flow.shape)}.")
    height, width = flow.shape[2:]
    values = flow.detach()[0].permute(1, 2, 0).float().cpu().numpy().astype("<f4")
    replace_file(destination, _TAG + struct.pack("<ii", width, height) + values.tobytes(), kind="flow")
