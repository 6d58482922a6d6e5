from dataclasses import dataclass

from pystyle.networks import Stylizer
from pystyle.typing import History


@dataclass(frozen=True)
class TrainingResult:
    """What a training gives back.

    Attributes:
        network: The network, with the average of its weights, ready to paint.
        history: One list per column: ``step``, ``seconds``, ``total``, and every term by its name. Row k
            holds the losses that step k + 1 started from.
        stop_reason: ``"finished"``, or a sentence that says why the training ended early.
        seconds: How long the steps took.
        skipped: Steps that were left out, because a loss or a gradient was not finite.
        factors: What the weights of losses were multiplied by to balance them.

    Example:
        >>> from pystyle.networks import TransformNetwork
        >>> TrainingResult(TransformNetwork(width=1), {"step": [0, 1], "total": [2.0, 1.0]}, "finished", 0.5)
        TrainingResult(TransformNetwork, 2 steps in 0.5 s, loss 1, finished)
    """

    network: Stylizer
    history: History
    stop_reason: str
    seconds: float
    skipped: int = 0
    factors: dict[str, float] | None = None

    def __repr__(self) -> str:
        """The facts in one line."""
        steps, totals = len(self.history["step"]), self.history["total"]
        loss = f"loss {totals[-1]:.4g}" if totals else "no loss"
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        kind = type(self.network).__name__
        facts = f"{steps} steps in {self.seconds:.1f} s, {loss}, {self.stop_reason}{skipped}"
        return f"TrainingResult({kind}, {facts})"
