"""How the submodules of a module see the image, found out by running it on images without data.

Layouts, strides and smallest sizes follow from the shapes of the outputs, receptive fields from
`_receptive_fields`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from pystyle.encoders._dry_runs import Outputs, black_image, dry_run, runnables
from pystyle.encoders._geometry import LayerGeometry
from pystyle.encoders._layouts import Layout, Size, layout_from_growth, layout_of_square
from pystyle.encoders._receptive_fields import receptive_fields

_SIDES = (448, 480)
"""Sides of squares: one of them is a multiple of every usual stride, 3 and 14 among them."""


class ProbedLayer(NamedTuple):
    """Where the output of a submodule has its axes, and how it sees the image."""

    layout: Layout
    geometry: LayerGeometry


def probe_layers(
    module: nn.Module, paths: Sequence[str], *, image_size: int | None, size_multiple: int
) -> dict[str, ProbedLayer]:
    """What is found out about these submodules, in the order in which they run.

    Args:
        module: A module in evaluation mode.
        paths: The names of its submodules.
        image_size: The side of the only square that it takes, None if it takes others.
        size_multiple: What the sides of its images are rounded up to.

    Raises:
        ValueError: If the module does not run, or a submodule cannot be a layer.
    """
    sides = [image_size] if image_size else [_rounded_up(side, size_multiple) for side in _SIDES]
    runnable, found = _layouts(module, paths, sides, oblong=image_size is None)
    layouts: dict[str, Layout] = {}
    for path, layout in found.items():
        if isinstance(layout, str):
            raise ValueError(f"The submodule {path!r} cannot be a layer: {layout}.")
        layouts[path] = layout
    side = sides[0]
    fields = receptive_fields(runnable, layouts, black_image(runnable, (side, side)))
    smallest = dict.fromkeys(layouts, side)
    if image_size is None:
        smallest = _smallest_sides(runnable, list(layouts), size_multiple)
    return {
        path: ProbedLayer(
            layout,
            LayerGeometry(stride=layout.stride, receptive_field=fields[path], minimum_size=smallest[path]),
        )
        for path, layout in layouts.items()
    }


def strides_of(
    module: nn.Module, paths: Sequence[str], *, image_size: int | None, size_multiple: int
) -> dict[str, int]:
    """The strides of those submodules that can be layers, in the order in which they run."""
    side = image_size or _rounded_up(_SIDES[0], size_multiple)
    _, found = _layouts(module, paths, [side], oblong=image_size is None)
    return {path: layout.stride for path, layout in found.items() if isinstance(layout, Layout)}


def _layouts(
    module: nn.Module, paths: Sequence[str], sides: Sequence[int], *, oblong: bool
) -> tuple[nn.Module, dict[str, Layout | str]]:
    """What can be run, and the layout of each submodule, or why it has none, by the first side that tells."""
    found: dict[str, Layout | str] = {}
    for side in sides:
        runnable, first = _first_run(module, paths, (side, side))
        more = [(2 * side, side), (side, 2 * side)] if oblong else []
        runs = [first, *(dry_run(runnable, paths, size) for size in more)]
        for path in (*first, *(path for path in paths if path not in first)):
            layout = _layout([run.get(path, []) for run in runs], side)
            if path not in found or (isinstance(layout, Layout) and isinstance(found[path], str)):
                found[path] = layout
        if all(isinstance(layout, Layout) for layout in found.values()):
            break
    return runnable, found


def _rounded_up(side: int, size_multiple: int) -> int:
    return -(-side // size_multiple) * size_multiple


def _first_run(module: nn.Module, paths: Sequence[str], size: Size) -> tuple[nn.Module, Outputs]:
    for runnable in runnables(module):
        errors: list[Exception] = []
        outputs = dry_run(runnable, paths, size, errors=errors)
        # An error after the layers comes from a head that takes images of another size.
        if not errors or len(outputs) == len(paths):
            return runnable, outputs
    raise ValueError(
        f"`module` must take images of {size[0]} x {size[1]} pixels, got {type(errors[0]).__name__}: "
        f"{errors[0]} If it takes images of one other size only, give it to `ModuleEncoder` as `image_size`."
    ) from errors[0]


def _layout(outputs: list[list[Any]], side: int) -> Layout | str:
    """The layout, or why there is none."""
    times = max(map(len, outputs))
    if times > 1:
        return f"it runs {times} times in one pass. Name the module around it"
    if not all(outputs):
        return "the module does not call it" + (" for oblong images" if times else "")
    for (output,) in outputs:
        if not isinstance(output, Tensor):
            return f"it gives a {type(output).__name__} and no tensor. Wrap it in a module that gives one"
    shapes = [tuple(output.shape) for (output,) in outputs]
    found = layout_of_square(shapes[0], side) if len(shapes) == 1 else layout_from_growth(shapes, side)
    return found or (
        f"for {side} x {side} pixels it gives a tensor of the shape {shapes[0]}, which does not grow with "
        "the image as (batch, channels, rows, columns), (batch, rows, columns, channels) and tokens do"
    )


def _smallest_sides(module: nn.Module, paths: Sequence[str], size_multiple: int) -> dict[str, int]:
    """The side of the smallest square from which each submodule has at least one position."""
    runs: dict[int, Outputs] = {}

    def works(path: str, multiples: int) -> bool:
        if multiples not in runs:
            side = multiples * size_multiple
            runs[multiples] = dry_run(module, paths, (side, side), whole=False)
        return any(min(output.shape) > 0 for output in runs[multiples].get(path, []))

    smallest, fails, largest = {}, 0, _rounded_up(_SIDES[0], size_multiple) // size_multiple
    for path in paths:
        # What comes later in the module needs no smaller image. Small images are the fastest to try.
        succeeds = fails + 1
        while succeeds < largest and not works(path, succeeds):
            fails, succeeds = succeeds, min(2 * succeeds, largest)
        while succeeds - fails > 1:
            middle = (fails + succeeds) // 2
            fails, succeeds = (fails, middle) if works(path, middle) else (middle, succeeds)
        # An image of one pixel is already rounded up to the first multiple.
        smallest[path] = fails * size_multiple + 1
    return smallest
