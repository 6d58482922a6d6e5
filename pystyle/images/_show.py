"""Showing an image in a notebook or a window."""

from torch import Tensor

from pystyle.images._pil import to_pil
from pystyle.images._sources import Picture, as_image


def show_image(image: Picture, *, title: str | None = None) -> None:
    """Shows one image with matplotlib, as it would look in an 8-bit file.

    Needs the extra ``viz``. Settings of matplotlib are left alone. Several images: `contact_sheet` makes
    one of them.

    Args:
        image: One image, RGB or grey, or anything that `as_image` takes.
        title: Text above it.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: `image` is no image, or a tensor that is not floating.
        ValueError: `image` is a batch, has other than 1 or 3 channels, has no pixels, or contains NaN or
            infinity.

    Shape:
        Input: ``(channels, height, width)`` or ``(1, channels, height, width)`` with 1 or 3 channels, in
            [0, 1].

    Example:
        >>> import torch
        >>> show_image(torch.rand(1, 3, 64, 64), title="noise")  # doctest: +SKIP
    """
    picture = to_pil(image if isinstance(image, Tensor) else as_image(image))
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            '`show_image` needs matplotlib, which is not installed. Run: pip install "pystyle-nst[viz]"'
        ) from error
    figure, axes = pyplot.subplots(layout="constrained")
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
    axes.set_axis_off()
    if title is not None:
        figure.suptitle(title)
    pyplot.show()
