"""How large an image a format holds, as was found by writing and reading such images."""

_LARGEST_SIDES = {"JPEG": 65_500, "WEBP": 16_383, "AVIF": 32_768}
"""In pixels. That of JPEG is 65535 by its standard, of which the library that writes it stays short; larger
AVIF files can be written, but the library that reads them refuses them."""

_LARGEST_AREAS = {"AVIF": 2**28, "TIFF": (2**32 - 2**20) // 3, "BMP": (2**32 - 2**20) // 3}
"""In pixels. TIFF and BMP files have offsets of 32 bits."""


def check_size(pillow_format: str, height: int, width: int) -> None:
    """Checks that a format holds an image of this size.

    Raises:
        ValueError: If it does not.
    """
    side, area = _LARGEST_SIDES.get(pillow_format), _LARGEST_AREAS.get(pillow_format)
    if side is not None and max(height, width) > side:
        rule = f"at most {side} pixels on a side"
    elif area is not None and height * width > area:
        rule = f"at most {area} pixels"
    else:
        return
    raise ValueError(
        f"An image in the format {pillow_format} must have {rule}, got {width} x {height}. Write a PNG file."
    )
