class MeshReadError(OSError):
    """A mesh that cannot be read, or lacks what a painting needs: places in a texture, or the texture.

    The message names the file, the reason, and what to do about it.

    Example:
        >>> from pystyle.surfaces import MeshReadError, read_mesh
        >>> try:
        ...     read_mesh("no-such-file.glb")
        ... except MeshReadError as error:
        ...     print(error)
        Cannot read the mesh 'no-such-file.glb': there is no such file. Check the path.
    """
