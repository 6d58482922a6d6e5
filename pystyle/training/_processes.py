import torch

from pystyle.evaluation._workers import Workers, all_workers


def processes() -> Workers:
    """The processes that share each batch: one, unless `torch.distributed` is initialised."""
    initialized = torch.distributed.is_available() and torch.distributed.is_initialized()
    return all_workers() if initialized else Workers()
