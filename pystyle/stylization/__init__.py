"""The shortest way to a picture: a recipe whose defaults were chosen by measurement."""

from pystyle.stylization._contrast import feature_contrast
from pystyle.stylization._criteria import stylization_criteria
from pystyle.stylization._recipe import stylization_criterion, stylization_pyramid
from pystyle.stylization._stylize import stylize

__all__ = [
    "feature_contrast",
    "stylization_criteria",
    "stylization_criterion",
    "stylization_pyramid",
    "stylize",
]
