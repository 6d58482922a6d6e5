"""Optimizers that torch does not have, with torch's interface."""

from pystyle.optim._lbfgs import LBFGS

__all__ = ["LBFGS"]
