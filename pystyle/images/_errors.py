"""The errors of reading."""


class ImageReadError(OSError):
    """An image that cannot be read.

    The message names the file (or "the stream"), the reason, and what to do about it. The error of the
    decoder, if there was one, is kept as ``__cause__``.

    Example:
        >>> from pystyle.images import ImageReadError, read_image
        >>> try:
        ...     read_image("no-such-file.png")
        ... except ImageReadError as error:
        ...     print(error)
        Cannot read the image 'no-such-file.png': there is no such file. Check the path ...
    """


class PixelRangeError(ValueError):
    """Pixels that were decoded, but whose black and white nobody knows. `read_image` passes the text on."""
