class SoundReadError(OSError):
    """A sound that cannot be read: the message names the file and the reason.

    The error of the decoder, if there was one, is kept as ``__cause__``.

    Example:
        >>> from pystyle.video.sound import SoundReadError
        >>> issubclass(SoundReadError, OSError)
        True
    """
