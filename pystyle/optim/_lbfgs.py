from collections.abc import Callable, Iterable
from inspect import unwrap
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from pystyle._arguments import interval, number, whole_number

Loss = Tensor | float | None


class LBFGS(Optimizer):
    """L-BFGS without line search and without waiting for the device, optionally within bounds.

    One step takes one evaluation, as ``torch.optim.LBFGS(max_iter=1)`` does, and with
    ``initial_step=None`` gives the same iterates, up to the note below. But torch's reads about two
    numbers per pair of its history back to the host in every step (204 for a history of 100), which
    stalls a GPU; here nothing leaves the device.

    With bounds it is a projected method: coordinates at a bound that the gradient pushes outwards
    are held, the others move along the L-BFGS direction of their own gradient and are clamped, and
    the history learns the step that was really made.

    Args:
        params: The tensors to optimise, all on one device and of one type. There is one group.
        lr: The length of a step relative to the quasi-Newton step.
        history_size: Pairs that are kept; each takes twice the memory of the parameters.
        damping: Powell's damping. A pair whose curvature is below this fraction of the current
            estimate is blended with the estimate (from the second pair on: before the first there
            is none). 0 leaves all pairs as they are, as torch does.
        bounds: The smallest and the largest value of a parameter; None for no bounds.
        initial_step: The mean length of the first step in a coordinate, times `lr`; it goes along the
            gradient. The default is for pixels in [0, 1]. None takes torch's: `lr` in all coordinates
            together.
        history_bytes: The memory that the pairs may take; None for no limit. Where `history_size`
            pairs would take more, they are kept in bfloat16, and as many as fit, at least one.
        capturable: Count the steps on the device, so that a CUDA graph can hold one, as for the
            optimizers of torch. It costs a copy of each pair per step, and changes no number.

    Raises:
        ValueError: If a value is out of range.

    Example:
        >>> import torch
        >>> x = torch.tensor([3.0, -2.0], requires_grad=True)
        >>> optimizer = LBFGS([x], bounds=(-1.0, 1.0))
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = ((x - torch.tensor([0.5, 4.0])) ** 2).sum()
        ...     loss.backward()
        ...     return loss
        >>> for _ in range(20):
        ...     loss = optimizer.step(closure)
        >>> x.detach()
        tensor([0.5000, 1.0000])

    Note:
        The first step of torch moves a pixel of an image by about 1e-5. The change of the gradient, of which
        the second step is made, is then little more than its rounding; in half precision it may be nothing
        else, and the second step go as far as the bounds allow.

        The path does not depend on the scale of the loss. Torch multiplies the first gradient by
        ``min(1, 1 / |g|₁)``, here by ``1 / |g|₁`` until there is a pair, and takes pairs with
        yᵀs > 1e-10; here that number is relative to the lengths of y and s. With torch's rules a
        loss with small gradients hardly moves the image.

        A pair without positive curvature is stored with weight 0, where torch does not store it:
        the check would need the host. Such a pair takes a place in the history.

    References:
        Nocedal, Wright. *Numerical optimization*, algorithms 7.4 and 7.5, procedure 18.2 (damping).
        Byrd, Lu, Nocedal, Zhu. *A limited memory algorithm for bound constrained optimization*.
        SIAM Journal on Scientific Computing, 1995; this is a simpler projection.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1.0,
        *,
        history_size: int = 20,
        damping: float = 0.0,
        bounds: tuple[float, float] | None = None,
        initial_step: float | None = 5e-3,
        history_bytes: int | None = None,
        capturable: bool = False,
    ) -> None:
        defaults: dict[str, Any] = {
            "lr": number(lr, "`lr`", above=0),
            "history_size": whole_number(history_size, "`history_size`", least=1),
            "damping": number(damping, "`damping`", least=0, below=1),
            "bounds": None if bounds is None else interval(bounds, "`bounds`"),
            "initial_step": None if initial_step is None else number(initial_step, "`initial_step`", above=0),
            "history_bytes": (
                None if history_bytes is None else whole_number(history_bytes, "`history_bytes`", least=1)
            ),
            "capturable": capturable,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError(f"LBFGS takes one group of parameters, got {len(self.param_groups)}.")

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """The group of parameters."""
        # Around torch's own, as around its two of states, is what keeps its compiler out, and imports it
        # first, which takes two seconds.
        unwrap(Optimizer.add_param_group)(self, param_group)

    def state_dict(self) -> dict[str, Any]:
        """The state to go on from; see `torch.optim.Optimizer`."""
        state: dict[str, Any] = unwrap(Optimizer.state_dict)(self)
        return state

    @torch.no_grad()
    def step(self, closure: Callable[[], Loss] | None = None) -> Loss:  # type: ignore[override]
        """Evaluate once and move once.

        Args:
            closure: Clears the gradients, computes the loss and its gradients, and returns the loss.
                Without it the gradients of the parameters are taken as they are.

        Returns:
            What the closure returned.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        position, gradient = self._gather("data"), self._gather("grad")
        state = self.state[self._params()[0]]
        if not state:
            self._start(state, gradient)
        else:
            self._learn(state, gradient)
        moved = self._move(state, position, gradient)
        state["gradient"].copy_(gradient)
        state["step"] += 1
        self._scatter(moved)
        return loss

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state; see `torch.optim.Optimizer`."""
        unwrap(Optimizer.load_state_dict)(self, state_dict)
        # Torch gives all of it the type of the parameters, and the pairs may have a smaller one.
        for saved, state in zip(state_dict["state"].values(), self.state.values(), strict=True):
            for name in ("steps", "changes"):
                state[name] = state[name].to(saved[name].dtype)
            state["step"] = self._count(int(saved["step"]), state["gradient"])

    def _start(self, state: dict[str, Any], gradient: Tensor) -> None:
        size, dtype = self._history(gradient)
        state["step"] = self._count(0, gradient)
        state["gradient"], state["last_step"] = gradient.clone(), torch.zeros_like(gradient)
        state["steps"] = gradient.new_zeros(size, gradient.numel(), dtype=dtype)
        state["changes"] = gradient.new_zeros(size, gradient.numel(), dtype=dtype)
        # 1 / yᵀs of each pair; 0 makes a pair count for nothing.
        state["rho"] = gradient.new_zeros(size)
        # The smallest number keeps a gradient of zero from becoming NaN.
        length = self.param_groups[0]["initial_step"]
        length = 1.0 if length is None else length * gradient.numel()
        smallest = torch.finfo(gradient.dtype).tiny * max(length, 1.0)
        state["scale"] = length / gradient.abs().sum().clamp_min(smallest)

    def _count(self, number: int, like: Tensor) -> int | Tensor:
        return torch.tensor(number, device=like.device) if self.param_groups[0]["capturable"] else number

    def _history(self, gradient: Tensor) -> tuple[int, torch.dtype]:
        """How many pairs are kept, and of which type."""
        size, limit = self.param_groups[0]["history_size"], self.param_groups[0]["history_bytes"]
        if limit is None or 2 * size * gradient.numel() * gradient.element_size() <= limit:
            return size, gradient.dtype
        return min(size, max(limit // (4 * gradient.numel()), 1)), torch.bfloat16

    def _learn(self, state: dict[str, Any], gradient: Tensor) -> None:
        """Add the pair of the last step to the ring of pairs."""
        damping = self.param_groups[0]["damping"]
        last, change = state["last_step"], gradient - state["gradient"]
        curvature = change.dot(last)
        if damping:
            expected = last.dot(last) / state["scale"]
            blend = ((1 - damping) * expected / (expected - curvature)).nan_to_num(1.0)
            small = (curvature < damping * expected) & (state["step"] > 1)
            blend = torch.where(small, blend, torch.ones_like(blend))
            change = blend * change + (1 - blend) / state["scale"] * last
            curvature = change.dot(last)
        if state["steps"].dtype != last.dtype:
            # The numbers of a pair have to be those of the pair as it is kept.
            last, change = (tensor.to(state["steps"].dtype).to(tensor) for tensor in (last, change))
            curvature = change.dot(last)
        valid = curvature > 1e-10 * change.norm() * last.norm()
        index = (state["step"] - 1) % len(state["rho"])
        _write(state["steps"], index, last)
        _write(state["changes"], index, change)
        _write(state["rho"], index, torch.where(valid, 1 / curvature, torch.zeros_like(curvature)))
        scale = torch.where(valid, curvature / change.dot(change), state["scale"])
        state["scale"].copy_(scale)

    def _move(self, state: dict[str, Any], position: Tensor, gradient: Tensor) -> Tensor:
        group = self.param_groups[0]
        if group["bounds"] is None:
            step: Tensor = self._direction(state, gradient) * group["lr"]
            state["last_step"].copy_(step)
            return position + step
        low, high = group["bounds"]
        held = ((position <= low) & (gradient > 0)) | ((position >= high) & (gradient < 0))
        direction = self._direction(state, gradient.masked_fill(held, 0)).masked_fill_(held, 0)
        moved: Tensor = (position + direction * group["lr"]).clamp_(low, high)
        torch.sub(moved, position, out=state["last_step"])
        return moved

    def _direction(self, state: dict[str, Any], gradient: Tensor) -> Tensor:
        """Minus the inverse Hessian estimate times the gradient, by the two-loop recursion."""
        steps, changes, rho = state["steps"], state["changes"], state["rho"]
        # A place without a pair has rho = 0 and counts for nothing.
        count = len(rho) if isinstance(state["step"], Tensor) else min(state["step"], len(rho))
        newest_first = [(state["step"] - 1 - age) % len(rho) for age in range(count)]
        direction = -gradient
        factors = []
        for index in newest_first:
            factors.append(_read(steps, index).to(direction).dot(direction) * _read(rho, index))
            direction = torch.addcmul(direction, _read(changes, index).to(direction), factors[-1], value=-1)
        direction = direction * state["scale"]
        for index, factor in zip(reversed(newest_first), reversed(factors), strict=True):
            factor = factor - _read(changes, index).to(direction).dot(direction) * _read(rho, index)
            direction = torch.addcmul(direction, _read(steps, index).to(direction), factor)
        return direction

    def _params(self) -> list[Tensor]:
        params: list[Tensor] = self.param_groups[0]["params"]
        return params

    def _gather(self, attribute: str) -> Tensor:
        """Parameters or gradients as one vector; `reshape` copes with channels_last."""
        parts = [getattr(param, attribute) for param in self._params()]
        params = zip(parts, self._params(), strict=True)
        return torch.cat([(torch.zeros_like(p) if part is None else part).reshape(-1) for part, p in params])

    def _scatter(self, vector: Tensor) -> None:
        params = self._params()
        parts = torch.split(vector, [param.numel() for param in params])
        for param, part in zip(params, parts, strict=True):
            param.copy_(part.view(param.shape))


def _read(rows: Tensor, index: int | Tensor) -> Tensor:
    """A row; an index on the device must not be read by the host, which `rows[index]` does."""
    return rows.index_select(0, index.view(1))[0] if isinstance(index, Tensor) else rows[index]


def _write(rows: Tensor, index: int | Tensor, row: Tensor) -> None:
    if isinstance(index, Tensor):
        rows.index_copy_(0, index.view(1), row.to(rows.dtype)[None])
    else:
        rows[index] = row
