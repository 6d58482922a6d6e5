"""`pystyle live`."""

import argparse
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from pystyle import __version__
from pystyle.cli._announce import say
from pystyle.cli._errors import EXIT_INTERRUPTED, CommandError, UsageError
from pystyle.cli._inputs import STANDARD_STREAM, check_streams, pillow_limit
from pystyle.cli._live_options import add_arguments
from pystyle.cli._live_status import Status
from pystyle.cli._networks import bound, check_edge, compiled_network
from pystyle.cli._outputs import check_new_file, check_standard_output
from pystyle.cli._style_options import check_style_weights
from pystyle.cli._tell import tell_facts
from pystyle.cli._values import ORIGINAL_SIZE
from pystyle.images import scaled_size
from pystyle.video import Clip, read_clip
from pystyle.video._folder_writing import checked_folder
from pystyle.video._formats import format_of
from pystyle.video.live import LiveProgress, PreviewWindow, paint_live, play_clip, read_camera, read_screen

__all__ = ["DESCRIPTION", "SUMMARY", "add_arguments", "run"]

SUMMARY = "paint what a camera sees, as it sees it"
DESCRIPTION = (
    "Paint what a camera or the screen shows, in a window: always the newest frame, so that a slow network "
    "gives fewer pictures and none that are late. q or Esc ends it."
)


def run(options: argparse.Namespace) -> int:
    """Carry the command out and return the exit code."""
    _check(options)
    try:
        with pillow_limit(options.max_pixels):
            return _run(options)
    except BrokenPipeError:
        # Who has closed the player that reads standard output has seen enough.
        if options.output == STANDARD_STREAM:
            return 0
        raise


def _check(options: argparse.Namespace) -> None:
    """Everything that can be wrong is found before the source is opened."""
    check_streams(options.styles)
    check_style_weights(options.style_weights, len(options.styles))
    if options.output is None:
        if options.no_window and not options.json:
            raise UsageError("With `--no-window` nothing would be seen. Add `--output` or `--json`.")
    elif options.output == STANDARD_STREAM:
        if options.json:
            raise UsageError("`--output -` leaves no place for `--json`. Name a file.")
        check_standard_output()
    else:
        _check_recording(options)


def _check_recording(options: argparse.Namespace) -> None:
    path = Path(options.output)
    try:
        if format_of(path, None) == "folder":
            checked_folder(path)
        else:
            check_new_file("--output", path, overwrite=options.overwrite)
    except (ValueError, FileNotFoundError) as error:
        raise UsageError(str(error)) from error
    read = [*options.styles, *([options.clip] if options.clip else ())]
    if any(path.resolve() == Path(other).resolve() for other in read):
        raise UsageError(f"`--output` must not be a file that is read, got '{path}'. Choose another name.")


def _run(options: argparse.Namespace) -> int:
    with ExitStack() as stack:
        window = None if options.no_window else stack.enter_context(PreviewWindow("pystyle live"))
        network = compiled_network(options)
        paint = partial(bound(network, options), strength=options.strength)
        # After all that takes time: a camera keeps what it has seen since.
        clip = _source(options)
        edge_size = None if options.edge_size == ORIGINAL_SIZE else options.edge_size
        size = clip.height, clip.width
        if edge_size is not None:
            size = scaled_size(size, edge_size)
        check_edge(network, "--size", size)
        status = stack.enter_context(Status(wanted=not (options.quiet or options.json)))
        result = paint_live(
            clip,
            paint,
            show=None if window is None else window.show,
            stop=None if window is None else window.closed,
            seconds=options.seconds,
            edge_size=edge_size,
            output=options.output,
            progress=status.show,
        )
    return _report(result, options, clip.name, size, str(next(network.parameters()).device))


def _source(options: argparse.Namespace) -> Clip:
    if options.screen:
        return read_screen()
    if options.clip is not None:
        return play_clip(read_clip(options.clip, max_pixels=options.max_pixels))
    camera = options.camera
    return read_camera(int(camera) if camera.isdecimal() else camera)


def _report(
    result: LiveProgress, options: argparse.Namespace, source: str, size: tuple[int, int], device: str
) -> int:
    interrupted = result.stop_reason == "interrupted"
    if not result.painted:
        if interrupted:
            raise KeyboardInterrupt
        raise CommandError(f"Nothing was painted: no frames came from '{source}'.")
    if options.json:
        tell_facts(_facts(result, options, source, size, device))
    place = "" if options.output in (None, STANDARD_STREAM) else f"The recording is in '{options.output}': "
    if interrupted or not (options.quiet or options.json):
        say(f"{'Interrupted. ' if interrupted else ''}{place}{_described(result)}")
    return EXIT_INTERRUPTED if interrupted else 0


def _described(result: LiveProgress) -> str:
    return (
        f"{result.painted} pictures in {result.seconds:.1f} s, {result.frames_per_second:.1f} a second and "
        f"{result.latency * 1000:.0f} ms late; {result.dropped} frames were dropped."
    )


def _facts(
    result: LiveProgress, options: argparse.Namespace, source: str, size: tuple[int, int], device: str
) -> dict[str, object]:
    output = options.output
    return {
        "output": None if output is None else str(Path(output).absolute()),
        "source": source,
        "width": size[1],
        "height": size[0],
        "painted": result.painted,
        "dropped": result.dropped,
        "seconds": round(result.seconds, 3),
        "frames_per_second": round(result.frames_per_second, 3),
        "latency": round(result.latency, 4),
        "longest_latency": round(result.longest_latency, 4),
        "stop_reason": result.stop_reason,
        "network": options.network,
        "styles": options.styles,
        "device": device,
        "version": __version__,
    }
