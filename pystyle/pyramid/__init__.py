"""Coarse to fine: several runs at growing sizes, each starting from the picture of the one before."""

from pystyle.pyramid._pyramid import Pyramid

__all__ = ["Pyramid"]
