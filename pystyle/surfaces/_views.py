import math
from dataclasses import dataclass
from typing import Any

import torch

from pystyle._arguments import numbers, seed_number, whole_number
from pystyle.surfaces._camera import Camera


@dataclass(frozen=True)
class Views:
    """From where a mesh is seen while its texture is optimised: sheets of several views, one for each step.

    The views of a sheet lie around the mesh at equal angles, so each sheet sees it from all sides. They
    differ in height, and sheets are turned against each other, so that all of them are spread evenly.

    Args:
        sheets: How many different sheets there are.
        views: How many views a sheet has. What losses average over positions, such as Gram matrices, they
            average over all views of a sheet.
        elevations: The lowest and the highest in degrees.
        field_of_view: Of all cameras, in degrees.
        distance: Of all cameras, in radii; None to have the mesh just within the picture.
        seed: Of the turns, the heights and the order of the sheets.

    Raises:
        ValueError: If a number is out of its range, or the elevations are not in order.
        TypeError: If one is no number.

    Example:
        >>> views = Views(sheets=3, views=4)
        >>> len(views.cameras()), len(views.cameras()[0])
        (3, 4)
        >>> sorted(views.sheet_at(step) for step in range(3))
        [0, 1, 2]
    """

    sheets: int = 6
    views: int = 4
    elevations: tuple[float, float] = (-40.0, 55.0)
    field_of_view: float = 30.0
    distance: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "sheets", whole_number(self.sheets, "`sheets`", least=1, most=1000))
        set_(self, "views", whole_number(self.views, "`views`", least=1, most=100))
        low, high = _angles(self.elevations)
        set_(self, "elevations", (low, high))
        set_(self, "seed", seed_number(self.seed))
        # A camera checks its angles.
        Camera(0, low, self.field_of_view, self.distance)

    def cameras(self) -> tuple[tuple[Camera, ...], ...]:
        """The cameras of each sheet."""
        count = self.sheets * self.views
        # Equal steps of the sine are equal areas of a sphere.
        low, high = (math.sin(math.radians(angle)) for angle in self.elevations)
        heights = ((torch.arange(count, dtype=torch.float64, device="cpu") + 0.5) / count).tolist()
        order = self._order(0, self.views)
        turn = self._uniform() * 360 / self.views

        def camera(sheet: int, view: int) -> Camera:
            azimuth = (turn + 360 / self.views * (view + sheet / self.sheets)) % 360
            # Views of a sheet have heights of each part of the range; which, changes from sheet to sheet.
            part = order[(view + sheet) % self.views]
            sine = low + (high - low) * heights[part * self.sheets + sheet]
            return Camera(azimuth, math.degrees(math.asin(sine)), self.field_of_view, self.distance)

        return tuple(tuple(camera(sheet, view) for view in range(self.views)) for sheet in range(self.sheets))

    def sheet_at(self, step: int) -> int:
        """The sheet of a step: a function of the seed and the step, in which all come equally often."""
        step = whole_number(step, "`step`", least=0)
        return self._order(1 + step // self.sheets, self.sheets)[step % self.sheets]

    def _order(self, salt: int, count: int) -> list[int]:
        order: list[int] = torch.randperm(count, generator=self._generator(salt), device="cpu").tolist()
        return order

    def _uniform(self) -> float:
        return float(torch.rand((), generator=self._generator(0), dtype=torch.float32, device="cpu"))

    def _generator(self, salt: int) -> torch.Generator:
        # Seeds of neighbouring numbers give unrelated draws only if they are far apart.
        return torch.Generator().manual_seed((self.seed * 1_000_003 + salt * 7_919) % 2**63)


def _angles(elevations: Any) -> tuple[float, float]:
    """The lowest and the highest, which are the same for a ring of views."""
    found = numbers(elevations, "`elevations`", least=-90, most=90)
    if len(found) != 2 or found[0] > found[1]:
        raise ValueError(
            "`elevations` must be (lowest, highest) with lowest <= highest, got "
            f"{tuple(round(value, 6) for value in found)}."
        )
    return found[0], found[1]
