import platform

import torch

from pystyle._version import __version__


def environment() -> dict[str, str]:
    """What the bytes of a result depend on beside the arguments: versions, processor and threads.

    Example:
        >>> list(environment())
        ['pystyle', 'torch', 'python', 'machine', 'processor', 'threads']
    """
    return {
        "pystyle": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processor": torch.backends.cpu.get_cpu_capability(),
        "threads": str(torch.get_num_threads()),
    }
