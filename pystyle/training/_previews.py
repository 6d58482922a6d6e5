import os
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from pystyle._arguments import check_image, whole_number
from pystyle.images import contact_sheet
from pystyle.networks import Style, Stylizer
from pystyle.networks._codes import for_network
from pystyle.runner import Preview, Step
from pystyle.training._step import TrainingStep


class Previews(Preview):
    """Writes a contact sheet of what the network paints, every so many steps.

    Give pairs that it is not trained on: how the loss falls tells little about the pictures. A column has the
    content, the style if it is an image, and the picture.

    Args:
        path: The file, which is replaced each time; or a pattern with ``{step}``, which gives one file per
            sheet.
        pairs: Contents with their styles: images of shape (1, 3, height, width), or names of learned styles.
        every: Steps between two sheets.
        height: The height of each picture on the sheet, in pixels.

    Raises:
        ValueError: If a number is not positive, there are no pairs, or a content is not one image.
        TypeError: If these are no pairs, or a content is no image.

    Example:
        >>> import torch
        >>> photograph, painting = torch.rand(2, 1, 3, 64, 64)
        >>> previews = Previews("preview-{step}.jpg", [(photograph, painting)], every=500)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        pairs: Sequence[tuple[Tensor, Style]],
        *,
        every: int = 500,
        height: int = 192,
    ) -> None:
        super().__init__(path, every=every)
        self.pairs = _checked(pairs)
        self.height = whole_number(height, "`height`", least=1)

    def picture(self, step: Step) -> Tensor:
        """The sheet.

        Raises:
            TypeError: If the step is not that of a training.
        """
        if not isinstance(step, TrainingStep):
            raise TypeError(
                "`Previews` must be a callback of `train`, got a step of another run. Use `Preview`."
            )
        rows = [self._painted(step.network, *pair) for pair in self.pairs]
        return contact_sheet([list(column) for column in zip(*rows, strict=True)], height=self.height, gap=4)

    @staticmethod
    def _painted(network: Stylizer, content: Tensor, style: Style) -> list[Tensor]:
        with torch.no_grad():
            picture = network.bind(style)(for_network(network, content)).cpu()
        return [content, *([style] if isinstance(style, Tensor) else []), picture]


def _checked(pairs: Any) -> list[tuple[Tensor, Style]]:
    """The pairs, looked at before the training is under way."""
    found = list(pairs)
    if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in found):
        raise TypeError('`pairs` must be a list of contents with their styles. Write `[(photo, "style")]`.')
    if not found:
        raise ValueError("`pairs` must have at least one content with its style, got none.")
    for content, _ in found:
        check_image(content, "A content of `pairs`")
    return [(content, style) for content, style in found]
