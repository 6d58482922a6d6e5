from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor


class Terms(Mapping[str, Tensor]):
    """The weighted parts of an objective's value by name, such as ``style.relu3_1``.

    Args:
        terms: The terms: scalars on one device.

    Attributes:
        total: Their sum, a scalar to call ``backward`` on.

    Example:
        >>> import torch
        >>> terms = Terms({"content.relu4_2": torch.tensor(1.0), "style.relu1_1": torch.tensor(2.0)})
        >>> terms.total
        tensor(3.)
        >>> terms["style.relu1_1"]
        tensor(2.)
    """

    def __init__(self, terms: Mapping[str, Tensor]) -> None:
        self._terms = dict(terms)
        self.total = torch.stack(list(self._terms.values())).sum()

    def __getitem__(self, name: str) -> Tensor:
        """The term of this name."""
        if name not in self._terms:
            raise KeyError(f"There is no term {name!r}; there are {', '.join(self._terms)}.")
        return self._terms[name]

    def __iter__(self) -> Iterator[str]:
        """The names of the terms."""
        return iter(self._terms)

    def __len__(self) -> int:
        """The number of terms."""
        return len(self._terms)

    def detach(self) -> "Terms":
        """The same values without their graph."""
        return Terms({name: term.detach() for name, term in self.items()})

    def with_zeros(self, names: Iterable[str]) -> "Terms":
        """The terms of these names in their order; those that are missing are 0.

        Example:
            >>> import torch
            >>> Terms({"style.a": torch.tensor(1.0)}).with_zeros(["content.b", "style.a"])
            content.b  0
            style.a    1
            total      1
        """
        zero = torch.zeros_like(self.total)
        return Terms({name: self._terms.get(name, zero) for name in names})

    def by_loss(self) -> dict[str, Tensor]:
        """The sum of the terms of each loss: ``style`` for ``style.relu1_1`` and ``style.relu2_1``.

        Example:
            >>> import torch
            >>> Terms({"style.a": torch.tensor(1.0), "style.b": torch.tensor(2.0)}).by_loss()
            {'style': tensor(3.)}
        """
        sums: dict[str, Tensor] = {}
        for name, term in self.items():
            loss = name.partition(".")[0]
            sums[loss] = sums[loss] + term if loss in sums else term
        return sums

    def __repr__(self) -> str:
        """One line per term."""
        width = max(map(len, self._terms), default=0)
        lines = [f"{name:<{width}}  {float(term.detach()):.4g}" for name, term in self.items()]
        return "\n".join([*lines, f"{'total':<{width}}  {float(self.total.detach()):.4g}"])
