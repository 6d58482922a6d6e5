class CheckpointError(ValueError):
    """A checkpoint that cannot be read, or belongs to another run.

    Example:
        >>> raise CheckpointError("The checkpoint is damaged.")
        Traceback (most recent call last):
        pystyle.checkpoints._error.CheckpointError: The checkpoint is damaged.
    """
