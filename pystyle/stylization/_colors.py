"""Whose colours the picture has: what is done to the images before a run, and to the picture after it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import get_args

from torch import Tensor

from pystyle.colors import luminance, match_colors, match_luminance, transfer_luminance
from pystyle.criterion._blend import changed_images, first_image
from pystyle.images import resize
from pystyle.runner import Callback, Result, Step
from pystyle.runner._step import close_all, show
from pystyle.typing import Colors, Init, MaskedImage, Reference, References, Wrap


class ColorControl:
    """What `stylize` does about colours.

    Args:
        colors: ``"style"`` does nothing, ``"content"`` gives the styles the colours of the content,
            ``"luminance"`` leaves only luminance to the run and gives the picture the chroma of the
            content.
        references: The images in their full sizes; the content is a single one.
        alpha: How opaque the content is: what is transparent has no say in its colours.
        wrap: The sides beyond which the content goes on with its other side.

    Attributes:
        references: The images that the run sees.
    """

    def __init__(
        self,
        colors: Colors,
        references: References,
        alpha: Tensor | None = None,
        wrap: Wrap | None = None,
    ) -> None:
        if colors not in get_args(Colors):
            raise ValueError(f"`colors` must be one of {get_args(Colors)}, got {colors!r}.")
        self.colors, self.alpha, self.wrap = colors, alpha, wrap
        self.photograph = first_image(references["content"])
        self.references = self._seen(references)

    def _seen(self, references: References) -> References:
        if self.colors == "content":
            return self._changed(
                references, lambda image: match_colors(image, self.photograph, reference_mask=self.alpha)
            )
        if self.colors == "luminance":
            grey = self._changed(
                references,
                lambda image: _grey(match_luminance(image, self.photograph, reference_mask=self.alpha)),
            )
            return {**grey, "content": _each(references["content"], lambda image: _grey(luminance(image)))}
        return references

    @staticmethod
    def _changed(references: References, change: Callable[[Tensor], Tensor]) -> References:
        """The references with all styles changed."""
        return {
            name: reference if name == "content" else _each(reference, change)
            for name, reference in references.items()
        }

    def init(self, init: Init) -> Init:
        """What the run starts from."""
        if self.colors != "style" and init == "recoloured":
            # The styles have the colours of the content already.
            return "content"
        if self.colors == "luminance" and isinstance(init, Tensor):
            return _grey(luminance(init))
        return init

    def callbacks(self, callbacks: Sequence[Callback]) -> Sequence[Callback]:
        """The callbacks, which see the picture as it would be given back."""
        return (
            [_Colored(callback, self) for callback in callbacks] if self.colors == "luminance" else callbacks
        )

    def finished(self, result: Result) -> Result:
        """The result with the picture in its colours, and with the transparency of the content."""
        image, alpha = self.picture(result.image), self.alpha
        if alpha is not None:
            alpha = resize(alpha, (image.shape[2], image.shape[3]), interpolation="bilinear")
        return replace(result, image=image, alpha=alpha)

    def picture(self, image: Tensor) -> Tensor:
        """The picture that an image of the run becomes."""
        if self.colors != "luminance":
            return image
        size = (image.shape[2], image.shape[3])
        return transfer_luminance(image, resize(self.photograph, size, wrap=self.wrap))


class _Colored:
    def __init__(self, callback: Callback, control: ColorControl) -> None:
        self.callback = callback
        self.control = control

    def __call__(self, step: Step) -> None:
        colored = Step(
            step.index,
            step.num_steps,
            step.terms,
            step.seconds,
            lambda: self.control.picture(step.image),
            level=step.level,
            fraction=step.fraction,
        )
        show(self.callback, colored, step)

    def close(self) -> None:
        close_all([self.callback])


def _each(reference: Reference, change: Callable[[Tensor], Tensor]) -> Reference:
    def changed(image: Tensor | MaskedImage) -> Tensor | MaskedImage:
        return replace(image, image=change(image.image)) if isinstance(image, MaskedImage) else change(image)

    return changed_images(reference, changed)


def _grey(channel: Tensor) -> Tensor:
    return channel.expand(-1, 3, -1, -1)
