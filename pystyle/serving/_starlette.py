"""The packages of the extra `serve`, which are imported when a service is started."""


def check_packages() -> None:
    """Check that the packages of the service are there.

    Raises:
        ImportError: If one is missing; the message names the extra.
    """
    try:
        import python_multipart  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Serving needs Starlette, uvicorn and python-multipart. Install them with "
            '`pip install "pystyle-nst[serve]"`.'
        ) from error
