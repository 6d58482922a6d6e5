class CheckpointError(ValueError):
    """A checkpoint that cannot be read, belongs to another run, or whose folder another run has.

    Example:
        >>> raise CheckpointError("The checkpoint is damaged.")
        Traceback (most recent call last):
        pystyle.checkpoints._error.CheckpointError: The checkpoint is damaged.
    """
