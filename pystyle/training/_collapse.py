"""Says in a sentence when a game goes wrong, and what to change."""

import logging
from collections.abc import Iterator, Mapping

from torch import Tensor

_LOG = logging.getLogger("pystyle")
_EVERY = 10
"""Steps between two looks: numbers of a GPU have to be waited for."""
_MEMORY = 0.95
_LEAST_LOOKS = 20
_MOST_SUCCESS = 0.98
_NEAR = 0.01
"""A mean absolute difference that is hardly seen."""
_FAR = 0.05


class CollapseWatch:
    """Looks at a game every few steps, and warns once of each way in which it collapses.

    It goes by averages of the last 200 steps.
    """

    def __init__(self) -> None:
        self._averages: dict[str, float] = {}
        self._looks = 0
        self._warned: set[str] = set()
        self._last: tuple[Tensor, Tensor] | None = None

    def look(self, index: int, contents: Tensor, pictures: Tensor, signals: Mapping[str, Tensor]) -> None:
        """Look at a step of this number.

        Args:
            index: The number.
            contents: The contents of the step.
            pictures: What was painted of them.
            signals: What the discriminators say of themselves.

        Shape:
            - contents, pictures: (batch, 3, height, width)
        """
        if index % _EVERY:
            return
        content, picture = contents[:1].detach(), pictures[:1].detach()
        seen = {
            "contrast": float(picture.std((2, 3), correction=0).mean()),
            "contrast of contents": float(content.std((2, 3), correction=0).mean()),
            "change": float((picture - content).abs().mean()),
        }
        if self._last is not None and self._last[0].shape == content.shape:
            seen["difference"] = float((picture - self._last[1]).abs().mean())
            seen["difference of contents"] = float((content - self._last[0]).abs().mean())
        self._last = content, picture
        seen |= {name: float(value) for name, value in signals.items() if name.endswith(".accuracy")}
        for name, value in seen.items():
            self._averages[name] = value + _MEMORY * (self._averages.get(name, value) - value)
        self._looks += 1
        if self._looks >= _LEAST_LOOKS:
            for kind, text in self._findings():
                if kind not in self._warned:
                    self._warned.add(kind)
                    _LOG.warning("Up to step %d: %s", index, text)

    def _findings(self) -> Iterator[tuple[str, str]]:
        found = self._averages
        for name, value in found.items():
            if name.endswith(".accuracy") and value > _MOST_SUCCESS:
                loss = name.removesuffix(".accuracy")
                yield (
                    name,
                    f"the discriminator of {loss!r} is right in {100 * value:.0f} % of cases, and the "
                    "network learns little from it. Lower its learning rate, give it a `real_penalty`, or "
                    "its loss an `augmentation` if there are few styles.",
                )
        if found["contrast"] < _NEAR and found["contrast of contents"] > _FAR:
            yield (
                "constant",
                "the pictures have nearly one colour. Lower the learning rates, or raise the weight of what "
                "keeps the contents.",
            )
        elif found.get("difference", 1) < _NEAR and found.get("difference of contents", 0) > _FAR:
            yield (
                "alike",
                "different contents give nearly the same picture. Raise the weight of what keeps the "
                "contents, or give the discriminator a `memory`.",
            )
        if found["change"] < _NEAR:
            yield (
                "identity",
                "the pictures are nearly their contents. Raise the weight of the adversarial loss, or lower "
                "those of what keeps the contents.",
            )
