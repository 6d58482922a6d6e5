from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from pystyle.typing import History

_MOST_BLOCKS = 256
"""A tensor for each step of a long run would take ten times the memory of what it holds."""


class Record:
    """The numbers of every step, kept on their device until the run is over.

    Rows are kept in blocks, (steps, terms), which nobody changes.
    """

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._blocks: list[Tensor] = []
        self._seconds: list[float] = []

    def append(self, numbers: Mapping[str, Tensor], seconds: float) -> None:
        """Add a row; a name that is new is 0 in the rows before, and one that is missing in this one."""
        self._names = tuple(dict.fromkeys([*self._names, *numbers]))
        like = next(iter(numbers.values()))
        row = [numbers[name] if name in numbers else torch.zeros_like(like) for name in self._names]
        self._blocks.append(torch.stack(row)[None])
        self._seconds.append(seconds)
        if len(self._blocks) == _MOST_BLOCKS:
            self._table()

    def history(self) -> History:
        """The columns, up to the first row that is not finite."""
        rows = self._table().double().cpu()
        finite = rows.isfinite().all(1).tolist()
        count = finite.index(False) if False in finite else len(finite)
        columns: History = {"step": list(range(count)), "seconds": self._seconds[:count], "total": []}
        columns.update(zip(self._names, rows[:count].T.tolist(), strict=False))
        return columns

    def state_dict(self) -> dict[str, Any]:
        """What :meth:`load_state_dict` goes on from."""
        seconds = torch.tensor(self._seconds, dtype=torch.float64, device="cpu")
        return {"names": self._names, "rows": self._table(), "seconds": seconds}

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Go on from a state, on this device."""
        self._names, self._seconds = tuple(state["names"]), state["seconds"].tolist()
        self._blocks = [state["rows"].to(device)] if len(state["rows"]) else []

    def _table(self) -> Tensor:
        if len(self._blocks) > 1:
            width = len(self._names)
            self._blocks = [torch.cat([pad(block, (0, width - block.shape[1])) for block in self._blocks])]
        return self._blocks[0] if self._blocks else torch.zeros(0, 1, device="cpu")
