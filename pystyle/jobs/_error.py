class JobError(ValueError):
    """A job that cannot be done in its folder, such as one with other options than the job before.

    Example:
        >>> raise JobError("The folder has the pictures of another job.")
        Traceback (most recent call last):
        pystyle.jobs._error.JobError: The folder has the pictures of another job.
    """
