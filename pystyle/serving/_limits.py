from dataclasses import dataclass, fields

from pystyle._arguments import byte_count, number, whole_number


@dataclass(frozen=True)
class Limits:
    """What a service takes at most.

    Args:
        upload_bytes: Of the body of a request.
        upload_pixels: Width times height of an uploaded picture. It is compared with the header, before
            anything is decoded.
        picture_pixels: Width times height of a picture that is made, and of a style that is looked at.
        queue_length: Requests with pictures at a time, from their first byte to their answer.
        batch_size: Pictures of one size that a network paints at once.
        batch_pixels: Of all pictures of a batch together; a larger picture is painted by itself. On two cores
            batches of more are slower than one picture after the other; GPUs take more.
        seconds: Of an upload, and of the wait for the network.
        num_styles: Uploaded styles that are kept. Beyond it the one that was not used for the longest time
            goes.
        num_jobs: Jobs of optimisation that wait or run.
        job_steps: Steps of a job.
        job_seconds: Seconds of a job. What it has by then is its picture.
        kept_seconds: How long the picture of a job is kept.
        num_results: Pictures of jobs that are kept. Beyond it the oldest goes.
        num_streams: Clients that follow the events of jobs at a time.
        memory_budget: Bytes that a job may take, or text such as ``"4GB"``; most of what is free if not
            given. It is held by the estimates of :func:`~pystyle.runner.choose_evaluation`.

    Raises:
        TypeError: If one is no number.
        ValueError: If one is not positive.

    Example:
        >>> Limits(queue_length=4).queue_length
        4
    """

    upload_bytes: int = 20_000_000
    upload_pixels: int = 24_000_000
    picture_pixels: int = 4_200_000
    queue_length: int = 32
    batch_size: int = 4
    batch_pixels: int = 750_000
    seconds: float = 60.0
    num_styles: int = 256
    num_jobs: int = 8
    job_steps: int = 500
    job_seconds: float = 600.0
    kept_seconds: float = 3600.0
    num_results: int = 100
    num_streams: int = 32
    memory_budget: int | str | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value, label = getattr(self, field.name), f"`{field.name}`"
            if field.name == "memory_budget":
                value = None if value is None else byte_count(value, label)
            elif field.name.endswith("seconds"):
                value = number(value, label, above=0)
            else:
                value = whole_number(value, label, least=1)
            object.__setattr__(self, field.name, value)
