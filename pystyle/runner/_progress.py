import sys
from contextlib import suppress
from typing import Any

from pystyle.runner._step import Step


class ProgressBar:
    """A bar with the loss and the time left: that of tqdm where it is installed, else plain lines.

    A standard error that is closed, or whose reader has gone, ends no run.

    Args:
        description: Stands in front of the bar.
        images_per_step: Of a training, the images in a step: their number per second is shown, too.

    Example:
        >>> from pystyle.runner import ProgressBar
        >>> progress = ProgressBar("512 px")   # optimize_image(..., callbacks=[progress])
    """

    def __init__(self, description: str = "", *, images_per_step: int | None = None) -> None:
        self.description = description
        self.images_per_step = images_per_step
        self._bar: Any = None
        self._printed = 0.0

    def __call__(self, step: Step) -> None:
        """Show the step."""
        with suppress(OSError, ValueError):
            self._show(step)

    def close(self) -> None:
        """Finish the bar."""
        if self._bar is not None:
            with suppress(OSError, ValueError):
                self._bar.close()
            self._bar = None
        self._printed = 0.0

    def _show(self, step: Step) -> None:
        if sys.stderr is None:
            return
        try:
            from tqdm import tqdm
        except ImportError:
            self._print(step)
            return
        if self._bar is None:
            # The time left of tqdm takes all steps for equally long, which those of a pyramid are not.
            form = "{desc}{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
            description = f"{self.description}: " if self.description else ""
            self._bar = tqdm(total=step.num_steps, desc=description, bar_format=form, file=sys.stderr)
        left = tqdm.format_interval(step.seconds_left)
        self._bar.set_postfix_str(f"{left} left, {self._facts(step)}", refresh=False)
        self._bar.update(step.index - self._bar.n)

    def _print(self, step: Step) -> None:
        if step.index < step.num_steps and step.seconds - self._printed < 2:
            return
        self._printed = step.seconds
        text = f"step {step.index}/{step.num_steps}, {step.seconds_left:.0f} s left, {self._facts(step)}"
        print(f"{self.description} {text}".strip(), file=sys.stderr, flush=True)

    def _facts(self, step: Step) -> str:
        loss = f"loss {float(step.terms.total):.4g}"
        if self.images_per_step is None:
            return loss
        return f"{loss}, {self.images_per_step * step.index / max(step.seconds, 1e-9):.1f} images/s"
