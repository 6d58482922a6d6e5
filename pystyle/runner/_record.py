import torch
from torch import Tensor

from pystyle.criterion import Terms
from pystyle.typing import History


class Record:
    """The terms of every step, kept on their device until the run is over."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._rows: list[Tensor] = []
        self._seconds: list[float] = []

    def append(self, terms: Terms, seconds: float) -> None:
        """Add a row."""
        self._names = ("total", *terms)
        self._rows.append(torch.stack([terms.total, *terms.values()]))
        self._seconds.append(seconds)

    def history(self) -> History:
        """The columns, up to the first row that is not finite."""
        rows = torch.stack(self._rows).double().cpu() if self._rows else torch.zeros(0, 1)
        finite = rows.isfinite().all(1).tolist()
        count = finite.index(False) if False in finite else len(finite)
        columns: History = {"step": list(range(count)), "seconds": self._seconds[:count], "total": []}
        columns.update(zip(self._names, rows[:count].T.tolist(), strict=False))
        return columns
