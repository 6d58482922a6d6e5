"""The shortest way to a picture: a recipe whose defaults were chosen by measurement."""

from pystyle.stylization._recipe import stylization_criterion, stylization_pyramid
from pystyle.stylization._stylize import stylize

__all__ = ["stylization_criterion", "stylization_pyramid", "stylize"]
