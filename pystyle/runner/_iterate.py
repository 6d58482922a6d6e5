from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.optim import Optimizer

from pystyle.criterion import Terms
from pystyle.functional._root import root
from pystyle.parametrizations import Parametrization
from pystyle.runner._average import Average


class Iterate:
    """What a run moves: the parameters of an image, with the last of them that were finite.

    A step reads nothing back to the host and keeps its tensors, so that a graph can hold it.

    Args:
        parametrization: The parameters, and how an image is made of them.
        optimizer: What moves them.
        average: The average of the images, if that is the result.

    Attributes:
        finite: Whether everything was finite so far, on the device.
        moved: Whether a parameter was ever changed, on the device.
    """

    def __init__(
        self, parametrization: Parametrization, optimizer: Optimizer, *, average: Average | None
    ) -> None:
        self.parametrization = parametrization
        self.optimizer = optimizer
        self._average = average
        self._parameters = dict(parametrization.named_parameters())
        # In one piece, so that Ctrl-C cannot cut in two what is remembered.
        self._memory = _joined(self._parameters.values())
        parts = torch.split(self._memory, [value.numel() for value in self._parameters.values()])
        self._last_good = {
            name: part.view(value.shape)
            for part, (name, value) in zip(parts, self._parameters.items(), strict=True)
        }
        device = self._memory.device
        self.finite = torch.ones((), dtype=torch.bool, device=device)
        self.moved = torch.zeros((), dtype=torch.bool, device=device)

    def step(
        self,
        evaluate: Callable[[Tensor], tuple[Terms, Tensor]],
        project: Callable[[Tensor], None],
        seen: Callable[[Terms], None] = lambda _: None,
    ) -> Terms:
        """Take a step of the optimizer, and give the terms that it starts from.

        Args:
            evaluate: The terms of an image, and the gradient of their total.
            project: Brings a parameter back into its bounds, in place.
            seen: Called with the terms as soon as they are there.
        """
        found: list[Terms] = []

        def closure() -> Tensor:
            # The last gradient must not lie about while the next is computed.
            self.parametrization.zero_grad()
            with torch.enable_grad():
                image = self.parametrization()
            terms, gradient = evaluate(image.detach())
            finite = terms.total.isfinite() & gradient.isfinite().all()
            self.finite.logical_and_(finite)
            if not found:
                found.append(terms)
                seen(terms)
                self._memory.copy_(_joined(self._good_parameters().values()))
            torch.autograd.backward(root([image], [torch.where(finite, gradient, 0.0)]))
            # A line search rejects an infinite loss; of NaN that of torch makes an IndexError.
            return torch.where(finite, terms.total, torch.inf)

        self.optimizer.step(closure)  # type: ignore[arg-type]
        if not found:
            raise TypeError(f"{type(self.optimizer).__name__}.step() must call the closure that it is given.")
        with torch.no_grad():
            for name, parameter in self._parameters.items():
                if self.parametrization.projected:
                    project(parameter)
                self.finite.logical_and_(parameter.isfinite().all())
                self.moved.logical_or_((parameter != self._last_good[name]).any())
        if self._average is not None:
            self._average.update(self._good_image())
        return found[0]

    def picture(self) -> Tensor:
        """The result so far, in [0, 1]."""
        average = None if self._average is None else self._average.image
        return (self._good_image() if average is None else average).clamp(0, 1)

    @torch.no_grad()
    def restore(self) -> None:
        """Go back to the last parameters that were finite."""
        for name, parameter in self._parameters.items():
            parameter.copy_(self._last_good[name])

    def state_dict(self) -> dict[str, Any]:
        """What :meth:`load_state_dict` goes on from; the tensors are the iterate's own."""
        return {
            "parametrization": dict(self.parametrization.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "average": None if self._average is None else self._average.state_dict(),
            "last_good": dict(self._last_good),
            "finite": self.finite,
            "moved": self.moved,
        }

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from the state of another iterate with the same arguments."""
        self.parametrization.load_state_dict(state["parametrization"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self._average is not None:
            self._average.load_state_dict(state["average"], self.finite.device)
        for name, value in self._last_good.items():
            value.copy_(state["last_good"][name])
        self.finite.copy_(state["finite"])
        self.moved.copy_(state["moved"])

    def _good_image(self) -> Tensor:
        image: Tensor = functional_call(self.parametrization, self._good_parameters(), ())
        return image

    def _good_parameters(self) -> dict[str, Tensor]:
        # Chosen on the device: between two looks at the flag nobody knows yet whether the iterate is finite.
        return {
            name: torch.where(self.finite, parameter.detach(), self._last_good[name])
            for name, parameter in self._parameters.items()
        }


def _joined(tensors: Iterable[Tensor]) -> Tensor:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
