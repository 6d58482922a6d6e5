"""Contract checks for components: our tests run them, and so can the tests of your own.

Each check raises an `AssertionError` that says which promise is broken.
"""

from pystyle.testing._discriminator import check_discriminator
from pystyle.testing._encoder import check_encoder
from pystyle.testing._loss import check_loss
from pystyle.testing._optimizer import check_optimizer
from pystyle.testing._parametrization import check_parametrization
from pystyle.testing._stylizer import check_stylizer

__all__ = [
    "check_discriminator",
    "check_encoder",
    "check_loss",
    "check_optimizer",
    "check_parametrization",
    "check_stylizer",
]
