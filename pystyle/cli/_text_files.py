"""Files of text that people write."""

import codecs
from pathlib import Path


def read_text(path: Path) -> str:
    """The text; some editors of Windows put a mark before it, and a shell writes it in UTF-16.

    Raises:
        OSError: If it cannot be read.
        UnicodeDecodeError: If it is in neither.
    """
    data = path.read_bytes()
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if is_utf16 else "utf-8-sig")
