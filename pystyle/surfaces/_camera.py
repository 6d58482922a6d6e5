import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pystyle._arguments import number

_MARGIN = 1.05


@dataclass(frozen=True)
class Camera:
    """From where a mesh is looked at, in perspective; its middle is in the middle of the picture.

    Args:
        azimuth: In degrees around the vertical axis: from the front (along the third axis) at 0, from the
            side to which the first axis points at 90.
        elevation: In degrees above the horizon, from -90 to 90.
        field_of_view: The angle in degrees that the height of the picture takes.
        distance: From the middle of the mesh, in radii of the sphere around it; None to have the sphere just
            within the picture.

    Raises:
        ValueError: If an angle is out of its range, or the camera is within the sphere.
        TypeError: If one is no number.

    Example:
        >>> Camera(90, 20)
        Camera(azimuth=90.0, elevation=20.0, field_of_view=30.0, distance=None)
    """

    azimuth: float = 0.0
    elevation: float = 0.0
    field_of_view: float = 30.0
    distance: float | None = None

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "azimuth", number(self.azimuth, "`azimuth`"))
        set_(self, "elevation", number(self.elevation, "`elevation`", least=-90, most=90))
        set_(self, "field_of_view", number(self.field_of_view, "`field_of_view`", above=0, below=180))
        if self.distance is not None:
            set_(self, "distance", number(self.distance, "`distance`", above=1))

    @property
    def radii(self) -> float:
        """The distance from the middle of the mesh, in radii of the sphere around it."""
        if self.distance is not None:
            return self.distance
        return _MARGIN / math.sin(math.radians(self.field_of_view / 2))

    @property
    def focal_length(self) -> float:
        """How far away something as tall as the picture is, in heights of the picture."""
        return 0.5 / math.tan(math.radians(self.field_of_view / 2))

    @property
    def axes(self) -> Tensor:
        """What points to the right, upwards, and towards the camera, as rows, (3, 3) in float64."""
        azimuth, elevation = math.radians(self.azimuth), math.radians(self.elevation)
        sine, cosine = math.sin(azimuth), math.cos(azimuth)
        rise, run = math.sin(elevation), math.cos(elevation)
        rows = [[cosine, 0.0, -sine], [-rise * sine, run, -rise * cosine], [run * sine, rise, run * cosine]]
        return torch.tensor(rows, dtype=torch.float64, device="cpu")
