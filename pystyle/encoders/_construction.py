"""Building networks whose weights are those of the file or the seed, whatever torch's defaults are."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import torch

from pystyle._arguments import float_type, seed_number

# torch's defaults and its random state are those of all threads: two that save them and bring them back in
# turn would leave what one of them has set.
_ONE_AT_A_TIME = RLock()


@contextmanager
def construction() -> Iterator[None]:
    """Within the block modules are built on the CPU, in float32, or in float64 if that is torch's default.

    In half precision, the default of some programs, weights would be rounded when they are loaded. What is
    drawn meanwhile is overwritten or follows a seed, so afterwards the global generator is as before.
    """
    with _ONE_AT_A_TIME, torch.device("cpu"), torch.random.fork_rng(devices=[]):
        before, wanted = torch.get_default_dtype(), float_type()
        try:
            if wanted != before:
                torch.set_default_dtype(wanted)
            yield
        finally:
            torch.set_default_dtype(before)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within the block random numbers on the CPU follow the seed; afterwards all is as before.

    For the initialisation of networks that others wrote, which draws from the global generator.
    """
    seed = seed_number(seed)
    with _ONE_AT_A_TIME:
        before = torch.get_rng_state()
        torch.default_generator.manual_seed(seed)
        try:
            yield
        finally:
            torch.set_rng_state(before)
